/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines around a table: how the profile was made, what became of each tick, what has no name.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "model/completeness.h"
#include "view/table.h"

#define MAX_LISTED 5 /* objects without names that are listed */

static void put_count(int64_t n, const char *one, const char *many, struct buf *out)
{
	char digits[32];

	buf_printf(out, "%s %s", group_digits(digits, n), n == 1 ? one : many);
}

static void put_comma(struct buf *out, size_t start)
{
	if (out->len > start)
		buf_puts(out, ", ");
}

static void put_known(int64_t n, const char *one, const char *many, struct buf *out, size_t start)
{
	if (!n)
		return;
	put_comma(out, start);
	put_count(n, one, many, out);
}

void summary_print(const struct profile *p, struct buf *out)
{
	const struct meta *m = &p->meta;
	size_t begin = out->len, start;

	buf_puts(out, "dwell: ");
	start = out->len;
	if (p->duration_ns > 0)
		buf_printf(out, "%.1f s", (double)p->duration_ns / (double)NSEC_PER_SEC);
	put_known(m->processes, "process", "processes", out, start);
	put_known(m->threads, "thread", "threads", out, start);
	put_known(m->cpus, "CPU", "CPUs", out, start);
	put_known(m->freq_hz, "Hz on-CPU", "Hz on-CPU", out, start);
	if (out->len > start && *m->event)
		buf_printf(out, " (%s)", m->event);
	if (out->len > start) {
		buf_putc(out, '\n');
		return;
	}
	/* nothing is known: no line */
	out->len = begin;
	out->data[begin] = '\0';
}

static void put_term(struct buf *out, uint64_t n, const char *what)
{
	char digits[32];

	if (n)
		buf_printf(out, " + %s %s", group_digits(digits, (int64_t)n), what);
}

static void put_lost(const struct ledger *l, struct buf *out)
{
	uint64_t sum = ledger_total_lost(l);
	size_t start;
	char digits[32];

	if (!sum) {
		buf_puts(out, "; nothing lost\n");
		return;
	}
	buf_printf(out, "; lost by cause: ");
	start = out->len;
	for (uint32_t i = 0; i < l->nr_lost; i++) {
		if (!l->lost[i].n)
			continue;
		put_comma(out, start);
		buf_printf(out, "%s %s", group_digits(digits, (int64_t)l->lost[i].n),
			   l->lost[i].reason);
	}
	buf_putc(out, '\n');
}

static void put_ticks(const struct ledger *l, struct buf *out)
{
	char ticks[32], counted[32], missed[32];

	buf_printf(out, "dwell: %s ticks = %s counted", group_digits(ticks, (int64_t)l->ticks),
		   group_digits(counted, (int64_t)l->counted));
	put_term(out, l->idle, "idle");
	put_term(out, l->filtered, "filtered");
	put_term(out, l->self, "self");
	if (l->missed < 0)
		buf_printf(out, " - %s early", group_digits(missed, -l->missed));
	else
		put_term(out, (uint64_t)l->missed, "missed");
	put_term(out, ledger_total_lost(l), "lost");
	put_lost(l, out);
}

struct unnamed {
	uint32_t mapping;
	double count; /* samples with a frame there that has no name */
};

static int compare_unnamed(const void *pa, const void *pb)
{
	const struct unnamed *a = pa, *b = pb;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return a->mapping < b->mapping ? -1 : a->mapping > b->mapping;
}

/* [nr_mappings]; returns the count of all samples. */
static double count_unnamed(const struct profile *p, struct unnamed *of)
{
	autofree size_t *last = xcalloc(p->nr_mappings, sizeof(*last)); /* sample + 1 added last */
	int samples = profile_column(p, "samples");
	uint32_t column = samples < 0 ? p->default_column : (uint32_t)samples;
	double all = 0;

	for (size_t i = 0; i < p->nr_samples; i++) {
		double n = (double)profile_values(p, i)[column];

		all += n;
		for (uint32_t s = p->samples[i].stack; s; s = p->stacks[s].parent) {
			const struct frame *f = &p->frames[p->stacks[s].frame];

			if (f->nr_lines || last[f->mapping] == i + 1)
				continue;
			last[f->mapping] = i + 1;
			of[f->mapping].count += n;
		}
	}
	return all;
}

