/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

#include "base/alloc.h"
#include "capture/births.h"

struct seen {
	uint32_t tgid[512];
	size_t nr;
};

static void see(void *ctx, const struct wire_birth *b)
{
	struct seen *s = ctx;

	assert_in_range(s->nr, 0, 511);
	s->tgid[s->nr++] = b->tgid;
}

/* The kernel's side. */
static void add(struct wire_births *b, uint64_t time, uint32_t tgid)
{
	b->birth[b->count % WIRE_BIRTHS] = (struct wire_birth){ .time = time, .tgid = tgid };
	b->count++;
}

static struct wire_births *open_two(struct births *b, int *fd)
{
	struct wire_births *live;

	*fd = memfd_create("births", MFD_CLOEXEC);
	assert_int_equal(ftruncate(*fd, 16384), 0);
	live = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	assert_ptr_not_equal(live, MAP_FAILED);
	assert_int_equal(births_open(b, *fd, 2), 0);
	return live;
}

static void each_comes_once_and_in_its_time(void **state)
{
	struct seen s = { .nr = 0 };
	struct births b = { .size = 0 };
	autoclose int fd = -1;
	struct wire_births *live = open_two(&b, &fd);

	births_read(&b, 100, see, &s);
	assert_int_equal(s.nr, 0);
	add(&live[0], 10, 1);
	add(&live[0], 30, 2);
	add(&live[1], 20, 3);
	births_read(&b, 25, see, &s);
	assert_int_equal(s.nr, 2);
	assert_int_equal(s.tgid[0], 1);
	assert_int_equal(s.tgid[1], 3);
	births_read(&b, 30, see, &s);
	assert_int_equal(s.nr, 3);
	assert_int_equal(s.tgid[2], 2);
	births_read(&b, 1000, see, &s);
	assert_int_equal(s.nr, 3);
	munmap(live, 16384);
	births_close(&b);
}

static void overwritten_ones_are_counted_and_the_others_come(void **state)
{
	struct seen s = { .nr = 0 };
	struct births b = { .size = 0 };
	autoclose int fd = -1;
	struct wire_births *live = open_two(&b, &fd);
	uint32_t i;

	for (i = 0; i < WIRE_BIRTHS + 20; i++)
		add(&live[1], i, i);
	births_read(&b, 1000, see, &s);
	assert_int_equal(s.nr + b.missed, WIRE_BIRTHS + 20);
	assert_int_equal(s.nr, WIRE_BIRTHS - 1);
	assert_int_equal(s.tgid[s.nr - 1], WIRE_BIRTHS + 19);
	munmap(live, 16384);
	births_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_comes_once_and_in_its_time),
		cmocka_unit_test(overwritten_ones_are_counted_and_the_others_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
