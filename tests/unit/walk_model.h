/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk once more, as plainly as it can be said: rows are looked for one by one, words of the stack
 * are read one by one. What bpf/walk.inc makes of the same rows and the same stack must be the same.
 */
#ifndef UNIT_WALK_MODEL_H
#define UNIT_WALK_MODEL_H

#include "table_memory.h"
#include "unwind/replay.h"

struct model {
	const struct made_row *row; /* sorted; addresses are those of the process */
	size_t nr_rows;
	const struct wire_rule *rule; /* [nr_rules], the fixed ones included */
	size_t nr_rules;
	const struct wire_map *map; /* pages: WIRE_NO_PAGES, or all rows in it count */
	size_t nr_maps;
};

struct model_walk {
	const struct model *m;
	const struct replay_stack *s;
	uint64_t pc, reg[16];
	bool called; /* pc is behind a call */
	uint32_t switches;
	struct replay_walk *out;
};

static inline const struct wire_map *model_map(const struct model *m, uint64_t address)
{
	size_t i;

	for (i = 0; i < m->nr_maps; i++)
		if (address >= m->map[i].start && address < m->map[i].end && address < 0x7ffffffff000)
			return &m->map[i];
	return NULL;
}

static inline uint32_t model_row(const struct model *m, const struct wire_map *map, uint64_t address)
{
	uint32_t word = ROW_ESCAPED | RULE_NONE;
	size_t i;

	if (map->pages == WIRE_NO_PAGES)
		return ROW_ESCAPED | (map->flags & WIRE_MAP_PENDING ? RULE_PENDING : RULE_NONE);
	for (i = 0; i < m->nr_rows && m->row[i].at <= address; i++)
		word = m->row[i].word;
	return word;
}

static inline bool model_is_there(const struct model_walk *w, uint64_t at, uint32_t len)
{
	uint64_t off = at - w->s->reg[7];

	return at % 8 == 0 && at >= 4096 && at < 0x7ffffffff000 && off <= w->s->len &&
	       w->s->len - off >= len;
}

static inline bool model_word(const struct model_walk *w, uint64_t at, uint64_t *word)
{
	if (!model_is_there(w, at, 8))
		return false;
	memcpy(word, w->s->bytes + (at - w->s->reg[7]), 8);
	return true;
}

static inline bool model_is_pc(uint64_t pc)
{
	return pc >= 4096 && pc < 0x7ffffffff000;
}

static inline void model_put(struct model_walk *w, uint64_t pc, bool called)
{
	w->pc = pc;
	w->called = called;
	w->out->frame[w->out->nr++] = called ? pc - 1 : pc;
}

static inline bool model_end(struct model_walk *w, uint8_t status)
{
	w->out->status = status;
	w->out->bad_pc = status == WIRE_USER_COMPLETE ? 0 : w->pc;
	return false;
}

static inline bool model_caller(struct model_walk *w, uint64_t cfa, uint64_t fp, uint64_t ra)
{
	if (!model_is_pc(ra))
		return model_end(w, WIRE_USER_BAD_RA);
	w->reg[7] = cfa;
	w->reg[6] = fp;
	model_put(w, ra, true);
	return true;
}

/* Eight times the stack may go down, or stay. */
static inline bool model_grows(struct model_walk *w, uint64_t cfa)
{
	if (cfa % 8)
		return false;
	return cfa > w->reg[7] || ++w->switches <= 8;
}

/* Near and above the stack pointer; elsewhere only where frame pointers are always kept, as another stack. */
static inline bool model_is_frame(struct model_walk *w, const struct wire_map *map, uint64_t fp)
{
	uint64_t sp = w->reg[7];

	if (fp % 8)
		return false;
	if (fp >= sp && fp - sp < 1 << 20)
		return true;
	return map->flags & WIRE_MAP_FP && ++w->switches <= 8;
}

static inline bool model_gap(struct model_walk *w, const struct wire_map *map)
{
	uint64_t sp = w->reg[7], fp = w->reg[6], next, ra;

	if (fp == 0 && map->flags & WIRE_MAP_FP && w->called)
		return model_end(w, WIRE_USER_COMPLETE);
	if (model_is_frame(w, map, fp) && model_word(w, fp, &next) && model_word(w, fp + 8, &ra) &&
	    ra >= 4096 && model_map(w->m, ra - 1)) {
		w->out->by_fp++;
		return model_caller(w, fp + 16, next, ra);
	}
	if (!w->called && model_word(w, sp, &ra) && ra >= 4096 && model_map(w->m, ra - 1)) {
		w->out->by_guess++;
		return model_caller(w, sp + 8, fp, ra);
	}
	return model_end(w, WIRE_USER_GAP);
}

static inline bool model_signal(struct model_walk *w)
{
	/* struct sigcontext: where each register (by DWARF number) is in it */
	static const uint8_t place[16] = { 13, 12, 14, 11, 9, 8, 10, 15, 0, 1, 2, 3, 4, 5, 6, 7 };
	uint64_t at = w->reg[7] + 40, word[17];
	int i;

	if (!model_is_there(w, at, sizeof(word)))
		return model_end(w, WIRE_USER_FAULT);
	memcpy(word, w->s->bytes + (at - w->s->reg[7]), sizeof(word));
	if (!model_is_pc(word[16]))
		return model_end(w, WIRE_USER_BAD_RA);
	if (!model_grows(w, word[15]))
		return model_end(w, WIRE_USER_BAD_CFA);
	w->out->frame[w->out->nr - 1] = w->pc - (w->out->nr == 1 && w->s->in_syscall);
	for (i = 0; i < 16; i++)
		w->reg[i] = word[place[i]];
	model_put(w, word[16], false);
	return true;
}