/* Leaves those that say why they have no names, the most frequent first; returns how many. */
static size_t pick_unnamed(const struct profile *p, struct unnamed *of)
{
	size_t nr = 0;

	for (uint32_t i = 1; i < p->nr_mappings; i++) {
		if (p->mappings[i].unnamed && of[i].count > 0)
			of[nr++] = (struct unnamed){ i, of[i].count };
	}
	if (nr)
		qsort(of, nr, sizeof(*of), compare_unnamed);
	return nr;
}

static void put_unnamed(const struct profile *p, struct buf *out)
{
	autofree struct unnamed *of = xcalloc(p->nr_mappings, sizeof(*of));
	double all = count_unnamed(p, of);
	size_t nr = pick_unnamed(p, of);

	if (!nr)
		return;
	buf_puts(out, "dwell: no names for ");
	for (size_t i = 0; i < nr && i < MAX_LISTED; i++) {
		const struct mapping *m = &p->mappings[of[i].mapping];
		double percent = all > 0 ? 100.0 * of[i].count / all : 0;

		buf_printf(out, "%s%s (in %s%.1f %% of samples: %s)", i ? ", " : "",
			   profile_module(p, of[i].mapping), percent < 0.05 ? "<" : "",
			   percent < 0.05 ? 0.1 : percent, profile_str(p, m->unnamed));
	}
	if (nr > MAX_LISTED) {
		buf_puts(out, " and ");
		put_count((int64_t)(nr - MAX_LISTED), "more object", "more objects", out);
	}
	buf_putc(out, '\n');
}

/* "99.9 % of 1,402 stacks whole; cut off: 1 no unwind data (most in libfoo.so)" */
static void put_completeness(const struct profile *p, struct buf *out)
{
	struct completeness c;
	char digits[32], buf[COMPLETENESS_MAX_NAME];
	int64_t tenths;
	uint32_t i;

	completeness_find(p, &c);
	if (c.complete >= 0 && c.samples >= c.complete && c.samples > 0) {
		/* never rounded up: 100.0 % is all of them */
		tenths = (int64_t)((__int128)c.complete * 1000 / c.samples);
		buf_printf(out, "dwell: %d.%d %% of %s user stacks whole", (int)(tenths / 10),
			   (int)(tenths % 10), group_digits(digits, c.samples));
		if (c.between)
			buf_printf(out, ", %s inside exec or exit", group_digits(digits, c.between));
		if (c.guessed)
			buf_printf(out, ", %s guessed", group_digits(digits, c.guessed));
		for (i = 0; i < c.nr_reasons && i < MAX_LISTED; i++)
			buf_printf(out, "%s%s %s", i ? ", " : "; cut off: ",
				   group_digits(digits, c.reason[i].samples),
				   completeness_reason_text(p, c.reason[i].name, buf));
		if (c.nr_modules && c.module[0].stopped)
			buf_printf(out, " (most in %s)", profile_module(p, c.module[0].mapping));
		buf_putc(out, '\n');
	}
	completeness_done(&c);
}

