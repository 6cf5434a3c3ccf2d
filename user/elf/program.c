/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/program.h"

#include <errno.h>

enum { /* DW_CFA_*: the high two bits, with an operand below them; else the whole byte */
       ADVANCE_LOC = 0x40,
       OFFSET = 0x80,
       RESTORE = 0xc0,
       PRIMARY_MASK = 0xc0,
       NOP = 0x00,
       SET_LOC = 0x01,
       ADVANCE_LOC1 = 0x02,
       ADVANCE_LOC2 = 0x03,
       ADVANCE_LOC4 = 0x04,
       OFFSET_EXTENDED = 0x05,
       RESTORE_EXTENDED = 0x06,
       UNDEFINED = 0x07,
       SAME_VALUE = 0x08,
       REGISTER = 0x09,
       REMEMBER_STATE = 0x0a,
       RESTORE_STATE = 0x0b,
       DEF_CFA = 0x0c,
       DEF_CFA_REGISTER = 0x0d,
       DEF_CFA_OFFSET = 0x0e,
       DEF_CFA_EXPRESSION = 0x0f,
       EXPRESSION = 0x10,
       OFFSET_EXTENDED_SF = 0x11,
       DEF_CFA_SF = 0x12,
       DEF_CFA_OFFSET_SF = 0x13,
       VAL_OFFSET = 0x14,
       VAL_OFFSET_SF = 0x15,
       VAL_EXPRESSION = 0x16,
       MIPS_ADVANCE_LOC8 = 0x1d,
       AARCH64_NEGATE_RA_STATE_WITH_PC = 0x2c,
       AARCH64_NEGATE_RA_STATE = 0x2d, /* on other machines: a window of registers */
       GNU_ARGS_SIZE = 0x2e,
       GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f,
};

static struct cfi_rule *rule_of(struct program *p, uint64_t reg)
{
	const struct cfi_machine *m = p->cie->machine;

	if (reg == m->fp)
		return &p->state.fp;
	if (reg == p->cie->ra)
		return &p->state.ra;
	if (reg == m->sp)
		return &p->state.sp;
	return &p->other;
}

static void restore(struct program *p, uint64_t reg)
{
	const struct cfi_machine *m = p->cie->machine;

	if (reg == m->fp)
		p->state.fp = p->cie->initial.fp;
	else if (reg == p->cie->ra)
		p->state.ra = p->cie->initial.ra;
	else if (reg == m->sp)
		p->state.sp = p->cie->initial.sp;
}

static void set(struct program *p, uint64_t reg, enum cfi_how how, int64_t value)
{
	*rule_of(p, reg) = (struct cfi_rule){ .how = how, .value = value };
}

/* An offset in units of data_align; wraps, as it is checked where it is used. */
static int64_t scaled(const struct program *p, uint64_t offset)
{
	return (int64_t)(offset * (uint64_t)p->cie->data_align);
}

static void set_register(struct program *p, uint64_t reg, uint64_t from)
{
	struct cfi_rule *r = rule_of(p, reg);

	*r = (struct cfi_rule){ .how = CFI_REG, .reg = (uint8_t)from };
	if (from > UINT8_MAX)
		r->how = CFI_BEYOND;
}

static void set_same(struct program *p, uint64_t reg)
{
	if (reg == p->cie->ra)
		set_register(p, reg, reg);
	else
		set(p, reg, CFI_SAME, 0);
}

static void set_expression(struct program *p, struct cfi_rule *r, enum cfi_how how)
{
	uint64_t len = cfi_uleb(&p->bytes);

	if (len > (size_t)(p->bytes.end - p->bytes.at)) {
		cfi_spoil(&p->bytes);
		return;
	}
	*r = (struct cfi_rule){ .how = how, .len = (uint32_t)len, .expression = p->bytes.at };
	p->bytes.at += len;
}

static void set_cfa(struct program *p, uint64_t reg, int64_t value)
{
	p->state.cfa = (struct cfi_rule){ .how = CFI_REG, .reg = (uint8_t)reg, .value = value };
	if (reg > UINT8_MAX)
		p->state.cfa.how = CFI_BEYOND;
}

/* A part of the CFA anew; there is no part of an expression. */
static void set_cfa_register(struct program *p, uint64_t reg)
{
	struct cfi_rule *cfa = &p->state.cfa;

	if (cfa->how == CFI_REG && reg <= UINT8_MAX)
		cfa->reg = (uint8_t)reg;
	else
		cfa->how = CFI_BEYOND;
}

static void set_cfa_offset(struct program *p, int64_t value)
{
	if (p->state.cfa.how == CFI_REG)
		p->state.cfa.value = value;
	else
		p->state.cfa.how = CFI_BEYOND;
}

static void remember(struct program *p)
{
	if (p->nr_remembered == PROGRAM_MAX_REMEMBER)
		cfi_spoil(&p->bytes);
	else
		p->remembered[p->nr_remembered++] = p->state;
}

static void recall(struct program *p)
{
	if (!p->nr_remembered)
		cfi_spoil(&p->bytes);
	else
		p->state = p->remembered[--p->nr_remembered];
}

