/* SPDX-License-Identifier: BSD-2-Clause */
/* Control groups of the v2 hierarchy, as a mounted cgroup2 file system shows them; beside v1 ones on a hybrid box. */
#ifndef PROC_CGROUP_H
#define PROC_CGROUP_H

#include <stdint.h>

#include "base/error.h"

/*
 * Finds one by its folder, by its path below the mount (as /proc/PID/cgroup has it behind "0::") or by its id.
 * *path is the folder, for free(). -ENOENT, or -EINVAL for one of v1, after fail_plain().
 */
int cgroup_find(const char *name, char **path) must_check;

/*
 * Calls fn for the folder and all below it, each with its id (the inode number is the kernel's own id of it). Stops
 * at what is not 0, and returns it.
 */
typedef int (*cgroup_fn)(void *ctx, uint64_t id, const char *path);
int cgroup_each(const char *path, cgroup_fn fn, void *ctx) must_check;

#endif
