/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "elf/rows.h"
#include "frame_image.h"
#include "worker/rows.h"

static pid_t last_pid;

static void note_pid(void *ctx, pid_t pid)
{
	last_pid = pid;
}

static struct worker *make_worker(void)
{
	struct worker *w = NULL;

	assert_int_equal(worker_new(&w, note_pid, NULL), 0);
	return w;
}

static void check_same(const struct worker_rows *got, const struct rows *want)
{
	assert_int_equal(got->nr_rows, want->nr_rows);
	assert_int_equal(got->nr_pages, want->nr_pages);
	assert_int_equal(got->nr_rules, want->nr_rules);
	assert_int_equal(got->nr_spans, want->nr_spans);
	assert_int_equal(got->frame_bytes, want->frame_bytes);
	assert_memory_equal(got->row, want->row, want->nr_rows * sizeof(*want->row));
	assert_memory_equal(got->page, want->page, want->nr_pages * sizeof(*want->page));
	assert_memory_equal(got->rule, want->rule, want->nr_rules * sizeof(*want->rule));
	assert_memory_equal(got->span, want->span, want->nr_spans * sizeof(*want->span));
}

/* What comes over the socket is what the same function says here; also from a second process. */
static void test_same(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct worker *w = make_worker();
	struct worker_rows got;
	struct rows want;
	int i;

	assert_int_equal(rows_read(&want, fd), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(worker_rows(w, fd, &got), 0);
		check_same(&got, &want);
		assert_true(got.nr_segments >= 1);
		assert_false(got.keeps_fp);
		worker_rows_done(&got);
		if (i == 1)
			kill(last_pid, SIGKILL);
	}
	assert_int_equal(worker_deaths(w), 1);
	rows_done(&want);
	worker_free(w);
	close(fd);
}

/* Waits in many small steps. */
static int wait_long(struct worker *w, struct worker_rows *out)
{
	int err;

	do
		err = worker_rows_wait(w, 1000, out);
	while (err == -EAGAIN);
	return err;
}

/* A question that is waited for in parts, by a worker that sleeps meanwhile, and one that dies. */
static void test_waiting(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), own = dup(fd);
	struct worker *w = make_worker();
	struct worker_rows got;
	struct rows want;

	assert_int_equal(rows_read(&want, fd), 0);
	assert_int_equal(worker_rows_wait(w, 0, &got), -ECANCELED);
	kill(last_pid, SIGSTOP);
	assert_int_equal(worker_rows_ask(w, own), 0);
	/* it is the worker's own from here on */
	close(own);
	assert_int_equal(worker_rows_ask(w, fd), -EBUSY);
	assert_int_equal(worker_rows_wait(w, 0, &got), -EAGAIN);
	assert_int_equal(worker_rows_wait(w, 10 * NSEC_PER_MSEC, &got), -EAGAIN);
	kill(last_pid, SIGCONT);
	assert_int_equal(wait_long(w, &got), 0);
	check_same(&got, &want);
	assert_true(got.took_ns > 0);
	worker_rows_done(&got);
	assert_int_equal(worker_deaths(w), 0);

	kill(last_pid, SIGSTOP);
	assert_int_equal(worker_rows_ask(w, fd), 0);
	assert_int_equal(worker_rows_wait(w, 0, &got), -EAGAIN);
	kill(last_pid, SIGKILL);
	assert_int_equal(wait_long(w, &got), 0);
	check_same(&got, &want);
	worker_rows_done(&got);
	assert_int_equal(worker_deaths(w), 1);
	rows_done(&want);
	worker_free(w);
	close(fd);
}

/* Goes on in some milliseconds, whatever the caller waits for. */
static pid_t continue_later(pid_t pid)
{
	pid_t child = fork();

	if (!child) {
		usleep(30000);
		kill(pid, SIGCONT);
		_exit(0);
	}
	return child;
}

/* Names are wanted while rows are in the making: neither is lost. */
static void test_interrupted(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint64_t offset = 0;
	struct worker *w = make_worker();
	struct worker_rows got;
	struct object_names names;
	struct rows want;
	pid_t first = last_pid, child;
	int i;

	assert_int_equal(rows_read(&want, fd), 0);
	kill(first, SIGSTOP);
	assert_int_equal(worker_rows_ask(w, fd), 0);
	assert_int_equal(worker_rows_wait(w, 0, &got), -EAGAIN);
	child = continue_later(first);
	for (i = 0; i < 2; i++) {
		assert_int_equal(worker_name(w, fd, &offset, 1, &names), 0);
		assert_int_equal(names.nr_names, 1);
		object_names_done(&names);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(last_pid, first);
	assert_int_equal(worker_rows_ask(w, fd), -EBUSY);
	assert_int_equal(worker_rows_wait(w, 0, &got), 0);
	check_same(&got, &want);
	worker_rows_done(&got);
	assert_int_equal(worker_rows_wait(w, 0, &got), -ECANCELED);
	rows_done(&want);
	worker_free(w);
	close(fd);
}

/* A reason why there are none is kept, too. */
static void test_interrupted_failure(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), no_elf = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint64_t offset = 0;
	struct worker *w = make_worker();
	struct worker_rows got;
	struct object_names names;

	assert_int_equal(worker_rows_ask(w, no_elf), 0);
	assert_int_equal(worker_name(w, fd, &offset, 1, &names), 0);
	object_names_done(&names);
	assert_true(worker_rows_wait(w, 0, &got) < 0);
	assert_int_equal(worker_rows(w, fd, &got), 0);
	worker_rows_done(&got);
	worker_free(w);
	close(no_elf);
	close(fd);
}

