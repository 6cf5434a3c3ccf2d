/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/expression.h"

enum { /* DW_OP_* */
       OP_DEREF = 0x06,
       OP_DROP = 0x13,
       OP_AND = 0x1a,
       OP_MUL = 0x1e,
       OP_PLUS = 0x22,
       OP_PLUS_UCONST = 0x23,
       OP_SHL = 0x24,
       OP_GE = 0x2a,
       OP_LIT0 = 0x30,
       OP_LIT3 = 0x33,
       OP_LIT8 = 0x38,
       OP_LIT15 = 0x3f,
       OP_BREG0 = 0x70,
       OP_BREG7 = 0x77,	 /* rsp */
       OP_BREG16 = 0x80, /* rip */
       OP_BREG31 = 0x8f,
};

static bool op_is(struct cfi_bytes *b, uint8_t op)
{
	if (b->at == b->end || *b->at != op)
		return false;
	b->at++;
	return true;
}

static bool read_breg(struct cfi_bytes *b, uint8_t *reg, int64_t *off)
{
	uint8_t op = (uint8_t)cfi_fixed(b, 1);

	if (op < OP_BREG0 || op > OP_BREG31)
		return false;
	*reg = op - OP_BREG0;
	*off = cfi_sleb(b);
	return true;
}

/* Behind "rsp + 8" and "rip + 0": what all linkers' stubs have, but for the place of the push. */
static bool read_plt(struct cfi_bytes *b, struct expression *e)
{
	uint8_t op;

	if (!op_is(b, OP_LIT15) || !op_is(b, OP_AND))
		return false;
	op = (uint8_t)cfi_fixed(b, 1);
	if (op <= OP_LIT0 || op > OP_LIT15 || !op_is(b, OP_GE) || !op_is(b, OP_LIT3) ||
	    !op_is(b, OP_SHL) || !op_is(b, OP_PLUS))
		return false;
	e->kind = EXPRESSION_PLT;
	e->off = op - OP_LIT0;
	return true;
}

/* A second register: the stub's place, or an index. */
static bool read_second(struct cfi_bytes *b, struct expression *e)
{
	uint8_t reg;
	int64_t off;

	if (e->reg != OP_BREG7 - OP_BREG0 || !read_breg(b, &reg, &off) || off)
		return false;
	if (reg == OP_BREG16 - OP_BREG0)
		return e->off == 8 && read_plt(b, e);
	if (!op_is(b, OP_LIT8) || !op_is(b, OP_MUL) || !op_is(b, OP_PLUS) || !op_is(b, OP_DEREF))
		return false;
	e->kind = EXPRESSION_INDEXED;
	e->reg = reg;
	return true;
}

bool expression_read(const struct cfi_rule *rule, struct expression *out)
{
	struct cfi_bytes b = { rule->expression, rule->expression + rule->len, false };
	struct expression e = { .kind = EXPRESSION_REG };

	op_is(&b, OP_DROP); /* of the CFA, which a register's expression finds on the stack */
	if (!read_breg(&b, &e.reg, &e.off))
		return false;
	if (op_is(&b, OP_DEREF))
		e.kind = EXPRESSION_DEREF;
	else if (b.at < b.end && !read_second(&b, &e))
		return false;
	if (e.kind != EXPRESSION_REG && e.kind != EXPRESSION_PLT && op_is(&b, OP_PLUS_UCONST))
		e.add = (int64_t)cfi_uleb(&b);
	if (b.bad || b.at != b.end)
		return false;
	*out = e;
	return true;
}
