/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has begun a new program: the exec program leaves each one's identity in
 * a mmapped ring per CPU. The side-band tells what it maps, but not who it is
 * to the sampler; with both its maps are published before its first sample.
 */
#ifndef CAPTURE_BIRTHS_H
#define CAPTURE_BIRTHS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/processes.h"

struct births {
	const struct wire_births *live;	/* [nr_cpus], mmapped */
	size_t size;
	int nr_cpus;
	uint64_t *read;			/* [nr_cpus]: how many were read */
	uint64_t missed;		/* overwritten before they were: a sample will tell of them */
};

int births_open(struct births *b, int fd, int nr_cpus) must_check;
void births_close(struct births *b);

/* Calls fn for each that is not younger than `until` (CLOCK_MONOTONIC), once. Makes no system call. */
void births_read(struct births *b, uint64_t until, void (*fn)(void *ctx, const struct wire_birth *one),
		 void *ctx);

#endif
