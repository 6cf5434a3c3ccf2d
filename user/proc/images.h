/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who had which code mapped when: the images of processes, kept up by the
 * kernel's side-band events (fork, exec, mmap, exit) and, for what ran before
 * and what was lost, by /proc/PID/maps.
 *
 *   tgid --> image [from, to) --> maps, by start --> object (device, inode)
 *              '-> the image of that tgid before: until an execve(), or the number's reuse
 *
 * An image that ended is kept for a while, so that samples of before still find
 * it. Objects are opened at first sight, while somebody who maps them lives;
 * equal objects of all images are one.
 *
 * The order: the side-band is opened, images_scan(), then records are applied
 * before samples are looked up. A sample later than the last record does no
 * harm: where it shows an execve() or a process that was not told of yet, /proc
 * is read, and the record that comes later is recognized.
 */
#ifndef PROC_IMAGES_H
#define PROC_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "proc/image.h"
#include "proc/maps.h"
#include "proc/object.h"

#define IMAGES_KEEP_NS	5000000000ull	/* how long an ended one is worth keeping */
#define IMAGES_MAX	65536u		/* living and kept */
#define IMAGES_MAX_MAPS (1u << 20)	/* of all of them */

struct images_stats {
	uint64_t living, kept, maps;	/* now */
	uint64_t reads, read_ns;	/* of /proc/PID/maps */
	uint64_t missed;		/* programs that a sample told of before any record */
	uint64_t late;			/* records older than what they were about */
	uint64_t refused_images;	/* by IMAGES_MAX */
	uint64_t refused_maps;		/* by IMAGES_MAX_MAPS or IMAGE_MAX_MAPS */
};

struct images;

struct images *images_new(void);
void images_free(struct images *im);

/* The events, in order of time. fork: pid == parent is a new thread. */
void images_fork(struct images *im, int parent, int pid, uint64_t time);
void images_exec(struct images *im, int tgid, uint64_t time);
void images_exit(struct images *im, int tgid, int tid, uint64_t time);

/* m: executable; a mapping replaces what it overlaps. */
void images_mmap(struct images *im, int tgid, uint64_t time, const struct exec_map *m);

/* Events were lost: the maps of all that live are read again when they are next asked for. */
void images_lost(struct images *im);

/*
 * What runs now. Reads no maps yet: those of an image are read when it is first asked for.
 * Returns how many images are new.
 */
int images_scan(struct images *im) must_check;

/*
 * The image of that process at that time, or NULL. Its maps are read where no event told them.
 * start_time and exec_id are those of a sample: they are kept with the image, and one with others
 * is not found. start_time 0: any. Valid until images_expire().
 */
struct image *images_find(struct images *im, int tgid, uint64_t start_time, uint64_t exec_id,
			  uint64_t time);

/* Reads the maps of a living image that are not known, or out of date. True: they are known now. */
bool images_read(struct images *im, struct image *i, uint64_t now_ns);

/* An address of a sample of that time. certain: it is code, for it ran. */
struct image_code {
	uint64_t address, time;
	bool certain;
};

/*
 * The map that held the address then, or NULL. The maps of a living image may be read again for an
 * address in none of them: for one that is code for certain (it ran) at most once in 100 ms, for
 * one that only may be, less and less often as long as it turns out to be none; and never for more
 * than 5 % of the time.
 */
const struct image_map *images_map(struct images *im, struct image *i, const struct image_code *at,
				   uint64_t now_ns);

/*
 * Calls fn for each image that ended before `time` (or, nearing IMAGES_MAX, ended at all) and
 * forgets it. Also looks, once a second, after those that may have ended untold.
 */
void images_expire(struct images *im, uint64_t time, void (*fn)(void *ctx, struct image *i),
		   void *ctx);

/* Calls fn for each living image; non-zero ends it and is returned. */
int images_each(struct images *im, int (*fn)(void *ctx, struct image *i), void *ctx);

/* The same for those that are new, got other maps or were identified since the last such visit. */
int images_each_changed(struct images *im, int (*fn)(void *ctx, struct image *i), void *ctx);

const struct objects *images_objects(const struct images *im);

/* Closes the files that no image maps. needed: who else needs them, of all objects; those of the images come to it. */
void images_release(struct images *im, bool *needed);
void images_get_stats(const struct images *im, struct images_stats *out);

#endif
