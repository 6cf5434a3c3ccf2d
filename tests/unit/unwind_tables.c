/* SPDX-License-Identifier: BSD-2-Clause */
/* Unwind tables in plain memory: what is published, where, when its place is used again, and what is refused. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/index.h"
#include "table_memory.h"

#define GRACE TABLES_GRACE_NS

static struct plain_memory memory;

static int setup(void **state)
{
	*state = plain_tables(&memory);
	return 0;
}

static int teardown(void **state)
{
	plain_done(&memory, *state);
	return 0;
}

static const struct wire_page *page_of(const struct tables *t, uint32_t page)
{
	const struct wire_page *chunk = tables_chunk(t, page / WIRE_CHUNK_PAGES);

	assert_non_null(chunk);
	return &chunk[page % WIRE_CHUNK_PAGES];
}

static uint32_t row_of(const struct tables *t, const struct wire_page *p, uint32_t i)
{
	const uint32_t *chunk = tables_chunk(t, p->first / WIRE_CHUNK_ROWS);

	if (!chunk || p->first % WIRE_CHUNK_ROWS + p->count > WIRE_CHUNK_ROWS)
		return ~0u; /* no row */
	return chunk[p->first % WIRE_CHUNK_ROWS + i];
}

static const struct wire_map *map_of(const struct tables *t, const struct wire_process *p, uint32_t i)
{
	const struct wire_map *chunk = tables_chunk(t, p->first / WIRE_CHUNK_MAPS);

	assert_non_null(chunk);
	assert_true(p->first % WIRE_CHUNK_MAPS + p->nr <= WIRE_CHUNK_MAPS);
	return &chunk[p->first % WIRE_CHUNK_MAPS + i];
}

/* 300 pages of 1 to 700 rows each: more than a chunk of them. */
static void many_rows(struct made_rows *m, uint32_t seed)
{
	struct made_row *list = xcalloc(300 * 700, sizeof(*list));
	size_t n = 0;
	uint32_t i, k;

	for (i = 0; i < 300; i++) {
		for (k = 0; k < 1 + (i * 37 + seed) % 700; k++)
			list[n++] = (struct made_row){ i * 4096ull + k * 5,
						       row_sp(8 * (1 + (k + i + seed) % 500), 0) };
	}
	make_rows(m, 0, 300, list, n);
	free(list);
}

static void same_rows(const struct tables *t, const struct made_rows *m, const struct table_span *s)
{
	uint32_t i, k;

	assert_int_equal(s->nr_pages, m->in.nr_pages);
	for (i = 0; i < s->nr_pages; i++) {
		const struct wire_page *p = page_of(t, s->page + i), *from = &m->in.page[i];
		bool same = p->count == from->count;

		for (k = 0; k < p->count && same; k++)
			same = row_of(t, p, k) == m->in.row[from->first + k];
		assert_true(same);
	}
}

/* Rows of a page lie in one chunk, and are those of the object. */
static void test_pages_never_straddle(void **state)
{
	struct tables *t = *state;
	struct table_span *span[6];
	struct made_rows m[6];
	uint32_t i;

	for (i = 0; i < 6; i++) {
		many_rows(&m[i], i);
		assert_int_equal(tables_add_rows(t, &m[i].in, &span[i]), 0);
	}
	/* more than one chunk, and no row lost in between */
	assert_non_null(tables_chunk(t, WIRE_CHUNK_ROWS0 + 2));
	for (i = 0; i < 6; i++) {
		same_rows(t, &m[i], span[i]);
		free(span[i]);
		made_done(&m[i]);
	}
	assert_int_equal(tables_bytes(t), (uint64_t)memory.nr_chunks * WIRE_CHUNK_BYTES);
}

/* The pages of a span may go on in the next chunk; they are numbered on. */
static void test_pages_of_two_chunks(void **state)
{
	struct tables *t = *state;
	struct made_row list = { 4096ull * (WIRE_CHUNK_PAGES + 9), row_sp(24, 0) };
	struct table_span *span;
	struct made_rows m;
	const struct wire_page *p;

	make_rows(&m, 0, WIRE_CHUNK_PAGES + 10, &list, 1);
	assert_int_equal(tables_add_rows(t, &m.in, &span), 0);
	assert_int_equal(span->page / WIRE_CHUNK_PAGES, WIRE_CHUNK_PAGES0);
	p = page_of(t, span->page + WIRE_CHUNK_PAGES + 9);
	assert_int_equal(p->count, 1);
	assert_int_equal(row_of(t, p, 0), row_sp(24, 0));
	assert_int_equal(row_of(t, page_of(t, span->page + 5), 0), MADE_GAP);
	free(span);
	made_done(&m);
}

