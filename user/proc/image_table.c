/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/image_table.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "proc/images.h"

#define MANY_MAPS 256u

static void entry_free(struct image_entry *e)
{
	free(e->image.map);
	free(e->image.former);
	free(e);
}

void image_table_done(struct image_table *t)
{
	struct image_entry *e, *older;
	size_t i;

	for (i = 0; i < t->nr_slots; i++) {
		for (e = t->head[i]; e; e = older) {
			older = e->older;
			entry_free(e);
		}
	}
	index_done(&t->index);
	free(t->head);
	free(t->free_slot);
	free(t->changed);
}

static bool tgid_eq(const void *owner, uint32_t id, const void *key)
{
	return ((const struct image_table *)owner)->head[id]->image.tgid == *(const int *)key;
}

static uint32_t slot_of(const struct image_table *t, int tgid)
{
	return index_find(&t->index, hash_u64((uint64_t)tgid, 0), tgid_eq, t, &tgid);
}

struct image_entry *image_table_newest(const struct image_table *t, int tgid)
{
	uint32_t slot = slot_of(t, tgid);

	return slot == INDEX_NONE ? NULL : t->head[slot];
}

static uint32_t new_slot(struct image_table *t, int tgid)
{
	uint32_t slot;

	if (t->nr_free) {
		slot = t->free_slot[--t->nr_free];
	} else {
		grow(&t->head, &t->cap_slots, t->nr_slots + 1, sizeof(struct image_entry *));
		slot = (uint32_t)t->nr_slots++;
	}
	t->head[slot] = NULL;
	index_add(&t->index, hash_u64((uint64_t)tgid, 0), slot);
	return slot;
}

/* Where nobody visits the changed, the list must not grow with those that were forgotten. */
static void drop_forgotten(struct image_table *t)
{
	size_t i, kept = 0;

	for (i = 0; i < t->nr_changed; i++) {
		if (!t->changed[i])
			continue;
		t->changed[kept++] = t->changed[i];
		t->changed[kept - 1]->changed = (uint32_t)kept;
	}
	t->nr_changed = kept;
}

void image_table_mark(struct image_table *t, struct image_entry *e)
{
	if (e->changed)
		return;
	if (t->nr_changed == t->cap_changed)
		drop_forgotten(t);
	grow(&t->changed, &t->cap_changed, t->nr_changed + 1, sizeof(struct image_entry *));
	t->changed[t->nr_changed++] = e;
	e->changed = (uint32_t)t->nr_changed;
}

struct image_entry *image_table_begin(struct image_table *t, int tgid, uint64_t time)
{
	struct image_entry *e;
	uint32_t slot;

	if (t->living + t->kept >= IMAGES_MAX) {
		t->refused_images++;
		return NULL;
	}
	slot = slot_of(t, tgid);
	if (slot == INDEX_NONE)
		slot = new_slot(t, tgid);
	e = xcalloc(1, sizeof(*e));
	e->image.tgid = tgid;
	e->image.from_ns = time;
	e->image.to_ns = UINT64_MAX;
	e->serial = ++t->serial;
	e->many = MANY_MAPS;
	e->older = t->head[slot];
	t->head[slot] = e;
	t->living++;
	image_table_mark(t, e);
	return e;
}

bool image_table_set(struct image_table *t, struct image_entry *e, const struct image_map *map,
		     uint32_t nr, uint64_t time)
{
	if (t->maps - e->image.nr_maps + nr > IMAGES_MAX_MAPS) {
		t->refused_maps++;
		return false;
	}
	t->maps += nr - e->image.nr_maps;
	if (image_set(&e->image, map, nr, time))
		image_table_mark(t, e);
	e->many = 2 * nr + MANY_MAPS;
	return true;
}

/* One mapping more can make two, where it parts an old one. */
bool image_table_put(struct image_table *t, struct image_entry *e, const struct image_map *m)
{
	uint32_t before = e->image.nr_maps;

	if (before + 2 > IMAGE_MAX_MAPS || t->maps + 2 > IMAGES_MAX_MAPS) {
		t->refused_maps++;
		return false;
	}
	if (image_put(&e->image, m))
		image_table_mark(t, e);
	t->maps += e->image.nr_maps - before;
	return true;
}

void image_table_finish(struct image_table *t, struct image_entry *e, uint64_t time)
{
	e->image.to_ns = time > e->image.from_ns ? time : e->image.from_ns;
	/* what was read after the end was another program's */
	if (e->image.known && e->read_ns > time) {
		image_table_set(t, e, NULL, 0, time);
		e->image.known = false;
	}
	e->next_ended = NULL;
	if (t->ended_last)
		t->ended_last->next_ended = e;
	else
		t->ended_first = e;
	t->ended_last = e;
	t->living--;
	t->kept++;
}

void image_table_forget_first(struct image_table *t)
{
	struct image_entry *e = t->ended_first, **at;
	uint32_t slot = slot_of(t, e->image.tgid);

	t->ended_first = e->next_ended;
	if (!t->ended_first)
		t->ended_last = NULL;
	for (at = &t->head[slot]; *at != e;)
		at = &(*at)->older;
	if (at == &t->head[slot] && !e->older) {
		index_remove(&t->index, hash_u64((uint64_t)e->image.tgid, 0), slot);
		grow(&t->free_slot, &t->cap_free, t->nr_free + 1, sizeof(*t->free_slot));
		t->free_slot[t->nr_free++] = slot;
	}
	*at = e->older;
	if (e->changed)
		t->changed[e->changed - 1] = NULL;
	t->kept--;
	t->maps -= e->image.nr_maps;
	entry_free(e);
}

