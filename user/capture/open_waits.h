/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits that have not ended when the account does. */
#ifndef CAPTURE_OPEN_WAITS_H
#define CAPTURE_OPEN_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/threads.h"
#include "model/profile.h"

#define OPEN_WAIT_OVER UINT64_MAX	/* as pcount: it has ended since, and its stack is not to be had */

struct open_wait {
	uint32_t tid;
	uint64_t pcount;		/* how often its thread had been switched to */
	int64_t wait, queued;		/* ns, from its begin or the account's; of these in run queues */
	uint32_t labels;		/* of the profile */
	bool done;			/* the profile has it */
};

struct open_waits {
	struct open_wait *wait;		/* by tid, once sorted */
	size_t nr, cap;
};

void open_waits_add(struct open_waits *w, const struct open_wait *one);

/* What a profile says of a thread that waits; process: the name of its first thread. */
uint32_t open_waits_labels(struct profile *p, const struct wire_thread *one, const char *process);
void open_waits_sort(struct open_waits *w);
void open_waits_done(struct open_waits *w);

/* The thread's, if it is still that wait, and not done. */
struct open_wait *open_waits_find(const struct open_waits *w, uint32_t tid, uint64_t pcount);

/* Those that are not done, as this name. */
void open_waits_name(const struct open_waits *w, struct profile *p, const char *name);

#endif
