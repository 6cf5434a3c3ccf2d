/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "format/ids.h"

static void test_counting_ids_cost_no_index(void **state)
{
	struct ids ids = { 0 };

	for (uint32_t i = 1; i <= 1000; i++)
		ids_add(&ids, i, i * 2);
	for (uint32_t i = 1; i <= 1000; i++)
		assert_int_equal(ids_find(&ids, i), i * 2);
	assert_int_equal(ids.index.used, 0);
	assert_true(ids_find(&ids, 0) == INDEX_NONE);
	assert_true(ids_find(&ids, 1001) == INDEX_NONE);
	ids_done(&ids);
}

/* Also where an id is the position of another one. */
static void test_any_ids(void **state)
{
	static const uint64_t theirs[] = { 5, 2, UINT64_MAX, 1ull << 32, 1, 3, 7, 9, 8 };
	struct ids ids = { 0 };
	uint32_t n = sizeof(theirs) / sizeof(theirs[0]);

	for (uint32_t i = 0; i < n; i++) {
		assert_true(ids_find(&ids, theirs[i]) == INDEX_NONE);
		ids_add(&ids, theirs[i], i + 100);
	}
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(ids_find(&ids, theirs[i]), i + 100);
	assert_true(ids_find(&ids, 4) == INDEX_NONE);
	assert_true(ids_find(&ids, 6) == INDEX_NONE);
	ids_done(&ids);
	assert_true(ids_find(&ids, 5) == INDEX_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counting_ids_cost_no_index),
		cmocka_unit_test(test_any_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
