/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings in plain memory with exits in them, each with its time as its thread's number. */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "capture/side_merge.h"

#define RINGS 7
#define SIZE  8192u

struct fixture {
	struct side_merge m;
	struct perf_event_mmap_page page[RINGS];
	uint8_t *data[RINGS];
	uint64_t times[100000];		/* as read; 0: a loss */
	int nr;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	int i;

	side_merge_init(&f->m, RINGS + 1);
	for (i = 0; i < RINGS; i++) {
		f->data[i] = xcalloc(1, SIZE);
		/* one place stays empty, as of a CPU that is offline */
		perf_ring_init(&f->m.source[i + (i > 2)].ring, &f->page[i], f->data[i], SIZE);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i <= RINGS; i++)
		perf_ring_done(&f->m.source[i].ring);
	for (i = 0; i < RINGS; i++)
		free(f->data[i]);
	side_merge_done(&f->m);
	free(f);
	return 0;
}

static void put(struct fixture *f, int ring, const void *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		f->data[ring][(f->page[ring].data_head + i) % SIZE] = ((const uint8_t *)p)[i];
	f->page[ring].data_head += len;
}

static bool put_exit(struct fixture *f, int ring, uint64_t time)
{
	struct {
		struct perf_event_header h;
		uint32_t pid, ppid, tid, ptid;
		uint64_t time, trailer;
	} r = { { PERF_RECORD_EXIT, 0, sizeof(r) }, 5, 1, (uint32_t)time, 1, time, time };

	if (f->page[ring].data_head - f->page[ring].data_tail + sizeof(r) > SIZE)
		return false;
	put(f, ring, &r, sizeof(r));
	return true;
}

static void on_record(void *ctx, const struct side_record *r)
{
	struct fixture *f = ctx;

	if (r->kind == SIDE_EXIT)
		assert_int_equal(r->tid, (uint32_t)r->time);
	else
		assert_int_equal(r->kind, SIDE_LOST);
	f->times[f->nr++] = r->kind == SIDE_LOST ? 0 : r->time;
}

static int read_until(struct fixture *f, uint64_t time)
{
	return side_merge_read(&f->m, time, on_record, f);
}

static void in_order_of_time_over_all_rings(void **state)
{
	struct fixture *f = *state;
	uint32_t seed = 5;
	uint64_t t = 1, done = 1;
	int round, i, wrote = 0;

	for (round = 0; round < 300; round++) {
		for (i = 0; i < 300; i++) {
			seed = seed * 1664525 + 1013904223;
			if (!put_exit(f, (int)((seed >> 20) % RINGS), t))
				break;
			t++;
			wrote++;
		}
		/* some stay for the next time */
		done = t - 20 < t ? t - 20 : 0;
		read_until(f, done);
	}
	read_until(f, t);
	assert_int_equal(f->nr, wrote);
	for (i = 0; i < f->nr; i++)
		assert_int_equal(f->times[i], i + 1);
	assert_int_equal(read_until(f, t), 0);
}

static void younger_ones_stay(void **state)
{
	struct fixture *f = *state;

	put_exit(f, 0, 10);
	put_exit(f, 0, 30);
	put_exit(f, 1, 20);
	assert_int_equal(read_until(f, 9), 0);
	assert_int_equal(read_until(f, 20), 2);
	assert_int_equal(f->times[1], 20);
	assert_int_equal(f->page[0].data_head - f->page[0].data_tail, 40);
	assert_int_equal(read_until(f, 30), 1);
	assert_int_equal(f->times[2], 30);
}

static void what_is_not_understood_is_a_loss(void **state)
{
	struct fixture *f = *state;
	struct perf_event_header h = { PERF_RECORD_EXIT, 0, 16 };
	uint64_t word = 15;

	/* too short for what it is: the one after it is read */
	put_exit(f, 0, 10);
	put(f, 0, &h, sizeof(h));
	put(f, 0, &word, sizeof(word));
	put_exit(f, 0, 30);
	put_exit(f, 1, 20);
	assert_int_equal(read_until(f, 100), 4);
	assert_int_equal(f->times[0], 10);
	assert_int_equal(f->times[1], 0);
	assert_int_equal(f->times[2], 20);
	assert_int_equal(f->times[3], 30);
	/* no size: the ring's rest is lost, and only that */
	h.size = 0;
	put(f, 2, &h, sizeof(h));
	put_exit(f, 2, 40);
	put_exit(f, 3, 50);
	assert_int_equal(read_until(f, 100), 2);
	assert_int_equal(f->times[5], 50);
	put_exit(f, 2, 60);
	assert_int_equal(read_until(f, 100), 1);
	/* a head out of this world */
	f->page[2].data_head += 2 * SIZE;
	assert_int_equal(read_until(f, 100), 1);
	assert_int_equal(f->times[7], 0);
	assert_int_equal(read_until(f, 100), 0);
}

static void others_are_passed_over(void **state)
{
	struct fixture *f = *state;
	struct perf_event_header h = { PERF_RECORD_THROTTLE, 0, 16 };
	uint64_t time = 10;

	put(f, 0, &h, sizeof(h));
	put(f, 0, &time, sizeof(time));
	put_exit(f, 0, 20);
	assert_int_equal(read_until(f, 100), 1);
	assert_int_equal(f->times[0], 20);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(in_order_of_time_over_all_rings),
		T(younger_ones_stay),
		T(what_is_not_understood_is_a_loss),
		T(others_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
