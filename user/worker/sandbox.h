/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes all rights from this process, for good: no other descriptors than its
 * socket, no memory that is shared with the kernel or another process, no
 * capabilities, nobody's user id where it may change that, resource limits, no
 * tracing, and a list of allowed system calls; any other kills it.
 */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include <sys/types.h>

#include "base/error.h"

#define SANDBOX_SOCKET	   0		  /* the one descriptor that is kept, by this number */
#define SANDBOX_MAX_MEMORY (512ull << 20) /* address space beyond what it starts with */
#define SANDBOX_MAX_FILES  8
#define SANDBOX_MAX_CPU	   600 /* seconds, in its whole life */
#define SANDBOX_NOBODY	   65534

/*
 * For a process that was just forked by `parent` and has one thread. `sock` becomes
 * SANDBOX_SOCKET. The process dies with its parent, and not by what a terminal sends to all.
 * Negative errno after fail(): the process has lost some rights by then, but not all, and is to
 * do no work.
 */
int sandbox_enter(int sock, pid_t parent) must_check;

#endif
