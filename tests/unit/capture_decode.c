/* SPDX-License-Identifier: BSD-2-Clause */
/* Records as the kernel sends them, made by hand: of this very process, so that its code is found. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "capture/counters.h"
#include "capture/decode.h"
#include "capture/event.h"

struct record {
	struct wire_sample s;
	uint64_t frame[WIRE_FRAME_SLOTS];
};

struct fixture {
	struct profile *p;
	struct images *im;
	struct decoder *d;
	struct record r;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->p = profile_new();
	profile_native(f->p, 1000);
	f->im = images_new();
	assert_true(images_scan(f->im) > 0);
	f->d = decoder_new(f->p, NULL, f->im, NULL, WIRE_MAX_USER);
	f->r.s.time = clock_mono();
	f->r.s.start_time = 1;
	f->r.s.tgid = f->r.s.tid = (uint32_t)getpid();
	memcpy(f->r.s.comm, "thread\x1b name", 12);
	memcpy(f->r.s.process, "process", 8);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	decoder_free(f->d);
	images_free(f->im);
	profile_free(f->p);
	free(f);
	return 0;
}

static int add(struct fixture *f)
{
	size_t n = (size_t)f->r.s.nr_kernel + f->r.s.nr_user;

	return decoder_add(f->d, &f->r.s, sizeof(f->r.s) + n * 8, clock_mono());
}

/* The frames of the only sample, leaf first; returns how many. */
static uint32_t only_stack(const struct profile *p, uint32_t frame[16])
{
	uint32_t n = 0, s;

	assert_int_equal(p->nr_samples, 1);
	for (s = p->samples[0].stack; s && n < 16; s = p->stacks[s].parent)
		frame[n++] = p->stacks[s].frame;
	return n;
}

static const char *special(const struct profile *p, uint32_t frame)
{
	static char buf[128];

	return profile_frame_name(p, frame, 0, buf, sizeof(buf));
}

static void kernel_above_user_above_root(void **state)
{
	struct fixture *f = *state;
	uint32_t frame[16];

	f->r.s.nr_kernel = 2;
	f->r.s.nr_user = 2;
	f->r.s.user_status = WIRE_USER_GAP;
	f->r.s.flags = WIRE_KERNEL_MODE;
	f->r.frame[0] = 0xffffffff81000010;
	f->r.frame[1] = 0xffffffff81000100;
	f->r.frame[2] = (uintptr_t)kernel_above_user_above_root;
	f->r.frame[3] = (uintptr_t)only_stack;
	assert_int_equal(add(f), 0);
	assert_int_equal(only_stack(f->p, frame), 5);
	assert_int_equal(f->p->frames[frame[0]].address, 0xffffffff81000010);
	/* a kernel return address is told by the call before it */
	assert_int_equal(f->p->frames[frame[1]].address, 0xffffffff810000ff);
	assert_int_equal(f->p->mappings[f->p->frames[frame[0]].mapping].kind, MAPPING_KERNEL);
	assert_int_equal(f->p->mappings[f->p->frames[frame[2]].mapping].kind, MAPPING_FILE);
	assert_int_equal(f->p->frames[frame[2]].address - f->p->frames[frame[3]].address,
			 (uintptr_t)kernel_above_user_above_root - (uintptr_t)only_stack);
	assert_string_equal(special(f->p, frame[4]), "[truncated: no unwind data]");
	assert_int_equal(profile_values(f->p, 0)[COL_CPU], 1000);
}

static void a_complete_stack_has_no_marker(void **state)
{
	struct fixture *f = *state;
	uint32_t frame[16];

	f->r.s.nr_user = 1;
	f->r.s.user_status = WIRE_USER_COMPLETE;
	f->r.frame[0] = (uintptr_t)add;
	assert_int_equal(add(f), 0);
	assert_int_equal(only_stack(f->p, frame), 1);
}

