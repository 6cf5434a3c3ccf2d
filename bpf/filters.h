/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which tasks are asked for. Each filter that is set must let a task pass; what none is set for is wanted. */
#ifndef BPF_FILTERS_H
#define BPF_FILTERS_H

#include "bpf/wire.h"

/* A process (key: tgid) or a thread (key: tid) that is asked for. */
struct wire_target {
	__u64 start_time;	/* 0: not known yet, the first match fills it in; UINT64_MAX: no match */
	__u32 pending;		/* 1: counts from its next execve() on */
	__u32 pad;
};

#define WIRE_MOVED	16		/* threads with a new tid that are remembered */
#define WIRE_GLOB_BYTES 256

_Static_assert(sizeof(struct wire_target) == 16, "wire_target");

#endif
