/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few forms of DWARF expressions (DWARF 5, section 2.5, dwarfstd.org) that call frame
 * information has and that a rule can say.
 */
#ifndef ELF_EXPRESSION_H
#define ELF_EXPRESSION_H

#include "elf/cfi.h"

enum expression_kind {
	EXPRESSION_REG,	    /* reg + off */
	EXPRESSION_DEREF,   /* *(reg + off) + add */
	EXPRESSION_INDEXED, /* *(rsp + off + 8 * reg) + add */
	EXPRESSION_PLT,	    /* rsp + 8 + ((rip & 15) >= off ? 8 : 0): a stub that has pushed once */
};

struct expression {
	enum expression_kind kind;
	uint8_t reg;
	int64_t off, add;
};

/* Reads the expression of a rule; false when it has another form. */
bool expression_read(const struct cfi_rule *rule, struct expression *out);

#endif
