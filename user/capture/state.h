/* SPDX-License-Identifier: BSD-2-Clause */
/* What capture.c and its ledger.c share. */
#ifndef CAPTURE_STATE_H
#define CAPTURE_STATE_H

#include <bpf/libbpf.h>

#include "capture/births.h"
#include "capture/capture.h"
#include "capture/chunks.h"
#include "capture/decode.h"
#include "capture/load.h"
#include "capture/sideband.h"
#include "capture/tasks.h"
#include "capture/threads.h"
#include "capture/waits.h"

struct cpu {
	int event_fd;			/* -1: none on this CPU */
	struct ring_buffer *ring;
	uint64_t consumed;		/* records read */
	uint64_t limit;			/* records to have read when this drain ends */
};

struct capture {
	struct capture_config cfg;
	struct loaded loaded;
	struct profile *p;
	const struct kallsyms *kallsyms;
	struct images *images;
	struct sideband *sideband;
	struct births births;
	struct chunks chunks;
	struct unwinder *unwinder;	/* NULL: no user stacks */
	struct tasks tasks;
	struct threads *threads;	/* NULL: no account */
	struct waits *waits;		/* NULL: none */
	struct decoder *decoder;
	struct ring_ctx *ring_ctx;	/* [nr_cpus] */
	struct cpu *cpu;		/* [nr_cpus] */
	const struct wire_cpu *live;	/* [nr_cpus], mmapped */
	size_t live_size;
	int nr_cpus;
	uint32_t nr_online;
	uint64_t period_ns, start_ns, now_ns;
	uint64_t counted, not_followed;
	uint64_t ready_ns;		/* when all that ran at the start had their tables */
	uint64_t expired_ns;		/* when images were last forgotten */
	uint64_t drain_ns;		/* until the next */
	uint32_t nr_self;
};

struct ring_ctx {
	struct capture *c;
	int cpu;
};

/*
 * Does what each CPU's copy says was emitted equal what came? Copies are made first, then the rings are read.
 * -EBADE after fail_plain(). valid: [nr_cpus], which have a copy.
 */
int ledger_check_drained(struct capture *c, const struct wire_cpu *copy, const bool *valid) must_check;

/* The profile gets its ledger; nothing samples any more. */
int ledger_close(struct capture *c) must_check;

#endif
