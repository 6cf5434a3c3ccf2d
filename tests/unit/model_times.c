/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <string.h>

#include "model/times.h"

static void test_rows_close(void **state)
{
	struct times t = { 0 };
	struct thread_time row = { .pid = 1, .tid = 2, .task = 5, .stolen = 1, .runqueue = 2, .blocked = -1, .alive = 7 };

	times_add(&t, &row);
	assert_int_equal(times_check(&t), 0);
	row.alive = 8;
	times_add(&t, &row);
	assert_true(times_check(&t) < 0);
	assert_non_null(strstr(error_text(), "thread 2"));
	times_done(&t);
}

/* No sum of hostile numbers wraps to a right one. */
static void test_no_wrap(void **state)
{
	struct times t = { 0 };
	struct thread_time row = { .task = INT64_MAX, .stolen = INT64_MAX, .runqueue = 2, .alive = 0 };

	times_add(&t, &row);
	assert_true(times_check(&t) < 0);
	assert_int_equal(times_sum(&t).task, INT64_MAX);
	times_add(&t, &row);
	assert_int_equal(times_sum(&t).task, INT64_MAX);
	times_done(&t);
}

/* What has no row of its own is in the last, which then is nobody's. */
static void test_many_rows(void **state)
{
	struct times t = { 0 };
	struct thread_time row = { .pid = 1, .comm = 1, .task = 1, .blocked = 2, .alive = 3 };
	int i;

	for (i = 0; i < TIMES_MAX_ROWS + 10; i++) {
		row.tid = i + 1;
		times_add(&t, &row);
	}
	assert_int_equal(t.nr, TIMES_MAX_ROWS);
	assert_int_equal(t.row[t.nr - 1].tid, 0);
	assert_int_equal(t.row[t.nr - 1].comm, 0);
	assert_int_equal(t.row[t.nr - 1].task, 11);
	assert_int_equal(t.row[t.nr - 2].tid, TIMES_MAX_ROWS - 1);
	assert_int_equal(times_sum(&t).alive, 3 * (TIMES_MAX_ROWS + 10));
	assert_int_equal(times_check(&t), 0);
	times_done(&t);
}

/* Many that ended, before those that live at the end. */
static void test_the_dead_leave_room(void **state)
{
	struct times t = { 0 };
	struct thread_time row = { .pid = 1, .comm = 1, .task = 1, .blocked = 2, .alive = 3 };
	int i, n = TIMES_MAX_ROWS / 4;

	for (i = 0; i < 3 * TIMES_MAX_ROWS; i++) {
		row.tid = i + 1;
		times_add_ended(&t, &row);
	}
	assert_int_equal(t.nr, TIMES_MAX_ENDED + 1);
	assert_int_equal(t.row[TIMES_MAX_ENDED - 1].tid, TIMES_MAX_ENDED);
	assert_int_equal(t.row[TIMES_MAX_ENDED].tid, 0);
	assert_int_equal(t.row[TIMES_MAX_ENDED].task, 3 * TIMES_MAX_ROWS - TIMES_MAX_ENDED);
	/* the others' row takes one of theirs */
	row.pid = 2;
	for (i = 0; i < n - 1; i++) {
		row.tid = 1000000 + i;
		times_add(&t, &row);
	}
	assert_int_equal(t.nr, TIMES_MAX_ROWS);
	assert_int_equal(t.row[t.nr - 1].tid, 1000000 + n - 2);
	/* and one more */
	times_add(&t, &row);
	assert_int_equal(t.nr, TIMES_MAX_ROWS);
	assert_int_equal(t.row[t.nr - 1].tid, 1000000 + n - 2);
	assert_int_equal(t.row[TIMES_MAX_ENDED].task, 3 * TIMES_MAX_ROWS - TIMES_MAX_ENDED + 1);
	assert_int_equal(times_sum(&t).alive, 3 * (3 * TIMES_MAX_ROWS + n));
	assert_int_equal(times_check(&t), 0);
	times_done(&t);
}

static void test_waits_close(void **state)
{
	struct waits_ledger w = { .seen = { 10, 1000 }, .below = { 4, 100 }, .self = { 1, 50 }, .filtered = { 2, 50 },
				  .kept = { 3, 800 }, .walked = 2, .stackless = 1 };

	assert_int_equal(waits_check(&w), 0);
	w.below.ns++;
	assert_true(waits_check(&w) < 0);
	w.below.ns--;
	w.kept.n++;
	assert_true(waits_check(&w) < 0);
	w.seen.n++;
	assert_true(waits_check(&w) < 0);
	w.walked++;
	assert_int_equal(waits_check(&w), 0);
	/* hostile: sums that wrap */
	w = (struct waits_ledger){ .seen = { 1, 0 }, .below = { UINT64_MAX, 0 }, .self = { 2, 0 } };
	assert_true(waits_check(&w) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_close),
		cmocka_unit_test(test_no_wrap),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_the_dead_leave_room),
		cmocka_unit_test(test_waits_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
