/* SPDX-License-Identifier: BSD-2-Clause */
/* Interned strings with small ids. Id 0 is "". Strings never move and never go away. */
#ifndef BASE_STRTAB_H
#define BASE_STRTAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/index.h"

struct strtab {
	struct index index;
	const char **str;	/* [n], NUL-terminated, in chunks */
	uint32_t *len;
	size_t n, cap, len_cap;
	char *chunk;		/* the chunk being filled */
	size_t chunk_left;
	void *chunks;		/* list of all chunks */
};

void strtab_init(struct strtab *st);
void strtab_done(struct strtab *st);

/* The id of the len bytes at s (NUL bytes end it early; NULL is fine for 0); copied when new. */
uint32_t strtab_add(struct strtab *st, const char *s, size_t len);
uint32_t strtab_adds(struct strtab *st, const char *s);

/* INDEX_NONE when the string was never added. */
uint32_t strtab_find(const struct strtab *st, const char *s);

static inline const char *strtab_get(const struct strtab *st, uint32_t id)
{
	return id < st->n ? st->str[id] : "";
}

#endif
