/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <string.h>

#include "view/width.h"

#define A_UMLAUT "\xc3\xa4"
#define WIDE "\xe6\xbc\xa2"		/* a Chinese character */
#define ACUTE "\xcc\x81"		/* combines with what is before it */
#define FACE "\xf0\x9f\x98\x80"

static void test_columns(void **state)
{
	assert_int_equal(text_columns(""), 0);
	assert_int_equal(text_columns("plain"), 5);
	assert_int_equal(text_columns("h" A_UMLAUT "user"), 6);
	assert_int_equal(text_columns(WIDE WIDE), 4);
	assert_int_equal(text_columns("e" ACUTE), 1);
	assert_int_equal(text_columns(FACE "!"), 3);
	assert_int_equal(text_columns("\xe2\x82"), 2);	/* no character at all: byte by byte */
}

static void test_shorten(void **state)
{
	static const struct {
		const char *in;
		size_t columns;
		const char *out;
	} cases[] = {
		{ "abcdefghij", 10, "abcdefghij" },
		{ "abcdefghij", 9, "abc...hij" },
		{ "abcdefghij", 8, "abc...ij" },
		{ "abcdefghij", 4, "a..." },
		{ "abcdefghij", 3, "..." },
		{ "", 0, "" },
		{ WIDE WIDE WIDE WIDE, 7, WIDE "..." WIDE },
		{ WIDE WIDE WIDE WIDE, 6, WIDE "..." },
		{ A_UMLAUT A_UMLAUT A_UMLAUT A_UMLAUT A_UMLAUT A_UMLAUT, 5, A_UMLAUT "..." A_UMLAUT },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = { 0 };

		text_shorten(cases[i].in, cases[i].columns, &out);
		assert_string_equal(buf_text(&out), cases[i].out);
		buf_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_shorten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
