/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scripted events of processes that do not exist (their numbers are beyond any
 * pid), and of this very process and its children, whose /proc can be read.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proc/images.h"
#include "proc/pids.h"

#define SECOND NSEC_PER_SEC
#define A      0x40000000
#define B      0x40000001
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

static void a_child_has_its_parents_maps(void **state)
{
	struct images *im = *state;

	images_fork(im, 1, A, 100);
	images_exec(im, A, 200);
	map(im, A, 210, 7, 10);
	images_fork(im, A, B, 300);
	map(im, A, 310, 8, 50);
	map(im, B, 320, 9, 10);
	assert_int_equal(inode_at(im, at(im, A, 400), 12), 7);
	assert_int_equal(inode_at(im, at(im, A, 400), 52), 8);
	assert_int_equal(inode_at(im, at(im, B, 400), 12), 9);
	assert_int_equal(inode_at(im, at(im, B, 400), 52), 0);
	assert_int_equal(at(im, B, 400)->parent, A);
	assert_int_equal(stats(im).maps, 3);
}

static void exec_begins_a_new_image_without_maps(void **state)
{
	struct images *im = *state;

	images_fork(im, 1, A, 100);
	images_exec(im, A, 200);
	map(im, A, 210, 7, 10);
	images_exec(im, A, 300);
	assert_int_equal(at(im, A, 305)->nr_maps, 0);
	assert_true(at(im, A, 305)->known);
	map(im, A, 310, 8, 10);
	assert_int_equal(inode_at(im, at(im, A, 250), 12), 7);
	assert_int_equal(inode_at(im, at(im, A, 350), 12), 8);
	assert_int_equal(at(im, A, 250)->to_ns, 300);
	assert_int_equal(at(im, A, 350)->from_ns, 300);
	assert_int_equal(stats(im).living, 1);
	assert_int_equal(stats(im).kept, 2);
}

/* As dlopen, dlclose and dlopen do: nobody tells of the munmap in between. */
static void later_mappings_replace(void **state)
{
	struct images *im = *state;
	uint32_t version;

	images_exec(im, A, 100);
	map(im, A, 110, 7, 10);
	map(im, A, 120, 8, 30);
	version = at(im, A, 130)->version;
	map(im, A, 140, 9, 25);
	assert_int_not_equal(at(im, A, 150)->version, version);
	assert_int_equal(inode_at(im, at(im, A, 150), 34), 9);
	assert_int_equal(inode_at(im, at(im, A, 150), 35), 8);
	assert_int_equal(inode_at(im, at(im, A, 150), 12), 7);
	version = at(im, A, 150)->version;
	map(im, A, 160, 9, 25);
	assert_int_equal(at(im, A, 170)->version, version);
}

static void the_last_thread_ends_it(void **state)
{
	struct images *im = *state;

	images_fork(im, 1, A, 100);
	images_fork(im, A, A, 110);
	images_fork(im, A, A, 120);
	images_exit(im, A, A, 200);	/* the first thread is not the last */
	images_exit(im, A, A + 2, 210);
	assert_int_equal(stats(im).living, 1);
	images_exit(im, A, A + 1, 220);
	assert_int_equal(stats(im).living, 0);
	assert_int_equal(at(im, A, 215)->to_ns, 220);
	assert_null(at(im, A, 220 + SECOND));
}

/* An execve() ends the other threads. */
static void after_exec_there_is_one_thread(void **state)
{
	struct images *im = *state;

	images_fork(im, 1, A, 100);
	images_fork(im, A, A, 110);
	images_exit(im, A, A, 190);
	images_exec(im, A, 200);
	images_exit(im, A, A, 300);
	assert_int_equal(stats(im).living, 0);
}

static void a_number_used_again_is_another_process(void **state)
{
	struct images *im = *state;
	struct image *first, *second;

	images_fork(im, 1, A, 100);
	images_exec(im, A, 101);
	map(im, A, 110, 7, 10);
	first = images_find(im, A, 1000, 1, 120);
	images_exit(im, A, A, 200);
	images_fork(im, 1, A, 300);
	images_exec(im, A, 310);
	second = images_find(im, A, 2000, 1, 320);
	assert_ptr_not_equal(first, second);
	/* by identity, whatever the time */
	assert_ptr_equal(images_find(im, A, 1000, 1, 320), first);
	assert_ptr_equal(images_find(im, A, 2000, 1, 120), second);
	assert_int_equal(first->to_ns, 200);
	/* the exit was lost */
	images_fork(im, 1, A, 400);
	images_exec(im, A, 410);
	assert_int_equal(second->to_ns, 400);
	assert_ptr_equal(images_find(im, A, 3000, 1, 450), at(im, A, 450));
	assert_int_equal(stats(im).living, 1);
}

