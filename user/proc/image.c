/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* How many maps begin at or below the address. */
static uint32_t nr_below(const struct image *i, uint64_t address)
{
	uint32_t lo = 0, hi = i->nr_maps;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (i->map[mid].start <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct image_map *image_find(const struct image *i, uint64_t address)
{
	uint32_t n = nr_below(i, address);

	return n && address < i->map[n - 1].end ? &i->map[n - 1] : NULL;
}

static bool same(const struct image_map *a, const struct image_map *b)
{
	return a->start == b->start && a->end == b->end && a->offset == b->offset &&
	       a->object == b->object;
}

static void make_room(struct image *i, uint32_t need)
{
	uint32_t cap = i->cap_maps ? i->cap_maps : 8;

	if (need <= i->cap_maps)
		return;
	while (cap < need)
		cap *= 2;
	i->map = xreallocarray(i->map, cap, sizeof(*i->map));
	i->cap_maps = cap;
}

bool image_put(struct image *i, const struct image_map *m)
{
	struct image_map part[3];
	uint32_t nr = 0, from, to, tail;

	if (m->start >= m->end)
		return false;
	/* [from, to): the maps that m overlaps */
	from = nr_below(i, m->start);
	if (from && i->map[from - 1].end > m->start)
		from--;
	for (to = from; to < i->nr_maps && i->map[to].start < m->end;)
		to++;
	if (to == from + 1 && same(&i->map[from], m))
		return false;
	if (from < to && i->map[from].start < m->start) {
		part[nr] = i->map[from];
		part[nr++].end = m->start;
	}
	part[nr++] = *m;
	if (from < to && i->map[to - 1].end > m->end) {
		part[nr] = i->map[to - 1];
		part[nr].offset += m->end - part[nr].start;
		part[nr++].start = m->end;
	}
	tail = i->nr_maps - to;
	if (from + nr + tail > IMAGE_MAX_MAPS)
		return false;
	make_room(i, from + nr + tail);
	memmove(&i->map[from + nr], &i->map[to], tail * sizeof(*i->map));
	memcpy(&i->map[from], part, nr * sizeof(*i->map));
	i->nr_maps = from + nr + tail;
	i->version++;
	return true;
}

bool image_set(struct image *i, const struct image_map *map, uint32_t nr)
{
	uint32_t k;

	for (k = 0; nr == i->nr_maps && k < nr; k++)
		if (!same(&i->map[k], &map[k]))
			break;
	if (nr == i->nr_maps && k == nr)
		return false;
	/* what is set whole is seldom added to */
	if (i->cap_maps < nr || i->cap_maps / 4 > nr) {
		free(i->map);
		i->map = nr ? xreallocarray(NULL, nr, sizeof(*map)) : NULL;
		i->cap_maps = nr;
	}
	if (nr)
		memcpy(i->map, map, nr * sizeof(*map));
	i->nr_maps = nr;
	i->version++;
	return true;
}
