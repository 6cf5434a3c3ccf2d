/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/strtab.h"

#include <string.h>

#include "base/alloc.h"

#define CHUNK_SIZE ((size_t)64 << 10)

struct chunk {
	struct chunk *next;
	char text[];
};

struct key {
	const char *s;
	size_t len;
};

static bool equal(const void *owner, uint32_t id, const void *key)
{
	const struct strtab *st = owner;
	const struct key *k = key;

	return st->len[id] == k->len && !memcmp(st->str[id], k->s, k->len);
}

/* Long strings get a chunk of their own, so that little of a shared one is lost. */
static char *room(struct strtab *st, size_t size)
{
	bool own = size > CHUNK_SIZE / 8;
	struct chunk *c;
	char *s;

	if (own || size > st->chunk_left) {
		c = xmalloc(sizeof(*c) + (own ? size : CHUNK_SIZE));
		c->next = st->chunks;
		st->chunks = c;
		if (own)
			return c->text;
		st->chunk = c->text;
		st->chunk_left = CHUNK_SIZE;
	}
	s = st->chunk;
	st->chunk += size;
	st->chunk_left -= size;
	return s;
}

void strtab_init(struct strtab *st)
{
	memset(st, 0, sizeof(*st));
	strtab_add(st, "", 0);
}

void strtab_done(struct strtab *st)
{
	struct chunk *c = st->chunks, *next;

	for (; c; c = next) {
		next = c->next;
		free(c);
	}
	index_done(&st->index);
	free(st->str);
	free(st->len);
	memset(st, 0, sizeof(*st));
}

uint32_t strtab_add(struct strtab *st, const char *s, size_t len)
{
	struct key key = { s, len ? strnlen(s, len < UINT32_MAX ? len : UINT32_MAX) : 0 };
	uint64_t hash;
	uint32_t id;
	char *copy;

	/* "" has its id from the start; s may be NULL then */
	if (!key.len && st->n)
		return 0;
	hash = hash_bytes(s, key.len);
	id = index_find(&st->index, hash, equal, st, &key);
	if (id != INDEX_NONE)
		return id;
	copy = room(st, key.len + 1);
	memcpy(copy, s, key.len);
	copy[key.len] = '\0';
	grow(&st->str, &st->cap, st->n + 1, sizeof(*st->str));
	grow(&st->len, &st->len_cap, st->n + 1, sizeof(*st->len));
	id = (uint32_t)st->n;
	st->str[id] = copy;
	st->len[id] = (uint32_t)key.len;
	st->n++;
	index_add(&st->index, hash, id);
	return id;
}

uint32_t strtab_adds(struct strtab *st, const char *s)
{
	return strtab_add(st, s, strlen(s));
}

uint32_t strtab_find(const struct strtab *st, const char *s)
{
	struct key key = { s, strlen(s) };

	return index_find(&st->index, hash_bytes(s, key.len), equal, st, &key);
}
