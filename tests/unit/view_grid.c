/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "view/grid.h"

static void cell(struct grid *g, const char *text)
{
	buf_puts(&g->cells, text);
	grid_cell(g);
}

static void expect(size_t width, const char *text)
{
	struct grid g = { 0 };
	struct buf out = { 0 };

	grid_column(&g, "n", GRID_NUMBER);
	grid_column(&g, "name", GRID_NAME);
	grid_column(&g, "kind", GRID_TEXT);
	grid_column(&g, "file", GRID_NAME);
	cell(&g, "1,234");
	cell(&g, "h\xc3\xa4user_and_gardens");
	cell(&g, "a");
	cell(&g, "a_file_of_mine");
	cell(&g, "");
	cell(&g, "\xe6\xbc\xa2");
	cell(&g, "longest");
	cell(&g, "");
	grid_print(&g, width, &out);
	assert_string_equal(buf_text(&out), text);
	buf_done(&out);
	grid_done(&g);
}

static void test_as_wide_as_need_be(void **state)
{
	static const char text[] =
		"    n  name                kind     file\n"
		"1,234  h\xc3\xa4user_and_gardens  a        a_file_of_mine\n"
		"       \xe6\xbc\xa2                  longest  \n";

	expect(0, text);
	expect(50, text);
}

/* The last name gives way first; below 8 columns no name goes, and the line is longer then. */
static void test_names_give_way(void **state)
{
	expect(49, "    n  name                kind     file\n"
		   "1,234  h\xc3\xa4user_and_gardens  a        a_fil..._mine\n"
		   "       \xe6\xbc\xa2                  longest  \n");
	expect(40, "    n  name            kind     file\n"
		   "1,234  h\xc3\xa4user...rdens  a        a_f...ne\n"
		   "       \xe6\xbc\xa2              longest  \n");
	expect(1, "    n  name      kind     file\n"
		  "1,234  h\xc3\xa4u...ns  a        a_f...ne\n"
		  "       \xe6\xbc\xa2        longest  \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_wide_as_need_be),
		cmocka_unit_test(test_names_give_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
