/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's answer to a request for unwind rows:
 *   struct rows_head, segment[nr_segments], span[nr_spans], rule[nr_rules], page[nr_pages],
 * row[nr_rows], text[text_len] The request is a struct request_head with ROWS_MAGIC, without
 * offsets.
 */
#ifndef WORKER_ROWS_H
#define WORKER_ROWS_H

#include "worker/answer.h"

#define ROWS_MAGIC 0x53574f52u

struct rows_head {
	uint32_t magic, seq; /* the request's */
	int32_t err;	     /* 0, or a negative errno: then text is the reason, and all else 0 */
	uint32_t text_len;
	uint32_t nr_segments, nr_spans, nr_rules, nr_pages, nr_rows;
	uint32_t keeps_fp;
	uint64_t frame_bytes;
	uint64_t took_ns; /* to make them */
};

/* Where an answer goes: head, and a body of len bytes that becomes the caller's. */
struct rows_out {
	struct rows_head *head;
	char **body;
	size_t *len;
};

/* The worker's side: reads the file at fd; with `refused` (an error text) it answers just that. */
void rows_serve(const struct request_head *request, int fd, const char *refused,
		const struct rows_out *out);

/* The number of bytes that follow this head, or -EPROTO. */
int64_t rows_body_size(const struct rows_head *h, const struct request_head *request) must_check;

/* Of a body without error: *out owns it from then on. */
void rows_decode(const struct rows_head *h, void *body, struct worker_rows *out);

#endif