/* Opcodes whose first operand is a register. */
static void run_rule(struct program *p, uint8_t op)
{
	struct cfi_bytes *b = &p->bytes;
	uint64_t reg = cfi_uleb(b);

	switch (op) {
	case OFFSET_EXTENDED:
		set(p, reg, CFI_OFFSET, scaled(p, cfi_uleb(b)));
		break;
	case OFFSET_EXTENDED_SF:
		set(p, reg, CFI_OFFSET, scaled(p, (uint64_t)cfi_sleb(b)));
		break;
	case GNU_NEGATIVE_OFFSET_EXTENDED:
		set(p, reg, CFI_OFFSET, scaled(p, -cfi_uleb(b)));
		break;
	case VAL_OFFSET:
		set(p, reg, CFI_VALUE, scaled(p, cfi_uleb(b)));
		break;
	case VAL_OFFSET_SF:
		set(p, reg, CFI_VALUE, scaled(p, (uint64_t)cfi_sleb(b)));
		break;
	case REGISTER:
		set_register(p, reg, cfi_uleb(b));
		break;
	case UNDEFINED:
		set(p, reg, CFI_UNDEFINED, 0);
		break;
	case SAME_VALUE:
		set_same(p, reg);
		break;
	case RESTORE_EXTENDED:
		restore(p, reg);
		break;
	case EXPRESSION:
		set_expression(p, rule_of(p, reg), CFI_EXPRESSION);
		break;
	case VAL_EXPRESSION:
		set_expression(p, rule_of(p, reg), CFI_BEYOND);
		break;
	default:
		cfi_spoil(b);
	}
}

static void run_cfa(struct program *p, uint8_t op)
{
	struct cfi_bytes *b = &p->bytes;
	uint64_t reg;

	switch (op) {
	case DEF_CFA:
		reg = cfi_uleb(b);
		set_cfa(p, reg, (int64_t)cfi_uleb(b));
		break;
	case DEF_CFA_SF:
		reg = cfi_uleb(b);
		set_cfa(p, reg, scaled(p, (uint64_t)cfi_sleb(b)));
		break;
	case DEF_CFA_REGISTER:
		set_cfa_register(p, cfi_uleb(b));
		break;
	case DEF_CFA_OFFSET:
		set_cfa_offset(p, (int64_t)cfi_uleb(b));
		break;
	case DEF_CFA_OFFSET_SF:
		set_cfa_offset(p, scaled(p, (uint64_t)cfi_sleb(b)));
		break;
	case DEF_CFA_EXPRESSION:
		set_expression(p, &p->state.cfa, CFI_EXPRESSION);
		break;
	default:
		run_rule(p, op);
	}
}

static void advance(struct program *p, uint64_t delta)
{
	p->at += delta * p->cie->code_align;
}

static void run_extended(struct program *p, uint8_t op)
{
	struct cfi_bytes *b = &p->bytes;

	switch (op) {
	case NOP:
	case AARCH64_NEGATE_RA_STATE: /* the walker takes signatures off any address */
	case AARCH64_NEGATE_RA_STATE_WITH_PC:
		break;
	case ADVANCE_LOC1:
		advance(p, cfi_fixed(b, 1));
		break;
	case ADVANCE_LOC2:
		advance(p, cfi_fixed(b, 2));
		break;
	case ADVANCE_LOC4:
		advance(p, cfi_fixed(b, 4));
		break;
	case MIPS_ADVANCE_LOC8:
		advance(p, cfi_fixed(b, 8));
		break;
	case SET_LOC:
		p->at = cfi_pointer(p->cie->section, b, p->cie->encoding);
		break;
	case REMEMBER_STATE:
		remember(p);
		break;
	case RESTORE_STATE:
		recall(p);
		break;
	case GNU_ARGS_SIZE:
		cfi_uleb(b);
		break;
	default:
		run_cfa(p, op);
	}
}

/* Runs up to the next advance. */
static void run(struct program *p)
{
	const uint64_t from = p->at;
	struct cfi_bytes *b = &p->bytes;
	uint8_t op, operand;

	while (b->at < b->end && p->at == from) {
		op = *b->at++;
		operand = op & ~PRIMARY_MASK;
		switch (op & PRIMARY_MASK) {
		case ADVANCE_LOC:
			advance(p, operand);
			break;
		case OFFSET:
			set(p, operand, CFI_OFFSET, scaled(p, cfi_uleb(b)));
			break;
		case RESTORE:
			restore(p, operand);
			break;
		default:
			if (op == DEF_CFA_OFFSET) /* most of all */
				set_cfa_offset(p, (int64_t)cfi_uleb(b));
			else
				run_extended(p, op);
		}
	}
}

void program_start(struct program *p, const struct cfi_cie *c, const struct cfi_fde *f)
{
	p->cie = c;
	p->bytes = f->program;
	p->from = p->to = p->at = f->start;
	p->end = f->start + f->size;
	p->state = c->initial;
	p->nr_remembered = 0;
}

int program_next(struct program *p)
{
	p->from = p->to;
	if (p->from >= p->end)
		return 0;
	run(p);
	if (p->bytes.bad || p->at < p->from)
		return -EBADMSG;
	p->to = p->at == p->from || p->at > p->end ? p->end : p->at;
	return 1;
}

int program_common(struct cfi_cie *c, struct cfi_bytes bytes)
{
	struct program p = { .cie = c, .bytes = bytes };

	/* where nothing is said: the caller's registers are in place, as the ABIs want it */
	p.state.cfa.how = CFI_BEYOND;
	p.state.ra = (struct cfi_rule){ .how = CFI_REG, .reg = c->ra };
	c->initial = p.state;
	run(&p);
	if (p.bytes.bad || p.at)
		return -EBADMSG;
	c->initial = p.state;
	return 0;
}