/* "thread time 210.0 s = 14.2 on-CPU + 0.1 stolen + 0.9 run queue + 194.8 blocked" */
static void put_times(const struct times *t, struct buf *out)
{
	struct thread_time sum = times_sum(t);
	const struct {
		const char *what;
		int64_t ns;
	} part[] = { { "stolen", sum.stolen }, { "run queue", sum.runqueue }, { "blocked", sum.blocked } };

	buf_printf(out, "dwell: thread time %.1f s = %.1f on-CPU", (double)sum.alive / 1e9, (double)sum.task / 1e9);
	for (size_t i = 0; i < ARRAY_LEN(part); i++)
		if (part[i].ns)
			buf_printf(out, " + %.1f %s", (double)part[i].ns / 1e9, part[i].what);
	buf_putc(out, '\n');
	if (t->full) {
		buf_puts(out, "dwell: no place in the table of threads: ");
		put_count((int64_t)t->full, "switch", "switches", out);
		buf_printf(out, " and %.1f s on-CPU are in no row, and those threads' waits in no figure\n",
			   (double)t->full_ns / 1e9);
	}
}

/* "1,949 waits = 186 kept + 372 short and not kept + 46 self; 4 without a stack; 83 not ended" */
static void put_waits(const struct waits_ledger *w, struct buf *out)
{
	char digits[32];

	buf_printf(out, "dwell: %s waits", group_digits(digits, (int64_t)w->seen.n));
	buf_printf(out, " = %s kept", group_digits(digits, (int64_t)w->kept.n));
	put_term(out, w->below.n, "short, left to chance");
	put_term(out, w->under.n, "under the least length");
	put_term(out, w->filtered.n, "filtered");
	put_term(out, w->self.n, "self");
	if (w->stackless)
		buf_printf(out, "; %s kept without a stack", group_digits(digits, (int64_t)w->stackless));
	if (w->open.n)
		buf_printf(out, "; %s have not ended", group_digits(digits, (int64_t)w->open.n));
	buf_printf(out, "  (T = %g ms)\n", (double)w->period / 1e6);
}

/* What happened to the machine meanwhile. */
static void put_box(const struct meta *m, struct buf *out)
{
	char hz[32];

	if (m->cpu_changes) {
		buf_puts(out, "dwell: CPUs went or came ");
		put_count((int64_t)m->cpu_changes, "time", "times", out);
		buf_puts(out, "; one that comes is sampled again within 2 s\n");
	}
	if (m->cpus_missing) {
		buf_puts(out, "dwell: ");
		put_count((int64_t)m->cpus_missing, "CPU that came was not sampled\n", "CPUs that came were not sampled\n", out);
	}
	if (m->suspended_ns)
		buf_printf(out, "dwell: the machine was suspended for %.1f s, which are in no figure\n",
			   (double)m->suspended_ns / 1e9);
	if (m->throttled_hz)
		buf_printf(out, "dwell: the kernel lowered its limit to %s samples a second (sysctl "
				"kernel.perf_event_max_sample_rate); ticks above it are missed\n",
			   group_digits(hz, (int64_t)m->throttled_hz));
}

void ledger_print(const struct profile *p, struct buf *out)
{
	if (p->ledger.present) {
		put_ticks(&p->ledger, out);
		put_completeness(p, out);
	} else if (!p->waits.present) {
		buf_puts(out, "dwell: this profile does not say whether samples were lost\n");
	}
	if (p->times.present)
		put_times(&p->times, out);
	if (p->waits.present)
		put_waits(&p->waits, out);
	put_unnamed(p, out);
	if (p->meta.unwind.full) {
		buf_puts(out, "dwell: unwind tables were full ");
		put_count((int64_t)p->meta.unwind.full, "time", "times", out);
		buf_puts(out, "; stacks may be cut off\n");
	}
	if (p->meta.unwind.events_lost) {
		buf_puts(out, "dwell: ");
		put_count((int64_t)p->meta.unwind.events_lost, "event", "events", out);
		buf_puts(out, " of new mappings came too fast to be read; stacks may be cut off\n");
	}
	put_box(&p->meta, out);
	if (p->meta.worker_deaths) {
		buf_puts(out, "dwell: the process that reads symbols died ");
		put_count((int64_t)p->meta.worker_deaths, "time", "times", out);
		buf_puts(out, "; names may be missing\n");
	}
}
