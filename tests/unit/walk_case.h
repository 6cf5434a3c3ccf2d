/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows, maps, registers and a stack out of any bytes: of a fuzzer, or of a random number generator. */
#ifndef UNIT_WALK_CASE_H
#define UNIT_WALK_CASE_H

#include "walk_model.h"

#define CASE_CODE  0x400000ull
#define CASE_PAGES 8
#define CASE_ROWS  48
#define CASE_RULES 8
#define CASE_MAPS  6
#define CASE_WORDS 2048
#define CASE_STACK 0x7ffd00000000ull

struct case_bytes {
	const uint8_t *data;
	size_t len;
};

struct walk_case {
	struct made_row list[CASE_ROWS];
	struct wire_rule rule[RULE_FIRST_FREE + CASE_RULES];
	struct wire_map map[CASE_MAPS];
	uint64_t word[CASE_WORDS];
	uint32_t nr_rows, nr_rules, nr_maps;
	struct replay_stack s; /* its bytes: malloc()ed, no more than there are */
	uint32_t max;
};

/* The next n bytes as a number; behind the end there are zeros. */
static inline uint64_t case_take(struct case_bytes *b, size_t n)
{
	uint64_t v = 0;

	if (n > b->len)
		n = b->len;
	memcpy(&v, b->data, n);
	b->data += n;
	b->len -= n;
	return v;
}

static inline uint32_t case_row(struct case_bytes *b, uint32_t nr_rules)
{
	uint32_t kind = (uint32_t)case_take(b, 1), v = (uint32_t)case_take(b, 1);

	switch (kind % 8) {
	case 0:
	case 1:
		return row_sp(8 * (v % 12), 8 * (v / 12 % 6));
	case 2:
	case 3:
		return row_fp(8 * (v % 12), 8 * (v / 12 % 6));
	case 4:
		return ROW_ESCAPED | v % RULE_PENDING;
	case 5:
	case 6:
		return ROW_ESCAPED | (nr_rules ? RULE_FIRST_FREE + v % nr_rules : RULE_STOP);
	default:
		v |= (uint32_t)case_take(b, 2) << 8;
		return v & ROW_BELOW & ~ROW_ESCAPED;
	}
}

static inline int32_t case_offset(struct case_bytes *b)
{
	int8_t v = (int8_t)case_take(b, 1);

	return v == 127 ? (int32_t)case_take(b, 4) : v == 126 ? (int16_t)case_take(b, 2) : v * 8;
}

static inline struct wire_rule case_rule(struct case_bytes *b)
{
	uint32_t kind = (uint32_t)case_take(b, 1), reg = (uint32_t)case_take(b, 1);
	struct wire_rule r = { .cfa = (__u8)(CFA_REG + kind % 4),
			       .cfa_reg = (__u8)(reg % 18),
			       .fp = (__u8)(kind / 4 % 4),
			       .ra = (__u8)(kind / 16 % 8 == 7) };

	r.cfa_off = case_offset(b);
	r.cfa_add = (__s16)case_offset(b);
	r.fp_off = case_offset(b);
	r.ra_off = (__s16)(r.ra == RA_REG ? (int32_t)case_take(b, 1) % 18 - 1 : case_offset(b));
	return r;
}

/* A value that a register or a word of the stack may have. */
static inline uint64_t case_value(struct case_bytes *b)
{
	uint8_t kind = (uint8_t)case_take(b, 1);

	switch (kind % 16) {
	case 0:
		return 0;
	case 1:
		return case_take(b, 8);
	case 2:
		return CASE_STACK + case_take(b, 2);
	case 3:
		return kind >> 4;
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
		return CASE_STACK + 8 * case_take(b, 1);
	default:
		return CASE_CODE + case_take(b, 2) % (CASE_PAGES * 4096);
	}
}

