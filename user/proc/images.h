/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who had which code mapped when: the images of processes, kept up by the
 * kernel's side-band events (fork, exec, mmap, exit) and, for what ran before
 * and what was lost, by /proc/PID/maps.
 *
 *   tgid --> image [from, to) --> maps, by start --> object (device, inode)
 *              '-> the next image of that tgid, after an execve() or the number's reuse
 *
 * An image that ended is kept for IMAGES_KEEP_NS, so that samples of before
 * still find it. Objects are opened at first sight, while somebody who maps
 * them lives; equal objects of all images are one.
 */
#ifndef PROC_IMAGES_H
#define PROC_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "proc/maps.h"
#include "proc/object.h"

#define IMAGES_KEEP_NS 5000000000ull

struct image_map {
	uint64_t start, end, offset;
	uint32_t object;
};

struct image {
	int tgid;
	uint64_t from_ns, to_ns;	/* CLOCK_MONOTONIC; to: UINT64_MAX while it lives */
	uint64_t start_time, exec_id;	/* the kernel's identity, 0 until image_identify() */
	bool identified;
	bool known;			/* its maps are; else it ended before they could be read */
	uint32_t version;		/* grows with each change of the maps */
	uint32_t nr_maps, cap_maps;
	struct image_map *map;		/* sorted by start, without overlaps */
	uint32_t published;		/* for the user of images: version that was published, 0: none */
	uint32_t handle;		/* for the user of images */
};

struct images;

struct images *images_new(void);
void images_free(struct images *im);

/* The events, in order of time. m: executable; a mapping replaces what it overlaps. */
void images_fork(struct images *im, int parent, int child, uint64_t time);
void images_exec(struct images *im, int tgid, uint64_t time);
void images_mmap(struct images *im, int tgid, uint64_t time, const struct exec_map *m);
void images_exit(struct images *im, int tgid, uint64_t time);	/* of the last thread */

/* Events were lost: the maps of all that live are read again when they are next asked for. */
void images_lost(struct images *im, uint64_t time);

/* What runs now. Reads no maps yet: those of an image are read when it is first asked for. Returns how many. */
int images_scan(struct images *im, uint64_t time) must_check;

/*
 * The image of that process at that time, or NULL. Its maps are read where no event told them. start_time and
 * exec_id are those of a sample: they are kept with the image, and one with others is not found.
 */
struct image *images_find(struct images *im, int tgid, uint64_t start_time, uint64_t exec_id,
			  uint64_t time);

/* The map that holds the address, or NULL. certain: as for code that ran; the maps may be read again for it. */
const struct image_map *images_map(struct images *im, struct image *i, uint64_t address, bool certain,
				   uint64_t now_ns);

/* Calls fn for each image that ended before `time` and forgets it. */
void images_expire(struct images *im, uint64_t time, void (*fn)(void *ctx, struct image *i), void *ctx);

/* Calls fn for each living image; non-zero ends it and is returned. */
int images_each(struct images *im, int (*fn)(void *ctx, struct image *i), void *ctx);

const struct objects *images_objects(const struct images *im);

#endif
