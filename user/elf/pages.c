/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/pages.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"

#define NOTHING (ROW_ESCAPED | RULE_NONE)

static void add_row(struct pages *p, uint64_t address, uint32_t word)
{
	size_t nr = p->now.nr_rows;

	if (nr == p->row_cap) {
		if (nr >= ROWS_MAX) {
			p->full = true;
			return;
		}
		grow(&p->row, &p->row_cap, nr + 1, sizeof(*p->row));
	}
	p->row[nr] = (uint32_t)(address % ROWS_PAGE_BYTES) << ROW_PC_SHIFT | word;
	p->now.nr_rows = nr + 1;
}

static void open_page(struct pages *p, uint64_t page)
{
	p->now.page = page;
	p->now.first_row = p->now.nr_rows;
	p->now.open = true;
}

static void open_span(struct pages *p, uint64_t page)
{
	size_t nr = p->now.nr_spans++;

	if (nr == p->span_cap)
		grow(&p->span, &p->span_cap, nr + 1, sizeof(*p->span));
	p->span[nr] = (struct rows_span){ page * ROWS_PAGE_BYTES, (uint32_t)p->now.nr_pages, 0 };
	p->now.first_page = p->now.nr_pages;
	open_page(p, page);
}

static void add_page(struct pages *p, size_t first, size_t count)
{
	size_t nr = p->now.nr_pages;

	if (nr == p->page_cap) {
		if (nr >= ROWS_MAX_PAGES) {
			p->full = true;
			return;
		}
		grow(&p->page, &p->page_cap, nr + 1, sizeof(*p->page));
	}
	p->page[nr] = (struct wire_page){ (uint32_t)first, (uint16_t)count, 0 };
	p->now.nr_pages = nr + 1;
}

static void close_page(struct pages *p)
{
	/* a whole page of what held before */
	if (p->now.nr_rows == p->now.first_row && p->now.word != NOTHING)
		add_row(p, 0, p->now.word);
	add_page(p, p->now.first_row, p->now.nr_rows - p->now.first_row);
}

static void close_span(struct pages *p)
{
	close_page(p);
	p->span[p->now.nr_spans - 1].nr_pages = (uint32_t)(p->now.nr_pages - p->now.first_page);
	p->now.open = false;
}

/* Makes `page` the one being filled. */
static void turn_to(struct pages *p, uint64_t page)
{
	if (!p->now.open) {
		open_span(p, page);
		return;
	}
	if (p->now.word == NOTHING && page - p->now.page > ROWS_SPAN_GAP) {
		close_span(p);
		open_span(p, page);
	}
	while (p->now.page < page && !p->full) {
		close_page(p);
		open_page(p, p->now.page + 1);
	}
}

void pages_put(struct pages *p, uint64_t address, uint32_t word)
{
	uint64_t page = address / ROWS_PAGE_BYTES;

	if (!p->now.open && !p->now.nr_spans)
		p->now.word = NOTHING;
	if (word == p->now.word)
		return;
	if (!p->now.open || page != p->now.page)
		turn_to(p, page);
	if (p->now.nr_rows == p->now.first_row && address % ROWS_PAGE_BYTES)
		add_row(p, 0, p->now.word);
	add_row(p, address, word);
	p->now.word = word;
}

void pages_put_gap(struct pages *p, uint64_t address)
{
	if (address % ROWS_PAGE_BYTES || !p->now.open) {
		pages_put(p, address, NOTHING);
		return;
	}
	/* the next page is opened by whoever has a row in it */
	if (p->now.word != NOTHING)
		turn_to(p, address / ROWS_PAGE_BYTES - 1);
	if (p->now.nr_rows == p->now.first_row && p->now.word != NOTHING)
		add_row(p, 0, p->now.word);
	p->now.word = NOTHING;
}

void pages_rewind(struct pages *p, const struct pages_mark *mark)
{
	p->now = *mark;
}

int pages_finish(struct pages *p, uint64_t end, struct rows *r)
{
	if (p->now.open) {
		pages_put_gap(p, end);
		close_span(p);
	}
	if (p->full)
		return fail_plain(-EFBIG, "unwind tables of more than %u rows or %u pages",
				  ROWS_MAX, ROWS_MAX_PAGES);
	r->row = p->row;
	r->nr_rows = p->now.nr_rows;
	r->page = p->page;
	r->nr_pages = p->now.nr_pages;
	r->span = p->span;
	r->nr_spans = p->now.nr_spans;
	memset(p, 0, sizeof(*p));
	return 0;
}

void pages_done(struct pages *p)
{
	free(p->row);
	free(p->page);
	free(p->span);
	memset(p, 0, sizeof(*p));
}
