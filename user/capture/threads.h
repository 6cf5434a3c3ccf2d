/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The account of each thread's time: the switch program's slots, mmapped. Free slots are handed to each CPU,
 * those of the dead come back with what they did, and at the end of an account, which may be the begin of the
 * next, the open intervals are closed. Else no system call is made for it.
 */
#ifndef CAPTURE_THREADS_H
#define CAPTURE_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/threads.h"
#include "capture/open_waits.h"
#include "capture/threads_size.h"
#include "model/profile.h"

struct sampler_bpf;
struct threads;

/* Maps what the loaded programs keep. The account of threads of process `self` is not wanted. */
int threads_open(struct threads **out, const struct sampler_bpf *skel, struct threads_size size, int nr_cpus,
		 const volatile uint32_t *self) must_check;
void threads_close(struct threads *t);

/* The account begins; the same programs sample waits. */
int threads_start(struct threads *t) must_check;

/* Hands out slots, and takes back those of the dead. */
void threads_read(struct threads *t, struct profile *p);

/*
 * The end of an account, in three steps: nothing is added from now on; what there is goes into the profile (NULL:
 * nowhere), up to the moment of the pause; the next account begins, of that same moment. In between the time of
 * switches is in the scheduler's own sums, from which it is made up at the next ones. anew: waits that went on
 * are of the next account only from here on.
 */
int threads_pause(struct threads *t) must_check;
int threads_close_account(struct threads *t, struct profile *p) must_check;
int threads_resume(struct threads *t, bool anew) must_check;

/* Those that had not ended, from threads_close_account() to the next. */
struct open_waits *threads_open_waits(struct threads *t);

#endif
