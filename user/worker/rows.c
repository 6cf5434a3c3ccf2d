/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/rows.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "elf/object.h"
#include "elf/rows.h"

#define MAX_ERRNO 4095

_Static_assert(sizeof(struct worker_span) == sizeof(struct rows_span), "one form of spans");
_Static_assert(sizeof(struct object_segment) == sizeof(struct elf_segment), "one form of segments");

static void put(char **at, const void *p, size_t len)
{
	if (len)
		memcpy(*at, p, len);
	*at += len;
}

static size_t body_bytes(const struct rows_head *h)
{
	return h->nr_segments * sizeof(struct object_segment) +
	       h->nr_spans * sizeof(struct worker_span) + h->nr_rules * sizeof(struct wire_rule) +
	       h->nr_pages * sizeof(struct wire_page) + h->nr_rows * sizeof(uint32_t) + h->text_len;
}

static void put_error(const struct rows_out *out, int err, const char *reason)
{
	out->head->err = err;
	out->head->text_len = (uint32_t)strnlen(reason, ANSWER_MAX_REASON - 1) + 1;
	*out->len = out->head->text_len;
	*out->body = xcalloc(1, *out->len);
	memcpy(*out->body, reason, *out->len - 1);
}

static void put_tables(const struct rows_out *out, const struct object *o, const struct rows *r)
{
	struct rows_head *h = out->head;
	char *at;

	h->nr_segments = o->nr_segments;
	h->nr_spans = (uint32_t)r->nr_spans;
	h->nr_rules = (uint32_t)r->nr_rules;
	h->nr_pages = (uint32_t)r->nr_pages;
	h->nr_rows = (uint32_t)r->nr_rows;
	h->frame_bytes = r->frame_bytes;
	h->keeps_fp = o->is_go || r->go;
	*out->len = body_bytes(h);
	at = *out->body = xmalloc(*out->len + 1);
	put(&at, o->segment, h->nr_segments * sizeof(struct object_segment));
	put(&at, r->span, h->nr_spans * sizeof(struct worker_span));
	put(&at, r->rule, h->nr_rules * sizeof(struct wire_rule));
	put(&at, r->page, h->nr_pages * sizeof(struct wire_page));
	put(&at, r->row, h->nr_rows * sizeof(uint32_t));
}

/* A file without call frame information is an answer too: its segments, and no rows. */
static int read_tables(int fd, const struct rows_out *out)
{
	struct rows rows = { 0 };
	struct object object;
	int err = object_read_layout(&object, fd);

	if (err)
		return err;
	err = rows_read(&rows, fd);
	if (!err || err == -ENOENT)
		put_tables(out, &object, &rows);
	if (!err)
		rows_done(&rows);
	object_done(&object);
	return err == -ENOENT ? 0 : err;
}

void rows_serve(const struct request_head *request, int fd, const char *refused,
		const struct rows_out *out)
{
	uint64_t start = clock_mono();
	int err;

	*out->head = (struct rows_head){ .magic = ROWS_MAGIC, .seq = request->seq };
	err = refused ? -EPERM : read_tables(fd, out);
	if (err)
		put_error(out, err, refused ? refused : error_text());
	out->head->took_ns = clock_mono() - start;
}

static int garbage(const char *what)
{
	return fail_plain(-EPROTO, "worker answered garbage (%s)", what);
}

int64_t rows_body_size(const struct rows_head *h, const struct request_head *request)
{
	if (h->magic != ROWS_MAGIC || h->seq != request->seq)
		return garbage("head of rows");
	if (h->err > 0 || h->err < -MAX_ERRNO)
		return garbage("error of rows");
	if (h->err) {
		if (!h->text_len || h->text_len > ANSWER_MAX_REASON || h->text_len != body_bytes(h))
			return garbage("error of rows");
		return h->text_len;
	}
	if (h->text_len || h->nr_segments > ANSWER_MAX_SEGMENTS || h->nr_pages > ROWS_MAX_PAGES ||
	    h->nr_spans > ROWS_MAX_PAGES || h->nr_rows > ROWS_MAX || h->nr_rules > WIRE_MAX_RULES)
		return garbage("sizes of rows");
	return (int64_t)body_bytes(h);
}

void rows_decode(const struct rows_head *h, void *body, struct worker_rows *out)
{
	struct worker_rows r = { .nr_rows = h->nr_rows,
				 .nr_pages = h->nr_pages,
				 .nr_rules = h->nr_rules,
				 .nr_spans = h->nr_spans,
				 .nr_segments = h->nr_segments,
				 .frame_bytes = h->frame_bytes,
				 .took_ns = h->took_ns,
				 .keeps_fp = h->keeps_fp,
				 .body = body };

	r.segment = body;
	r.span = (const void *)(r.segment + r.nr_segments);
	r.rule = (const void *)(r.span + r.nr_spans);
	r.page = (const void *)(r.rule + r.nr_rules);
	r.row = (const void *)(r.page + r.nr_pages);
	*out = r;
}

void worker_rows_done(struct worker_rows *r)
{
	free(r->body);
	memset(r, 0, sizeof(*r));
}
