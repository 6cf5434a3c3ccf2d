/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mmapped ring of a perf event, read record by record. What the kernel
 * wrote is checked as if a stranger had.
 */
#ifndef CAPTURE_PERF_RING_H
#define CAPTURE_PERF_RING_H

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct perf_ring {
	struct perf_event_mmap_page *page;
	const uint8_t *data;
	uint64_t size;			/* of data, a power of two */
	uint64_t head, tail;		/* what may be read: [tail, head) */
	uint64_t peeked;		/* size of the record at tail, 0: not looked at */
	uint8_t *copy;			/* of a record that goes round the end */
	size_t cap_copy;
};

/* Maps the ring of a perf event: nr_pages of data, a power of two. */
int perf_ring_map(struct perf_ring *r, int fd, size_t nr_pages) must_check;

/* A ring in memory of the caller's, for perf_ring_done(). */
void perf_ring_init(struct perf_ring *r, struct perf_event_mmap_page *page, const void *data,
		    uint64_t size);

void perf_ring_unmap(struct perf_ring *r);
void perf_ring_done(struct perf_ring *r);

/* What was written before this call can be read. -EBADMSG: more than there can be; emptied. */
int perf_ring_begin(struct perf_ring *r) must_check;

/*
 * The next record, whole (header.size bytes, 8-byte aligned) and valid until perf_ring_next(); NULL
 * in *out at the end. -EBADMSG: its size cannot be; all that was to be read is skipped.
 */
int perf_ring_peek(struct perf_ring *r, const struct perf_event_header **out) must_check;

/* The record is done with: its place is the kernel's again. */
void perf_ring_next(struct perf_ring *r);

#endif