static void times_may_be_a_little_askew(void **state)
{
	struct images *im = *state;

	images_fork(im, 1, A, 10 * SECOND);
	images_exec(im, A, 11 * SECOND);
	images_exit(im, A, A, 12 * SECOND);
	assert_int_equal(at(im, A, 10 * SECOND - 1000)->from_ns, 10 * SECOND);
	assert_int_equal(at(im, A, 11 * SECOND - 1)->from_ns, 10 * SECOND);
	assert_int_equal(at(im, A, 11 * SECOND)->from_ns, 11 * SECOND);
	assert_int_equal(at(im, A, 12 * SECOND + 1000)->from_ns, 11 * SECOND);
	assert_null(images_find(im, A, 5, 5, 10 * SECOND - SECOND / 10));
	/* the first has an identity, so it is not taken for one that is near in time */
	images_find(im, A, 1000, 1, 10 * SECOND + 5);
	assert_int_equal(images_find(im, A, 1000, 2, 11 * SECOND - 1)->from_ns, 11 * SECOND);
}

static void late_records_are_counted_and_change_nothing(void **state)
{
	struct images *im = *state;

	images_fork(im, 1, A, 100);
	images_exec(im, A, 200);
	map(im, A, 210, 7, 10);
	map(im, A, 150, 8, 10);
	images_exec(im, A, 190);
	images_fork(im, 1, A, 90);
	images_exit(im, A, A, 180);
	assert_int_equal(stats(im).late, 4);
	assert_int_equal(stats(im).living, 1);
	assert_int_equal(inode_at(im, at(im, A, 300), 12), 7);
}

static void records_of_unknown_processes_are_fine(void **state)
{
	struct images *im = *state;

	images_exit(im, A, A, 100);
	map(im, A, 100, 7, 10);
	images_fork(im, A, A, 100);
	assert_int_equal(stats(im).living, 0);
	images_exec(im, A, 200);
	assert_int_equal(stats(im).living, 1);
	images_fork(im, 77, B, 200);
	assert_int_equal(stats(im).living, 2);
}

/* An image comes after those with an older identity, and before those with a newer one. */
static void identities_have_an_order(void **state)
{
	struct images *im = *state;

	images_fork(im, 1, A, 100);
	images_exec(im, A, 200);
	images_exec(im, A, 300);
	images_exec(im, A, 400);
	assert_int_equal(images_find(im, A, 1000, 3, 350)->from_ns, 300);
	/* by the time alone these would be the last and the first */
	assert_int_equal(images_find(im, A, 1000, 2, 401)->from_ns, 200);
	assert_int_equal(images_find(im, A, 1000, 4, 150)->from_ns, 400);
}

/* Of a sample that came before the records of its fork and its execve() were read. */
static void an_identity_moves_to_where_it_belongs(void **state)
{
	struct images *im = *state;
	struct image *i, *former;

	images_fork(im, 1, A, 100);
	images_exec(im, A, 200);
	map(im, A, 210, 7, 10);
	former = images_find(im, A, 1000, 5, 500);
	assert_int_equal(former->from_ns, 200);
	images_exec(im, A, 400);
	map(im, A, 410, 8, 10);
	i = images_find(im, A, 1000, 5, 500);
	assert_int_equal(i->from_ns, 400);
	assert_int_equal(inode_at(im, i, 12), 8);
	assert_false(former->identified);
	assert_ptr_equal(images_find(im, A, 1000, 4, 300), former);
}

/* The kernel's start time of this process, as far as /proc tells. */
static uint64_t own_start(void)
{
	struct pid_stat s;

	assert_int_equal(pid_stat(getpid(), &s), 0);
	return s.start_ticks * (SECOND / (uint64_t)sysconf(_SC_CLK_TCK)) + 5;
}