static void a_return_address_outside_code_cuts(void **state)
{
	struct fixture *f = *state;
	uint32_t frame[16];

	f->r.s.nr_user = 3;
	f->r.s.user_status = WIRE_USER_COMPLETE;
	f->r.frame[0] = (uintptr_t)add;
	f->r.frame[1] = 0x10001;
	f->r.frame[2] = (uintptr_t)setup;
	assert_int_equal(add(f), 0);
	assert_int_equal(only_stack(f->p, frame), 2);
	assert_string_equal(special(f->p, frame[1]), "[truncated: bad return address]");
}

static void an_ended_process_says_so(void **state)
{
	struct fixture *f = *state;
	uint32_t frame[16];

	f->r.s.tgid = 0x7ffffff0;
	f->r.s.nr_user = 1;
	f->r.s.user_status = WIRE_USER_COMPLETE;
	f->r.frame[0] = 0x401000;
	assert_int_equal(add(f), 0);
	assert_int_equal(only_stack(f->p, frame), 1);
	assert_string_equal(special(f->p, frame[0]), "[truncated: process gone]");
}

/* Its mappings cannot be read, but it lives. */
static void a_lack_of_descriptors_says_so(void **state)
{
	struct fixture *f = *state;
	struct rlimit was, none;
	uint32_t frame[16];
	int r;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 0;
	f->r.s.nr_user = 1;
	f->r.s.user_status = WIRE_USER_COMPLETE;
	f->r.frame[0] = (uintptr_t)add;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = add(f);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(r, 0);
	assert_int_equal(only_stack(f->p, frame), 1);
	assert_string_equal(special(f->p, frame[0]), "[truncated: too many open files]");
	/* it is read as soon as it can be */
	f->r.s.time += NSEC_PER_SEC;
	f->r.s.tid++;
	assert_int_equal(add(f), 0);
	assert_int_equal(f->p->nr_samples, 2);
	assert_int_equal(f->p->mappings[f->p->frames[f->p->stacks[f->p->samples[1].stack].frame].mapping].kind, MAPPING_FILE);
}

static void a_forbidden_process_says_so(void **state)
{
	struct fixture *f = *state;
	uint32_t frame[16];
	int fd = open("/proc/1/maps", O_RDONLY | O_CLOEXEC);

	/* of root's, or where nobody sees the others */
	if (fd >= 0 || errno != EACCES) {
		close(fd);
		skip();
	}
	f->r.s.tgid = f->r.s.tid = 1;
	f->r.s.nr_user = 1;
	f->r.s.user_status = WIRE_USER_COMPLETE;
	f->r.frame[0] = 0x401000;
	assert_int_equal(add(f), 0);
	assert_int_equal(only_stack(f->p, frame), 1);
	assert_string_equal(special(f->p, frame[0]), "[truncated: no permission]");
}

/* Inside execve() and on the way out there is no user part, and that is nobody's fault. */
static void what_has_no_stack_is_labelled(void **state)
{
	struct fixture *f = *state;
	uint32_t frame[16];

	f->r.s.user_status = WIRE_USER_EXEC;
	f->r.s.flags = WIRE_KERNEL_MODE;
	assert_int_equal(add(f), 0);
	assert_int_equal(only_stack(f->p, frame), 1);
	assert_string_equal(special(f->p, frame[0]), "[exec]");
}

static void names_are_sanitized(void **state)
{
	struct fixture *f = *state;
	const struct label *l;

	assert_int_equal(add(f), 0);
	l = profile_label(f->p, f->p->samples[0].labels, "comm");
	assert_non_null(l);
	assert_string_equal(profile_str(f->p, l->str), "thread\xef\xbf\xbd name");
	assert_int_equal(profile_label(f->p, f->p->samples[0].labels, "pid")->num, getpid());
}

