/* SPDX-License-Identifier: BSD-2-Clause */
/* Who descends from whom, of /proc/PID/stat. */
#ifndef PROC_CHILDREN_H
#define PROC_CHILDREN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct proc_parent {
	pid_t pid, ppid;
	uint64_t start_ticks;		/* of pid, as struct pid_stat: who had the number then */
};

/* All processes with their parents now (*out for free()). */
int children_scan(struct proc_parent **out, size_t *nr) must_check;

/* The process that a thread belongs to; -ESRCH when there is no such thread or process. Errors after fail(). */
pid_t children_tgid(pid_t tid) must_check;

#endif
