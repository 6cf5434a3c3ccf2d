/* SPDX-License-Identifier: BSD-2-Clause */
/* Many images, too many, and any events; visits. Of processes whose numbers are beyond any pid. */
#include "unit.h"

#include <time.h>

#include "base/clock.h"
#include "proc/images.h"

#define SECOND NSEC_PER_SEC
#define A      0x40000000
#define PAGE   4096ull

static int setup(void **state)
{
	*state = images_new();
	return 0;
}

static int teardown(void **state)
{
	images_free(*state);
	return 0;
}

/* Pages [from, to) become code of a file of that inode. */
static void map(struct images *im, int tgid, uint64_t time, uint64_t inode, uint64_t from)
{
	struct exec_map m = { .start = from * PAGE,
			      .end = (from + 10) * PAGE,
			      .dev_major = 250,
			      .inode = inode,
			      .path = "/no/such/file" };

	images_mmap(im, tgid, time, &m);
}

/* The inode of the code at that page, 0: none. */
static uint64_t inode_at(struct images *im, const struct image *i, uint64_t page)
{
	const struct image_map *m = i ? image_find(i, page * PAGE, UINT64_MAX) : NULL;

	return m ? objects_get(images_objects(im), m->object)->inode : 0;
}

static struct image *at(struct images *im, int tgid, uint64_t time)
{
	return images_find(im, tgid, 0, 0, time);
}

static struct images_stats stats(const struct images *im)
{
	struct images_stats s;

	images_get_stats(im, &s);
	return s;
}

static int count(void *ctx, struct image *i)
{
	++*(int *)ctx;
	return 0;
}

static int first_only(void *ctx, struct image *i)
{
	++*(int *)ctx;
	return 7;
}

static void only_the_changed_are_visited(void **state)
{
	struct images *im = *state;
	int n = 0, i;

	for (i = 0; i < 10; i++)
		images_exec(im, A + i, 100);
	assert_int_equal(images_each_changed(im, count, &n), 0);
	assert_int_equal(n, 10);
	images_each_changed(im, count, &n);
	assert_int_equal(n, 10);
	map(im, A + 3, 200, 7, 10);
	map(im, A + 3, 201, 8, 30);
	images_find(im, A + 4, 1000, 1, 300);
	images_find(im, A + 4, 1000, 1, 301);
	map(im, A + 5, 200, 7, 10);
	images_exit(im, A + 5, A + 5, 400);
	n = 0;
	assert_int_equal(images_each_changed(im, first_only, &n), 7);
	assert_int_equal(n, 1);
	images_each_changed(im, count, &n);
	assert_int_equal(n, 2);
	n = 0;
	assert_int_equal(images_each(im, count, &n), 0);
	assert_int_equal(n, 9);
}

static void forgotten(void *ctx, struct image *i)
{
	assert_true(i->to_ns != UINT64_MAX);
	++*(uint64_t *)ctx;
}

#define MANY 40000

/* Each forks, runs a program, maps three files, ends; all live at once. */
static void forty_thousand_processes(void **state)
{
	struct images *im = *state;
	uint64_t t = 1, ended = 0;
	clock_t cpu = clock();
	int i;

	for (i = 0; i < MANY; i++) {
		images_fork(im, 1, A + i, t++);
		images_exec(im, A + i, t++);
		map(im, A + i, t++, 1 + (uint64_t)i % 100, 10);
		map(im, A + i, t++, 500, 30);
		map(im, A + i, t++, 501, 50);
		if (i % 1000 == 999)
			images_expire(im, t - 1000, forgotten, &ended);
	}
	assert_int_equal(stats(im).living, MANY);
	assert_int_equal(stats(im).maps, 3 * MANY);
	assert_int_equal(stats(im).refused_images, 0);
	assert_int_equal(inode_at(im, at(im, A + 12345, t), 12), 46);
	for (i = 0; i < MANY; i++)
		images_exit(im, A + i, A + i, t++);
	assert_int_equal(stats(im).living, 0);
	images_expire(im, t, forgotten, &ended);
	/* objects that are known cost next to nothing: a process less than 50 us */
	assert_true((clock() - cpu) / (double)CLOCKS_PER_SEC < MANY * 50e-6);
	assert_int_equal(ended, 2 * MANY);
	assert_int_equal(stats(im).kept, 0);
	assert_int_equal(stats(im).maps, 0);
	assert_int_equal(objects_count(images_objects(im)), 102);
}

