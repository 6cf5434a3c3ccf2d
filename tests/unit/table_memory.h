/* SPDX-License-Identifier: BSD-2-Clause */
/* Unwind tables in plain memory, and rows for them made by hand. */
#ifndef UNIT_TABLE_MEMORY_H
#define UNIT_TABLE_MEMORY_H

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "unwind/tables.h"

struct plain_memory {
	struct tables_memory m;
	void *chunk[WIRE_MAX_CHUNKS];
	uint32_t nr_chunks;
	uint32_t limit; /* chunks that may be had */
};

static inline void *plain_chunk(void *ctx, uint32_t n)
{
	struct plain_memory *p = ctx;

	if (p->nr_chunks >= p->limit)
		return NULL;
	p->nr_chunks++;
	p->chunk[n] = xcalloc(1, WIRE_CHUNK_BYTES);
	return p->chunk[n];
}

static inline struct tables *plain_tables(struct plain_memory *p)
{
	memset(p, 0, sizeof(*p));
	p->limit = WIRE_MAX_CHUNKS;
	p->m.rules = xcalloc(WIRE_MAX_RULES, sizeof(*p->m.rules));
	p->m.processes = xcalloc(WIRE_PROCESS_SLOTS, sizeof(*p->m.processes));
	p->m.chunk = plain_chunk;
	p->m.ctx = p;
	return tables_new(&p->m);
}

static inline void plain_done(struct plain_memory *p, struct tables *t)
{
	uint32_t i;

	tables_free(t);
	for (i = 0; i < WIRE_MAX_CHUNKS; i++)
		free(p->chunk[i]);
	free(p->m.rules);
	free(p->m.processes);
}

/* From this address on (of the object) this row, its address bits empty. */
struct made_row {
	uint64_t at;
	uint32_t word;
};

struct made_rows {
	struct table_rows in;
	uint32_t *row;
	struct wire_page *page;
	struct wire_rule *rule;
	struct table_span_in span;
};

#define MADE_GAP (ROW_ESCAPED | RULE_NONE)

/* rsp + cfa, or rbp + cfa; the caller's rbp at cfa - fp, 0: unchanged. */
static inline uint32_t row_sp(uint32_t cfa, uint32_t fp)
{
	return cfa / 8 << ROW_CFA_SHIFT | fp / 8 << ROW_FP_SHIFT;
}

static inline uint32_t row_fp(uint32_t cfa, uint32_t fp)
{
	return ROW_BASE_FP | row_sp(cfa, fp);
}

/*
 * The pages from address on, nr of them, with these rows (sorted) in them and a first row in each page; before
 * the first row there is a gap. Rules: those after the fixed ones.
 */
static inline void make_rows(struct made_rows *m, uint64_t address, uint32_t nr_pages,
			     const struct made_row *list, size_t n)
{
	uint32_t word = MADE_GAP, i, nr = 0;
	size_t k = 0;

	memset(m, 0, sizeof(*m));
	m->row = xcalloc(n + nr_pages, sizeof(*m->row));
	m->page = xcalloc(nr_pages + 1, sizeof(*m->page));
	m->rule = xcalloc(RULE_FIRST_FREE, sizeof(*m->rule));
	for (i = 0; i < nr_pages; i++) {
		uint64_t page = address + (uint64_t)i * 4096;

		m->page[i].first = nr;
		if (k == n || list[k].at != page)
			m->row[nr++] = word;
		for (; k < n && list[k].at < page + 4096; k++) {
			word = list[k].word;
			m->row[nr++] = (uint32_t)(list[k].at & 0xfff) << ROW_PC_SHIFT | word;
		}
		m->page[i].count = (uint16_t)(nr - m->page[i].first);
	}
	m->span = (struct table_span_in){ address, 0, nr_pages };
	m->in = (struct table_rows){ m->row, nr, m->page, nr_pages, m->rule, RULE_FIRST_FREE, &m->span, 1 };
}

static inline void made_add_rules(struct made_rows *m, const struct wire_rule *rule, size_t n)
{
	m->rule = xreallocarray(m->rule, RULE_FIRST_FREE + n, sizeof(*rule));
	memcpy(m->rule + RULE_FIRST_FREE, rule, n * sizeof(*rule));
	m->in.rule = m->rule;
	m->in.nr_rules = RULE_FIRST_FREE + n;
}

static inline void made_done(struct made_rows *m)
{
	free(m->row);
	free(m->page);
	free(m->rule);
}

#endif
