/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/grid.h"

#include <string.h>

#include "view/width.h"

#define BETWEEN	 2 /* spaces between columns */
#define MIN_NAME 8 /* what a shortened name keeps */

void grid_done(struct grid *g)
{
	buf_done(&g->cells);
	*g = (struct grid){ 0 };
}

void grid_column(struct grid *g, const char *title, enum grid_align align)
{
	g->column[g->nr_columns++] = (struct grid_column){ title, align, text_columns(title) };
}

/* Where the text behind the last whole cell begins. */
static size_t open_cell(const struct grid *g)
{
	const char *nul = g->cells.len ? memrchr(g->cells.data, '\0', g->cells.len) : NULL;

	return nul ? (size_t)(nul - g->cells.data) + 1 : 0;
}

void grid_cell(struct grid *g)
{
	struct grid_column *c = &g->column[g->nr_cells++ % g->nr_columns];
	size_t width = text_columns(buf_text(&g->cells) + open_cell(g));

	buf_putc(&g->cells, '\0');
	if (width > c->width)
		c->width = width;
}

/* Takes as much of `excess` from the column as leaves it `floor`; returns the rest. */
static size_t narrow(struct grid_column *c, size_t floor, size_t excess)
{
	size_t cut = c->width > floor ? c->width - floor : 0;

	if (cut > excess)
		cut = excess;
	c->width -= cut;
	return excess - cut;
}

/* The last name gives way first, but keeps a third of what there is for names. */
static void fit(struct grid *g, size_t width)
{
	size_t all = 0, names = 0, excess, floor, i;

	for (i = 0; i < g->nr_columns; i++) {
		all += g->column[i].width + (i ? BETWEEN : 0);
		names += g->column[i].align == GRID_NAME ? g->column[i].width : 0;
	}
	if (all <= width)
		return;
	excess = all - width;
	floor = names > excess ? (names - excess) / 3 : 0;
	if (floor < MIN_NAME)
		floor = MIN_NAME;
	for (i = g->nr_columns; i-- > 0;) {
		if (g->column[i].align == GRID_NAME)
			excess = narrow(&g->column[i], floor, excess);
	}
}

static void put_spaces(struct buf *out, size_t n)
{
	while (n--)
		buf_putc(out, ' ');
}

static void put_cell(const struct grid *g, size_t i, const char *text, struct buf *out)
{
	const struct grid_column *c = &g->column[i];
	size_t width = text_columns(text), pad = c->width > width ? c->width - width : 0;

	if (i)
		put_spaces(out, BETWEEN);
	if (c->align == GRID_NUMBER)
		put_spaces(out, pad);
	text_shorten(text, c->width, out);
	if (i + 1 == g->nr_columns)
		buf_putc(out, '\n');
	else if (c->align != GRID_NUMBER)
		put_spaces(out, pad);
}

void grid_print(struct grid *g, size_t width, struct buf *out)
{
	const char *cell = buf_text(&g->cells);
	size_t column = 0;

	if (width)
		fit(g, width);
	for (size_t i = 0; i < g->nr_columns; i++)
		put_cell(g, i, g->column[i].title, out);
	for (size_t i = 0; i < g->nr_cells; i++) {
		put_cell(g, column, cell, out);
		column = column + 1 < g->nr_columns ? column + 1 : 0;
		cell += strlen(cell) + 1;
	}
}
