/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "format/format.h"
#include "format/pprof_build.h"
#include "format/source.h"

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct reader {
	struct source *src;
	struct pprof_parts parts;
	struct buf scratch;
};

typedef int (*field_fn)(struct reader *r, uint32_t field, uint64_t value);

/* The bytes of a field to r->scratch. */
static int read_bytes(struct reader *r, uint64_t len)
{
	if (len > FORMAT_MAX_MESSAGE)
		return fail_plain(
			-EFBIG, "%s: an entry of %llu bytes at byte %llu is beyond the limit of %u",
			r->parts.name, (unsigned long long)len,
			(unsigned long long)source_offset(r->src), FORMAT_MAX_MESSAGE);
	grow(&r->scratch.data, &r->scratch.cap, len + 1, 1);
	r->scratch.len = len;
	return source_read(r->src, r->scratch.data, len);
}

static int too_many(const struct reader *r, const char *what, uint32_t limit)
{
	return fail_plain(-EFBIG, "%s: more than %u %s", r->parts.name, limit, what);
}

/* Keeps a packed sub-message for pprof_build(). */
static int hold(struct reader *r, uint32_t field, uint64_t value)
{
	struct held *h = &r->parts.held[field];
	uint32_t len = (uint32_t)value, limit = FORMAT_MAX_TABLE;
	int err = read_bytes(r, value);

	if (err)
		return err;
	if (field == PPROF_SAMPLE)
		limit = FORMAT_MAX_SAMPLES;
	if (h->nr == limit)
		return too_many(r, "entries of one kind", limit);
	buf_put(&h->bytes, &len, sizeof(len));
	buf_put(&h->bytes, r->scratch.data, len);
	h->nr++;
	return 0;
}

static int add_string(struct reader *r, uint32_t field, uint64_t value)
{
	struct pprof_parts *parts = &r->parts;
	int err = read_bytes(r, value);

	if (err)
		return err;
	if (!parts->nr_strings && value)
		return fail_plain(-EBADMSG,
				  "%s: not a pprof profile (its first string is not empty)",
				  parts->name);
	if (parts->nr_strings == FORMAT_MAX_TABLE)
		return too_many(r, "strings", FORMAT_MAX_TABLE);
	grow(&parts->string, &parts->cap_strings, parts->nr_strings + 1, sizeof(*parts->string));
	if (value > FORMAT_MAX_STRING)
		value = FORMAT_MAX_STRING;
	parts->string[parts->nr_strings++] = profile_string(parts->p, r->scratch.data, value);
	return 0;
}

static int set_number(struct reader *r, uint32_t field, uint64_t value)
{
	r->parts.number[field] = value;
	return 0;
}

static int add_comment(struct reader *r, uint32_t field, uint64_t value)
{
	struct pprof_parts *parts = &r->parts;

	if (parts->nr_comments == FORMAT_MAX_COMMENTS)
		return too_many(r, "comments", FORMAT_MAX_COMMENTS);
	grow(&parts->comment, &parts->cap_comments, parts->nr_comments + 1,
	     sizeof(*parts->comment));
	parts->comment[parts->nr_comments++] = value;
	return 0;
}

/* Comments may be packed, which is a field of bytes, or not. */
static int add_packed_comments(struct reader *r, uint32_t field, uint64_t len)
{
	uint64_t end = source_offset(r->src) + len, value;
	int err = 0;

	while (!err && source_offset(r->src) < end) {
		err = source_varint(r->src, &value);
		if (!err)
			err = add_comment(r, field, value);
	}
	if (!err && source_offset(r->src) != end)
		err = fail_plain(-EBADMSG,
				 "%s: damaged comments before byte %llu; nothing was read",
				 r->parts.name, (unsigned long long)source_offset(r->src));
	return err;
}

