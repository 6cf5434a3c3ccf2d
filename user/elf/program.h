/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the programs of call frame information: rows [from, to) in which one state holds. */
#ifndef ELF_PROGRAM_H
#define ELF_PROGRAM_H

#include "elf/cfi.h"

#define PROGRAM_MAX_REMEMBER 64 /* states that a program may have put aside */

struct program {
	const struct cfi_cie *cie;
	struct cfi_bytes bytes;
	uint64_t from, to;	/* the row */
	uint64_t at, end;	/* how far it has come; the function's end */
	struct cfi_state state; /* in the row, until the next program_next() */
	struct cfi_rule other;	/* of any register that is not kept */
	uint32_t nr_remembered;
	struct cfi_state remembered[PROGRAM_MAX_REMEMBER];
};

void program_start(struct program *p, const struct cfi_cie *c, const struct cfi_fde *f);

/*
 * 1 for each next row (in order, without gaps, never empty), 0 at the end, -EBADMSG where the
 * program is malformed: then no row of it is to be believed. No text is kept.
 */
int program_next(struct program *p) must_check;

/* Runs a CIE's own program into c->initial. -EBADMSG. */
int program_common(struct cfi_cie *c, struct cfi_bytes bytes) must_check;

#endif
