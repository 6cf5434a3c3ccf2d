/* SPDX-License-Identifier: BSD-2-Clause */
/* Growing byte buffers, and the one place where foreign names are made harmless (law L8). */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct buf {
	char *data;		/* always NUL-terminated once something was put in */
	size_t len, cap;
};

void buf_done(struct buf *b);
void buf_clear(struct buf *b);
void buf_put(struct buf *b, const void *p, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) printf_like(2, 3);

/* The text so far, "" for an empty buffer. */
const char *buf_text(const struct buf *b);

/*
 * Copies src (len bytes, any content) to dst as valid UTF-8 without control,
 * bidirectional-override or line-separator characters; each offending byte or
 * character becomes U+FFFD. dst gets at most cap - 1 bytes and a NUL, cut at a
 * character boundary. Returns the length written.
 */
size_t sanitize(char *dst, size_t cap, const char *src, size_t len);

/* A decimal or 0x number that fills all of s; -EINVAL or -ERANGE otherwise, without a kept text. */
int parse_u64(const char *s, uint64_t *value) must_check;

/*
 * "5", "5s", "250ms", "1.5m", "1h" (also us, ns, d) to nanoseconds, at most INT64_MAX; a bare
 * number is seconds. Errors as parse_u64().
 */
int parse_duration(const char *s, uint64_t *ns) must_check;

/* 1,974 for 1974. Returns buf. */
const char *group_digits(char buf[32], int64_t n);

#endif
