/* SPDX-License-Identifier: BSD-2-Clause */
/* One program in one process, from its fork or execve() to its end, and the code that it maps. */
#ifndef PROC_IMAGE_H
#define PROC_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#define IMAGE_MAX_MAPS	 16384u
#define IMAGE_MAX_FORMER 256u		/* maps that are no more */
#define IMAGE_FORMER_NS	 5000000000ull	/* how long they are worth keeping */
#define IMAGE_UNREST_NS	 1000000000ull	/* code that was put in place of other code may be so again */

struct image_map {
	uint64_t start, end, offset;
	uint32_t object;
	uint64_t from_ns;		/* 0: it was there before anything was known */
};

/* What was at these addresses until something else was: a sample of before may be in it. */
struct image_former {
	struct image_map map;
	uint64_t to_ns;
};

/* Unwind tables that the kernel side had of an image. */
struct image_tables {
	uint64_t since_ns;		/* in force from here on; 0: never */
	uint64_t told_ns;		/* maps of after this are not in them */
};

struct image {
	int tgid;
	int parent;			/* who forked it, 0: not known */
	uint64_t from_ns;		/* CLOCK_MONOTONIC; 0: it was there before */
	uint64_t to_ns;			/* UINT64_MAX while it lives */
	uint64_t start_time, exec_id;	/* the kernel's identity, 0 until it is identified */
	bool identified;
	bool known;			/* its maps are; else not read yet, or it ended before */
	int refused;			/* why they could not be read though it lived, -errno; 0: they were not, or could */
	uint32_t version;		/* grows with each change of the maps */
	uint32_t nr_maps, cap_maps;
	struct image_map *map;		/* sorted by start, without overlaps */
	struct image_former *former;	/* by to_ns */
	uint32_t nr_former, cap_former;
	struct image_tables tables[2];	/* for the user of images: the latest, and those before */
	uint32_t published;		/* for the user of images: the version that was, 0: none */
	uint32_t handle;		/* for the user of images */
	uint64_t unrest_ns;		/* for the user of images: some maps were left out until then; 0: none */
};

/* The map that held the address at that time, or NULL. */
const struct image_map *image_find(const struct image *i, uint64_t address, uint64_t time);

/*
 * Puts m in place of what it overlaps; what is left of that stays. True: something changed.
 * Beyond IMAGE_MAX_MAPS nothing is put.
 */
bool image_put(struct image *i, const struct image_map *m);

/*
 * The maps become these, of that time: sorted, apart, at most IMAGE_MAX_MAPS. Those that take the place of
 * others begin then. True: something changed.
 */
bool image_set(struct image *i, const struct image_map *map, uint32_t nr, uint64_t time);

/* Until when is anything likely to change at these addresses again, by how lately it did? 0: not. */
uint64_t image_unrest(const struct image *i, const struct image_map *m, uint64_t now_ns);

/* Was anything mapped at an address of which the tables in force at that time could not know? */
bool image_outran_tables(const struct image *i, const struct image_map *m, uint64_t time);

#endif