/* What a field's number or length is given to, by wire type; NULL: it cannot have that type. */
static const struct {
	field_fn number, bytes;
} fields[PPROF_FIELDS] = {
	[PPROF_SAMPLE_TYPE] = { NULL, hold },
	[PPROF_SAMPLE] = { NULL, hold },
	[PPROF_MAPPING] = { NULL, hold },
	[PPROF_LOCATION] = { NULL, hold },
	[PPROF_FUNCTION] = { NULL, hold },
	[PPROF_STRING_TABLE] = { NULL, add_string },
	[PPROF_DROP_FRAMES] = { set_number, NULL },
	[PPROF_KEEP_FRAMES] = { set_number, NULL },
	[PPROF_TIME_NANOS] = { set_number, NULL },
	[PPROF_DURATION_NANOS] = { set_number, NULL },
	[PPROF_PERIOD_TYPE] = { NULL, hold },
	[PPROF_PERIOD] = { set_number, NULL },
	[PPROF_COMMENT] = { add_comment, add_packed_comments },
	[PPROF_DEFAULT_SAMPLE_TYPE] = { set_number, NULL },
	[PPROF_DOC_URL] = { set_number, NULL },
};

static int bad_field(const struct reader *r, uint64_t tag)
{
	return fail_plain(-EBADMSG,
			  "%s: not a pprof profile (field %llu of type %u before byte %llu)",
			  r->parts.name, (unsigned long long)(tag >> 3), (unsigned int)(tag & 7),
			  (unsigned long long)source_offset(r->src) + 1);
}

/* A field of the top level that the format got later, or another producer added. */
static int skip_field(struct reader *r, uint64_t tag)
{
	uint64_t value;
	int err;

	switch (tag & 7) {
	case WIRE_64:
		return source_skip(r->src, 8);
	case WIRE_32:
		return source_skip(r->src, 4);
	case WIRE_VARINT:
		return source_varint(r->src, &value);
	case WIRE_BYTES:
		err = source_varint(r->src, &value);
		return err ? err : source_skip(r->src, value);
	default:
		return bad_field(r, tag);
	}
}

static int read_field(struct reader *r)
{
	uint64_t tag, value;
	field_fn take;
	int err = source_varint(r->src, &tag);

	if (err)
		return err;
	if (tag >> 3 == 0 || tag > UINT32_MAX)
		return bad_field(r, tag);
	if (tag >> 3 >= PPROF_FIELDS)
		return skip_field(r, tag);
	if ((tag & 7) == WIRE_BYTES)
		take = fields[tag >> 3].bytes;
	else
		take = (tag & 7) == WIRE_VARINT ? fields[tag >> 3].number : NULL;
	if (!take)
		return bad_field(r, tag);
	err = source_varint(r->src, &value);
	return err ? err : take(r, (uint32_t)(tag >> 3), value);
}

static int read_fields(struct reader *r)
{
	int end = 0, err = 0;

	while (!err && !end) {
		end = source_at_end(r->src);
		if (end < 0)
			return end;
		if (!end)
			err = read_field(r);
	}
	if (!err && !r->parts.held[PPROF_SAMPLE_TYPE].nr)
		err = fail_plain(-EBADMSG, "%s: not a pprof profile (it has no sample types)",
				 r->parts.name);

	if (!err && !r->parts.nr_strings)
		err = fail_plain(-EBADMSG, "%s: not a pprof profile (it has no strings)",
				 r->parts.name);
	return err;
}

static void reader_done(struct reader *r)
{
	for (int i = 0; i < PPROF_FIELDS; i++)
		buf_done(&r->parts.held[i].bytes);
	free(r->parts.string);
	free(r->parts.comment);
	profile_free(r->parts.p);
	buf_done(&r->scratch);
	source_free(r->src);
}

int pprof_read(int fd, const char *name, struct profile **out)
{
	struct reader r = { .parts.name = name };
	int err = source_new(&r.src, fd, name);

	if (err)
		return err;
	r.parts.p = profile_new();
	err = read_fields(&r);
	if (!err)
		err = pprof_build(&r.parts);
	if (!err) {
		*out = r.parts.p;
		r.parts.p = NULL;
	}
	reader_done(&r);
	return err;
}
