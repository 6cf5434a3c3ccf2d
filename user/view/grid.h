/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts in columns: a title each, numbers to the right, names shortened where lines are too long. */
#ifndef VIEW_GRID_H
#define VIEW_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define GRID_MAX_COLUMNS 12

enum grid_align { GRID_NUMBER, GRID_TEXT, GRID_NAME };	/* only names are shortened */

struct grid_column {
	const char *title;
	enum grid_align align;
	size_t width;
};

/* A zeroed struct is empty. */
struct grid {
	struct grid_column column[GRID_MAX_COLUMNS];
	size_t nr_columns;
	struct buf cells;	/* texts one behind the other, row by row, each with its NUL */
	size_t nr_cells;
};

/* Columns come before cells; title is not copied. */
void grid_column(struct grid *g, const char *title, enum grid_align align);

/* The next cell of the row: what was put into g->cells since the last grid_cell(). */
void grid_cell(struct grid *g);

/* Appends the title line and the rows. width: columns of the terminal, 0: as wide as need be. */
void grid_print(struct grid *g, size_t width, struct buf *out);

void grid_done(struct grid *g);

#endif
