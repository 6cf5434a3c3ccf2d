/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "unwind/coverage.h"

#define AT(offset)	 ((uint32_t)(offset) << ROW_PC_SHIFT)
#define RULE(offset, n)	 (AT(offset) | ROW_ESCAPED | (n))
#define SIMPLE(offset)	 (AT(offset) | 1u << ROW_CFA_SHIFT)

/* Text from 0x1100 to 0x3000; rows for its first page, and none for its second. */
static void each_byte_of_text_counts_once(void **state)
{
	static const uint32_t row[] = { SIMPLE(0), RULE(0x400, RULE_NONE), RULE(0x500, RULE_UNSUPPORTED),
					RULE(0x510, RULE_FIRST_FREE + 2), RULE(0xf00, RULE_STOP),
					RULE(0xf10, RULE_NONE) };
	static const struct wire_page page[] = { { .first = 0, .count = 6 }, { .first = 6, .count = 0 } };
	static const struct worker_span span[] = { { 0x1000, 0, 2 } };
	static const struct object_segment segment[] = { { 0x100, 0x1f00, 0x1100 } };
	struct worker_rows r = { .row = row, .nr_rows = 6, .page = page, .nr_pages = 2, .span = span,
				 .nr_spans = 1, .segment = segment, .nr_segments = 1 };
	struct coverage c;

	coverage_find(&r, &c);
	assert_int_equal(c.text, 0x1f00);
	assert_int_equal(c.beyond, 0x10);
	assert_int_equal(c.covered, (0x400 - 0x100) + (0xf00 - 0x510) + 0x10);
}

static void what_points_outside_is_not_there(void **state)
{
	static const uint32_t row[] = { SIMPLE(0) };
	static const struct wire_page page[] = { { .first = 1, .count = 1 }, { .first = UINT32_MAX, .count = 2 } };
	static const struct worker_span span[] = { { 0x1000, 0, 3 }, { 0x9000, UINT32_MAX, 2 } };
	static const struct object_segment segment[] = { { 0, 0x9000, 0x1000 } };
	struct worker_rows r = { .row = row, .nr_rows = 1, .page = page, .nr_pages = 2, .span = span,
				 .nr_spans = 2, .segment = segment, .nr_segments = 1 };
	struct coverage c;

	coverage_find(&r, &c);
	assert_int_equal(c.text, 0x9000);
	assert_int_equal(c.covered, 0);
	assert_int_equal(c.beyond, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_of_text_counts_once),
		cmocka_unit_test(what_points_outside_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
