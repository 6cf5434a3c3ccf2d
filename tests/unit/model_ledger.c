/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/ledger.h"

static void test_closes(void **state)
{
	struct ledger l = {
		.present = true,
		.ticks = 100,
		.counted = 60,
		.idle = 30,
		.filtered = 5,
		.self = 2,
	};

	assert_int_equal(ledger_check(&l), -EINVAL);
	assert_string_equal(error_text(),
			    "ledger does not close: 100 ticks, but 60 counted + 30 idle "
			    "+ 5 filtered + 2 self + 0 missed + 0 lost");
	l.missed = 2;
	ledger_lost(&l, "ring-full", 1);
	assert_int_equal(ledger_check(&l), 0);
	l.missed = 4;
	assert_int_equal(ledger_check(&l), -EINVAL);
	l.missed = -1; /* a tick that came early */
	l.ticks = 97;
	assert_int_equal(ledger_check(&l), 0);
}

/* Numbers whose sum is right only when it wraps. */
static void test_wrapping_sums_do_not_close(void **state)
{
	struct ledger l = { .ticks = 5, .counted = UINT64_MAX, .idle = 6 };

	assert_int_equal(ledger_check(&l), -EINVAL);
	l = (struct ledger){ .ticks = UINT64_MAX, .missed = -1 };
	assert_int_equal(ledger_check(&l), -EINVAL);
}

static void test_lost_rows(void **state)
{
	struct ledger l = { 0 };

	ledger_lost(&l, "nested", 0);
	assert_int_equal(l.nr_lost, 1);
	ledger_lost(&l, "ring-full", 3);
	ledger_lost(&l, "nested", 2);
	assert_int_equal(l.nr_lost, 2);
	assert_string_equal(l.lost[0].reason, "nested");
	assert_true(l.lost[0].n == 2);
	assert_true(ledger_total_lost(&l) == 5);
	ledger_lost(&l, "Bad \x1b[31m{reason}, much too long to be kept", 1);
	assert_string_equal(l.lost[2].reason, "-ad---31m-reason---much");
	ledger_lost(&l, "ring-full", UINT64_MAX);
	assert_true(l.lost[1].n == UINT64_MAX);
	assert_true(ledger_total_lost(&l) == UINT64_MAX);
}

static void test_reasons_beyond_the_table(void **state)
{
	struct ledger l = { 0 };
	char reason[32];
	uint64_t i;

	for (i = 0; i < 40; i++) {
		snprintf(reason, sizeof(reason), "reason-%d", (int)i);
		ledger_lost(&l, reason, 1);
	}
	assert_int_equal(l.nr_lost, LEDGER_MAX_LOST);
	assert_string_equal(l.lost[LEDGER_MAX_LOST - 1].reason, "other");
	assert_true(l.lost[LEDGER_MAX_LOST - 1].n == 40 - (LEDGER_MAX_LOST - 1));
	assert_true(ledger_total_lost(&l) == 40);
}

static void test_sum(void **state)
{
	struct ledger a = { .ticks = 10, .counted = 9, .missed = 1 };
	struct ledger b = {
		.present = true, .ticks = 20, .idle = 15, .filtered = 1, .self = 2, .missed = -1
	};

	ledger_lost(&b, "nested", 3);
	ledger_sum(&a, &b);
	ledger_sum(&a, &b);
	assert_true(a.present);
	assert_true(a.ticks == 50 && a.counted == 9 && a.idle == 30 && a.filtered == 2);
	assert_true(a.self == 4 && a.missed == -1 && a.nr_lost == 1 && a.lost[0].n == 6);
	assert_int_equal(ledger_check(&a), 0);
}

static void test_broken_rows(void **state)
{
	struct ledger l = { .nr_lost = LEDGER_MAX_LOST + 1 };

	assert_int_equal(ledger_check(&l), -EINVAL);
	l = (struct ledger){ .nr_lost = 1 };
	assert_int_equal(ledger_check(&l), -EINVAL);
	memset(l.lost[0].reason, 'a', LEDGER_REASON_LEN);
	assert_int_equal(ledger_check(&l), -EINVAL);
	l.lost[0].reason[5] = '\0';
	assert_int_equal(ledger_check(&l), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closes),	  cmocka_unit_test(test_wrapping_sums_do_not_close),
		cmocka_unit_test(test_lost_rows), cmocka_unit_test(test_reasons_beyond_the_table),
		cmocka_unit_test(test_sum),	  cmocka_unit_test(test_broken_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
