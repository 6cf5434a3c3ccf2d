/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks of real programs, recorded where they were equal to libdw's (tests/oracle/recording.h says how):
 * the walk gives the same frames again; and where something of what it read is taken away, fewer, but
 * never others.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "table_memory.h"
#include "unwind/replay.h"

#ifdef __x86_64__

#define FOLDER "tests/unit/recorded"
#define NR     2048

struct piece {
	uint64_t from;
	uint32_t len;
	uint8_t bytes[512];
};

struct recorded {
	struct replay_stack stack;
	struct wire_map map[NR];	/* as the process had them */
	struct wire_rule rule[NR];
	uint64_t page_address[NR];
	struct wire_page page[NR];
	uint32_t *row;
	struct piece piece[NR];
	uint32_t nr_maps, nr_rules, nr_pages, nr_rows, nr_pieces, nr_frames;
	uint64_t frame[WIRE_FRAME_SLOTS];
	uint8_t status;
	uint32_t without;		/* the piece that cannot be read; NR: none */
	struct plain_memory memory;
	struct tables *tables;
	struct table_span *span;
};

static uint64_t number(char **at)
{
	char *end;
	uint64_t v = strtoull(*at, &end, 16);

	assert_ptr_not_equal(end, *at);
	*at = end;
	return v;
}

static long decimal(char **at)
{
	char *end;
	long v = strtol(*at, &end, 10);

	assert_ptr_not_equal(end, *at);
	*at = end;
	return v;
}

static bool more(const char *at)
{
	return *at && *at != '\n';
}

static void take_rule(struct recorded *r, char *at)
{
	struct wire_rule *rule = &r->rule[RULE_FIRST_FREE + r->nr_rules++];

	rule->cfa = (uint8_t)number(&at);
	rule->cfa_reg = (uint8_t)number(&at);
	rule->fp = (uint8_t)number(&at);
	rule->ra = (uint8_t)number(&at);
	rule->cfa_off = (int32_t)decimal(&at);
	rule->fp_off = (int32_t)decimal(&at);
	rule->ra_off = (int16_t)decimal(&at);
	rule->cfa_add = (int16_t)decimal(&at);
}

static void take_page(struct recorded *r, char *at)
{
	struct wire_page *p = &r->page[r->nr_pages];

	r->page_address[r->nr_pages++] = number(&at);
	p->first = r->nr_rows;
	for (; more(at); p->count++) {
		r->row = xreallocarray(r->row, r->nr_rows + 1, sizeof(*r->row));
		r->row[r->nr_rows++] = (uint32_t)number(&at);
	}
}

static void take_read(struct recorded *r, char *at)
{
	struct piece *p = &r->piece[r->nr_pieces++];
	char two[3] = "", *byte;

	p->from = number(&at);
	for (at++; more(at) && p->len < sizeof(p->bytes); at += 2) {
		memcpy(two, at, 2);
		byte = two;
		p->bytes[p->len++] = (uint8_t)number(&byte);
	}
}

static void take_line(struct recorded *r, char *line)
{
	char *at = strchr(line, ' ');
	size_t i;

	assert_non_null(at);
	assert_true(r->nr_maps < NR && r->nr_rules < NR - RULE_FIRST_FREE && r->nr_pages < NR &&
		    r->nr_pieces < NR);
	if (!strncmp(line, "regs ", 5)) {
		r->stack.pc = number(&at);
		r->stack.return_address = number(&at);
		for (i = 0; i < ARRAY_LEN(r->stack.reg); i++)
			r->stack.reg[i] = number(&at);
	} else if (!strncmp(line, "map ", 4)) {
		r->map[r->nr_maps].start = number(&at);
		r->map[r->nr_maps].end = number(&at);
		r->map[r->nr_maps].pages = WIRE_NO_PAGES;
		r->map[r->nr_maps++].flags = (uint32_t)number(&at);
	} else if (!strncmp(line, "rule ", 5)) {
		take_rule(r, at);
	} else if (!strncmp(line, "page ", 5)) {
		take_page(r, at);
	} else if (!strncmp(line, "read ", 5)) {
		take_read(r, at);
	} else {
		assert_memory_equal(line, "end ", 4);
		r->status = (uint8_t)number(&at);
		while (more(at) && r->nr_frames < WIRE_FRAME_SLOTS)
			r->frame[r->nr_frames++] = number(&at);
	}
}

/* Each page is a span of the tables of its own, at an address that is not looked at. */
static void make_tables(struct recorded *r)
{
	struct table_span_in span[NR];
	struct table_rows in = { r->row, r->nr_rows, r->page, r->nr_pages, r->rule,
				 RULE_FIRST_FREE + r->nr_rules, span, r->nr_pages };
	uint32_t i;

	for (i = 0; i < r->nr_pages; i++)
		span[i] = (struct table_span_in){ (uint64_t)i << 12, i, 1 };
	assert_int_equal(tables_add_rows(r->tables, &in, &r->span), 0);
}

static struct recorded *read_recorded(const char *name)
{
	struct recorded *r = xcalloc(1, sizeof(*r));
	char path[300], *line = NULL;
	size_t cap = 0;
	FILE *f;