static void records_that_are_not_whole_are_refused(void **state)
{
	struct fixture *f = *state;
	struct wire_raw *raw = (struct wire_raw *)&f->r;

	f->r.s.nr_user = 4;
	f->r.s.user_status = WIRE_USER_COMPLETE;
	assert_int_equal(decoder_add(f->d, &f->r.s, sizeof(f->r.s) + 31, clock_mono()), -EBADMSG);
	assert_int_equal(decoder_add(f->d, &f->r.s, sizeof(f->r.s) - 1, clock_mono()), -EBADMSG);
	f->r.s.nr_user = WIRE_MAX_USER + 1;
	assert_int_equal(decoder_add(f->d, &f->r.s, sizeof(f->r), clock_mono()), -EBADMSG);
	f->r.s.nr_user = 0;
	f->r.s.nr_kernel = WIRE_MAX_KERNEL + 1;
	assert_int_equal(decoder_add(f->d, &f->r.s, sizeof(f->r), clock_mono()), -EBADMSG);
	f->r.s.nr_kernel = 0;
	f->r.s.user_status = WIRE_USER_STATUSES;
	assert_int_equal(decoder_add(f->d, &f->r.s, sizeof(f->r), clock_mono()), -EBADMSG);
	f->r.s.nr_user = 0;
	f->r.s.user_status = WIRE_USER_NONE;
	f->r.s.flags = WIRE_RAW;
	assert_int_equal(decoder_add(f->d, &f->r.s, sizeof(*raw) - 1, clock_mono()), -EBADMSG);
	raw->stack_len = 9;
	assert_int_equal(decoder_add(f->d, &f->r.s, sizeof(*raw) + 8, clock_mono()), -EBADMSG);
	raw->stack_len = 0;
	raw->below_len = WIRE_BELOW + 1;
	assert_int_equal(decoder_add(f->d, &f->r.s, sizeof(*raw) + 8, clock_mono()), -EBADMSG);
	raw->below_len = 0;
	f->r.s.nr_kernel = 127;
	f->r.s.nr_user = WIRE_RAW_FRAMES - 126;
	assert_int_equal(decoder_add(f->d, &f->r.s, sizeof(f->r), clock_mono()), -EBADMSG);
	assert_int_equal(f->p->nr_samples, 0);
}

static void every_run_has_one_bucket(void **state)
{
	struct wire_cpu c = { .runs = 15, .emitted = 5, .idle = 4, .filtered = 3, .self = 1 };
	struct ledger l = { 0 };

	c.lost[WIRE_LOST_RING_FULL] = 2;
	assert_int_equal(counters_check(&c, 0), 0);
	counters_ledger(&c, 18, &l);
	assert_int_equal(l.missed, 3);
	assert_int_equal(ledger_total_lost(&l), 2);
	assert_int_equal(ledger_check(&l), 0);
	c.idle++;
	assert_int_equal(counters_check(&c, 0), -EBADE);
}

static void a_running_program_gives_no_torn_copy(void **state)
{
	struct wire_cpu live = { .begin = 2, .end = 2, .runs = 7 }, copy = { 0 };

	assert_int_equal(counters_read(&live, &copy), 0);
	assert_int_equal(copy.runs, 7);
	live.begin = 3;
	assert_int_equal(counters_read(&live, &copy), -EAGAIN);
}

static void cpus_are_ranges(void **state)
{
	bool online[8192] = { 0 };
	int n = event_possible_cpus(), i, seen = 0;

	assert_true(n > 0);
	assert_int_equal(event_online_cpus(online, n), sysconf(_SC_NPROCESSORS_ONLN));
	for (i = 0; i < n; i++)
		seen += online[i];
	assert_int_equal(seen, sysconf(_SC_NPROCESSORS_ONLN));
}

