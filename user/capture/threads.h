/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The account of each thread's time: the switch program's slots, mmapped. Free slots are handed to each CPU,
 * those of the dead come back with what they did, and at the end the open intervals are closed. While it runs
 * no system call is made for it.
 */
#ifndef CAPTURE_THREADS_H
#define CAPTURE_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/threads.h"
#include "model/profile.h"

struct sampler_bpf;
struct threads;

struct threads_size {
	uint32_t slots, lines;		/* entries of the maps: threads at once, tids / WIRE_TID_LINE */
};

/* What this box's threads and its limit of tids ask for. */
struct threads_size threads_size(int nr_cpus);

/* Maps what the loaded programs keep. The account of threads of process `self` is not wanted. */
int threads_open(struct threads **out, const struct sampler_bpf *skel, struct threads_size size, int nr_cpus,
		 const volatile uint32_t *self) must_check;
void threads_close(struct threads *t);

/* The account begins. */
int threads_start(struct threads *t) must_check;

/* Hands out slots, and takes back those of the dead. */
void threads_read(struct threads *t, struct profile *p);

/* The account ends, and goes into the profile; p NULL: it does not. */
int threads_stop(struct threads *t, struct profile *p) must_check;

/* A wait that had not ended then. */
struct open_wait {
	uint32_t tid;
	uint64_t pcount;		/* how often its thread had been switched to */
	int64_t wait, queued;		/* ns, from its begin or the account's; of these in run queues */
	uint32_t labels;		/* of the profile */
	bool done;			/* the profile has it */
};

/* The thread's, if it is still that wait, and not done. */
struct open_wait *threads_open_wait(struct threads *t, uint32_t tid, uint64_t pcount);

/* Those that are not done, as this name. */
void threads_add_open(struct threads *t, struct profile *p, const char *name);

#endif