/* Given up, before the answer is there or after it: the worker is ready for what is wanted then. */
static void test_given_up(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint64_t offset = 0;
	struct worker *w = make_worker();
	struct worker_rows got;
	struct object_names names;
	pid_t first = last_pid;

	worker_rows_give_up(w);
	kill(first, SIGSTOP);
	assert_int_equal(worker_rows_ask(w, fd), 0);
	assert_int_equal(worker_rows_wait(w, 0, &got), -EAGAIN);
	worker_rows_give_up(w);
	assert_int_equal(worker_rows_wait(w, 0, &got), -ECANCELED);
	assert_int_equal(worker_name(w, fd, &offset, 1, &names), 0);
	object_names_done(&names);
	assert_int_not_equal(last_pid, first);

	assert_int_equal(worker_rows_ask(w, fd), 0);
	assert_int_equal(worker_name(w, fd, &offset, 1, &names), 0);
	object_names_done(&names);
	worker_rows_give_up(w);
	assert_int_equal(worker_rows(w, fd, &got), 0);
	worker_rows_done(&got);

	assert_int_equal(worker_rows_ask(w, fd), 0);
	/* one that nobody waits for goes with the worker */
	worker_free(w);
	close(fd);
}

static int ask(struct worker *w, const struct frame_image *im, struct worker_rows *out)
{
	int fd = frame_file(im), err = worker_rows(w, fd, out);

	close(fd);
	return err;
}

/* Without call frame information an object still has segments; what is none has a reason. */
static void test_no_rows(void **state)
{
	struct frame_image im = { .type = ET_DYN, .machine = EM_X86_64, .sections = true };
	struct worker_rows got = { .nr_rows = 77 };
	struct worker *w = make_worker();

	assert_int_equal(ask(w, &im, &got), 0);
	assert_int_equal(got.nr_rows + got.nr_pages + got.nr_spans + got.nr_rules, 0);
	assert_int_equal(got.nr_segments, 1);
	assert_int_equal(got.segment[0].address, IMAGE_BASE);
	worker_rows_done(&got);
	im.machine = EM_S390;
	got.nr_rows = 77;
	assert_int_equal(ask(w, &im, &got), -ENOEXEC);
	assert_string_equal(error_text(), "ELF file of machine 22, not of x86 or aarch64");
	assert_int_equal(got.nr_rows, 77);
	assert_int_equal(worker_deaths(w), 0);
	worker_free(w);
}

static void check_head(struct rows_head h, int64_t want)
{
	struct request_head request = { ROWS_MAGIC, 5, 0 };

	error_clear();
	assert_int_equal(rows_body_size(&h, &request), want);
	assert_int_equal(want < 0, !!*error_text());
}

static void test_heads(void **state)
{
	struct rows_head good = { .magic = ROWS_MAGIC,
				  .seq = 5,
				  .nr_segments = 2,
				  .nr_spans = 3,
				  .nr_rules = 4,
				  .nr_pages = 5,
				  .nr_rows = 6 },
			 h;
	struct rows_head bad = { .magic = ROWS_MAGIC, .seq = 5, .err = -ENOENT, .text_len = 7 };

	check_head(good, 2 * 24 + 3 * 16 + 4 * 16 + 5 * 8 + 6 * 4);
	check_head(bad, 7);
#define WITH(from, field, value) (h = (from), h.field = (value), h)
	check_head(WITH(good, magic, ANSWER_MAGIC), -EPROTO);
	check_head(WITH(good, seq, 4), -EPROTO);
	check_head(WITH(good, err, 1), -EPROTO);
	check_head(WITH(good, text_len, 1), -EPROTO);
	check_head(WITH(good, nr_segments, ANSWER_MAX_SEGMENTS + 1), -EPROTO);
	check_head(WITH(good, nr_spans, ROWS_MAX_PAGES + 1), -EPROTO);
	check_head(WITH(good, nr_rules, WIRE_MAX_RULES + 1), -EPROTO);
	check_head(WITH(good, nr_pages, ROWS_MAX_PAGES + 1), -EPROTO);
	check_head(WITH(good, nr_rows, ROWS_MAX + 1), -EPROTO);
	check_head(WITH(bad, err, -4096), -EPROTO);
	check_head(WITH(bad, err, INT32_MIN), -EPROTO);
	check_head(WITH(bad, text_len, 0), -EPROTO);
	check_head(WITH(bad, text_len, ANSWER_MAX_REASON + 1), -EPROTO);
	check_head(WITH(bad, nr_rows, 1), -EPROTO);
	check_head(WITH(bad, nr_spans, 1), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),	    cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_interrupted_failure),
		cmocka_unit_test(test_given_up), cmocka_unit_test(test_no_rows),
		cmocka_unit_test(test_heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