/* A wait stands for max(d, T), of each kind in proportion; its variance is w * (w - d). */
static void test_waits(void **state)
{
	static const struct {
		uint64_t wait, queued, period;
		int64_t waits, blocked, runqueue, var;
	} cases[] = {
		{ 5000000, 1000000, 1000000, 1, 4000000, 1000000, 0 },
		{ 250000, 50000, 1000000, 4, 800000, 200000, 750000 },
		{ 1000, 1000, 10000000, 10000, 0, 10000000, 99990000 },
		/* clocks of CPUs differ: queued for longer than it was off */
		{ 1000000, 2000000, 1000000, 1, 0, 1000000, 0 },
		{ 700, 0, 0, 1, 700, 0, 0 },
	};
	struct fixture *f = *state;
	const struct stack *stack;
	int64_t *v;
	size_t i;

	f->r.s.user_status = WIRE_USER_NONE;
	f->r.s.flags = WIRE_WAIT | WIRE_KTHREAD;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->r.s.tid = (uint32_t)i + 1;
		f->r.s.wait = cases[i].wait;
		f->r.s.queued = cases[i].queued;
		f->r.s.period = cases[i].period;
		assert_int_equal(add(f), 0);
		assert_int_equal(f->p->nr_samples, i + 1);
		v = profile_values(f->p, i);
		assert_int_equal(v[COL_SAMPLES], 0);
		assert_int_equal(v[COL_CPU], 0);
		assert_int_equal(v[COL_WAITS], cases[i].waits);
		assert_int_equal(v[COL_BLOCKED], cases[i].blocked);
		assert_int_equal(v[COL_RUNQUEUE], cases[i].runqueue);
		assert_int_equal(v[COL_KEPT], 1);
		assert_int_equal(v[COL_WAIT_VAR], cases[i].var);
	}
	assert_string_equal(profile_str(f->p, profile_label(f->p, f->p->samples[0].labels, "state")->str), "blocked");
	f->r.s.flags |= WIRE_PREEMPTED;
	f->r.s.tid = 99;
	assert_int_equal(add(f), 0);
	assert_string_equal(profile_str(f->p, profile_label(f->p, f->p->samples[i].labels, "state")->str), "preempted");
	/* of whom no stack could be taken */
	f->r.s.flags = WIRE_WAIT | WIRE_NO_STACK;
	f->r.s.tid = 100;
	assert_int_equal(add(f), 0);
	assert_int_equal(f->p->stacks[f->p->samples[i + 1].stack].depth, 1);
	assert_string_equal(special(f->p, f->p->stacks[f->p->samples[i + 1].stack].frame), DECODE_NOT_TOLD);
	/* and of whom the kernel part could */
	f->r.s.flags |= WIRE_KERNEL_MODE;
	f->r.s.tid = 101;
	f->r.s.nr_kernel = 1;
	f->r.frame[0] = 0xffffffff81000010;
	assert_int_equal(add(f), 0);
	stack = &f->p->stacks[f->p->samples[i + 2].stack];
	assert_int_equal(stack->depth, 2);
	assert_string_equal(special(f->p, f->p->stacks[stack->parent].frame), DECODE_NO_WALKER);
	f->r.s.nr_kernel = 0;
	/* numbers that cannot be */
	f->r.s.wait = UINT64_MAX;
	assert_int_equal(add(f), -EBADMSG);
	f->r.s.wait = 1;
	f->r.s.period = UINT64_MAX;
	assert_int_equal(add(f), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kernel_above_user_above_root, setup, teardown),
		cmocka_unit_test_setup_teardown(a_complete_stack_has_no_marker, setup, teardown),
		cmocka_unit_test_setup_teardown(a_return_address_outside_code_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(what_has_no_stack_is_labelled, setup, teardown),
		cmocka_unit_test_setup_teardown(an_ended_process_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lack_of_descriptors_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(a_forbidden_process_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(names_are_sanitized, setup, teardown),
		cmocka_unit_test_setup_teardown(records_that_are_not_whole_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits, setup, teardown),
		cmocka_unit_test(every_run_has_one_bucket),
		cmocka_unit_test(a_running_program_gives_no_torn_copy),
		cmocka_unit_test(cpus_are_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
