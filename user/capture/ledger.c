/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of each tick (law L1), and what unwinding took. */
#include <errno.h>

#include "capture/counters.h"
#include "capture/event.h"
#include "capture/state.h"

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

int capture_cpu_ledger(const struct capture *c, int cpu, struct ledger *l)
{
	struct wire_cpu copy;
	uint64_t count;
	int r;

	*l = (struct ledger){ .present = true };
	if (!c->wanted[cpu])
		return 0;
	r = counters_read(&c->live[cpu], &copy);
	if (r)
		return fail(r, "CPU %d still samples", cpu);
	r = counters_check(&copy, cpu);
	if (r)
		return r;
	if (copy.emitted + copy.waits != c->cpu[cpu].consumed)
		return fail_plain(-EBADE, "CPU %d: %llu records sent, %llu came", cpu,
				  (unsigned long long)(copy.emitted + copy.waits),
				  (unsigned long long)c->cpu[cpu].consumed);
	if (!c->cfg.take_ticks)
		return 0;
	count = 0;
	/* else it is offline now */
	r = c->cpu[cpu].event_fd >= 0 ? event_count(c->cpu[cpu].event_fd, &count) : 0;
	if (r)
		return r;
	counters_ledger(&copy, count / c->period_ns + c->cpu[cpu].former_ticks, l);
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

void capture_unwind_stats(const struct capture *c, struct meta_unwind *u)
{
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
	s = unwinder_stats(c->unwinder);
	caps = tables_caps(unwinder_tables(c->unwinder));
	u->objects = s->objects;
	u->without_tables = s->objects_without_rows;
	u->failed = s->objects_failed;
	u->rows = s->rows;
	u->build_ns = s->build_ns;
	u->processes = s->published;
	u->ready_ns = c->ready_ns ? c->ready_ns - c->start_ns : 0;
	u->table_bytes = tables_bytes(unwinder_tables(c->unwinder));
	u->events_lost = sideband_lost(c->sideband);
	u->full = caps->rows + caps->pages + caps->maps + caps->rules + caps->processes;
}