static bool has_own_code(const struct image *i)
{
	return i && image_find(i, (uintptr_t)has_own_code, UINT64_MAX);
}

static void a_missed_exec_is_read_and_its_record_recognized(void **state)
{
	struct images *im = *state;
	uint64_t start = own_start(), now = clock_mono();
	struct image *i;

	images_fork(im, 1, getpid(), now - 100);
	images_exec(im, getpid(), now - 90);
	map(im, getpid(), now - 80, 7, 10);
	assert_int_equal(inode_at(im, images_find(im, getpid(), start, 3, now - 70), 12), 7);
	i = images_find(im, getpid(), start, 4, now - 10);
	assert_true(i->known);
	assert_true(has_own_code(i));
	assert_int_equal(stats(im).missed, 1);
	/* what it stands for comes late: nothing of what was read is undone */
	images_exec(im, getpid(), now - 20);
	map(im, getpid(), now - 15, 8, (uintptr_t)has_own_code / PAGE);
	assert_ptr_equal(images_find(im, getpid(), start, 4, clock_mono()), i);
	assert_true(has_own_code(i));
	assert_int_equal(inode_at(im, i, (uintptr_t)has_own_code / PAGE) == 8, false);
	assert_int_equal(i->from_ns, now - 20);
	/* an older program than what is known now */
	assert_null(images_find(im, getpid(), start, 2, now - SECOND));
}

static void an_unknown_process_is_read(void **state)
{
	struct images *im = *state;
	struct image *i = images_find(im, getpid(), own_start(), 3, clock_mono());

	assert_true(i->known && i->identified);
	assert_true(has_own_code(i));
	assert_ptr_equal(images_find(im, getpid(), own_start(), 3, 5), i);
	assert_int_equal(stats(im).reads, 1);
	/* of a process that had this number before nothing can be read */
	i = images_find(im, getpid(), own_start() + 5 * SECOND, 3, clock_mono());
	assert_false(i->known);
	assert_int_equal(stats(im).reads, 1);
}

static void a_process_that_is_gone_is_asked_for_once(void **state)
{
	struct images *im = *state;
	struct image *i = images_find(im, A, 1000, 1, clock_mono());

	assert_false(i->known);
	assert_true(i->to_ns != UINT64_MAX);
	assert_ptr_equal(images_find(im, A, 1000, 1, clock_mono()), i);
	assert_null(images_map(im, i, &(struct image_code){ 0x1000, UINT64_MAX, true }, clock_mono()));
	assert_int_equal(stats(im).kept, 1);
	assert_int_equal(stats(im).reads, 0);
}

static void what_ran_before_is_read_when_asked_for(void **state)
{
	struct images *im = *state;

	assert_true(images_scan(im) > 0);
	assert_int_equal(stats(im).reads, 0);
	assert_int_equal(stats(im).living, images_scan(im) + stats(im).living);
	assert_true(has_own_code(at(im, getpid(), clock_mono())));
	assert_int_equal(stats(im).reads, 1);
}

/* A subshell of a shell that nobody asked for has its parent's maps, also when it has ended. */
static void a_child_of_one_not_read_is_what_its_parent_is(void **state)
{
	struct images *im = *state;
	uint64_t now = clock_mono();

	assert_true(images_scan(im) > 0);
	images_fork(im, getpid(), A, now);
	images_fork(im, A, B, now + 1);
	assert_true(has_own_code(at(im, B, now + 2)));
	assert_true(has_own_code(at(im, getpid(), now + 2)));
	assert_int_equal(stats(im).reads, 1);
}

/* What was read after the end belongs to the next program. */
static void maps_read_too_late_are_dropped(void **state)
{
	struct images *im = *state;
	uint64_t before = clock_mono();
	struct image *i;

	assert_true(images_scan(im) > 0);
	i = at(im, getpid(), before);
	assert_true(i->known);
	images_exec(im, getpid(), before);
	assert_false(i->known);
	assert_int_equal(i->nr_maps, 0);
	assert_true(at(im, getpid(), clock_mono())->known);
}

