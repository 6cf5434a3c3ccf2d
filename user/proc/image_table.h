/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The images by process, for images.c: the newest of each tgid with those
 * before it behind, the ended ones in a queue, the changed ones in a list.
 *
 *   tgid --> slot --> newest --older--> ... --older--> oldest
 *            ended_first --next_ended--> ... --next_ended--> ended_last
 */
#ifndef PROC_IMAGE_TABLE_H
#define PROC_IMAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/index.h"
#include "proc/image.h"

struct image_entry {
	struct image image;		/* first: the outside knows only this */
	struct image_entry *older;
	struct image_entry *next_ended;
	uint64_t serial;		/* 1, 2, 3 ... of all images */
	uint64_t source;		/* serial of the parent's image at the fork, 0: none */
	uint64_t begun_ns, read_ns;	/* the last reading of its maps, by the clock: begin, end */
	uint64_t asked_ns;		/* when that was, by the caller's time */
	uint64_t doubt_ns;		/* until a doubtful address has them read again */
	uint64_t identified_ns;		/* of the earliest sample with that identity */
	uint64_t checked_ns;		/* when it was last seen whether it has ended */
	uint32_t threads;		/* that live, 0: not known */
	uint32_t many;			/* maps, beyond which there must be dead ones among them */
	uint32_t changed;		/* its place in the list of the changed + 1 */
	bool discovered;		/* a sample told of it before any record */
	bool stale;			/* the maps are to be read again when next asked for */
	bool leader_gone;		/* its first thread ended, the others are not counted */
	bool unsure;			/* it may have ended untold */
};

struct image_table {
	struct image_entry **head;	/* [nr_slots], NULL: a free slot */
	size_t nr_slots, cap_slots;
	uint32_t *free_slot;
	size_t nr_free, cap_free;
	struct index index;		/* tgid -> slot */
	struct image_entry **changed;	/* NULL: forgotten since */
	size_t nr_changed, cap_changed;
	struct image_entry *ended_first, *ended_last;
	uint64_t serial;
	uint32_t living, kept, maps;	/* images that live, that ended; maps of both */
	uint64_t refused_images, refused_maps;
};

/* A zeroed table is an empty one. */
void image_table_done(struct image_table *t);

struct image_entry *image_table_newest(const struct image_table *t, int tgid);

/* A new image in front of those that its tgid had, which have ended. NULL: there are IMAGES_MAX. */
struct image_entry *image_table_begin(struct image_table *t, int tgid, uint64_t time);

/* It ends. Maps that were read after that were another program's, and are dropped. */
void image_table_finish(struct image_table *t, struct image_entry *e, uint64_t time);

/* Frees the one that is first in the queue of the ended. */
void image_table_forget_first(struct image_table *t);

/* All its maps anew, or one more; marked as changed if it is. False: no room. */
bool image_table_set(struct image_table *t, struct image_entry *e, const struct image_map *map,
		     uint32_t nr, uint64_t time);
bool image_table_put(struct image_table *t, struct image_entry *e, const struct image_map *m);

/* Puts it on the list of the changed. */
void image_table_mark(struct image_table *t, struct image_entry *e);

static inline bool image_lives(const struct image_entry *e)
{
	return e->image.to_ns == UINT64_MAX;
}

#endif
