/* SPDX-License-Identifier: BSD-2-Clause */
/* Which processes there are, and in what state, of /proc. */
#ifndef PROC_PIDS_H
#define PROC_PIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The numbers of all processes now, in *out (for free()). */
int pids_list(int **out, size_t *nr) must_check;

struct pid_stat {
	char state;			/* 'R', 'S', 'Z' ... */
	int parent;
	uint32_t threads;		/* with a first thread that has ended before the others */
	uint64_t start_ticks;		/* since boot, _SC_CLK_TCK a second */
};

/* -ESRCH: no such process. Else it cannot be read: no descriptor is free, or the like. */
int pid_stat(int pid, struct pid_stat *out) must_check;

/* Is nothing left of it but perhaps what its parent has not waited for? */
bool pid_ended(int pid);

/*
 * Did the process of that number start then (ns of the boot clock)? False for one that is gone, true for one that
 * cannot be read.
 */
bool pid_started_at(int pid, uint64_t start_ns);

#endif
