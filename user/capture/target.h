/* SPDX-License-Identifier: BSD-2-Clause */
/* What is asked for, as the BPF side knows it: processes, threads, control groups. */
#ifndef CAPTURE_TARGET_H
#define CAPTURE_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Adds the process and all that descend from it to the table behind map_fd, whose fork program is
 * attached. pending: it counts from its next execve() on. -ESRCH: there is no such process.
 */
int target_add(int map_fd, pid_t pid, bool pending) must_check;

/* Is it in the table, and counts (from its next execve() on, at least)? */
bool target_has(int map_fd, pid_t pid);

/* Adds one thread; returns the process it belongs to, or -ESRCH. */
pid_t target_add_thread(int map_fd, pid_t tid) must_check;

/* Adds the cgroup (cgroup_find()'s name) and all below it to the table, whose programs are attached. */
int target_add_cgroup(int map_fd, const char *name) must_check;

#endif
