/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/answer.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

#define MAX_ERRNO 4095

static int garbage(const char *what)
{
	return fail_plain(-EPROTO, "worker answered garbage (%s)", what);
}

int64_t answer_body_size(const struct answer_head *h, const struct request_head *request)
{
	if (h->magic != ANSWER_MAGIC || h->seq != request->seq)
		return garbage("head");
	if (h->err > 0 || h->err < -MAX_ERRNO)
		return garbage("error");
	if (h->err) {
		if (h->nr_symbols || h->nr_segments || h->nr_names || h->build_id_len ||
		    h->text_len > ANSWER_MAX_REASON)
			return garbage("error");
		return h->text_len;
	}
	if (h->nr_segments > ANSWER_MAX_SEGMENTS || h->build_id_len > ANSWER_MAX_BUILD_ID ||
	    h->text_len > ANSWER_MAX_TEXT)
		return garbage("sizes");
	if (h->nr_names != request->nr)
		return garbage("number of names");
	return (int64_t)(h->nr_segments * sizeof(struct answer_segment) +
			 h->nr_names * sizeof(struct answer_name) + h->text_len);
}

static int check_segments(const struct answer_segment *s, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		if (s[i].size > UINT64_MAX - s[i].offset || s[i].size > UINT64_MAX - s[i].address)
			return garbage("segment");
	}
	return 0;
}

static int check_names(const struct answer_head *h, const struct answer_name *name,
		       const char *text)
{
	const struct answer_name *n;

	if (h->text_len && text[h->text_len - 1] != '\0')
		return garbage("text");
	for (n = name; n < name + h->nr_names; n++) {
		if (n->name == ANSWER_NONE && n->system_name == ANSWER_NONE)
			continue;
		if (n->name >= h->text_len || n->system_name >= h->text_len ||
		    n->start > n->address)
			return garbage("name");
	}
	return 0;
}

static void hex(char *out, const uint8_t *bytes, uint32_t n)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t i;

	for (i = 0; i < n; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

int answer_decode(const struct answer_head *h, void *body, struct object_names *out)
{
	const struct answer_segment *segment = body;
	const struct answer_name *name = (const void *)(segment + h->nr_segments);
	const char *text = (const char *)(name + h->nr_names);
	struct object_names o = {
		.nr_segments = h->nr_segments,
		.nr_names = h->nr_names,
		.nr_symbols = h->nr_symbols,
	};
	uint32_t i;
	int err;

	err = check_segments(segment, h->nr_segments);
	if (!err)
		err = check_names(h, name, text);
	if (err)
		return err;
	o.segment = xcalloc(h->nr_segments, sizeof(*o.segment));
	for (i = 0; i < h->nr_segments; i++)
		o.segment[i] = (struct object_segment){ segment[i].offset, segment[i].size,
							segment[i].address };
	o.name = xcalloc(h->nr_names, sizeof(*o.name));
	for (i = 0; i < h->nr_names; i++) {
		o.name[i].address = name[i].address;
		if (name[i].name == ANSWER_NONE)
			continue;
		o.name[i].start = name[i].start;
		o.name[i].name = text + name[i].name;
		o.name[i].system_name = text + name[i].system_name;
	}
	hex(o.build_id, h->build_id, h->build_id_len);
	o.text = body;
	*out = o;
	return 0;
}

const char *answer_reason(const struct answer_head *h, const char *body)
{
	bool honest = h->text_len && body[0] && body[h->text_len - 1] == '\0';

	return honest ? body : "worker gave no reason";
}

void object_names_done(struct object_names *o)
{
	free(o->segment);
	free(o->name);
	free(o->text);
	memset(o, 0, sizeof(*o));
}
