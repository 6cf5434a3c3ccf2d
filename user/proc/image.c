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

static const struct image_map *find_now(const struct image *i, uint64_t address)
{
	uint32_t n = nr_below(i, address);

	return n && address < i->map[n - 1].end ? &i->map[n - 1] : NULL;
}

const struct image_map *image_find(const struct image *i, uint64_t address, uint64_t time)
{
	const struct image_map *m = find_now(i, address);
	uint32_t k;

	if (m && m->from_ns <= time)
		return m;
	for (k = i->nr_former; k-- > 0 && time < i->former[k].to_ns;) {
		const struct image_map *f = &i->former[k].map;

		if (address >= f->start && address < f->end && f->from_ns <= time)
			return f;
	}
	return NULL;
}

uint64_t image_unrest(const struct image *i, const struct image_map *m, uint64_t now_ns)
{
	uint32_t k;

	for (k = i->nr_former; k-- > 0 && i->former[k].to_ns + IMAGE_UNREST_NS > now_ns;)
		if (i->former[k].map.start < m->end && m->start < i->former[k].map.end)
			return i->former[k].to_ns + IMAGE_UNREST_NS;
	return 0;
}

bool image_outran_tables(const struct image *i, const struct image_map *m, uint64_t time)
{
	const struct image_tables *t = &i->tables[0];

	if (time < t->since_ns)
		t = &i->tables[1];
	return m->from_ns > (time < t->since_ns ? 0 : t->told_ns);
}

/* Keeps a map that is no more, in place of one that is long gone or, where there are too many, the oldest. */
static void keep_former(struct image *i, const struct image_map *m, uint64_t time)
{
	uint32_t old = 0;

	while (old < i->nr_former && i->former[old].to_ns + IMAGE_FORMER_NS < time)
		old++;
	if (!old && i->nr_former == IMAGE_MAX_FORMER)
		old = 1;
	i->nr_former -= old;
	if (old)
		memmove(i->former, i->former + old, i->nr_former * sizeof(*i->former));
	if (i->nr_former == i->cap_former) {
		i->cap_former = i->cap_former ? 2 * i->cap_former : 4;
		i->former = xreallocarray(i->former, i->cap_former, sizeof(*i->former));
	}
	i->former[i->nr_former++] = (struct image_former){ *m, time };
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

/*
 * Is it the same code, at the same addresses? mprotect() tells of a part of a mapping as if it were
 * new; compilers at run time do so all the time. Anonymous memory's offset is its address, or 0 in /proc.
 */
static bool continues(const struct image_map *m, const struct image_map *old)
{
	return m->object == old->object && (m->offset - m->start == old->offset - old->start ||
					    (!old->offset && m->offset == m->start));
}

static uint64_t newest(const struct image_map *m, uint32_t nr)
{
	uint64_t time = 0;

	while (nr--)
		time = m[nr].from_ns > time ? m[nr].from_ns : time;
	return time;
}

bool image_put(struct image *i, const struct image_map *m)
{
	struct image_map part[3];
	uint64_t time = m->from_ns;
	uint32_t nr = 0, from, to, tail, k;

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
	for (k = from; k < to && continues(m, &i->map[k]); k++)
		;
	if (k == to && from < to)
		time = newest(&i->map[from], to - from);
	if (from < to && i->map[from].start < m->start) {
		part[nr] = i->map[from];
		part[nr].from_ns = time;
		part[nr++].end = m->start;
	}
	part[nr] = *m;
	part[nr++].from_ns = time;
	if (from < to && i->map[to - 1].end > m->end) {
		part[nr] = i->map[to - 1];
		part[nr].from_ns = time;
		part[nr].offset += m->end - part[nr].start;
		part[nr++].start = m->end;
	}
	tail = i->nr_maps - to;
	if (from + nr + tail > IMAGE_MAX_MAPS)
		return false;
	for (k = from; k < to; k++)
		if (!continues(m, &i->map[k]))
			keep_former(i, &i->map[k], m->from_ns);
	make_room(i, from + nr + tail);
	memmove(&i->map[from + nr], &i->map[to], tail * sizeof(*i->map));
	memcpy(&i->map[from], part, nr * sizeof(*i->map));
	i->nr_maps = from + nr + tail;
	i->version++;
	return true;
}

/* Those of now that are not among the coming ones were there until then. */
static void keep_replaced(struct image *i, const struct image_map *map, uint32_t nr, uint64_t time)
{
	uint32_t k, n = 0;

	for (k = 0; k < i->nr_maps; k++) {
		while (n < nr && map[n].start < i->map[k].start)
			n++;
		if (n == nr || !same(&map[n], &i->map[k]))
			keep_former(i, &i->map[k], time);
	}
}

/* When the map began: known of old; else now, if it is in another's place; else before all. */
static uint64_t begin_of(const struct image *i, const struct image_map *m, uint64_t time)
{
	uint32_t n = nr_below(i, m->end - 1);
	const struct image_map *last = n ? &i->map[n - 1] : NULL;

	if (!last || last->end <= m->start)
		return m->from_ns;
	return same(last, m) ? last->from_ns : time;
}

bool image_set(struct image *i, const struct image_map *map, uint32_t nr, uint64_t time)
{
	struct image_map *fresh;
	uint32_t k;

	for (k = 0; nr == i->nr_maps && k < nr; k++)
		if (!same(&i->map[k], &map[k]))
			break;
	if (nr == i->nr_maps && k == nr)
		return false;
	keep_replaced(i, map, nr, time);
	fresh = nr ? xreallocarray(NULL, nr, sizeof(*map)) : NULL;
	for (k = 0; k < nr; k++) {
		fresh[k] = map[k];
		fresh[k].from_ns = begin_of(i, &map[k], time);
	}
	free(i->map);
	i->map = fresh;
	i->nr_maps = i->cap_maps = nr;
	i->version++;
	return true;
}
