/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One side-band record, as perf_event_open(2) describes it, of an event with
 * mmap2, comm, task, sample_id_all and PERF_SAMPLE_TIME alone: the time is the
 * last word of every record.
 */
#ifndef CAPTURE_SIDE_RECORD_H
#define CAPTURE_SIDE_RECORD_H

#include <linux/perf_event.h>
#include <stdint.h>

#include "base/error.h"
#include "proc/maps.h"

enum side_kind {
	SIDE_OTHER,			/* of no interest here */
	SIDE_FORK,			/* pid == parent: a thread */
	SIDE_EXEC,
	SIDE_MMAP,			/* executable */
	SIDE_EXIT,			/* of thread tid */
	SIDE_LOST,
};

struct side_record {
	enum side_kind kind;
	int pid, tid, parent;
	uint64_t time;			/* by the event's clock */
	uint64_t lost;			/* SIDE_LOST: how many */
	struct exec_map map;		/* SIDE_MMAP; the path is in the record */
};

/* Takes a whole record (header.size bytes) apart. -EBADMSG: it is too short for what it is. */
int side_record_parse(struct side_record *out, const struct perf_event_header *h) must_check;

#endif
