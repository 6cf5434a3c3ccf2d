/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

struct source {
	struct source *next;
	int fd;
	bool own; /* the loop closes fd */
	bool edge;
	/* Gets what the callback is told from fd; 0: nothing to tell now. NULL: the events. */
	int (*take)(int fd, uint64_t *arg);
	loop_fn fn;
	void *ctx;
};

struct loop {
	int epoll;
	struct source *sources;
};

int loop_new(struct loop **out)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	struct loop *l;

	if (fd < 0)
		return fail(-errno, "create an epoll");
	l = xcalloc(1, sizeof(*l));
	l->epoll = fd;
	*out = l;
	return 0;
}

void loop_free(struct loop *l)
{
	struct source *s, *next;

	if (!l)
		return;
	for (s = l->sources; s; s = next) {
		next = s->next;
		if (s->own)
			close(s->fd);
		free(s);
	}
	close(l->epoll);
	free(l);
}

static int add(struct loop *l, const struct source *def)
{
	struct source *s = xmalloc(sizeof(*s));
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP | (def->edge ? EPOLLET : 0), .data.ptr = s };

	*s = *def;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, s->fd, &ev)) {
		free(s);
		return fail(-errno, "wait for descriptor %d", def->fd);
	}
	s->next = l->sources;
	l->sources = s;
	return 0;
}

int loop_add_fd(struct loop *l, int fd, loop_fn fn, void *ctx)
{
	return add(l, &(struct source){ .fd = fd, .fn = fn, .ctx = ctx });
}

int loop_add_waker(struct loop *l, int fd, loop_fn fn, void *ctx)
{
	return add(l, &(struct source){ .fd = fd, .edge = true, .fn = fn, .ctx = ctx });
}

/* A descriptor of the loop's own; the caller closes it when this fails. */
static int add_own(struct loop *l, int fd, int (*take)(int, uint64_t *), loop_fn fn, void *ctx)
{
	return add(l,
		   &(struct source){ .fd = fd, .own = true, .take = take, .fn = fn, .ctx = ctx });
}

static int take_timer(int fd, uint64_t *arg)
{
	return read(fd, arg, sizeof(*arg)) == sizeof(*arg);
}

static int take_signal(int fd, uint64_t *arg)
{
	struct signalfd_siginfo si;

	if (read(fd, &si, sizeof(si)) != sizeof(si))
		return 0;
	*arg = si.ssi_signo;
	return 1;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NSEC_PER_SEC),
				  .tv_nsec = (long)(ns % NSEC_PER_SEC) };
}

int loop_add_timer(struct loop *l, uint64_t first_ns, uint64_t period_ns, loop_fn fn, void *ctx)
{
	/* an all-zero first time would disarm the timer */
	uint64_t first = first_ns ? first_ns : period_ns ? period_ns : 1;
	struct itimerspec its = { .it_value = timespec_of(first),
				  .it_interval = timespec_of(period_ns) };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int err;

	if (fd < 0)
		return fail(-errno, "create a timer");
	err = timerfd_settime(fd, 0, &its, NULL) ? fail(-errno, "set a timer") : 0;
	if (!err)
		err = add_own(l, fd, take_timer, fn, ctx);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int loop_set_timer(struct loop *l, int timer, uint64_t first_ns)
{
	struct itimerspec its = { .it_value = timespec_of(first_ns ? first_ns : 1) };

	return timerfd_settime(timer, 0, &its, NULL) ? fail(-errno, "set a timer") : 0;
}

int loop_add_signals(struct loop *l, const sigset_t *set, loop_fn fn, void *ctx)
{
	int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	int err;

	if (fd < 0)
		return fail(-errno, "create a signal descriptor");
	err = pthread_sigmask(SIG_BLOCK, set, NULL);
	err = err ? fail(-err, "block signals") : 0;
	if (!err)
		err = add_own(l, fd, take_signal, fn, ctx);
	if (err)
		close(fd);
	return err;
}

/*
 * One event a turn: a callback may close another source's descriptor, and a
 * batch could still hold an event of it. The kernel's ready list is first in,
 * first out, so nobody starves.
 */
int loop_run(struct loop *l)
{
	struct epoll_event ev;
	struct source *s;
	uint64_t arg;
	int n, rc;

	for (;;) {
		n = epoll_wait(l->epoll, &ev, 1, -1);
		if (n < 0 && errno != EINTR)
			return fail(-errno, "wait for events");
		if (n <= 0)
			continue;
		s = ev.data.ptr;
		arg = ev.events;
		if (s->take && !s->take(s->fd, &arg))
			continue;
		rc = s->fn(s->ctx, arg);
		if (rc)
			return rc;
	}
}