static uint32_t rule_in_tables(const struct tables *t, const struct table_span *s)
{
	return row_of(t, page_of(t, s->page), 0) & ROW_RULE_MASK;
}

/* Equal rules of all objects are one; fixed ones keep their numbers. */
static void test_rules_are_shared(void **state)
{
	struct tables *t = *state;
	struct wire_rule plt = { .cfa = CFA_PLT, .cfa_off = 11 }, drap = { .cfa = CFA_DEREF, .cfa_reg = 6 };
	struct wire_rule one[] = { plt, drap }, two[] = { drap, plt };
	struct made_row first = { 0, ROW_ESCAPED | RULE_FIRST_FREE };
	struct made_row second = { 0, ROW_ESCAPED | (RULE_FIRST_FREE + 1) };
	struct made_row stop = { 0, ROW_ESCAPED | RULE_STOP };
	struct table_span *a, *b, *c;
	struct made_rows m;

	make_rows(&m, 0, 1, &first, 1);
	made_add_rules(&m, one, 2);
	assert_int_equal(tables_add_rows(t, &m.in, &a), 0);
	made_done(&m);
	make_rows(&m, 0, 1, &second, 1);
	made_add_rules(&m, two, 2);
	assert_int_equal(tables_add_rows(t, &m.in, &b), 0);
	made_done(&m);
	make_rows(&m, 0, 1, &stop, 1);
	assert_int_equal(tables_add_rows(t, &m.in, &c), 0);
	made_done(&m);
	assert_int_equal(rule_in_tables(t, a), rule_in_tables(t, b));
	assert_memory_equal(tables_rule(t, rule_in_tables(t, a)), &plt, sizeof(plt));
	assert_non_null(tables_rule(t, RULE_FIRST_FREE + 1));
	assert_null(tables_rule(t, RULE_FIRST_FREE + 2));
	assert_int_equal(rule_in_tables(t, c), RULE_STOP);
	free(a);
	free(b);
	free(c);
}

/* The table of rules full: what has no rule of its own is not supported, and counted. */
static void test_rules_full(void **state)
{
	struct tables *t = *state;
	uint32_t n = WIRE_MAX_RULES - RULE_FIRST_FREE, i;
	struct wire_rule *rule = xcalloc(n, sizeof(*rule)), more = { .cfa = CFA_REG, .cfa_reg = 9 };
	struct made_row last = { 0, ROW_ESCAPED | (WIRE_MAX_RULES - 1) };
	struct made_row row = { 0, ROW_ESCAPED | RULE_FIRST_FREE };
	struct table_span *span;
	struct made_rows m;

	for (i = 0; i < n; i++)
		rule[i] = (struct wire_rule){ .cfa = CFA_REG, .cfa_off = (__s32)i * 8 };
	make_rows(&m, 0, 1, &last, 1);
	made_add_rules(&m, rule, n);
	assert_int_equal(tables_add_rows(t, &m.in, &span), 0);
	assert_int_equal(tables_caps(t)->rules, 0);
	assert_memory_equal(tables_rule(t, rule_in_tables(t, span)), &rule[n - 1], sizeof(*rule));
	free(span);
	made_done(&m);
	make_rows(&m, 0, 1, &row, 1);
	made_add_rules(&m, &more, 1);
	assert_int_equal(tables_add_rows(t, &m.in, &span), 0);
	assert_int_equal(tables_caps(t)->rules, 1);
	assert_int_equal(rule_in_tables(t, span), RULE_UNSUPPORTED);
	free(span);
	/* one that is there already is found */
	made_add_rules(&m, &rule[77], 1);
	assert_int_equal(tables_add_rows(t, &m.in, &span), 0);
	assert_int_equal(tables_caps(t)->rules, 1);
	assert_memory_equal(tables_rule(t, rule_in_tables(t, span)), &rule[77], sizeof(*rule));
	free(span);
	made_done(&m);
	free(rule);
}

static void refuse(struct tables *t, const struct made_rows *m)
{
	struct table_span *span = (void *)1;

	assert_int_equal(tables_add_rows(t, &m->in, &span), -EBADMSG);
	assert_ptr_equal(span, (void *)1);
}