static inline void case_maps(struct walk_case *c, struct case_bytes *b)
{
	static const uint32_t flags[4] = { 0, 0, WIRE_MAP_FP, WIRE_MAP_PENDING };
	uint64_t at = CASE_CODE;
	uint32_t n = (uint32_t)case_take(b, 1) % CASE_MAPS;

	for (c->nr_maps = 0; c->nr_maps < n; c->nr_maps++) {
		uint32_t how = (uint32_t)case_take(b, 1), kind = how >> 4 & 3;
		struct wire_map *m = &c->map[c->nr_maps];

		m->start = at + (how & 1) * 4096;
		m->end = m->start + 4096 * (1 + (how >> 1 & 3));
		m->flags = flags[kind];
		/* the page's place in the object: case_walk() adds where that begins */
		m->pages = kind || m->end > CASE_CODE + CASE_PAGES * 4096 ?
				   WIRE_NO_PAGES :
				   (uint32_t)((m->start - CASE_CODE) / 4096);
		at = m->end;
	}
}

static inline void case_stack(struct walk_case *c, struct case_bytes *b)
{
	uint32_t how = (uint32_t)case_take(b, 1), cut = (uint32_t)case_take(b, 1) % 9, i, nr = 0;
	uint8_t *bytes;

	c->s.pc = case_value(b);
	for (i = 0; i < 16; i++)
		c->s.reg[i] = case_value(b);
	c->s.reg[7] = CASE_STACK + (how & 1 ? 8 * case_take(b, 2) : 0);
	if (how % 32 == 31)
		c->s.reg[7] = case_take(b, 8);
	c->s.return_address = how >> 5 & 1;
	c->s.in_syscall = c->s.return_address && how >> 6 & 1;
	c->max = how >> 6 ? 127 : 1 + (uint32_t)case_take(b, 1) % 200;
	while (b->len && nr < CASE_WORDS)
		c->word[nr++] = case_value(b);
	c->s.len = nr * 8 < cut ? 0 : nr * 8 - cut;
	bytes = xmalloc(c->s.len + 1);
	memcpy(bytes, c->word, c->s.len);
	c->s.bytes = bytes;
}

static inline void case_make(struct walk_case *c, struct case_bytes *b)
{
	uint64_t at = CASE_CODE;
	uint32_t i;

	c->nr_rules = (uint32_t)case_take(b, 1) % (CASE_RULES + 1);
	memset(c->rule, 0, sizeof(c->rule));
	for (i = 0; i < c->nr_rules; i++)
		c->rule[RULE_FIRST_FREE + i] = case_rule(b);
	c->nr_rows = (uint32_t)case_take(b, 1) % CASE_ROWS;
	for (i = 0; i < c->nr_rows; i++) {
		uint32_t delta = (uint32_t)case_take(b, 1);

		at += delta < 192 ? delta + 1 : (delta - 191) * 128;
		c->list[i] = (struct made_row){ at, case_row(b, c->nr_rules) };
	}
	while (c->nr_rows && c->list[c->nr_rows - 1].at >= CASE_CODE + CASE_PAGES * 4096)
		c->nr_rows--;
	case_maps(c, b);
	case_stack(c, b);
}

static inline void case_done(struct walk_case *c)
{
	free((void *)c->s.bytes);
}

/* Walks by the tables, and as plainly as can be. */
static inline void case_walk(struct walk_case *c, struct tables *t, struct replay_walk *out,
			     struct replay_walk *plain)
{
	struct model m = { c->list, c->nr_rows, c->rule, RULE_FIRST_FREE + c->nr_rules, c->map, c->nr_maps };
	struct table_span *span = NULL;
	struct made_rows made;
	uint32_t i;

	make_rows(&made, CASE_CODE, CASE_PAGES, c->list, c->nr_rows);
	made_add_rules(&made, c->rule + RULE_FIRST_FREE, c->nr_rules);
	if (tables_add_rows(t, &made.in, &span) < 0)
		abort();
	for (i = 0; i < c->nr_maps; i++)
		if (c->map[i].pages != WIRE_NO_PAGES)
			c->map[i].pages += span->page;
	c->s.max = c->max;
	replay_walk(t, c->map, c->nr_maps, &c->s, out);
	model_walk(&m, &c->s, c->max, plain);
	free(span);
	made_done(&made);
}

#endif
