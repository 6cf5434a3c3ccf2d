/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes over the worker's socket, both ways, in the machine's byte order:
 *   struct request_head + descriptor, offset[nr]
 *   struct answer_head, answer_segment[nr_segments], answer_name[nr_names], text[text_len]
 * The answer comes from a process that a hostile file may have taken over, so
 * the reading side believes nothing that it has not checked.
 */
#ifndef WORKER_ANSWER_H
#define WORKER_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "worker/worker.h"

#define ANSWER_MAGIC	    0x4c4c5744u
#define ANSWER_NONE	    UINT32_MAX /* in place of an offset in the text */
#define ANSWER_MAX_SEGMENTS 64
#define ANSWER_MAX_BUILD_ID 40
#define ANSWER_MAX_TEXT	    (64u << 20)
#define ANSWER_MAX_REASON   256

struct request_head {
	uint32_t magic, seq;
	uint64_t nr;
};

struct answer_head {
	uint32_t magic, seq; /* the request's */
	int32_t err;	     /* 0, or a negative errno: then text is the reason, and all else 0 */
	uint32_t nr_symbols, nr_segments, nr_names, text_len;
	uint32_t build_id_len;
	uint8_t build_id[ANSWER_MAX_BUILD_ID];
};

struct answer_segment {
	uint64_t offset, size, address;
};

struct answer_name {
	uint64_t address, start;
	uint32_t name, system_name; /* offsets in text, both ANSWER_NONE: no symbol */
};

/* The number of bytes that follow this head of an answer to a request, or -EPROTO. */
int64_t answer_body_size(const struct answer_head *h,
			 const struct request_head *request) must_check;

/*
 * Body (answer_body_size() bytes of malloc()ed memory) to *out, which owns it from then on.
 * -EPROTO leaves both alone. Only for an answer without error.
 */
int answer_decode(const struct answer_head *h, void *body, struct object_names *out) must_check;

/* The reason in the body of an answer with an error; says so when there is no honest one. */
const char *answer_reason(const struct answer_head *h, const char *body);

#endif
