/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine that is sampled: which of its CPUs are asked for, which go and come meanwhile, and what else happens
 * to it. The kernel takes a CPU's events away when it goes, for good: when it is back it gets new ones. One that
 * was never there before gets its rings, too.
 */
#ifndef CAPTURE_BOX_H
#define CAPTURE_BOX_H

#include "capture/state.h"

/* Whose ticks, and waits that end there, are asked for; online: [nr_cpus], nr_online of them. */
int box_choose(struct capture *c, const bool *online, int nr_online) must_check;

/* Begins to watch the CPUs. */
void box_open(struct capture *c, const bool *online);
void box_close(struct capture *c);

/* Sampling begins. */
void box_start(struct capture *c);

/* Has the list of CPUs changed? One pread(2). A CPU that cannot be sampled is tried again at the next call. */
void box_check(struct capture *c);

/* Another profile begins. */
void box_next(struct capture *c);

/* Sampling, or a profile, is over: the profile gets what happened. */
void box_describe(struct capture *c);

#endif
