/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame_rows.h"

static void test_pages(void **state)
{
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, "");
	struct rows r;

	put_fde(&im.eh, cie, TEXT + 0xff0, 0x2010, CODE(PUSH)); /* ends with a page */
	put_fde(&im.eh, cie, TEXT + 0x5000, 0x20, CODE(PUSH));	/* begins with one */
	put_fde(&im.eh, cie, TEXT + 0x5000 + (ROWS_SPAN_GAP + 1) * 0x1000, 0x20, CODE(PUSH));
	put_fde(&im.eh, cie, TEXT + 0x5000 + (2 * ROWS_SPAN_GAP + 1) * 0x1000, 0x20, CODE(PUSH));
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(at(&r, 0xfef), NONE);
	assert_int_equal(at(&r, 0xff0), SP(8));
	assert_int_equal(at(&r, 0x1000), SP(16));
	assert_int_equal(at(&r, 0x2fff), SP(16));
	assert_int_equal(at(&r, 0x3000), NONE);
	assert_int_equal(at(&r, 0x4fff), NONE);
	assert_int_equal(at(&r, 0x5000), SP(8));
	assert_int_equal(at(&r, 0x5020), NONE);
	/* 3 pages of the first, 2 without a row, 1; then a new span, as there are 32 without */
	assert_int_equal(r.nr_spans, 2);
	assert_int_equal(r.span[0].address, TEXT);
	assert_int_equal(r.span[0].nr_pages, 6);
	assert_int_equal(r.page[1].count, 1);
	assert_int_equal(r.page[3].count, 0);
	assert_int_equal(r.page[4].count, 0);
	assert_int_equal(r.span[1].address, TEXT + 0x26000);
	assert_int_equal(r.span[1].nr_pages, ROWS_SPAN_GAP + 1);
	assert_int_equal(rows_find(&r, TEXT + 0x46000) & ROW_BELOW, SP(8));
	rows_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