static inline bool model_knows(const struct model_walk *w, int reg)
{
	if (reg < 0 || reg > 15)
		return false;
	return !w->called || !(reg == 3 || reg >= 12);
}

static inline bool model_rule(struct model_walk *w, const struct wire_rule *r)
{
	uint64_t sp = w->reg[7], fp = w->reg[6], cfa, ra;

	if (r->cfa == CFA_PLT)
		cfa = sp + ((w->pc & 15) >= (uint32_t)r->cfa_off ? 16 : 8);
	else if (!model_knows(w, r->cfa_reg))
		return model_end(w, WIRE_USER_UNSUPPORTED);
	else if (r->cfa == CFA_INDEXED)
		cfa = sp + 8 * w->reg[r->cfa_reg] + (uint64_t)(int64_t)r->cfa_off;
	else
		cfa = w->reg[r->cfa_reg] + (uint64_t)(int64_t)r->cfa_off;
	if (r->cfa == CFA_INDEXED || r->cfa == CFA_DEREF) {
		if (!model_word(w, cfa, &cfa))
			return model_end(w, WIRE_USER_FAULT);
		cfa += (uint64_t)(int64_t)r->cfa_add;
	}
	if (!model_grows(w, cfa))
		return model_end(w, WIRE_USER_BAD_CFA);
	if ((r->fp == FP_CFA && !model_word(w, cfa + (uint64_t)(int64_t)r->fp_off, &fp)) ||
	    (r->fp == FP_FP && !model_word(w, fp + (uint64_t)(int64_t)r->fp_off, &fp)))
		return model_end(w, WIRE_USER_FAULT);
	if (r->fp == FP_UNDEFINED)
		fp = 1;
	if (r->ra == RA_REG && !model_knows(w, r->ra_off))
		return model_end(w, WIRE_USER_UNSUPPORTED);
	if (r->ra == RA_REG)
		ra = w->reg[r->ra_off];
	else if (!model_word(w, cfa + (uint64_t)(int64_t)r->ra_off, &ra))
		return model_end(w, WIRE_USER_FAULT);
	return model_caller(w, cfa, fp, ra);
}

static inline bool model_clone(struct model_walk *w)
{
	uint64_t ra;

	if (!w->reg[0])
		return model_end(w, WIRE_USER_COMPLETE);
	if (!model_word(w, w->reg[7], &ra))
		return model_end(w, WIRE_USER_FAULT);
	return model_caller(w, w->reg[7] + 8, w->reg[6], ra);
}

static inline bool model_step(struct model_walk *w)
{
	uint64_t address = w->called ? w->pc - 1 : w->pc, cfa, fp = w->reg[6], ra;
	const struct wire_map *map = model_map(w->m, address);
	uint32_t row, rule;

	if (!map)
		return model_end(w, w->m->nr_maps ? WIRE_USER_NO_MAP : WIRE_USER_NO_PROCESS);
	row = model_row(w->m, map, address);
	rule = row & ROW_RULE_MASK;
	if (row & ROW_ESCAPED) {
		if (rule == RULE_NONE)
			return model_gap(w, map);
		if (rule == RULE_STOP)
			return model_end(w, WIRE_USER_COMPLETE);
		if (rule == RULE_SIGNAL)
			return model_signal(w);
		if (rule == RULE_CLONE)
			return model_clone(w);
		if (rule == RULE_PENDING)
			return model_end(w, WIRE_USER_NO_MAP);
		if (rule == RULE_UNSUPPORTED)
			return model_end(w, WIRE_USER_UNSUPPORTED);
		return model_rule(w, &w->m->rule[rule]);
	}
	cfa = w->reg[row & ROW_BASE_FP ? 6 : 7] + 8 * (row >> 9 & 0x1ff);
	if (!model_grows(w, cfa))
		return model_end(w, WIRE_USER_BAD_CFA);
	if ((row >> 2 & 0x7f && !model_word(w, cfa - 8 * (row >> 2 & 0x7f), &fp)) ||
	    !model_word(w, cfa - 8, &ra))
		return model_end(w, WIRE_USER_FAULT);
	return model_caller(w, cfa, fp, ra);
}

static inline void model_walk(const struct model *m, const struct replay_stack *s, uint32_t max,
			      struct replay_walk *out)
{
	struct model_walk w = { .m = m, .s = s, .out = out };

	memset(out, 0, sizeof(*out));
	memcpy(w.reg, s->reg, sizeof(w.reg));
	model_put(&w, s->pc, s->return_address);
	out->status = WIRE_USER_DEPTH;
	while (out->nr < max && model_step(&w))
		;
}

/* The same frames, the same end. */
static inline bool model_agrees(const struct replay_walk *a, const struct replay_walk *b)
{
	return a->nr == b->nr && a->status == b->status && a->by_fp == b->by_fp &&
	       a->by_guess == b->by_guess && a->bad_pc == b->bad_pc &&
	       !memcmp(a->frame, b->frame, a->nr * sizeof(*a->frame));
}

#endif
