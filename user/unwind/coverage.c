/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/coverage.h"

#include <string.h>

#define PAGE 4096u

/* Bytes of [from, to) that are in executable segments. */
static uint64_t in_text(const struct worker_rows *r, uint64_t from, uint64_t to)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < r->nr_segments; i++) {
		uint64_t start = r->segment[i].address, end = start + r->segment[i].size;

		start = start > from ? start : from;
		end = end < to ? end : to;
		sum += start < end ? end - start : 0;
	}
	return sum;
}

static uint32_t rule_of(uint32_t row)
{
	return row & ROW_ESCAPED ? row & ROW_RULE_MASK : RULE_FIRST_FREE;
}

static void add_page(const struct worker_rows *r, const struct wire_page *page, uint64_t address,
		     struct coverage *c)
{
	uint32_t k;

	if (page->first > r->nr_rows || page->count > r->nr_rows - page->first)
		return;
	for (k = 0; k < page->count; k++) {
		const uint32_t *row = &r->row[page->first + k];
		uint64_t from = address + (row[0] >> ROW_PC_SHIFT);
		uint64_t to = address + (k + 1u < page->count ? row[1] >> ROW_PC_SHIFT : PAGE);
		uint32_t rule = rule_of(*row);

		if (rule == RULE_UNSUPPORTED)
			c->beyond += in_text(r, from, to);
		else if (rule != RULE_NONE && rule != RULE_PENDING)
			c->covered += in_text(r, from, to);
	}
}

void coverage_find(const struct worker_rows *r, struct coverage *c)
{
	size_t i;
	uint32_t k;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < r->nr_segments; i++)
		c->text += r->segment[i].size;
	for (i = 0; i < r->nr_spans; i++) {
		const struct worker_span *s = &r->span[i];

		for (k = 0; k < s->nr_pages && s->first_page + (uint64_t)k < r->nr_pages; k++)
			add_page(r, &r->page[s->first_page + k], s->address + (uint64_t)k * PAGE, c);
	}
}