static void after_a_loss_maps_are_read_again(void **state)
{
	struct images *im = *state;
	uint64_t now = clock_mono();
	struct image *i;

	images_fork(im, 1, A, now);
	images_fork(im, 1, getpid(), now);
	images_exec(im, getpid(), now);
	map(im, getpid(), now, 7, 10);
	assert_false(has_own_code(at(im, getpid(), now + 1)));
	images_lost(im);
	i = at(im, getpid(), now + 2);
	assert_true(has_own_code(i));
	assert_int_equal(inode_at(im, i, 12), 0);
	assert_int_equal(stats(im).reads, 1);
	at(im, getpid(), now + SECOND);
	assert_int_equal(stats(im).reads, 1);
	/* nor is what is forked of one whose maps may be wrong known for certain */
	images_lost(im);
	images_fork(im, getpid(), B, now + SECOND + 1);
	map(im, B, now + SECOND + 2, 7, 10);
	assert_true(images_find(im, B, 0, 0, now + SECOND + 3)->to_ns != UINT64_MAX);
	assert_int_equal(stats(im).missed, 0);
	/* whose end was lost is found to have ended */
	assert_int_equal(stats(im).living, 2);
	images_expire(im, 0, NULL, NULL);
	assert_int_equal(stats(im).living, 1);
}

static void new_code_is_found_by_reading_again(void **state)
{
	struct images *im = *state;
	uint64_t now = clock_mono();
	struct image *i = at(im, getpid(), now);
	void *code = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct image_map *m;

	assert_ptr_not_equal(code, MAP_FAILED);
	assert_null(images_map(im, i, &(struct image_code){ (uintptr_t)code, UINT64_MAX, true }, now + SECOND / 20));
	m = images_map(im, i, &(struct image_code){ (uintptr_t)code, UINT64_MAX, true }, now + SECOND);
	assert_non_null(m);
	assert_int_equal(objects_get(images_objects(im), m->object)->kind, OBJECT_ANON);
	munmap(code, PAGE);
}

static void doubtful_addresses_are_asked_less_and_less(void **state)
{
	struct images *im = *state;
	uint64_t now = clock_mono(), t;
	struct image *i = at(im, getpid(), now);

	for (t = now; t < now + 10 * SECOND; t += SECOND / 100)
		assert_null(images_map(im, i, &(struct image_code){ 16, UINT64_MAX, false }, t));
	assert_in_range(stats(im).reads, 4, 8);
}

/* Threads that were there before are not counted: when the first has ended, /proc knows. */
static void the_end_of_one_that_ran_before(void **state)
{
	struct images *im = *state;
	uint64_t now = clock_mono();
	int hold[2];
	pid_t pid;

	assert_int_equal(pipe(hold), 0);
	pid = fork();
	if (!pid) {
		char c;

		close(hold[1]);
		(void)!read(hold[0], &c, 1);
		_exit(0);
	}
	assert_int_equal(at(im, pid, now)->tgid, pid);
	images_exit(im, pid, pid + 1, now);
	images_exit(im, pid, pid, now + 1);	/* it still lives */
	assert_int_equal(stats(im).living, 1);
	close(hold[0]);
	close(hold[1]);
	waitpid(pid, NULL, 0);
	images_exit(im, pid, pid + 2, now + SECOND);
	assert_int_equal(stats(im).living, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_child_has_its_parents_maps),
		T(exec_begins_a_new_image_without_maps),
		T(later_mappings_replace),
		T(the_last_thread_ends_it),
		T(after_exec_there_is_one_thread),
		T(a_number_used_again_is_another_process),
		T(times_may_be_a_little_askew),
		T(late_records_are_counted_and_change_nothing),
		T(records_of_unknown_processes_are_fine),
		T(identities_have_an_order),
		T(an_identity_moves_to_where_it_belongs),
		T(a_missed_exec_is_read_and_its_record_recognized),
		T(an_unknown_process_is_read),
		T(a_process_that_is_gone_is_asked_for_once),
		T(what_ran_before_is_read_when_asked_for),
		T(a_child_of_one_not_read_is_what_its_parent_is),
		T(maps_read_too_late_are_dropped),
		T(after_a_loss_maps_are_read_again),
		T(new_code_is_found_by_reading_again),
		T(doubtful_addresses_are_asked_less_and_less),
		T(the_end_of_one_that_ran_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