	snprintf(path, sizeof(path), FOLDER "/%s", name);
	f = fopen(path, "r");
	assert_non_null(f);
	r->without = NR;
	r->tables = plain_tables(&r->memory);
	while (getline(&line, &cap, f) > 0)
		take_line(r, line);
	fclose(f);
	free(line);
	assert_true(r->nr_frames > 2);
	make_tables(r);
	return r;
}

static void recorded_done(struct recorded *r)
{
	plain_done(&r->memory, r->tables);
	free(r->span);
	free(r->row);
	free(r);
}

/* The rows of the page at that address; none: WIRE_NO_PAGES. */
static uint32_t page_number(const struct recorded *r, uint64_t address, uint32_t without)
{
	uint32_t i;

	for (i = 0; i < r->nr_pages; i++)
		if (r->page_address[i] == address && i != without)
			return r->span[i].page;
	return WIRE_NO_PAGES;
}

/* The maps, those pages of them apart that there are rows of, but for one. */
static size_t make_maps(const struct recorded *r, struct wire_map *out, uint32_t without)
{
	uint64_t at, from;
	size_t n = 0;
	uint32_t i, page;

	for (i = 0; i < r->nr_maps; i++) {
		const struct wire_map *m = &r->map[i];

		for (from = at = m->start; at < m->end; at += 4096) {
			page = page_number(r, at, without);
			if (page == WIRE_NO_PAGES)
				continue;
			if (from < at)
				out[n++] = (struct wire_map){ .start = from, .end = at,
							      .pages = WIRE_NO_PAGES, .flags = m->flags };
			from = at + 4096;
			out[n++] = (struct wire_map){ .start = at, .end = from, .pages = page,
						      .flags = m->flags };
		}
		if (from < m->end)
			out[n++] = (struct wire_map){ .start = from, .end = m->end,
						      .pages = WIRE_NO_PAGES, .flags = m->flags };
	}
	return n;
}

/* Only what was read then can be. */
static int read_again(void *ctx, void *to, uint32_t len, uint64_t from)
{
	const struct recorded *r = ctx;
	uint32_t i;

	for (i = 0; i < r->nr_pieces; i++) {
		const struct piece *p = &r->piece[i];

		if (i != r->without && from >= p->from && from + len <= p->from + p->len) {
			memcpy(to, p->bytes + (from - p->from), len);
			return 0;
		}
	}
	return -1;
}

static void walk_again(struct recorded *r, uint32_t without_page, struct replay_walk *out)
{
	static struct wire_map map[NR + 2 * NR];
	size_t n = make_maps(r, map, without_page);

	r->stack.max = 127;
	r->stack.read = read_again;
	r->stack.ctx = r;
	replay_walk(r->tables, map, n, &r->stack, out);
}

static void check_same(struct recorded *r)
{
	struct replay_walk w;

	walk_again(r, NR, &w);
	assert_int_equal(w.status, r->status);
	assert_int_equal(w.nr, r->nr_frames);
	assert_memory_equal(w.frame, r->frame, r->nr_frames * sizeof(*r->frame));
}

/* A part of the stack is not there: what is found of it is true, and it is not called complete. */
static void check_without_reads(struct recorded *r)
{
	struct replay_walk w;

	for (r->without = 0; r->without < r->nr_pieces; r->without++) {
		walk_again(r, NR, &w);
		assert_true(w.nr <= r->nr_frames);
		assert_memory_equal(w.frame, r->frame, w.nr * sizeof(*w.frame));
		if (w.nr < r->nr_frames)
			assert_int_not_equal(w.status, WIRE_USER_COMPLETE);
	}
	r->without = NR;
}

/* Code without rows: true up to its first frame; from there on it is by frame pointer, or guessed, or ends. */
static void check_without_pages(struct recorded *r)
{
	struct replay_walk w;
	uint32_t page, i;

	for (page = 0; page < r->nr_pages; page++) {
		walk_again(r, page, &w);
		for (i = 0; i < r->nr_frames && (r->frame[i] & ~4095ull) != r->page_address[page]; i++)
			;
		assert_true(w.nr > i || i == r->nr_frames);
		assert_memory_equal(w.frame, r->frame, (w.nr < i ? w.nr : i) * sizeof(*w.frame));
		if (i < r->nr_frames && w.status == WIRE_USER_COMPLETE)
			assert_true(w.by_fp + w.by_guess > 0);
	}
}

static void each(void (*check)(struct recorded *r))
{
	struct dirent *e;
	struct recorded *r;
	DIR *d = opendir(FOLDER);
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		r = read_recorded(e->d_name);
		check(r);
		recorded_done(r);
		n++;
	}
	closedir(d);
	assert_true(n >= 8);
}

static void test_same(void **state)
{
	each(check_same);
}

static void test_without_reads(void **state)
{
	each(check_without_reads);
}

static void test_without_pages(void **state)
{
	each(check_without_pages);
}

#else

/* They are of x86-64. */
static void test_same(void **state)
{
	skip();
}
#define test_without_reads test_same
#define test_without_pages test_same

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_without_reads),
		cmocka_unit_test(test_without_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
