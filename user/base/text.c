/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define BAD	    UINT32_MAX

void buf_done(struct buf *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

void buf_put(struct buf *b, const void *p, size_t len)
{
	if (len > SIZE_MAX / 4)
		abort();
	grow(&b->data, &b->cap, b->len + len + 1, 1);
	if (len)
		memcpy(b->data + b->len, p, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	grow(&b->data, &b->cap, b->len + 128, 1);
	va_start(ap, fmt);
	n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n >= b->cap - b->len) {
		grow(&b->data, &b->cap, b->len + (size_t)n + 1, 1);
		va_start(ap, fmt);
		n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
		va_end(ap);
	}
	if (n > 0)
		b->len += (size_t)n;
	b->data[b->len] = '\0';
}

const char *buf_text(const struct buf *b)
{
	return b->data ? b->data : "";
}

/*
 * Reads one character of at most len bytes; *used says how many bytes it took
 * (1 for an offending one). Overlong forms, surrogates and what lies beyond
 * U+10FFFF are BAD (Unicode standard, table 3-7).
 */
static uint32_t utf8_get(const unsigned char *s, size_t len, size_t *used)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = s[0];
	size_t i, n;

	*used = 1;
	if (c < 0x80)
		return c;
	n = c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
	if (!n || n > len)
		return BAD;
	c &= 0x7fu >> n;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return BAD;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return BAD;
	*used = n;
	return c;
}

/* Controls, line separators and what turns the direction of a terminal's text. */
static bool harmful(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return true;
	if (c < 0x61c)
		return false;
	return c == BAD || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

size_t sanitize(char *dst, size_t cap, const char *src, size_t len)
{
	const unsigned char *s = (const unsigned char *)src;
	const void *from;
	size_t n = 0, used, size;

	if (!cap)
		return 0;
	for (; len; s += used, len -= used) {
		from = s;
		if (harmful(utf8_get(s, len, &used))) {
			from = REPLACEMENT;
			size = sizeof(REPLACEMENT) - 1;
		} else {
			size = used;
		}
		if (size > cap - 1 - n)
			break;
		memcpy(dst + n, from, size);
		n += size;
	}
	dst[n] = '\0';
	return n;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Reads digits of the base up to the first other character, which *end gets. */
static int parse_digits(const char *s, unsigned int base, uint64_t *value, const char **end)
{
	const char *start = s;
	bool over = false;
	uint64_t v = 0;

	for (; (unsigned int)digit(*s) < base; s++) {
		over |= __builtin_mul_overflow(v, base, &v);
		over |= __builtin_add_overflow(v, (unsigned int)digit(*s), &v);
	}
	*end = s;
	if (s == start)
		return -EINVAL;
	if (over)
		return -ERANGE;
	*value = v;
	return 0;
}

int parse_u64(const char *s, uint64_t *value)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	const char *end;
	uint64_t v;
	int err = parse_digits(hex ? s + 2 : s, hex ? 16 : 10, &v, &end);

	if (*end)
		return -EINVAL;
	if (!err)
		*value = v;
	return err;
}

static uint64_t unit_ns(const char *s)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", NSEC_PER_SEC },
		{ "s", NSEC_PER_SEC },
		{ "ms", NSEC_PER_MSEC },
		{ "us", 1000 },
		{ "ns", 1 },
		{ "m", 60 * NSEC_PER_SEC },
		{ "h", 3600 * NSEC_PER_SEC },
		{ "d", 86400 * NSEC_PER_SEC },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(units); i++) {
		if (!strcmp(s, units[i].name))
			return units[i].ns;
	}
	return 0;
}

int parse_duration(const char *s, uint64_t *ns)
{
	uint64_t whole = 0, part = 0, scale = 1, unit;
	const char *end, *p;
	int err = parse_digits(s, 10, &whole, &end);

	if (err == -EINVAL)
		return err;
	if (*end == '.') {
		/* what lies behind nine digits is less than a nanosecond of a second */
		for (p = ++end; *end >= '0' && *end <= '9'; end++) {
			if (end - p < 9) {
				part = part * 10 + (uint64_t)(*end - '0');
				scale *= 10;
			}
		}
		if (end == p)
			return -EINVAL;
	}
	unit = unit_ns(end);
	if (!unit)
		return -EINVAL;
	if (err || __builtin_mul_overflow(whole, unit, &whole))
		return -ERANGE;
	part = (uint64_t)((unsigned __int128)part * unit / scale);
	if (__builtin_add_overflow(whole, part, &whole) || whole > INT64_MAX)
		return -ERANGE;
	*ns = whole;
	return 0;
}

const char *group_digits(char buf[32], int64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n < 0 ? -(uint64_t)n : (uint64_t)n);
	char *out = buf;
	int i;

	if (n < 0)
		*out++ = '-';
	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return buf;
}
