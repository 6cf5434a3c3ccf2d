/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define R "\xef\xbf\xbd"

static void test_buf(void **state)
{
	struct buf b = { 0 };
	size_t i;

	assert_string_equal(buf_text(&b), "");
	buf_puts(&b, "a");
	buf_putc(&b, 'b');
	buf_put(&b, "cde", 2);
	buf_printf(&b, "%d%s", 12, "x");
	assert_string_equal(buf_text(&b), "abcd12x");
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
	for (i = 0; i < 1000; i++)
		buf_printf(&b, "%0300d", 7); /* longer than the room that is made at first */
	assert_int_equal(b.len, 300000);
	assert_int_equal(strlen(b.data), 300000);
	buf_done(&b);
	assert_string_equal(buf_text(&b), "");
}

static const struct {
	const char *in;
	size_t len; /* 0: strlen(in) */
	const char *out;
} clean[] = {
	{ "plain", 0, "plain" },
	{ "h\xc3\xa4user \xe2\x82\xac \xf0\x9f\x98\x80", 0,
	  "h\xc3\xa4user \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "a\tb\nc\x1b[31m", 0, "a" R "b" R "c" R "[31m" },
	{ "nul\0in", 6, "nul" R "in" },
	{ "del\x7f", 0, "del" R },
	{ "c1 \xc2\x9b"
	  "31m \xc2\x80 \xc2\x85",
	  0, "c1 " R "31m " R " " R },
	{ "nbsp \xc2\xa0", 0, "nbsp \xc2\xa0" },
	/* overlong forms of '/', NUL and U+07FF, U+FFFF */
	{ "\xc0\xaf", 0, R R },
	{ "\xc0\x80", 0, R R },
	{ "\xe0\x80\xaf", 0, R R R },
	{ "\xe0\x9f\xbf", 0, R R R },
	{ "\xf0\x8f\xbf\xbf", 0, R R R R },
	/* surrogates, beyond U+10FFFF, five bytes, lone and missing followers */
	{ "\xed\xa0\x80", 0, R R R },
	{ "\xed\xbf\xbf", 0, R R R },
	{ "\xed\x9f\xbf", 0, "\xed\x9f\xbf" },
	{ "\xf4\x8f\xbf\xbf", 0, "\xf4\x8f\xbf\xbf" },
	{ "\xf4\x90\x80\x80", 0, R R R R },
	{ "\xf8\x88\x80\x80\x80", 0, R R R R R },
	{ "\x80x", 0, R "x" },
	{ "\xff\xfe", 0, R R },
	{ "\xe2\x82", 0, R R },
	{ "\xe2\x82x", 0, R R "x" },
	{ "\xc3", 0, R },
	{ "\xf0\x9f\x98", 0, R R R },
	/* line and paragraph separators; what turns the direction of text */
	{ "\xe2\x80\xa8|\xe2\x80\xa9", 0, R "|" R },
	{ "\xe2\x80\xaa|\xe2\x80\xab|\xe2\x80\xac|\xe2\x80\xad|\xe2\x80\xae", 0,
	  R "|" R "|" R "|" R "|" R },
	{ "\xe2\x81\xa6|\xe2\x81\xa7|\xe2\x81\xa8|\xe2\x81\xa9", 0, R "|" R "|" R "|" R },
	{ "\xe2\x80\x8e|\xe2\x80\x8f|\xd8\x9c", 0, R "|" R "|" R },
	{ "\xe2\x80\xaf \xe2\x81\xa5 \xd8\x9b", 0, "\xe2\x80\xaf \xe2\x81\xa5 \xd8\x9b" },
};

static void test_sanitize(void **state)
{
	char out[128];
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(clean); i++) {
		n = sanitize(out, sizeof(out), clean[i].in,
			     clean[i].len ? clean[i].len : strlen(clean[i].in));
		assert_string_equal(out, clean[i].out);
		assert_int_equal(n, strlen(clean[i].out));
	}
}

static void test_sanitize_is_stable(void **state)
{
	unsigned char in[2];
	char once[16], twice[16];
	unsigned int i;

	for (i = 0; i < 65536; i++) {
		in[0] = (unsigned char)(i >> 8);
		in[1] = (unsigned char)i;
		sanitize(once, sizeof(once), (char *)in, 2);
		sanitize(twice, sizeof(twice), once, strlen(once));
		assert_string_equal(once, twice);
	}
}

static void test_sanitize_cuts_at_a_character(void **state)
{
	char out[8];

	assert_int_equal(sanitize(out, 4, "abcdef", 6), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(sanitize(out, 4, "ab\xe2\x82\xac", 5), 2);
	assert_string_equal(out, "ab");
	assert_int_equal(sanitize(out, 6, "ab\x01z", 4), 5);
	assert_string_equal(out, "ab" R);
	assert_int_equal(sanitize(out, 1, "ab", 2), 0);
	assert_string_equal(out, "");
	out[0] = 'x';
	assert_int_equal(sanitize(out, 0, "ab", 2), 0);
	assert_int_equal(out[0], 'x');
}

static void test_parse_u64(void **state)
{
	static const char *const bad[] = { "",	  " 1", "1 ",  "+1",  "-1", "0x",
					   "0xg", "1x", "12k", "1.0", "x",  "0x 1" };
	uint64_t v = 77;
	size_t i;

	assert_int_equal(parse_u64("0", &v), 0);
	assert_true(v == 0);
	assert_int_equal(parse_u64("010", &v), 0);
	assert_true(v == 10);
	assert_int_equal(parse_u64("0xFfff800000000000", &v), 0);
	assert_true(v == 0xffff800000000000);
	assert_int_equal(parse_u64("18446744073709551615", &v), 0);
	assert_true(v == UINT64_MAX);
	v = 77;
	assert_int_equal(parse_u64("18446744073709551616", &v), -ERANGE);
	assert_int_equal(parse_u64("99999999999999999999999", &v), -ERANGE);
	assert_int_equal(parse_u64("0x10000000000000000", &v), -ERANGE);
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(parse_u64(bad[i], &v), -EINVAL);
	assert_true(v == 77);
}

static void test_parse_duration(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{ "5", 5000000000 },
		{ "5s", 5000000000 },
		{ "0.5", 500000000 },
		{ "1.25s", 1250000000 },
		{ "250ms", 250000000 },
		{ "10us", 10000 },
		{ "7ns", 7 },
		{ "2m", 120000000000 },
		{ "1.5h", 5400000000000 },
		{ "1d", 86400000000000 },
		{ "0", 0 },
		{ "0.1ms", 100000 },
		{ "0.3333333333333", 333333333 },
		{ "9223372036", 9223372036000000000 },
	};
	static const char *const bad[] = { "",	  "s",	 "-1",	 "5 s", "5S",  "1.",	".5",
					   "1.s", "1e3", "5sec", "5ss", "0x5", "1.2.3", " 5" };
	static const char *const over[] = { "9223372037", "106752d", "99999999999999999999s",
					    "18446744073709551615h" };
	uint64_t ns;
	size_t i;

	for (i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(parse_duration(good[i].text, &ns), 0);
		assert_true(ns == good[i].ns);
	}
	ns = 77;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(parse_duration(bad[i], &ns), -EINVAL);
	for (i = 0; i < ARRAY_LEN(over); i++)
		assert_int_equal(parse_duration(over[i], &ns), -ERANGE);
	assert_true(ns == 77);
}

static void test_group_digits(void **state)
{
	char buf[32];

	assert_string_equal(group_digits(buf, 0), "0");
	assert_string_equal(group_digits(buf, 999), "999");
	assert_string_equal(group_digits(buf, 1974), "1,974");
	assert_string_equal(group_digits(buf, -100000), "-100,000");
	assert_string_equal(group_digits(buf, INT64_MAX), "9,223,372,036,854,775,807");
	assert_string_equal(group_digits(buf, INT64_MIN), "-9,223,372,036,854,775,808");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_sanitize),
		cmocka_unit_test(test_sanitize_is_stable),
		cmocka_unit_test(test_sanitize_cuts_at_a_character),
		cmocka_unit_test(test_parse_u64),
		cmocka_unit_test(test_parse_duration),
		cmocka_unit_test(test_group_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
