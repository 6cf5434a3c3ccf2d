/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file's own ids (any 64-bit numbers but 0) -> ours. Ids that count 1, 2, 3
 * as nearly all producers' do cost an array; only others are hashed.
 */
#ifndef FORMAT_IDS_H
#define FORMAT_IDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/index.h"

struct ids {
	uint64_t *theirs;		/* [n] */
	uint32_t *ours;			/* [n] */
	size_t n, cap, ours_cap;
	struct index index;		/* of the entries with theirs != position + 1 */
};

void ids_done(struct ids *ids);		/* a zeroed struct is empty */

/* INDEX_NONE when it was never added. */
uint32_t ids_find(const struct ids *ids, uint64_t theirs);

/* The caller knows that `theirs` is not in yet, and that n is below INDEX_NONE. */
void ids_add(struct ids *ids, uint64_t theirs, uint32_t ours);

#endif
