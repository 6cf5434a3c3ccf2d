/* SPDX-License-Identifier: BSD-2-Clause */
/* One program in one process, from its fork or execve() to its end, and the code that it maps. */
#ifndef PROC_IMAGE_H
#define PROC_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#define IMAGE_MAX_MAPS 16384u

struct image_map {
	uint64_t start, end, offset;
	uint32_t object;
};

struct image {
	int tgid;
	int parent;			/* who forked it, 0: not known */
	uint64_t from_ns;		/* CLOCK_MONOTONIC; 0: it was there before */
	uint64_t to_ns;			/* UINT64_MAX while it lives */
	uint64_t start_time, exec_id;	/* the kernel's identity, 0 until it is identified */
	bool identified;
	bool known;			/* its maps are; else not read yet, or it ended before */
	uint32_t version;		/* grows with each change of the maps */
	uint32_t nr_maps, cap_maps;
	struct image_map *map;		/* sorted by start, without overlaps */
	uint32_t published;		/* for the user of images: the version that was, 0: none */
	uint32_t handle;		/* for the user of images */
};

/* The map that holds the address, or NULL. */
const struct image_map *image_find(const struct image *i, uint64_t address);

/*
 * Puts m in place of what it overlaps; what is left of that stays. True: something changed.
 * Beyond IMAGE_MAX_MAPS nothing is put.
 */
bool image_put(struct image *i, const struct image_map *m);

/* The maps become these: sorted, apart, at most IMAGE_MAX_MAPS. True: something changed. */
bool image_set(struct image *i, const struct image_map *map, uint32_t nr);

#endif
