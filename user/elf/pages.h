/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows, put in one after the other, into pages and spans (bpf/rows.h, elf/rows.h). A row that
 * says what the one before it says is left out, a page's first row is repeated from the page
 * before where no row begins with it, and pages without a row cost nothing, or 8 bytes in a span.
 */
#ifndef ELF_PAGES_H
#define ELF_PAGES_H

#include <stdbool.h>

#include "elf/rows.h"

struct pages_mark { /* a place to come back to */
	size_t nr_rows, nr_pages, nr_spans;
	size_t first_row;  /* of the page being filled */
	size_t first_page; /* of the span being filled */
	uint64_t page;	   /* the page being filled: its address / ROWS_PAGE_BYTES */
	uint32_t word;	   /* what holds at the end of it */
	bool open;	   /* there is such a page */
};

struct pages {
	struct pages_mark now;
	uint32_t *row;
	struct wire_page *page;
	struct rows_span *span;
	size_t row_cap, page_cap, span_cap;
	bool full; /* more than ROWS_MAX or ROWS_MAX_PAGES: some are not in */
};

/* A zeroed struct is empty. word: a row without its place; addresses must not go down. */
void pages_put(struct pages *p, uint64_t address, uint32_t word);

/* From this address on there is nothing. */
void pages_put_gap(struct pages *p, uint64_t address);

/* Undoes all that was put in since p->now was `mark`. */
void pages_rewind(struct pages *p, const struct pages_mark *mark);

/* Moves the arrays to r after a last gap at `end`; p is empty then. -EFBIG when it was full. */
int pages_finish(struct pages *p, uint64_t end, struct rows *r) must_check;
void pages_done(struct pages *p);

#endif
