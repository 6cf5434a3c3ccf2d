/* SPDX-License-Identifier: BSD-2-Clause */
/* Call frame information, made in memory. */
#ifndef TESTS_UNIT_FRAME_BYTES_H
#define TESTS_UNIT_FRAME_BYTES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_SPACE 0x2000u

/* A program, or any bytes. */
struct code {
	const char *at;
	size_t len;
};

#define CODE(s)                    \
	(struct code)              \
	{                          \
		(s), sizeof(s) - 1 \
	}

struct frame_bytes {
	uint8_t at[FRAME_SPACE];
	size_t len;
};

static inline void put_bytes(struct frame_bytes *b, const void *p, size_t len)
{
	if (len > sizeof(b->at) - b->len)
		abort();
	if (len)
		memcpy(b->at + b->len, p, len);
	b->len += len;
}

static inline void put_int(struct frame_bytes *b, uint64_t v, size_t size)
{
	put_bytes(b, &v, size);
}

static inline void put_code(struct frame_bytes *b, struct code c)
{
	put_bytes(b, c.at, c.len);
}

/* An entry's length and id, its body, and its program; returns where it begins. */
static inline uint32_t put_entry(struct frame_bytes *b, uint32_t id, const struct frame_bytes *body,
				 struct code program)
{
	uint32_t at = (uint32_t)b->len;

	put_int(b, sizeof(id) + body->len + program.len, 4);
	put_int(b, id, 4);
	put_bytes(b, body->at, body->len);
	put_code(b, program);
	return at;
}

/* A CIE of x86-64 with 8-byte absolute addresses; letters: beyond "zR". */
static inline uint32_t put_cie(struct frame_bytes *b, const char *letters)
{
	struct frame_bytes body = { .len = 0 };

	put_int(&body, 1, 1);
	put_bytes(&body, "zR", 2);
	put_bytes(&body, letters, strlen(letters) + 1);
	put_bytes(&body, "\x01\x78\x10\x01\x00", 5); /* 1, -8, rip, one byte: absptr */
	return put_entry(b, 0, &body, CODE("\x0c\x07\x08\x90\x01")); /* rsp + 8, rip at cfa - 8 */
}

/* The same of aarch64: units of 4 and -8, x30; sp + 0. */
static inline uint32_t put_cie_arm64(struct frame_bytes *b)
{
	struct frame_bytes body = { .len = 0 };

	put_bytes(&body, "\x01zR\x00\x04\x78\x1e\x01\x00", 9);
	return put_entry(b, 0, &body, CODE("\x0c\x1f\x00"));
}

static inline uint32_t put_fde(struct frame_bytes *b, uint32_t cie, uint64_t start, uint64_t size,
			       struct code program)
{
	struct frame_bytes body = { .len = 0 };

	put_int(&body, start, 8);
	put_int(&body, size, 8);
	put_int(&body, 0, 1);
	return put_entry(b, (uint32_t)b->len + 4 - cie, &body, program);
}

#endif
