/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of each tick (law L1), and what unwinding took. */
#include <errno.h>
#include <unistd.h>

#include "capture/counters.h"
#include "capture/event.h"
#include "capture/state.h"

#define COPY_TRIES 600			/* 5 s: a virtual CPU may stand still in the middle of a program */

static int copy_cpu(struct capture *c, int cpu)
{
	struct cpu *one = &c->cpu[cpu];
	int try;

	for (try = 0; try < COPY_TRIES; try++) {
		if (try)
			usleep(try < 100 ? 100 : 10000);
		if (c->waits)
			waits_copy(c->waits, cpu);
		if (c->wanted[cpu] && counters_read(&c->live[cpu], &one->now))
			continue;
		if (!c->waits || waits_copy_is_true(c->waits, cpu))
			return 0;
	}
	return fail_plain(-EBUSY, "CPU %d does not let go of its counters", cpu);
}

int ledger_copy(struct capture *c)
{
	uint64_t count;
	int cpu, r;

	for (cpu = 0; cpu < c->nr_cpus; cpu++) {
		struct cpu *one = &c->cpu[cpu];

		r = copy_cpu(c, cpu);
		if (r)
			return r;
		count = 0;
		/* else it is offline now */
		r = one->event_fd >= 0 ? event_count(one->event_fd, &count) : 0;
		if (r)
			return r;
		one->ticks = count / c->period_ns + one->former_ticks;
	}
	return 0;
}

int ledger_check_drained(struct capture *c, const struct wire_cpu *copy, const bool *valid)
{
	int cpu, r;

	for (cpu = 0; cpu < c->nr_cpus; cpu++) {
		if (!valid[cpu])
			continue;
		r = counters_check(&copy[cpu], cpu);
		if (r)
			return r;
		if (c->cpu[cpu].consumed < copy[cpu].emitted + copy[cpu].waits)
			return fail_plain(-EBADE, "CPU %d: %llu records sent, %llu came", cpu,
					  (unsigned long long)(copy[cpu].emitted + copy[cpu].waits),
					  (unsigned long long)c->cpu[cpu].consumed);
	}
	return 0;
}

/* The counters that make a ledger, since then. */
static struct wire_cpu difference(const struct wire_cpu *now, const struct wire_cpu *base)
{
	struct wire_cpu d = { .runs = now->runs - base->runs,
			      .emitted = now->emitted - base->emitted,
			      .idle = now->idle - base->idle,
			      .filtered = now->filtered - base->filtered,
			      .self = now->self - base->self };
	int i;

	for (i = 0; i < WIRE_LOSTS; i++)
		d.lost[i] = now->lost[i] - base->lost[i];
	return d;
}

int capture_cpu_ledger(const struct capture *c, int cpu, struct ledger *l)
{
	const struct cpu *one = &c->cpu[cpu];
	struct wire_cpu d = difference(&one->now, &one->base);
	int r;

	*l = (struct ledger){ .present = true };
	if (!c->wanted[cpu])
		return 0;
	r = counters_check(&one->now, cpu);
	if (r)
		return r;
	if (one->now.emitted + one->now.waits != one->consumed)
		return fail_plain(-EBADE, "CPU %d: %llu records sent, %llu came", cpu,
				  (unsigned long long)(one->now.emitted + one->now.waits),
				  (unsigned long long)one->consumed);
	if (!c->cfg.take_ticks)
		return 0;
	counters_ledger(&d, one->ticks - one->base_ticks, l);
	return 1;
}

int ledger_close(struct capture *c)
{
	struct ledger all = { .present = c->cfg.take_ticks }, one;
	int cpu, r;

	for (cpu = 0; cpu < c->nr_cpus; cpu++) {
		r = capture_cpu_ledger(c, cpu, &one);
		if (r < 0)
			return r;
		if (r)
			ledger_sum(&all, &one);
	}
	c->p->ledger = all;
	return 0;
}

void ledger_next(struct capture *c)
{
	int cpu;

	for (cpu = 0; cpu < c->nr_cpus; cpu++) {
		c->cpu[cpu].base = c->cpu[cpu].now;
		c->cpu[cpu].base_ticks = c->cpu[cpu].ticks;
	}
	c->unwind_base.copied += c->p->meta.unwind.copied;
	c->unwind_base.not_copied += c->p->meta.unwind.not_copied;
	c->unwind_base.build_ns += c->p->meta.unwind.build_ns;
	c->unwind_base.processes += c->p->meta.unwind.processes;
	c->unwind_base.events_lost += c->p->meta.unwind.events_lost;
	c->unwind_base.full += c->p->meta.unwind.full;
}

void ledger_unwinding(const struct capture *c, struct meta_unwind *u)
{
	const struct meta_unwind *base = &c->unwind_base;
	const struct unwinder_stats *s;
	const struct tables_caps *caps;
	int cpu;

	*u = (struct meta_unwind){ .present = c->unwinder };
	if (!c->unwinder)
		return;
	for (cpu = 0; cpu < c->nr_cpus; cpu++) {
		u->copied += c->live[cpu].raw;
		u->not_copied += c->live[cpu].raw_limited;
	}
	u->copied -= base->copied;
	u->not_copied -= base->not_copied;
	s = unwinder_stats(c->unwinder);
	caps = tables_caps(unwinder_tables(c->unwinder));
	u->objects = s->objects;
	u->without_tables = s->objects_without_rows;
	u->failed = s->objects_failed;
	u->rows = s->rows;
	u->build_ns = s->build_ns - base->build_ns;
	u->processes = s->published - base->processes;
	u->ready_ns = c->ready_ns ? c->ready_ns - c->start_ns : 0;
	u->table_bytes = tables_bytes(unwinder_tables(c->unwinder));
	u->events_lost = sideband_lost(c->sideband) - base->events_lost;
	u->full = caps->rows + caps->pages + caps->maps + caps->rules + caps->processes - base->full;
}
