/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/index.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

#include "base/alloc.h"

#define INDEX_MIN_SLOTS 16u

/* Odd constants without pattern, from the golden ratio's and e's digits. */
#define MIX_A 0x9e3779b97f4a7c15ull
#define MIX_B 0xb7e151628aed2a6bull

static uint64_t seed[2];

/* Before main(), so that every thread and every forked child sees one seed without a lock. */
__attribute__((constructor)) static void seed_init(void)
{
	const void *from_kernel = (const void *)getauxval(AT_RANDOM);

	if (getrandom(seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed))
		return;
	if (from_kernel)
		memcpy(seed, from_kernel, sizeof(seed));
}

/* Both halves of the 128-bit product: every bit of a and b reaches every bit of the result. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 r = (unsigned __int128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

uint64_t hash_u64(uint64_t a, uint64_t b)
{
	return fold(fold(a ^ seed[0], b ^ seed[1] ^ MIX_A) ^ seed[1], MIX_B);
}

uint64_t hash_bytes(const void *p, size_t len)
{
	const unsigned char *s = p;
	uint64_t h = seed[0] ^ fold(len ^ MIX_A, seed[1] ^ MIX_B);
	uint64_t word[2];

	for (; len >= sizeof(word); s += sizeof(word), len -= sizeof(word)) {
		memcpy(word, s, sizeof(word));
		h = fold(word[0] ^ h, word[1] ^ seed[1]) ^ MIX_A;
	}
	word[0] = word[1] = 0;
	if (len)
		memcpy(word, s, len);
	h = fold(word[0] ^ h, word[1] ^ seed[1]);
	return fold(h ^ seed[0], MIX_B);
}

void index_done(struct index *ix)
{
	free(ix->slots);
	memset(ix, 0, sizeof(*ix));
}

void index_clear(struct index *ix)
{
	if (ix->slots)
		memset(ix->slots, 0, ((size_t)ix->mask + 1) * sizeof(*ix->slots));
	ix->used = 0;
}

/* Keys meet in 32 bits: the high half decides too. */
static inline uint32_t narrow(uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32);
}

uint32_t index_find(const struct index *ix, uint64_t hash, index_eq eq, const void *owner,
		    const void *key)
{
	uint32_t h = narrow(hash);
	uint32_t i;

	if (!ix->slots)
		return INDEX_NONE;
	for (i = h & ix->mask; ix->slots[i].id1; i = (i + 1) & ix->mask) {
		if (ix->slots[i].hash == h && eq(owner, ix->slots[i].id1 - 1, key))
			return ix->slots[i].id1 - 1;
	}
	return INDEX_NONE;
}

static void put(struct index *ix, struct index_slot slot)
{
	uint32_t i = slot.hash & ix->mask;

	while (ix->slots[i].id1)
		i = (i + 1) & ix->mask;
	ix->slots[i] = slot;
}

static void resize(struct index *ix, uint32_t nr)
{
	struct index_slot *former = ix->slots;
	size_t i, nr_former = former ? (size_t)ix->mask + 1 : 0;

	if (!nr)
		abort(); /* 2^32 slots: the ids have run out */
	ix->slots = xcalloc(nr, sizeof(*ix->slots));
	ix->mask = nr - 1;
	for (i = 0; i < nr_former; i++) {
		if (former[i].id1)
			put(ix, former[i]);
	}
	free(former);
}

void index_add(struct index *ix, uint64_t hash, uint32_t id)
{
	if (id == INDEX_NONE)
		abort(); /* as above */
	if (!ix->slots)
		resize(ix, INDEX_MIN_SLOTS);
	else if (ix->used >= ((uint64_t)ix->mask + 1) * 7 / 10)
		resize(ix, (ix->mask + 1) * 2);
	put(ix, (struct index_slot){ .hash = narrow(hash), .id1 = id + 1 });
	ix->used++;
}

/*
 * Closes the hole at i: an entry further on moves into it unless its own first
 * choice lies behind the hole (cyclically), then its place becomes the hole.
 */
static void close_hole(struct index *ix, uint32_t hole)
{
	uint32_t i, want;

	for (i = (hole + 1) & ix->mask; ix->slots[i].id1; i = (i + 1) & ix->mask) {
		want = ix->slots[i].hash & ix->mask;
		if (((i - want) & ix->mask) < ((i - hole) & ix->mask))
			continue;
		ix->slots[hole] = ix->slots[i];
		hole = i;
	}
	ix->slots[hole] = (struct index_slot){ 0 };
}

bool index_remove(struct index *ix, uint64_t hash, uint32_t id)
{
	uint32_t h = narrow(hash);
	uint32_t i;

	if (!ix->slots)
		return false;
	for (i = h & ix->mask; ix->slots[i].id1; i = (i + 1) & ix->mask) {
		if (ix->slots[i].hash != h || ix->slots[i].id1 != id + 1)
			continue;
		close_hole(ix, i);
		ix->used--;
		return true;
	}
	return false;
}
