/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/thread_close.h"

#include "base/clock.h"

#define TICK_NS (10 * NSEC_PER_MSEC)	/* how old the scheduler's sum of a running thread may be */

/* Of the interval that is open at the end, ns. */
struct parts {
	int64_t wall, ran, queued;
};

static int64_t clamp(int64_t n, int64_t max)
{
	return n < 0 ? 0 : n > max ? max : n;
}

/* Of what it ran since it was last seen: how much was before it last came to a CPU, which was later than that. */
static int64_t ran_before(const struct wire_thread *one, const struct wire_thread_now *now, struct account_end e)
{
	int64_t all = (int64_t)(now->exec - one->exec);

	if (now->exec_came >= one->exec && now->exec_came <= now->exec)
		return (int64_t)(now->exec_came - one->exec);
	/* a scheduling class that does not keep it */
	return clamp(all - (int64_t)(e.end + e.later - now->came), all);
}

/*
 * It came to a CPU before the end, unseen, as the last stages of an execve() are: since then its run queue's delay
 * stands still, unless it is queued again.
 */
static void came_before_end(const struct wire_thread *one, const struct wire_thread_now *now, struct account_end e,
			    struct parts *p)
{
	int64_t before = ran_before(one, now, e), stint = (int64_t)(now->exec - one->exec) - before;
	int64_t left = (int64_t)(e.end - now->came);

	/* more than its sum can lack is what others took */
	if (stint > left || (now->on_cpu && left < stint + (int64_t)TICK_NS))
		stint = left;
	p->queued = (int64_t)(now->delay - one->delay);
	if (now->queued && now->queued < e.end)
		p->queued += (int64_t)(e.end - now->queued);
	p->queued = clamp(p->queued, p->wall);
	p->ran = clamp(before + stint, p->wall - p->queued);
}

/*
 * How long who was off the CPU at the end had been in a run queue. In the queue its whole delay and the clock go on
 * together, so any later moment of it does: the first switch to it, or that of the list.
 */
static int64_t queued_until(const struct wire_thread *one, const struct wire_thread_now *now, struct account_end e)
{
	int64_t delay = (int64_t)(now->delay - one->delay), last;

	if (one->arrived)
		return (int64_t)(one->arrived + e.end - one->delay);
	/* it came unseen: what was after the end is at most the time until then */
	if (now->came > e.end)
		return delay - (int64_t)(now->came - e.end);
	if (now->queued && now->exec == one->exec)
		return delay + (int64_t)(e.end - now->queued);
	last = now->queued && now->queued < e.end ? (int64_t)(e.end - now->queued) : 0;
	return clamp(delay - (int64_t)e.later, INT64_MAX) + last;
}

/* It did not come to a CPU until the end, as far as anybody knows. */
static void was_off(const struct wire_thread *one, const struct wire_thread_now *now, struct account_end e,
		    struct parts *p)
{
	int64_t ran = (int64_t)(now->exec - one->exec) - (int64_t)e.later;

	if (now->came > e.end)
		ran = ran_before(one, now, e) - (int64_t)(now->came - e.end);
	p->ran = clamp(ran, p->wall);
	/* since it was preempted it has been in the queue */
	p->queued = p->wall - p->ran;
	if (one->state != WIRE_THREAD_READY)
		p->queued = clamp(queued_until(one, now, e), p->wall - p->ran);
}

/* It was on a CPU when it was last seen; else it may have left unseen. */
static void was_on(struct wire_thread *one, const struct wire_thread_now *now, struct parts *p)
{
	int64_t rest;

	p->ran = clamp((int64_t)(now->exec - one->exec), p->wall);
	rest = p->wall - p->ran;
	/* the sum of who left since then is not old: more than it says was not run by the end */
	if (now->on_cpu && rest < (int64_t)TICK_NS)
		p->ran = p->wall;
	else if (now->on_cpu || rest < (int64_t)TICK_NS)
		one->stolen += rest;
}

struct open_interval thread_close(struct wire_thread *one, const struct wire_thread_now *now, struct account_end e)
{
	struct parts p = { .wall = e.end > one->since ? (int64_t)(e.end - one->since) : 0 };
	bool off = one->state != WIRE_THREAD_ON, over = now->exec != one->exec || now->on_cpu;

	if (!off)
		was_on(one, now, &p);
	else if (now->came > one->since && now->came <= e.end)
		came_before_end(one, now, e, &p);
	else
		was_off(one, now, e, &p);
	one->since += (uint64_t)p.wall;
	one->exec += (uint64_t)p.ran;
	one->delay += (uint64_t)p.queued;
	return (struct open_interval){ .off = off, .over = over, .wait = p.wall - p.ran, .queued = p.queued };
}
