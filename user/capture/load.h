/* SPDX-License-Identifier: BSD-2-Clause */
/* The BPF object: configured for this kernel, loaded, attached. */
#ifndef CAPTURE_LOAD_H
#define CAPTURE_LOAD_H

#include <stdbool.h>

#include "base/error.h"
#include "capture/capture.h"
#include "capture/threads.h"

struct sampler_bpf;

struct loaded {
	struct sampler_bpf *skel;
	int prog_fd;			/* the perf_event program */
	bool uses_slots;		/* 5.10: identity from the switch program */
	int *ring_fd;			/* [nr_cpus], -1 where the CPU has none */
	int nr_cpus;			/* possible CPUs */
	struct threads_size threads;
	enum wire_walker walker;	/* of waits */
	struct capture_program *program;
	size_t nr_programs;
};

struct load_request {
	const struct capture_config *cfg;
	const bool *online, *wanted;	/* [nr_cpus]; the wanted ones get a ring */
	int nr_cpus;
	uint64_t period_ns;
	uint32_t ring_bytes;
};

/* Errors name cause and cure; load_close() is the caller's then, too. */
int load_open(struct loaded *l, const struct load_request *q) must_check;
/* The ring of one CPU. */
int load_ring(struct loaded *l, int cpu, uint32_t bytes) must_check;
/*
 * Maps into an array of maps: all at once where the kernel can, since it waits for the end of an RCU grace period
 * after each call. Negative errno.
 */
int load_put(int outer, const uint32_t *key, const int *fd, uint32_t nr) must_check;
void load_close(struct loaded *l);

#endif
