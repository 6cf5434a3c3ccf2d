/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "view/grid.h"

/* How a table writes values: all of its rows alike, so that they compare at a glance. */
struct scale {
	const char *unit;
	int64_t divisor;
	int decimals;
};

static struct scale scale_of(const struct profile *p, int column, int64_t largest)
{
	const char *unit = profile_str(p, p->column[column].unit);
	double ns = largest < 0 ? -(double)largest : (double)largest;

	if (strcmp(unit, "nanoseconds"))
		return (struct scale){ unit, 1, 0 };
	if (ns >= 1e10)
		return (struct scale){ "s", (int64_t)NSEC_PER_SEC, 2 };
	if (ns >= 1e6)
		return (struct scale){ "ms", (int64_t)NSEC_PER_MSEC,
				       ns >= 1e9   ? 0
				       : ns >= 1e7 ? 1
						   : 2 };
	return (struct scale){ "us", 1000, 1 };
}

/* "1,234.56 s": rounded, digits grouped. */
static void put_value(int64_t n, const struct scale *s, struct buf *out)
{
	int64_t unit = s->decimals == 2 ? 100 : s->decimals == 1 ? 10 : 1;
	double scaled = (double)n / (double)s->divisor * (double)unit;
	int64_t whole = s->divisor == 1 ? n : (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
	char digits[32];

	if (whole < 0 && whole > -unit)
		buf_putc(out, '-'); /* of a zero */
	buf_puts(out, group_digits(digits, whole / unit));
	if (s->decimals)
		buf_printf(out, ".%0*" PRId64, s->decimals,
			   whole < 0 ? -(whole % unit) : whole % unit);
	if (*s->unit)
		buf_printf(out, " %s", s->unit);
}

/* "31.2 %"; what rounds to nothing and is something says so. */
static void put_percent(int64_t n, int64_t base, struct buf *out)
{
	double percent = base ? 100.0 * (double)n / (double)base : 0;

	if (!base)
		buf_puts(out, "-");
	else if (percent > 0 && percent < 0.05)
		buf_puts(out, "<0.1 %");
	else
		buf_printf(out, "%.1f %%", percent);
}

static void text_cell(struct grid *g, const char *text)
{
	buf_puts(&g->cells, text);
	grid_cell(g);
}

static void count_cell(struct grid *g, int64_t n)
{
	char digits[32];

	text_cell(g, group_digits(digits, n));
}

static void share_cells(struct grid *g, int64_t n, int64_t base, const struct scale *s)
{
	put_percent(n, base, &g->cells);
	grid_cell(g);
	put_value(n, s, &g->cells);
	grid_cell(g);
}

/* What the rows of a table are, and which columns tell it. */
static const struct {
	const char *symbol, *module; /* titles; NULL: no such column */
	const char *words;	     /* behind the table's title */
	bool callees;		     /* is total more than self? */
} kinds[] = {
	[BY_FUNCTION] = { "where", "module", "", true },
	[BY_MODULE] = { "module", NULL, " BY MODULE", true },
	[BY_THREAD] = { "thread", "process", " BY THREAD", false },
	[BY_PROCESS] = { "process", NULL, " BY PROCESS", false },
};

static bool by_total(const struct hotspot_query *q)
{
	return q->sort == SORT_TOTAL && kinds[q->by].callees;
}

/* What the rows are sorted by comes first, in percent and in full. */
static void make_columns(struct grid *g, const struct hotspot_query *q, bool samples)
{
	bool total = by_total(q);

	grid_column(g, "#", GRID_NUMBER);
	grid_column(g, total ? "total %" : "self %", GRID_NUMBER);
	grid_column(g, total ? "total" : "self", GRID_NUMBER);
	if (kinds[q->by].callees)
		grid_column(g, total ? "self %" : "total %", GRID_NUMBER);
	if (samples)
		grid_column(g, q->kind == KIND_OFF ? "waits" : "samples", GRID_NUMBER);
	grid_column(g, kinds[q->by].symbol, GRID_NAME);
	if (kinds[q->by].module)
		grid_column(g, kinds[q->by].module, GRID_NAME);
	grid_column(g, "category", GRID_TEXT);
}

static void put_row(struct grid *g, const struct hotspot_query *q, const struct hotspots *h,
		    size_t i, const struct scale *s)
{
	const struct hotspot *row = &h->row[i];
	bool total = by_total(q);

	count_cell(g, (int64_t)i + 1);
	share_cells(g, total ? row->total_ns : row->self_ns, h->base, s);
	if (kinds[q->by].callees) {
		put_percent(total ? row->self_ns : row->total_ns, h->base, &g->cells);
		grid_cell(g);
	}
	if (h->count_column >= 0)
		count_cell(g, total ? row->total_samples : row->self_samples);
	text_cell(g, row->symbol);
	if (kinds[q->by].module)
		text_cell(g, row->module);
	text_cell(g, row->category);
}

static bool is_time(const struct profile *p, int column)
{
	return !strcmp(profile_str(p, p->column[column].unit), "nanoseconds");
}

/* "28.7 s of CPU time" */
static void put_amount(const struct profile *p, int64_t n, const struct hotspot_query *q, int column, struct buf *out)
{
	const char *type = profile_str(p, p->column[column].type);
	struct scale s = scale_of(p, column, n);

	put_value(n, &s, out);
	if (q->kind == KIND_OFF)
		buf_puts(out, " off the CPU");
	else if (q->kind == KIND_ALL)
		buf_puts(out, " on and off the CPU");
	else if (is_time(p, column))
		buf_printf(out, " of %s time", strcmp(type, "cpu") ? type : "CPU");
	else
		buf_printf(out, " of %s", type);
}

static void put_title(const struct profile *p, const struct hotspot_query *q,
		      const struct hotspots *h, struct buf *out)
{
	struct scale all = scale_of(p, h->value_column, h->all);

	if (is_time(p, h->value_column))
		buf_puts(out, "WHERE THE TIME GOES");
	else
		buf_printf(out, "WHERE %s GOES", profile_str(p, p->column[h->value_column].type));
	buf_printf(out, "%s%s  (", kinds[q->by].words, by_total(q) ? ", WITH CALLEES" : "");
	put_amount(p, h->base, q, h->value_column, out);
	if (!h->filtered) {
		buf_puts(out, " sampled = 100 %)\n");
		return;
	}
	buf_puts(out, " kept by the filter = 100 %; ");
	put_percent(h->base, h->all, out);
	buf_puts(out, " of the ");
	put_value(h->all, &all, out);
	buf_puts(out, " sampled)\n");
}

static void put_hidden(const struct hotspots *h, const struct scale *s, struct buf *out)
{
	char rows[32];

	if (!h->nr_hidden)
		return;
	buf_printf(out, "     and %s more row%s: ", group_digits(rows, (int64_t)h->nr_hidden),
		   h->nr_hidden == 1 ? "" : "s");
	put_value(h->hidden_self, s, out);
	buf_puts(out, " self, ");
	put_percent(h->hidden_self, h->base, out);
	buf_puts(out, "  (--limit 0 shows them)\n");
}

void table_print(const struct profile *p, const struct hotspot_query *q, const struct hotspots *h,
		 int width, struct buf *out)
{
	struct scale s = scale_of(p, h->value_column, h->base);
	struct grid g = { 0 };
	size_t i;

	put_title(p, q, h, out);
	if (!h->nr) {
		buf_puts(out, h->filtered && p->nr_samples ? "     no sample passes the filter\n"
							   : "     no samples\n");
		return;
	}
	make_columns(&g, q, h->count_column >= 0);
	for (i = 0; i < h->nr; i++)
		put_row(&g, q, h, i, &s);
	grid_print(&g, width > 0 ? (size_t)width : 0, out);
	grid_done(&g);
	put_hidden(h, &s, out);
}