static void accept(struct tables *t, const struct made_rows *m)
{
	struct table_span *span;

	assert_int_equal(tables_add_rows(t, &m->in, &span), 0);
	free(span);
}

/* One thing after the other is spoiled, and mended again. */
#define SPOILED(t, m, lvalue, value)                                                               \
	do {                                                                                       \
		__typeof__(lvalue) good = (lvalue);                                                \
		(lvalue) = (value);                                                                \
		refuse(t, m);                                                                      \
		(lvalue) = good;                                                                   \
	} while (0)

static void test_unsound_is_refused(void **state)
{
	struct tables *t = *state;
	struct made_row list[] = { { 0, row_sp(8, 0) },
				   { 4, row_sp(16, 0) },
				   { 4096 + 40, ROW_ESCAPED | RULE_FIRST_FREE } };
	struct wire_rule rule = { .cfa = CFA_REG, .cfa_reg = 10 };
	struct made_rows m;

	make_rows(&m, 0x1000, 3, list, 3);
	made_add_rules(&m, &rule, 1);
	accept(t, &m);
	/* rows: an unknown rule, one that is in no table, disorder, a page whose begin is not told */
	SPOILED(t, &m, m.row[1], ROW_ESCAPED | (RULE_FIRST_FREE + 1));
	SPOILED(t, &m, m.row[1], ROW_ESCAPED | RULE_PENDING);
	SPOILED(t, &m, m.row[0], 8u << ROW_PC_SHIFT | row_sp(8, 0));
	SPOILED(t, &m, m.page[0].first, 1);
	/* pages: more rows than there are, more than a page can have, the rows of another page */
	SPOILED(t, &m, m.page[2].count, 200);
	SPOILED(t, &m, m.page[2].first, 200);
	SPOILED(t, &m, m.page[1].first, 0);
	/* spans: pages that are not there, no page's address, one that wraps, overlaps */
	SPOILED(t, &m, m.span.first_page, 1);
	SPOILED(t, &m, m.span.nr_pages, 4);
	SPOILED(t, &m, m.span.address, 0x1008);
	SPOILED(t, &m, m.span.address, UINT64_MAX - 0xfff);
	/* rules */
	SPOILED(t, &m, m.rule[RULE_FIRST_FREE].cfa, CFA_NONE);
	SPOILED(t, &m, m.rule[RULE_FIRST_FREE].cfa, CFA_PLT + 1);
	SPOILED(t, &m, m.rule[RULE_FIRST_FREE].fp, FP_UNDEFINED + 1);
	SPOILED(t, &m, m.rule[RULE_FIRST_FREE].ra, RA_ABOVE_FP + 1);
	SPOILED(t, &m, m.in.nr_rules, RULE_FIRST_FREE - 1);
	SPOILED(t, &m, m.in.nr_rules, WIRE_MAX_RULES + 1);
	accept(t, &m);
	made_done(&m);
}

static void test_overlapping_spans(void **state)
{
	struct tables *t = *state;
	struct table_span_in span[] = { { 0x1000, 0, 1 }, { 0x3000, 1, 2 } };
	struct made_row list = { 0x1000, row_sp(8, 0) };
	struct table_span *out;
	struct made_rows m;

	make_rows(&m, 0x1000, 3, &list, 1);
	m.in.span = span;
	m.in.nr_spans = 2;
	assert_int_equal(tables_add_rows(t, &m.in, &out), 0);
	assert_int_equal(out[1].address, 0x3000);
	assert_int_equal(out[1].nr_pages, 2);
	free(out);
	span[1].address = 0x1000;
	refuse(t, &m);
	span[1].address = 0x3000;
	span[1].first_page = 0; /* the same pages twice */
	refuse(t, &m);
	made_done(&m);
}

static void many_maps(struct wire_map *map, uint32_t nr, uint64_t start)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		map[i] = (struct wire_map){ .start = start + i * 0x2000ull,
					    .end = start + i * 0x2000ull + 0x1000,
					    .pages = WIRE_NO_PAGES };
}

static int set(struct tables *t, uint32_t tgid, uint64_t start, uint32_t nr, uint64_t now)
{
	struct wire_process id = { .tgid = tgid, .start_time = tgid * 10ull, .exec_id = 3 };
	struct wire_map *map = xcalloc(nr + 1, sizeof(*map));
	int r;

	many_maps(map, nr, start);
	r = tables_set_process(t, &id, map, nr, now);
	free(map);
	return r;
}

