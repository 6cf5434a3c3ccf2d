/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that run at the start: their tables are made in the background, before a sample asks. */
#ifndef CAPTURE_TASKS_H
#define CAPTURE_TASKS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "bpf/processes.h"
#include "proc/images.h"
#include "unwind/unwinder.h"

struct tasks {
	struct wire_task *task;
	size_t nr, next;
};

/* Lists them through the iterator program behind link_fd. A kernel that has none gives an empty list. */
void tasks_read(struct tasks *t, int link_fd);
void tasks_done(struct tasks *t);

/* Prepares and publishes for about budget_ns. Returns how many are left. */
size_t tasks_prepare(struct tasks *t, struct images *im, struct unwinder *u, uint64_t now_ns,
		     uint64_t budget_ns);

/*
 * Leaves only those that `wanted` says yes to, and prepares them: before the first sample, so that none
 * of theirs has to wait. Of the others there will be none.
 */
typedef bool (*tasks_wanted)(void *ctx, pid_t pid);
void tasks_prepare_wanted(struct tasks *t, struct images *im, struct unwinder *u, tasks_wanted wanted,
			  void *ctx);

#endif
