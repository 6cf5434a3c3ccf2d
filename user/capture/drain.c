/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading what the programs sent, the end of a profile, and the begin of the next. */
#include <bpf/libbpf.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "capture/box.h"
#include "capture/counters.h"
#include "capture/event.h"
#include "capture/sleepers.h"
#include "capture/state.h"

/*
 * How often the rings are read: often while new processes turn up, whose mappings can be read only
 * while they live; else as seldom as the rings allow, since it is the waking up that costs.
 */
#define MIN_DRAIN_NS (100 * NSEC_PER_MSEC)
/* at the start CAPTURE_FIRST_DRAIN_NS, as long as those that run have no tables yet, but not for ever */
#define FIRST_NS       (2 * NSEC_PER_SEC)
#define MAX_DRAIN_NS (400 * NSEC_PER_MSEC)
#define SETTLE_NS    (50 * NSEC_PER_MSEC)	/* of a drain, for tables that samples wait for */
#define EXPIRE_NS    NSEC_PER_SEC
#define RELEASE_NS   (10 * NSEC_PER_SEC)	/* between two looks at which files are needed no more */

/*
 * Reads what each ring holds now, and not what comes meanwhile: where samples come faster than they
 * can be read there would be no end of it, and no signal heard. to_end: what belongs to this profile.
 */
static int read_samples(struct capture *c, bool to_end)
{
	int cpu, r;

	for (cpu = 0; cpu < c->nr_cpus; cpu++) {
		struct cpu *one = &c->cpu[cpu];

		one->limit = to_end ? one->now.emitted + one->now.waits :
				      __atomic_load_n(&c->live[cpu].emitted, __ATOMIC_ACQUIRE) +
					      __atomic_load_n(&c->live[cpu].waits, __ATOMIC_ACQUIRE);
		if (!one->ring || one->consumed >= one->limit)
			continue;
		r = ring_buffer__consume(one->ring);
		if (r < 0 && r != CAPTURE_ROUND_OVER)
			return r;
	}
	return 0;
}

/*
 * Often while there is news, whose files can be opened best while somebody lives who maps them; else as
 * seldom as the rings allow.
 */
static void set_drain_period(struct capture *c, int news)
{
	if (c->unwinder && !c->ready_ns && c->now_ns - c->start_ns < FIRST_NS)
		c->drain_ns = CAPTURE_FIRST_DRAIN_NS;
	else if (news || decoder_nr_pending(c->decoder) || capture_former_waits(c) || c->cfg.ring_bytes)
		c->drain_ns = MIN_DRAIN_NS;
	else if (c->drain_ns < MAX_DRAIN_NS)
		c->drain_ns *= 2;
}

static void on_expired(void *ctx, struct image *i)
{
	struct capture *c = ctx;

	if (c->unwinder)
		unwinder_forget(c->unwinder, i, c->now_ns);
}

static void on_birth(void *ctx, const struct wire_birth *b)
{
	struct capture *c = ctx;

	(void)images_find(c->images, (int)b->tgid, b->start_time, b->exec_id, b->time);
}

struct publication {
	struct capture *c;
	uint64_t end_ns;
};

/* Those that are not yet to be published stay on the list. */
static int publish_changed(void *ctx, struct image *i)
{
	const struct publication *p = ctx;
	uint64_t now = clock_mono();

	if (!i->identified || !i->known)
		return 0;
	if (unwinder_prepare(p->c->unwinder, i, now < p->end_ns ? p->end_ns - now : 0))
		return 1;
	unwinder_publish(p->c->unwinder, i, p->c->now_ns);
	return 0;
}

/* The maps of programs that began or changed since the last time. 1: there is more to do. */
static int publish(struct capture *c)
{
	struct publication p = { c, clock_mono() + SETTLE_NS };

	if (!c->unwinder)
		return 0;
	births_read(&c->births, sideband_time(c->sideband), on_birth, c);
	return images_each_changed(c->images, publish_changed, &p);
}

/* Descriptors are not for ever: a box that builds programs brings new files all day. */
static void release_files(struct capture *c)
{
	autofree bool *needed = xcalloc(objects_count(images_objects(c->images)) + 1, sizeof(*needed));

	decoder_need(c->decoder, needed);
	if (c->former)
		decoder_need(c->former, needed);
	images_release(c->images, needed);
	c->released_ns = c->now_ns;
}

/*
 * What happened to processes first, then the samples of them, then those that waited. to_end: up to the profile's
 * end; all: and nothing comes any more.
 */
