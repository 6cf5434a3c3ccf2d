/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/rules.h"

#include <elf.h>
#include <string.h>

#include "base/alloc.h"
#include "elf/expression.h"

#define X86_FP	 6
#define X86_SP	 7
#define X86_RA	 16
#define ARM64_FP 29
#define ARM64_LR 30
#define ARM64_SP 31

/* Where the kernel's rt_sigframe has the interrupted code's registers, from its stack pointer. */
#define SIGFRAME_RBP 120
#define SIGFRAME_RSP 160
#define SIGFRAME_RIP 168

static const struct cfi_machine x86_64 = { .sp = X86_SP, .fp = X86_FP, .unit = ROW_UNIT_X86_64 };
static const struct cfi_machine aarch64 = { .sp = ARM64_SP,
					    .fp = ARM64_FP,
					    .unit = ROW_UNIT_AARCH64 };

const struct cfi_machine *rules_machine(uint16_t machine)
{
	switch (machine) {
	case EM_X86_64:
		return &x86_64;
	case EM_AARCH64:
		return &aarch64;
	default:
		return NULL;
	}
}

void rules_init(struct rules *r, const struct cfi_machine *m)
{
	*r = (struct rules){ .machine = m, .nr = RULE_FIRST_FREE };
	grow(&r->rule, &r->cap, r->nr, sizeof(*r->rule));
	memset(r->rule, 0, r->nr * sizeof(*r->rule));
}

void rules_done(struct rules *r)
{
	index_done(&r->index);
	free(r->rule);
	*r = (struct rules){ 0 };
}

static bool same_rule(const void *owner, uint32_t id, const void *key)
{
	const struct rules *r = owner;

	return !memcmp(&r->rule[id], key, sizeof(r->rule[id]));
}

static uint32_t beyond(struct rules *r, enum rows_reason why)
{
	r->nr_beyond[why]++;
	return rules_fixed(RULE_UNSUPPORTED);
}

static uint32_t intern(struct rules *r, const struct wire_rule *rule)
{
	uint64_t hash = hash_bytes(rule, sizeof(*rule));
	uint32_t id = index_find(&r->index, hash, same_rule, r, rule);

	if (id != INDEX_NONE)
		return ROW_ESCAPED | id;
	if (r->nr == RULES_MAX)
		return beyond(r, ROWS_RULES);
	id = (uint32_t)r->nr++;
	grow(&r->rule, &r->cap, r->nr, sizeof(*r->rule));
	r->rule[id] = *rule;
	index_add(&r->index, hash, id);
	return ROW_ESCAPED | id;
}

/* Saved at this expression's address, as an offset to the CFA or to the frame pointer. */
static bool saved_at(const struct rules *r, const struct cfi_state *s, const struct cfi_rule *rule,
		     bool *by_fp, int64_t *off)
{
	struct expression e;

	if (!expression_read(rule, &e) || e.kind != EXPRESSION_REG)
		return false;
	*by_fp = !(s->cfa.how == CFI_REG && s->cfa.reg == e.reg);
	if (*by_fp && e.reg != r->machine->fp)
		return false;
	*off = *by_fp ? e.off : e.off - s->cfa.value;
	return true;
}

static bool fits(int64_t v, int64_t limit)
{
	return v >= -limit - 1 && v <= limit;
}

static bool put_cfa(const struct rules *r, const struct cfi_rule *cfa, struct wire_rule *out)
{
	struct expression e = { EXPRESSION_REG, cfa->reg, cfa->value, 0 };

	if (cfa->how == CFI_EXPRESSION) {
		if (!expression_read(cfa, &e))
			return false;
	} else if (cfa->how != CFI_REG) {
		return false;
	}
	/* the return address is no base, and on aarch64 its number is a general register's */
	if (!fits(e.off, INT32_MAX) || !fits(e.add, INT16_MAX) ||
	    e.reg > (r->machine == &x86_64 ? X86_RA - 1 : ARM64_SP))
		return false;
	if ((e.kind == EXPRESSION_INDEXED || e.kind == EXPRESSION_PLT) && r->machine != &x86_64)
		return false;
	out->cfa = (__u8[]){ [EXPRESSION_REG] = CFA_REG,
			     [EXPRESSION_DEREF] = CFA_DEREF,
			     [EXPRESSION_INDEXED] = CFA_INDEXED,
			     [EXPRESSION_PLT] = CFA_PLT }[e.kind];
	out->cfa_reg = e.reg;
	out->cfa_off = (__s32)e.off;
	out->cfa_add = (__s16)e.add;
	return true;
}

static bool put_fp(const struct rules *r, const struct cfi_state *s, struct wire_rule *out)
{
	bool by_fp = false;
	int64_t off = 0;

	out->fp = FP_UNDEFINED;
	switch (s->fp.how) {
	case CFI_SAME:
		out->fp = FP_SAME;
		return true;
	case CFI_UNDEFINED:
		return true;
	case CFI_OFFSET:
		off = s->fp.value;
		break;
	case CFI_EXPRESSION:
		if (saved_at(r, s, &s->fp, &by_fp, &off))
			break;
		return false;
	default:
		return false;
	}
	if (!fits(off, INT32_MAX))
		return false;
	out->fp = by_fp ? FP_FP : FP_CFA;
	out->fp_off = (__s32)off;
	return true;
}

