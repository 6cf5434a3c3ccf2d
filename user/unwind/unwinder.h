/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the images of processes to what the walk needs: each object's rows are
 * made once (by the worker), each process's maps are put together of its
 * objects' pages and published; samples that came too early are walked here.
 */
#ifndef UNWIND_UNWINDER_H
#define UNWIND_UNWINDER_H

#include "proc/images.h"
#include "unwind/replay.h"
#include "unwind/tables.h"
#include "worker/worker.h"

struct unwinder;

struct unwinder_stats {
	uint64_t objects, objects_without_rows, objects_failed;
	uint64_t rows, frame_bytes;		/* of all objects */
	uint64_t build_ns;			/* spent on making rows */
	uint64_t published;			/* processes */
};

struct unwinder *unwinder_new(const struct tables_memory *m, struct worker *w, const struct objects *objects);
void unwinder_free(struct unwinder *u);

/*
 * Makes the rows of the image's objects that have none yet; begins none when budget_ns is over.
 * Returns how many are left.
 */
int unwinder_prepare(struct unwinder *u, const struct image *i, uint64_t budget_ns);

/* What is in the making is not waited for any more: the worker is free for other questions. */
void unwinder_give_up(struct unwinder *u);

/*
 * Publishes the maps of an identified, living image where they changed since, once all its objects have
 * their rows: until then its stacks are copied.
 */
void unwinder_publish(struct unwinder *u, struct image *i, uint64_t now_ns);

/* The image ended. */
void unwinder_forget(struct unwinder *u, struct image *i, uint64_t now_ns);

/* Walks a stack of that image as it was at that time, whether it still lives or not. */
void unwinder_walk(struct unwinder *u, const struct image *i, uint64_t time, const struct replay_stack *s,
		   struct replay_walk *out);

const struct unwinder_stats *unwinder_stats(const struct unwinder *u);
const struct tables *unwinder_tables(const struct unwinder *u);

#endif
