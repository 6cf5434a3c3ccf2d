/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that are asked for, as the BPF side knows them. */
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

/* Is it in the table? */
bool target_has(int map_fd, pid_t pid);

#endif