/* out has its frame pointer's rule already. */
static bool put_ra(const struct rules *r, const struct cfi_state *s, struct wire_rule *out)
{
	bool by_fp = false;
	int64_t off = s->ra.value;

	switch (s->ra.how) {
	case CFI_REG:
		out->ra = RA_REG;
		out->ra_off = s->ra.reg;
		return s->ra.reg < X86_RA || r->machine == &aarch64;
	case CFI_EXPRESSION:
		if (!saved_at(r, s, &s->ra, &by_fp, &off) || by_fp)
			return false;
		break;
	case CFI_OFFSET:
		break;
	default:
		return false;
	}
	out->ra = RA_CFA;
	out->ra_off = (__s16)off;
	if (!fits(off, INT16_MAX)) {
		out->ra = RA_ABOVE_FP;
		out->ra_off = 0;
		return r->machine == &aarch64 && out->fp == FP_CFA &&
		       off == (int64_t)out->fp_off + 8;
	}
	return true;
}

/* Is this expression reg + off, of the stack pointer? */
static bool is_at(const struct cfi_rule *rule, enum expression_kind kind, int64_t off)
{
	struct expression e;

	return rule->how == CFI_EXPRESSION && expression_read(rule, &e) && e.kind == kind &&
	       e.reg == X86_SP && e.off == off && e.add == 0;
}

/* aarch64's C libraries have no such code, its vdso no other: it need not be compared. */
static bool is_sigframe(const struct rules *r, const struct cfi_state *s)
{
	if (r->machine == &aarch64)
		return true;
	return is_at(&s->cfa, EXPRESSION_DEREF, SIGFRAME_RSP) &&
	       is_at(&s->fp, EXPRESSION_REG, SIGFRAME_RBP) &&
	       is_at(&s->ra, EXPRESSION_REG, SIGFRAME_RIP);
}

static uint32_t escaped(struct rules *r, const struct cfi_state *s, bool signal)
{
	struct wire_rule rule = { 0 };
	bool said;

	if (s->ra.how == CFI_UNDEFINED)
		return rules_fixed(RULE_STOP);
	if (signal)
		return is_sigframe(r, s) ? rules_fixed(RULE_SIGNAL) : beyond(r, ROWS_SIGNAL);
	if (s->sp.how != CFI_SAME && !(s->sp.how == CFI_VALUE && s->sp.value == 0))
		return beyond(r, ROWS_SP);
	if (!put_cfa(r, &s->cfa, &rule))
		return beyond(r, ROWS_CFA);
	said = put_fp(r, s, &rule);
	if (!put_ra(r, s, &rule))
		return beyond(r, ROWS_RA);
	r->nr_beyond[ROWS_FP] += !said;
	return intern(r, &rule);
}

#define NO_FIELD UINT64_MAX

/* The fp field of what is saved below the CFA; above ROW_FP_MASK where it has none. */
static inline uint64_t saved_field(const struct cfi_rule *rule, uint64_t unit)
{
	uint64_t off = 0 - (uint64_t)rule->value;

	return rule->how != CFI_OFFSET || off % unit || !off ? NO_FIELD : off / unit;
}

/* The fp field, and what the return address is beside it. */
static inline uint64_t x86_64_fields(const struct cfi_state *s, uint32_t *ra)
{
	*ra = ROW_RA_CFA;
	if (s->ra.how != CFI_OFFSET || s->ra.value != -8)
		return NO_FIELD;
	return s->fp.how == CFI_SAME ? 0 : saved_field(&s->fp, ROW_UNIT_X86_64);
}

static inline uint64_t aarch64_fields(const struct cfi_state *s, uint32_t *ra)
{
	*ra = ROW_RA_LINK;
	if (s->ra.how == CFI_REG)
		return s->fp.how == CFI_SAME && s->ra.reg == ARM64_LR ? 0 : NO_FIELD;
	*ra = ROW_RA_ALONE;
	if (s->fp.how == CFI_SAME)
		return saved_field(&s->ra, 8);
	*ra = ROW_RA_ABOVE_FP;
	if (s->ra.how != CFI_OFFSET || s->ra.value - 8 != s->fp.value)
		return NO_FIELD;
	return saved_field(&s->fp, ROW_UNIT_AARCH64);
}

uint32_t rules_word(struct rules *r, const struct cfi_state *s, bool signal)
{
	uint64_t cfa = (uint64_t)s->cfa.value, unit = r->machine->unit, fp;
	uint32_t ra, base = s->cfa.reg == r->machine->fp ? ROW_BASE_FP : 0;

	if (s->cfa.how != CFI_REG || (!base && s->cfa.reg != r->machine->sp) || cfa % unit ||
	    cfa / unit > ROW_CFA_MASK || s->sp.how != CFI_SAME || signal)
		return escaped(r, s, signal);
	fp = r->machine == &x86_64 ? x86_64_fields(s, &ra) : aarch64_fields(s, &ra);
	if (fp > ROW_FP_MASK)
		return escaped(r, s, signal);
	return base | (uint32_t)(cfa / unit) << ROW_CFA_SHIFT | (uint32_t)fp << ROW_FP_SHIFT | ra;
}
