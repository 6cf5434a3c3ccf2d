/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "unit.h"

#include "capture/thread_close.h"

#define END   100000000ul
#define LATER 3000000ul
#define LIST  (END + LATER)

/* A thread that was seen to leave its CPU at `since`, with these sums; and is listed with the same. */
static void leaves(struct wire_thread *one, struct wire_thread_now *now, uint32_t state, uint64_t since)
{
	*one = (struct wire_thread){ .state = state, .since = since, .exec = 5000, .delay = 7000 };
	*now = (struct wire_thread_now){ .exec = 5000, .delay = 7000, .came = since - 1000, .exec_came = 4000 };
}

static void check(struct wire_thread *one, const struct wire_thread_now *now, int64_t ran, int64_t queued)
{
	int64_t wall = (int64_t)(END - one->since);
	struct open_interval i = thread_close(one, now, (struct account_end){ .end = END, .later = LATER });

	assert_int_equal(one->since, END);
	assert_int_equal(one->exec - 5000, ran);
	assert_int_equal(one->delay - 7000, queued);
	assert_int_equal(i.wait, wall - ran);
	assert_int_equal(i.queued, queued);
}

static void who_did_not_come_waits(void **state)
{
	struct wire_thread one;
	struct wire_thread_now now;

	leaves(&one, &now, WIRE_THREAD_OFF, END - 2000000);
	check(&one, &now, 0, 0);
	leaves(&one, &now, WIRE_THREAD_READY, END - 2000000);
	now.queued = one.since;
	check(&one, &now, 0, 2000000);
	/* woken before the end, and not there by the time of the list */
	leaves(&one, &now, WIRE_THREAD_OFF, END - 2000000);
	now.queued = END - 300000;
	check(&one, &now, 0, 300000);
	leaves(&one, &now, WIRE_THREAD_OFF, END - 2000000);
	now.queued = END + 300000;
	check(&one, &now, 0, 0);
}

static void who_came_after_the_end_was_off_until_then(void **state)
{
	struct wire_thread one;
	struct wire_thread_now now;

	/* woken 0.3 ms before it: noted, and not */
	leaves(&one, &now, WIRE_THREAD_OFF, END - 2000000);
	one.arrived = 7000 + 1300000 - (END + 1000000);
	now = (struct wire_thread_now){ .exec = 905000, .delay = 1307000, .came = END + 1000000, .exec_came = 5000 };
	check(&one, &now, 0, 300000);
	leaves(&one, &now, WIRE_THREAD_OFF, END - 2000000);
	now = (struct wire_thread_now){ .exec = 905000, .delay = 1307000, .came = END + 1000000, .exec_came = 5000 };
	check(&one, &now, 0, 300000);
}

static void who_came_unseen_was_on_a_cpu_at_the_end(void **state)
{
	struct wire_thread one;
	struct wire_thread_now now;

	/* still there, its sum as old as its arrival */
	leaves(&one, &now, WIRE_THREAD_OFF, END - 2900000);
	now = (struct wire_thread_now){
		.exec = 5000, .delay = 407000, .came = END - 1750000, .exec_came = 5000, .on_cpu = 1
	};
	check(&one, &now, 1750000, 400000);
	/* a sum that lacks more than a tick's worth: it was taken from it */
	leaves(&one, &now, WIRE_THREAD_OFF, END - 40000000);
	now = (struct wire_thread_now){
		.exec = 1005000, .delay = 7000, .came = END - 30000000, .exec_came = 5000, .on_cpu = 1
	};
	check(&one, &now, 1000000, 0);
	/* preempted after the end */
	leaves(&one, &now, WIRE_THREAD_READY, END - 2900000);
	now = (struct wire_thread_now){ .exec = 1755000,
					.delay = 1907000,
					.came = END - 1000000,
					.exec_came = 5000,
					.queued = END + 750000 };
	check(&one, &now, 1000000, 1900000);
}

/* A class of which the kernel does not keep it: at most as much was after the end as there was time. */
static void without_the_sum_of_its_arrival_there_are_bounds(void **state)
{
	struct wire_thread one;
	struct wire_thread_now now;

	leaves(&one, &now, WIRE_THREAD_OFF, END - 20000000);
	now = (struct wire_thread_now){ .exec = 10005000, .delay = 7000, .came = END - 1000000 };
	/* 4 ms since it came, 1 ms of it before the end: 6 before it came */
	check(&one, &now, 7000000, 0);
}

struct life {
	uint64_t ran, queued;		/* until the end */
	struct wire_thread_now now;
};

/* Blocked, queued and on a CPU in turn, unseen, until the list is made. */
static void live(struct life *l, uint64_t at, bool ready)
{
	uint64_t until, length, stop;
	int what = ready ? 1 : 0;

	for (; at < LIST; at = until, what = (what + 1) % 3) {
		length = (uint64_t)random() % 6000000 + 1;
		until = at + length < LIST ? at + length : LIST;
		stop = until < END ? until : at < END ? END : at;
		if (what == 1) {
			l->queued += stop - at;
			if (until == LIST)
				l->now.queued = at;
			else
				l->now.delay += until - at;
		} else if (what == 2) {
			l->ran += stop - at;
			l->now.came = at;
			l->now.exec_came = l->now.exec;
			l->now.on_cpu = until == LIST;
			/* that of who runs is old */
			l->now.exec += until == LIST ? (uint64_t)random() % (until - at + 1) : until - at;
			/* preempted, at times */
			if (random() % 2)
				what = 0;
		}
	}
}

static void whatever_came_unseen_is_told_apart(void **state)
{
	int n, exact = 0;

	srandom(1);
	for (n = 0; n < 20000; n++) {
		bool ready = random() % 2;
		struct wire_thread one;
		struct life l = { .ran = 0 };
		int64_t ran, queued;

		leaves(&one, &l.now, ready ? WIRE_THREAD_READY : WIRE_THREAD_OFF, END - 1 - (uint64_t)random() % 9000000);
		live(&l, one.since, ready);
		(void)thread_close(&one, &l.now, (struct account_end){ .end = END, .later = LATER });
		ran = (int64_t)(one.exec - 5000);
		queued = (int64_t)(one.delay - 7000);
		if (l.now.came <= END) {
			assert_int_equal(ran, l.ran);
			assert_int_equal(queued, l.queued);
			exact++;
		} else if (!ready) {
			/* what came before its last arrival is not known: the next account lacks nothing */
			assert_true(ran <= (int64_t)l.ran);
			assert_true(queued <= (int64_t)l.queued);
		}
	}
	assert_true(exact > 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_did_not_come_waits),
		cmocka_unit_test(who_came_after_the_end_was_off_until_then),
		cmocka_unit_test(who_came_unseen_was_on_a_cpu_at_the_end),
		cmocka_unit_test(without_the_sum_of_its_arrival_there_are_bounds),
		cmocka_unit_test(whatever_came_unseen_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
