/* SPDX-License-Identifier: BSD-2-Clause */
#include "format/ids.h"

#include "base/alloc.h"

void ids_done(struct ids *ids)
{
	free(ids->theirs);
	free(ids->ours);
	index_done(&ids->index);
	*ids = (struct ids){ 0 };
}

static bool is_id(const void *owner, uint32_t at, const void *key)
{
	const struct ids *ids = owner;

	return ids->theirs[at] == *(const uint64_t *)key;
}

uint32_t ids_find(const struct ids *ids, uint64_t theirs)
{
	uint32_t at;

	if (theirs && theirs <= ids->n && ids->theirs[theirs - 1] == theirs)
		return ids->ours[theirs - 1];
	at = index_find(&ids->index, hash_u64(theirs, 0), is_id, ids, &theirs);
	return at == INDEX_NONE ? INDEX_NONE : ids->ours[at];
}

void ids_add(struct ids *ids, uint64_t theirs, uint32_t ours)
{
	grow(&ids->theirs, &ids->cap, ids->n + 1, sizeof(*ids->theirs));
	grow(&ids->ours, &ids->ours_cap, ids->n + 1, sizeof(*ids->ours));
	ids->theirs[ids->n] = theirs;
	ids->ours[ids->n] = ours;
	if (theirs != ids->n + 1)
		index_add(&ids->index, hash_u64(theirs, 0), (uint32_t)ids->n);
	ids->n++;
}
