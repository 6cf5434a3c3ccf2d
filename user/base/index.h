/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash index from keys to the ids (0, 1, 2 ...) of an array that somebody
 * else owns: open addressing, linear probing, a power of two of slots
 * {hash, id + 1}, at most 70 % full. Seeded per run, since keys are names that
 * strangers choose.
 */
#ifndef BASE_INDEX_H
#define BASE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_NONE UINT32_MAX

struct index_slot {
	uint32_t hash;
	uint32_t id1;		/* id + 1; 0: empty */
};

struct index {
	struct index_slot *slots;
	uint32_t mask;		/* slots - 1 */
	uint32_t used;
};

/* Is the entry `id` the one that `key` describes? */
typedef bool (*index_eq)(const void *owner, uint32_t id, const void *key);

uint64_t hash_bytes(const void *p, size_t len);		/* seeded per run */
uint64_t hash_u64(uint64_t a, uint64_t b);		/* seeded per run */

void index_done(struct index *ix);			/* a zeroed struct is an empty index */
void index_clear(struct index *ix);

/* The id of the entry equal to key, or INDEX_NONE. */
uint32_t index_find(const struct index *ix, uint64_t hash, index_eq eq, const void *owner,
		    const void *key);

/* Adds id, of which the caller knows that its key is not in yet. */
void index_add(struct index *ix, uint64_t hash, uint32_t id);

/* Forgets id, if it is there under hash (then true); its slot's followers are moved up. */
bool index_remove(struct index *ix, uint64_t hash, uint32_t id);

#endif
