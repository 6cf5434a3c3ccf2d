/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the BPF programs tell of processes. */
#ifndef BPF_PROCESSES_H
#define BPF_PROCESSES_H

#include "bpf/wire.h"

/* A process that runs, as the task iterator lists it. */
struct wire_task {
	__u64 start_time;
	__u32 tgid;
	__u32 exec_id;
};

/* A process that has begun a new program. */
struct wire_birth {
	__u64 time;		/* CLOCK_MONOTONIC, ns */
	__u64 start_time;
	__u32 tgid;
	__u32 exec_id;
};

#define WIRE_BIRTHS 128		/* of one CPU, a power of two */

/* The latest of one CPU; the n-th (from 0) is at n % WIRE_BIRTHS. */
struct wire_births {
	__u64 count;		/* grows when the next is complete */
	struct wire_birth birth[WIRE_BIRTHS];
};

_Static_assert(sizeof(struct wire_birth) == 24, "wire_birth");

#endif