static int read_rings(struct capture *c, bool to_end, bool all)
{
	int news, r;

	news = sideband_read(c->sideband, c->images);
	if (news < 0)
		return news;
	news += publish(c);
	/* who dies behind the end of its account belongs to the next */
	if (c->threads && !to_end)
		threads_read(c->threads, c->cfg.cpus ? NULL : c->p);
	if (c->waits)
		waits_read(c->waits);
	r = read_samples(c, to_end);
	if (r)
		return r;
	if (c->former)
		decoder_settle(c->former, c->now_ns, SETTLE_NS, false);
	decoder_settle(c->decoder, c->now_ns, SETTLE_NS, all);
	if (!all && c->unwinder && !c->ready_ns && !decoder_nr_pending(c->decoder)) {
		r = (int)tasks_prepare(&c->tasks, c->images, c->unwinder, c->now_ns, SETTLE_NS);
		c->ready_ns = r ? 0 : clock_mono();
		news += r;
	}
	if (c->now_ns - c->expired_ns > EXPIRE_NS) {
		images_expire(c->images, c->now_ns, on_expired, c);
		c->expired_ns = c->now_ns;
		if (c->now_ns - c->released_ns > RELEASE_NS)
			release_files(c);
	}
	set_drain_period(c, news);
	return 0;
}

int capture_drain(struct capture *c)
{
	autofree struct wire_cpu *copy = xcalloc((size_t)c->nr_cpus, sizeof(*copy));
	autofree bool *valid = xcalloc((size_t)c->nr_cpus, sizeof(*valid));
	int cpu, r;

	c->not_followed = 0;
	for (cpu = 0; cpu < c->nr_cpus; cpu++) {
		valid[cpu] = c->wanted[cpu] && !counters_read(&c->live[cpu], &copy[cpu]);
		c->not_followed += c->live[cpu].targets_full;
	}
	c->now_ns = clock_mono();
	r = read_rings(c, false, false);
	if (r)
		return r;
	self_drained(&c->self);
	box_check(c);
	return ledger_check_drained(c, copy, valid);
}

/* The account of threads, which is paused only as long as it takes to list them. */
static int close_account(struct capture *c, bool last)
{
	/* what a thread does with its time it does on all CPUs */
	struct profile *p = c->cfg.cpus ? NULL : c->p;
	int r;

	r = threads_pause(c->threads);
	if (!r)
		r = ledger_copy(c);
	if (!r)
		r = threads_close_account(c->threads, p);
	if (!r && !last)
		r = threads_resume(c->threads, p);
	return r;
}

/* The end of a profile. last: nothing samples any more. */
static int close_profile(struct capture *c, bool last)
{
	int r;

	c->end_ns = clock_mono();
	c->end_real_ns = (int64_t)clock_real();
	c->p->duration_ns = (int64_t)(c->end_ns - c->begun_ns);
	box_describe(c);
	r = c->threads ? close_account(c, last) : ledger_copy(c);
	if (r)
		return r;
	if (c->waits) {
		sleepers_add(c);
		r = waits_close_ledger(c->waits, c->p, last);
		if (r)
			return r;
	}
	c->now_ns = clock_mono();
	r = read_rings(c, true, last);
	if (r)
		return r;
	ledger_unwinding(c, &c->p->meta.unwind);
	return ledger_close(c);
}

int capture_stop(struct capture *c)
{
	int cpu, r;

	for (cpu = 0; cpu < c->nr_cpus; cpu++) {
		if (c->cpu[cpu].event_fd < 0)
			continue;
		r = event_disable(c->cpu[cpu].event_fd);
		if (r)
			return r;
	}
	r = close_profile(c, true);
	/* who wants names is not to wait for rows that no stack needs any more */
	if (c->unwinder)
		unwinder_give_up(c->unwinder);
	return r;
}

void capture_begin_profile(struct capture *c, struct profile *p)
{
	profile_native(p, (int64_t)c->period_ns);
	if (c->cfg.max_stacks)
		profile_limit(p, c->cfg.max_stacks);
}

int capture_cut(struct capture *c, struct profile *next)
{
	int r = capture_drain(c);

	if (!r)
		r = close_profile(c, false);
	if (r)
		return r;
	ledger_next(c);
	capture_begin_profile(c, next);
	next->time_ns = c->end_real_ns;
	c->begun_ns = c->end_ns;
	c->former = c->decoder;
	c->decoder = decoder_new(next, c->kallsyms, c->images, c->unwinder, c->cfg.max_user);
	c->p = next;
	box_next(c);
	return c->waits ? sleepers_open(c) : 0;
}

bool capture_former_waits(const struct capture *c)
{
	return c->former && decoder_nr_pending(c->former);
}

void capture_former_settle(struct capture *c)
{
	if (c->former)
		decoder_settle(c->former, clock_mono(), SETTLE_NS, true);
}

void capture_former_done(struct capture *c)
{
	decoder_free(c->former);
	c->former = NULL;
}