static void expect(const struct tables *t, uint32_t tgid, uint64_t start, uint32_t nr)
{
	const struct wire_process *p = tables_process(t, tgid);
	uint32_t i;

	assert_non_null(p);
	assert_int_equal(p->tgid, tgid);
	assert_int_equal(p->version & 1, 0);
	assert_int_equal(p->start_time, tgid * 10ull);
	assert_int_equal(p->exec_id, 3);
	assert_int_equal(p->nr, nr);
	assert_int_equal(map_of(t, p, 0)->stamp, p->stamp);
	for (i = 0; i < nr; i++) {
		assert_int_equal(map_of(t, p, i)->start, start + i * 0x2000ull);
		assert_int_equal(map_of(t, p, i)->stamp, p->stamp);
	}
}

static void test_replace_and_drop(void **state)
{
	struct tables *t = *state;
	const struct wire_process *p;
	uint32_t first, version, stamp;

	assert_null(tables_process(t, 700));
	assert_int_equal(set(t, 700, 0x10000, 3, 0), 0);
	expect(t, 700, 0x10000, 3);
	p = tables_process(t, 700);
	first = p->first;
	version = p->version;
	stamp = p->stamp;
	assert_int_equal(set(t, 700, 0x50000, 9, 1), 0);
	expect(t, 700, 0x50000, 9);
	/* in the same slot, elsewhere, told by its version and stamp */
	assert_ptr_equal(tables_process(t, 700), p);
	assert_int_not_equal(p->first, first);
	assert_int_not_equal(p->version, version);
	assert_int_not_equal(p->stamp, stamp);
	version = p->version;
	tables_drop_process(t, 700, 2);
	assert_null(tables_process(t, 700));
	assert_int_equal(p->tgid, WIRE_PROCESS_GONE);
	assert_int_equal(p->version, version + 2);
	tables_drop_process(t, 700, 2);
	tables_drop_process(t, 701, 2);
	assert_null(tables_process(t, 701));
}

/* A block is another's only when its grace is over, and says by its stamp that it is. */
static void test_grace(void **state)
{
	struct tables *t = *state;
	uint32_t first, stamp;

	assert_int_equal(set(t, 1, 0x10000, 5, 1000), 0);
	first = tables_process(t, 1)->first;
	stamp = tables_process(t, 1)->stamp;
	tables_drop_process(t, 1, 2000);
	assert_int_equal(set(t, 2, 0x20000, 5, 2000 + GRACE - 1), 0);
	assert_int_not_equal(tables_process(t, 2)->first, first);
	/* not of its size */
	assert_int_equal(set(t, 3, 0x30000, 9, 2000 + GRACE), 0);
	assert_int_not_equal(tables_process(t, 3)->first, first);
	/* a clock that went back ends nothing */
	tables_drop_process(t, 2, 2000 + GRACE);
	assert_int_equal(set(t, 4, 0x40000, 5, 2000 + GRACE), 0);
	assert_int_equal(tables_process(t, 4)->first, first);
	assert_int_not_equal(tables_process(t, 4)->stamp, stamp);
	expect(t, 4, 0x40000, 5);
	assert_int_equal(set(t, 5, 0x50000, 5, 1000), 0);
	assert_int_equal(set(t, 6, 0x60000, 5, 1000), 0);
	expect(t, 4, 0x40000, 5);
	expect(t, 5, 0x50000, 5);
	expect(t, 6, 0x60000, 5);
}

/* Processes come and go for long: their blocks go round, and memory does not grow. */
static void test_churn_needs_no_memory(void **state)
{
	struct tables *t = *state;
	uint64_t now = 0, bytes = 0;
	uint32_t i;

	for (i = 0; i < 50000; i++, now += 1000000) {
		assert_int_equal(set(t, 100 + i, 0x10000, 1 + i % 40, now), 0);
		if (i >= 10)
			tables_drop_process(t, 100 + i - 10, now);
		if (i == 15000)
			bytes = tables_bytes(t);
	}
	assert_int_equal(tables_bytes(t), bytes);
	assert_true(bytes <= 16 * WIRE_CHUNK_BYTES);
	assert_int_equal(tables_caps(t)->processes, 0);
	expect(t, 100 + i - 1, 0x10000, 1 + (i - 1) % 40);
}

/* n tgids whose search begins at this slot. */
static void same_slot(uint32_t slot, uint32_t *tgid, uint32_t n)
{
	uint32_t i, k = 0;

	for (i = 1; k < n; i++)
		if (WIRE_PROCESS_HASH(i) == slot)
			tgid[k++] = i;
}

