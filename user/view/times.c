/* SPDX-License-Identifier: BSD-2-Clause */
/* What each thread did with its time: exact, where the hotspot table is an estimate. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "view/grid.h"
#include "view/table.h"

/* Busy, or would have liked to be: what one looks for comes first. */
static int64_t busy(const struct thread_time *t)
{
	return (int64_t)((uint64_t)t->task + (uint64_t)t->stolen + (uint64_t)t->runqueue);
}

static int compare_times(const void *pa, const void *pb)
{
	const struct thread_time *a = *(const struct thread_time *const *)pa, *b = *(const struct thread_time *const *)pb;

	if (busy(a) != busy(b))
		return busy(a) < busy(b) ? 1 : -1;
	return a->tid < b->tid ? -1 : a->tid > b->tid;
}

/* ms, to a tenth: the same for all rows. */
static void time_cell(struct grid *g, int64_t ns)
{
	int64_t tenths = ns / ((int64_t)NSEC_PER_MSEC / 10);
	char digits[32];

	if (tenths < 0 && tenths > -10)
		buf_putc(&g->cells, '-');
	buf_printf(&g->cells, "%s.%d", group_digits(digits, tenths / 10), (int)llabs(tenths % 10));
	grid_cell(g);
}

/* The name of the process's first thread. */
static const char *process_of(const struct profile *p, int64_t pid)
{
	size_t i;

	for (i = 0; i < p->times.nr; i++)
		if (p->times.row[i].tid == pid)
			return profile_str(p, p->times.row[i].comm);
	return "-";
}

static void put_row(struct grid *g, const struct profile *p, size_t rank, const struct thread_time *t)
{
	char digits[32];

	buf_puts(&g->cells, group_digits(digits, (int64_t)rank));
	grid_cell(g);
	time_cell(g, t->task);
	time_cell(g, t->stolen);
	time_cell(g, t->runqueue);
	time_cell(g, t->blocked);
	time_cell(g, t->alive);
	if (t->tid)
		buf_printf(&g->cells, "%s (%" PRId64 ")", profile_str(p, t->comm), t->tid);
	else
		buf_puts(&g->cells, "[other threads]");
	grid_cell(g);
	buf_puts(&g->cells, t->tid ? process_of(p, t->pid) : "-");
	grid_cell(g);
}

void times_print(const struct profile *p, uint32_t limit, int width, struct buf *out)
{
	static const char *const titles[] = { "#", "on-CPU ms", "stolen", "run queue", "blocked", "alive" };
	autofree const struct thread_time **row = xcalloc(p->times.nr + 1, sizeof(*row));
	size_t i, nr = p->times.nr;
	struct grid g = { 0 };

	if (limit && nr > limit)
		nr = limit;
	buf_printf(out, "EACH THREAD'S TIME, EXACT  (%.3f s)\n", (double)p->times.window / (double)NSEC_PER_SEC);
	for (i = 0; i < p->times.nr; i++)
		row[i] = &p->times.row[i];
	if (p->times.nr)
		qsort(row, p->times.nr, sizeof(*row), compare_times);
	for (i = 0; i < ARRAY_LEN(titles); i++)
		grid_column(&g, titles[i], GRID_NUMBER);
	grid_column(&g, "thread", GRID_NAME);
	grid_column(&g, "process", GRID_NAME);
	for (i = 0; i < nr; i++)
		put_row(&g, p, i + 1, row[i]);
	grid_print(&g, width > 0 ? (size_t)width : 0, out);
	grid_done(&g);
	if (nr < p->times.nr)
		buf_printf(out, "     and %zu more thread%s  (--limit 0 shows them)\n", p->times.nr - nr,
			   p->times.nr - nr == 1 ? "" : "s");
}
