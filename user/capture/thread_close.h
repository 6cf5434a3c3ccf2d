/* SPDX-License-Identifier: BSD-2-Clause */
/* What a thread did from the last switch that was seen of it until its account ends. */
#ifndef CAPTURE_THREAD_CLOSE_H
#define CAPTURE_THREAD_CLOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/threads.h"

/* No thread's sum of CPU time is known for the end itself: the list is of a moment later. */
struct account_end {
	uint64_t end;			/* the scheduler's clock */
	uint64_t later;			/* from then to the list, ns */
};

struct open_interval {
	int64_t wait, queued;		/* off the CPU, ns; of these in run queues */
	bool off;			/* it was off the CPU at its last switch that was seen */
	bool over;			/* and has been on one since */
};

/*
 * Adds the interval that is open at the end to *one, so that it goes until the end. `now`: the thread as it was listed;
 * as *one says, where it was not.
 */
struct open_interval thread_close(struct wire_thread *one, const struct wire_thread_now *now, struct account_end e);

#endif
