/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any rows, maps, registers and stack: the walk ends, reads nothing but the copy of the stack and the
 * tables, and comes to the very frames and end that the plain model of it comes to. And any answer of a
 * worker as rows: refused, or the walk over them still reads nothing else.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/walk_case.h"

#define RAW_PAGES 16
#define RAW_SPANS 4
#define RAW_ROWS  512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct plain_memory memory;

/* Tables anew; their memory is kept, with what was in it. */
static struct tables *tables(void)
{
	if (!memory.m.rules)
		tables_free(plain_tables(&memory));
	return tables_new(&memory.m);
}

static void *kept_chunk(void *ctx, uint32_t n)
{
	return memory.chunk[n] ? memory.chunk[n] : plain_chunk(ctx, n);
}

static void compare(struct case_bytes *b)
{
	struct tables *t = tables();
	struct replay_walk out, plain;
	struct walk_case c = { 0 };

	case_make(&c, b);
	case_walk(&c, t, &out, &plain);
	if (!model_agrees(&out, &plain)) {
		fprintf(stderr, "%u frames, status %u; the model: %u frames, status %u\n", out.nr,
			out.status, plain.nr, plain.status);
		abort();
	}
	case_done(&c);
	tables_free(t);
}

/* Rows, pages and spans as the bytes say. */
static void raw_rows(struct case_bytes *b, struct table_rows *in)
{
	static struct table_span_in span[RAW_SPANS];
	static struct wire_page page[RAW_PAGES];
	static struct wire_rule rule[RULE_FIRST_FREE + 4];
	static uint32_t row[RAW_ROWS];
	uint32_t i;

	*in = (struct table_rows){ row,	 case_take(b, 2) % (RAW_ROWS + 1), page, case_take(b, 1) % (RAW_PAGES + 1),
				   rule, case_take(b, 1) % 10, span, case_take(b, 1) % (RAW_SPANS + 1) };
	if (in->nr_rules > RULE_FIRST_FREE + 4)
		in->nr_rules = RULE_FIRST_FREE + 4;
	for (i = RULE_FIRST_FREE; i < RULE_FIRST_FREE + 4; i++) {
		rule[i] = case_rule(b);
		rule[i].cfa = (__u8)(case_take(b, 1) % 6);
	}
	for (i = 0; i < in->nr_pages; i++)
		page[i] = (struct wire_page){ (uint32_t)case_take(b, 2), (uint16_t)case_take(b, 1), 0 };
	for (i = 0; i < in->nr_spans; i++)
		span[i] = (struct table_span_in){ CASE_CODE + case_take(b, 2) * 256, (uint32_t)case_take(b, 1),
						  (uint32_t)case_take(b, 1) };
	for (i = 0; i < in->nr_rows; i++)
		row[i] = (uint32_t)case_take(b, 4);
}

static void walk_raw(struct case_bytes *b)
{
	struct tables *t = tables();
	struct table_span *span = NULL;
	struct walk_case c = { 0 };
	struct replay_walk out;
	struct table_rows in;
	uint32_t i;

	raw_rows(b, &in);
	case_stack(&c, b);
	if (!tables_add_rows(t, &in, &span)) {
		for (i = 0; i < in.nr_spans && i < CASE_MAPS; i++)
			c.map[i] = (struct wire_map){ .start = span[i].address,
						      .end = span[i].address + 4096ull * span[i].nr_pages,
						      .pages = span[i].page };
		c.s.max = c.max;
		replay_walk(t, c.map, i, &c.s, &out);
		if (!out.nr || out.nr > 255 || out.status >= WIRE_USER_STATUSES)
			abort();
	}
	free(span);
	case_done(&c);
	tables_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct case_bytes b = { data, size };
	bool raw;

	if (!memory.m.chunk)
		tables_free(tables());
	memory.m.chunk = kept_chunk;
	raw = case_take(&b, 1) % 8 == 7;
	if (raw)
		walk_raw(&b);
	else
		compare(&b);
	return 0;
}
