/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of the worker's process: started, ended, found dead, and never waited for where it hangs
 * in the kernel.
 */
#ifndef WORKER_PROCESS_H
#define WORKER_PROCESS_H

#include "worker/worker.h"

struct process {
	pid_t pid; /* 0: none is running */
	int sock;
	uint64_t deaths;
	pid_t stuck[WORKER_MAX_STUCK]; /* killed and not gone yet; 0: free */
	void (*started)(void *ctx, pid_t pid);
	void (*ended)(void *ctx, pid_t pid);
	void *ctx;
};

/* Starts one. -EBUSY: too many that were killed do not go away. */
int process_start(struct process *p) must_check;

/* Ends the one that runs, if any. Waits for it, but not for one that hangs in the kernel. */
void process_stop(struct process *p);

/* One that died without being asked to is counted and forgotten. */
void process_notice_death(struct process *p);

/* Those that hung and are gone by now. */
void process_reap(struct process *p);

#endif
