/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a frame's registers -> a row's word without its place: inline, or the number of an
 * interned rule (bpf/rows.h).
 */
#ifndef ELF_RULES_H
#define ELF_RULES_H

#include "base/index.h"
#include "bpf/wire.h"
#include "elf/cfi.h"
#include "elf/rows.h"

#define RULES_MAX 16384 /* of one object, the fixed ones included */

struct rules {
	const struct cfi_machine *machine;
	struct wire_rule *rule;
	size_t nr, cap;
	struct index index;
	uint64_t nr_beyond[ROWS_REASONS]; /* rows that it could not say */
};

/* The machine of this e_machine, or NULL when its rows are not known. */
const struct cfi_machine *rules_machine(uint16_t machine);

void rules_init(struct rules *r, const struct cfi_machine *m);
void rules_done(struct rules *r);

/* A word that stands for a rule of a fixed number. */
static inline uint32_t rules_fixed(enum rule_number n)
{
	return ROW_ESCAPED | (uint32_t)n;
}

/* The word of a state; signal: of a CIE so marked. What cannot be said is counted by reason. */
uint32_t rules_word(struct rules *r, const struct cfi_state *s, bool signal);

#endif