static void test_collisions(void **state)
{
	struct tables *t = *state;
	uint32_t tgid[WIRE_PROCESS_PROBES + 2], i;

	/* at the table's end: they go on at its begin */
	same_slot(WIRE_PROCESS_SLOTS - 3, tgid, WIRE_PROCESS_PROBES + 2);
	for (i = 0; i < WIRE_PROCESS_PROBES; i++)
		assert_int_equal(set(t, tgid[i], 0x1000 * (i + 1), 2, 0), 0);
	for (i = 0; i < WIRE_PROCESS_PROBES; i++)
		expect(t, tgid[i], 0x1000 * (i + 1), 2);
	/* no further than the walk looks */
	assert_int_equal(set(t, tgid[i], 0x1000, 2, 0), -ENOSPC);
	assert_int_equal(tables_caps(t)->processes, 1);
	assert_null(tables_process(t, tgid[i]));
	/* behind one that went the others are still found, and its place is for the next */
	tables_drop_process(t, tgid[4], 0);
	expect(t, tgid[5], 0x6000, 2);
	assert_int_equal(set(t, tgid[5], 0x7000, 2, 0), 0);
	expect(t, tgid[5], 0x7000, 2);
	assert_int_equal(set(t, tgid[i], 0x9000, 2, 0), 0);
	expect(t, tgid[i], 0x9000, 2);
	assert_null(tables_process(t, tgid[4]));
	assert_int_equal(set(t, tgid[i + 1], 0x9000, 2, 0), -ENOSPC);
}

/* As many processes as a big box has, their numbers in a row or as they come. */
static void many_processes(struct tables *t, uint32_t n, bool at_random)
{
	uint8_t *used = xcalloc(1, 1u << 22);
	uint32_t *tgid = xcalloc(n, sizeof(*tgid)), i;

	srandom(7);
	for (i = 0; i < n; i++) {
		do
			tgid[i] = at_random ? (uint32_t)random() % (1u << 22) : 300 + i;
		while (!tgid[i] || used[tgid[i]]);
		used[tgid[i]] = 1;
		assert_int_equal(set(t, tgid[i], 0x1000ull * tgid[i], 1 + i % 7, 0), 0);
	}
	for (i = 0; i < n; i++)
		expect(t, tgid[i], 0x1000ull * tgid[i], 1 + i % 7);
	assert_int_equal(tables_caps(t)->processes, 0);
	free(used);
	free(tgid);
}

static void test_40000_in_a_row(void **state)
{
	many_processes(*state, 40000, false);
}

static void test_32768_at_random(void **state)
{
	many_processes(*state, 32768, true);
}

/* What is there stays when there is no room for what should replace it. */
static void test_full(void **state)
{
	struct tables *t = *state;
	struct table_span *span;
	struct made_rows m;
	uint32_t i;

	assert_int_equal(set(t, 9, 0x9000, 2, 0), 0);
	memory.limit = memory.nr_chunks;
	many_rows(&m, 0);
	assert_int_equal(tables_add_rows(t, &m.in, &span), -ENOSPC);
	assert_int_equal(tables_caps(t)->pages, 1);
	memory.limit++;
	assert_int_equal(tables_add_rows(t, &m.in, &span), -ENOSPC);
	assert_int_equal(tables_caps(t)->rows, 1);
	assert_int_equal(set(t, 9, 0x9000, TABLES_MAX_MAPS + 1, 0), -E2BIG);
	assert_int_equal(set(t, 9, 0x9000, 0, 0), -E2BIG);
	for (i = 0; i < 3 && !set(t, 100 + i, 0x9000, TABLES_MAX_MAPS, 0); i++)
		;
	assert_int_equal(i, 1); /* the chunk's first block is small: one of the largest beside it */
	assert_true(tables_caps(t)->maps >= 3);
	assert_int_equal(set(t, 9, 0x9000, TABLES_MAX_MAPS, 0), -ENOSPC);
	expect(t, 9, 0x9000, 2);
	expect(t, 100, 0x9000, TABLES_MAX_MAPS);
	memory.limit = WIRE_MAX_CHUNKS;
	assert_int_equal(tables_add_rows(t, &m.in, &span), 0);
	same_rows(t, &m, span);
	free(span);
	made_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pages_never_straddle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages_of_two_chunks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rules_are_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rules_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unsound_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlapping_spans, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replace_and_drop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_churn_needs_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_collisions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_40000_in_a_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_32768_at_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