static void too_many_are_refused_and_counted(void **state)
{
	struct images *im = *state;
	uint64_t ended = 0;
	int i;

	for (i = 0; i < (int)IMAGES_MAX + 10; i++)
		images_exec(im, A + i, 100);
	assert_int_equal(stats(im).refused_images, 10);
	assert_null(at(im, A + (int)IMAGES_MAX + 5, 200));
	for (i = 0; i < (int)IMAGES_MAX / 2; i++)
		images_exit(im, A + i, A + i, 200);
	/* nearing the limit the ended ones are not kept for long */
	images_expire(im, 0, forgotten, &ended);
	assert_int_equal(ended, IMAGES_MAX / 4);
	images_exec(im, A + (int)IMAGES_MAX + 5, 300);
	assert_non_null(at(im, A + (int)IMAGES_MAX + 5, 400));
}

static void too_many_maps_are_refused_and_counted(void **state)
{
	struct images *im = *state;
	uint64_t t = 100, k;
	int i;

	images_exec(im, A, t++);
	for (k = 0; k < IMAGE_MAX_MAPS - 1; k++)
		map(im, A, t++, 7, 20 * (k + 1));
	assert_int_equal(stats(im).refused_maps, 0);
	for (i = 1; i <= 70; i++)
		images_fork(im, A, A + i, t++);
	assert_int_equal(stats(im).refused_maps, 71 - IMAGES_MAX_MAPS / (IMAGE_MAX_MAPS - 1));
	assert_true(stats(im).maps <= IMAGES_MAX_MAPS);
	assert_int_equal(at(im, A + 1, t)->nr_maps, IMAGE_MAX_MAPS - 1);
	for (i = 0; i <= 70; i++)
		images_exit(im, A + i, A + i, t++);
	images_expire(im, UINT64_MAX, NULL, NULL);
	assert_int_equal(stats(im).maps, 0);
	/* one more than an image holds */
	images_exec(im, A, t++);
	for (k = 0; k < IMAGE_MAX_MAPS; k++)
		map(im, A, t++, 7, 20 * (k + 1));
	assert_int_equal(stats(im).refused_maps, 72 - IMAGES_MAX_MAPS / (IMAGE_MAX_MAPS - 1));
}

/* Any events in any order: nothing breaks, and the counts agree with what can be visited. */
static void random_events(void **state)
{
	struct images *im = *state;
	uint32_t seed = 7;
	uint64_t t = SECOND;
	int i, living = 0;

	for (i = 0; i < 200000; i++) {
		int pid, other;
		uint64_t when;

		seed = seed * 1664525 + 1013904223;
		pid = A + (int)(seed >> 20 & 15);
		other = A + (int)(seed >> 24 & 15);
		t += seed >> 27;
		when = seed >> 9 & 7 ? t : t - 200;
		switch (seed >> 16 & 7) {
		case 0:
			images_fork(im, other, pid, when);
			break;
		case 1:
			images_exec(im, pid, when);
			break;
		case 2:
			images_exit(im, pid, other, when);
			break;
		case 3:
			images_find(im, pid, 1 + (seed >> 5 & 3), seed >> 7 & 3, when);
			break;
		case 4:
			images_expire(im, t - 2000, NULL, NULL);
			break;
		case 5:
			if (!(seed >> 10 & 63))
				images_lost(im);
			images_each_changed(im, count, &living);
			break;
		default:
			map(im, pid, when, seed >> 13 & 7, seed >> 3 & 31);
		}
	}
	living = 0;
	images_each(im, count, &living);
	assert_int_equal(living, stats(im).living);
	assert_int_equal(stats(im).refused_images, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(only_the_changed_are_visited),
		T(forty_thousand_processes),
		T(too_many_are_refused_and_counted),
		T(too_many_maps_are_refused_and_counted),
		T(random_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
