/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/width.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

#define GAP "..."

/* What is not one column wide, coarsely: East Asian wide blocks and the usual combining marks. */
static const struct {
	uint32_t first, last;
	uint8_t columns;
} ranges[] = {
	{ 0x0300, 0x036f, 0 }, { 0x1100, 0x115f, 2 },	{ 0x200b, 0x200f, 0 },
	{ 0x20d0, 0x20ff, 0 }, { 0x2e80, 0xa4cf, 2 },	{ 0xac00, 0xd7a3, 2 },
	{ 0xf900, 0xfaff, 2 }, { 0xfe00, 0xfe0f, 0 },	{ 0xfe30, 0xfe6f, 2 },
	{ 0xff00, 0xff60, 2 }, { 0x1f300, 0x1faff, 2 }, { 0x20000, 0x3fffd, 2 },
};

/* The character at s to *c; returns its length in bytes, 1 for anything that is none. */
static size_t decode(const char *s, uint32_t *c)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t len = *u < 0xc0 ? 1 : *u < 0xe0 ? 2 : *u < 0xf0 ? 3 : 4;

	*c = len == 1 ? *u : *u & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 1;
		*c = *c << 6 | (u[i] & 0x3f);
	}
	return len;
}

static size_t char_columns(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_LEN(ranges) && c >= ranges[i].first; i++) {
		if (c <= ranges[i].last)
			return ranges[i].columns;
	}
	return 1;
}

size_t text_columns(const char *s)
{
	size_t sum = 0;
	uint32_t c;

	while (*s) {
		s += decode(s, &c);
		sum += char_columns(c);
	}
	return sum;
}

/* Bytes of the longest beginning of s that takes at most `columns`. */
static size_t head_bytes(const char *s, size_t columns)
{
	const char *at = s;
	size_t sum = 0;
	uint32_t c;

	while (*at) {
		size_t len = decode(at, &c);

		sum += char_columns(c);
		if (sum > columns)
			break;
		at += len;
	}
	return (size_t)(at - s);
}

/* Where in s an end begins that takes at most `columns`. */
static const char *tail(const char *s, size_t columns)
{
	size_t all = text_columns(s), before = 0;
	uint32_t c;

	while (*s && all - before > columns) {
		s += decode(s, &c);
		before += char_columns(c);
	}
	return s;
}

void text_shorten(const char *s, size_t columns, struct buf *out)
{
	size_t keep = columns > strlen(GAP) ? columns - strlen(GAP) : 0;

	if (text_columns(s) <= columns) {
		buf_puts(out, s);
		return;
	}
	buf_put(out, s, head_bytes(s, keep - keep / 2));
	buf_puts(out, GAP);
	buf_puts(out, tail(s, keep / 2));
}
