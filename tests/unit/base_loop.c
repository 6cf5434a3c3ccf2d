/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/loop.h"

struct seen {
	uint64_t calls, sum, last;
	uint64_t stop_after; /* calls */
	int fd;		     /* read from, when it is there */
	int close_too;
};

static int count(void *ctx, uint64_t arg)
{
	struct seen *s = ctx;

	s->calls++;
	s->sum += arg;
	s->last = arg;
	return s->calls >= s->stop_after ? 7 : 0;
}

static int drain(void *ctx, uint64_t arg)
{
	struct seen *s = ctx;
	char c;

	assert_int_equal(read(s->fd, &c, 1), 1);
	if (s->close_too >= 0)
		close(s->close_too);
	s->close_too = -1;
	return count(ctx, arg);
}

static void test_timer(void **state)
{
	struct seen s = { .stop_after = 3 };
	uint64_t start = clock_mono();
	struct loop *l;

	assert_int_equal(loop_new(&l), 0);
	assert_true(loop_add_timer(l, 0, 5 * NSEC_PER_MSEC, count, &s) >= 0);
	assert_int_equal(loop_run(l), 7);
	assert_int_equal(s.calls, 3);
	assert_true(s.sum >= 3);
	assert_true(clock_mono() - start >= 15 * NSEC_PER_MSEC);
	loop_free(l);
}

static int write_once_more(void *ctx, uint64_t arg)
{
	struct seen *s = ctx;

	assert_int_equal(eventfd_write(s->fd, 1), 0);
	return count(ctx, arg);
}

/* One call for each time that it wakes, though nobody ever reads it. */
static void test_waker(void **state)
{
	struct seen woken = { .stop_after = UINT64_MAX }, timer = { .stop_after = 3 };
	struct loop *l;

	timer.fd = eventfd(0, EFD_NONBLOCK);
	assert_true(timer.fd >= 0);
	assert_int_equal(loop_new(&l), 0);
	assert_int_equal(loop_add_waker(l, timer.fd, count, &woken), 0);
	assert_true(loop_add_timer(l, 0, 5 * NSEC_PER_MSEC, write_once_more, &timer) >= 0);
	assert_int_equal(loop_run(l), 7);
	assert_int_equal(woken.calls, 2);
	loop_free(l);
	close(timer.fd);
}

/* A callback that sets its own timer anew is called again, without a period. */
struct again {
	struct loop *l;
	int timer, calls;
};

static int set_again(void *ctx, uint64_t arg)
{
	struct again *a = ctx;

	if (++a->calls == 3)
		return 7;
	return loop_set_timer(a->l, a->timer, NSEC_PER_MSEC);
}

static void test_timer_set_again(void **state)
{
	struct again a = { 0 };

	assert_int_equal(loop_new(&a.l), 0);
	a.timer = loop_add_timer(a.l, NSEC_PER_MSEC, 0, set_again, &a);
	assert_true(a.timer >= 0);
	assert_int_equal(loop_run(a.l), 7);
	assert_int_equal(a.calls, 3);
	loop_free(a.l);
}

static void test_timer_once(void **state)
{
	struct seen once = { .stop_after = 100 }, end = { .stop_after = 1 };
	struct loop *l;

	assert_int_equal(loop_new(&l), 0);
	assert_true(loop_add_timer(l, 0, 0, count, &once) >= 0);
	assert_true(loop_add_timer(l, 30 * NSEC_PER_MSEC, 0, count, &end) >= 0);
	assert_int_equal(loop_run(l), 7);
	assert_int_equal(once.calls, 1);
	assert_int_equal(once.last, 1);
	loop_free(l);
}

static void test_fd_and_hangup(void **state)
{
	struct seen s = { .stop_after = 3, .close_too = -1 };
	struct seen hang = { .stop_after = 1 };
	struct loop *l;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "abc", 3), 3);
	s.fd = fds[0];
	assert_int_equal(loop_new(&l), 0);
	assert_int_equal(loop_add_fd(l, fds[0], drain, &s), 0);
	assert_int_equal(loop_run(l), 7);
	assert_int_equal(s.calls, 3);
	assert_true(s.last & EPOLLIN);
	loop_free(l);
	close(fds[1]);
	assert_int_equal(loop_new(&l), 0);
	assert_int_equal(loop_add_fd(l, fds[0], count, &hang), 0);
	assert_int_equal(loop_run(l), 7);
	assert_true(hang.last & EPOLLHUP);
	loop_free(l);
	assert_true(fcntl(fds[0], F_GETFD) >= 0); /* the caller's still */
	close(fds[0]);
}

/* A callback closes the other source, of which an event is ready as well. */
static void test_closed_by_a_callback(void **state)
{
	struct seen a = { .stop_after = 1 }, b = { .stop_after = 1 };
	struct loop *l;
	int one[2], two[2];

	assert_int_equal(pipe(one), 0);
	assert_int_equal(pipe(two), 0);
	a.fd = b.close_too = one[0];
	b.fd = a.close_too = two[0];
	assert_int_equal(write(one[1], "x", 1), 1);
	assert_int_equal(write(two[1], "x", 1), 1);
	a.stop_after = b.stop_after = 2;
	assert_int_equal(loop_new(&l), 0);
	assert_int_equal(loop_add_fd(l, one[0], drain, &a), 0);
	assert_int_equal(loop_add_fd(l, two[0], drain, &b), 0);
	assert_true(loop_add_timer(l, 20 * NSEC_PER_MSEC, 0, count, &(struct seen){ 0 }) >= 0);
	assert_int_equal(loop_run(l), 7);
	assert_int_equal(a.calls + b.calls, 1);
	loop_free(l);
	close(one[1]);
	close(two[1]);
	close(a.calls ? one[0] : two[0]);
}

static void test_signals(void **state)
{
	struct seen s = { .stop_after = 2 };
	struct loop *l;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	assert_int_equal(loop_new(&l), 0);
	assert_int_equal(loop_add_signals(l, &set, count, &s), 0);
	raise(SIGUSR1);
	raise(SIGUSR2);
	assert_int_equal(loop_run(l), 7);
	assert_int_equal(s.sum, SIGUSR1 + SIGUSR2);
	loop_free(l);
}

static void test_bad_descriptor(void **state)
{
	struct seen s = { 0 };
	struct loop *l;

	assert_int_equal(loop_new(&l), 0);
	assert_int_equal(loop_add_fd(l, 12345, count, &s), -EBADF);
	assert_string_equal(error_text(), "wait for descriptor 12345: Bad file descriptor");
	loop_free(l);
	loop_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timer),
		cmocka_unit_test(test_waker),
		cmocka_unit_test(test_timer_once),
		cmocka_unit_test(test_timer_set_again),
		cmocka_unit_test(test_fd_and_hangup),
		cmocka_unit_test(test_closed_by_a_callback),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_bad_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
