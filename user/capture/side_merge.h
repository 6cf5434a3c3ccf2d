/* SPDX-License-Identifier: BSD-2-Clause */
/* The side-band records of several rings in one order of time. */
#ifndef CAPTURE_SIDE_MERGE_H
#define CAPTURE_SIDE_MERGE_H

#include <stdint.h>

#include "capture/perf_ring.h"
#include "capture/side_record.h"

struct side_source {
	struct perf_ring ring;		/* page NULL: none */
	struct side_record next;	/* the oldest one not read */
};

struct side_merge {
	int nr;
	struct side_source *source;	/* [nr] */
	struct side_source **heap;	/* those with a next record, the oldest on top */
	int nr_heap;
};

/* For nr rings, which the caller puts into source[].ring and takes out again. */
void side_merge_init(struct side_merge *m, int nr);
void side_merge_done(struct side_merge *m);

/*
 * Calls fn for each record that is of interest and not younger than `time`; younger ones stay in
 * their rings. What is not to be understood comes as a SIDE_LOST of one. Returns how many.
 */
int side_merge_read(struct side_merge *m, uint64_t time,
		    void (*fn)(void *ctx, const struct side_record *r), void *ctx);

#endif
