/* SPDX-License-Identifier: BSD-2-Clause */
/* What capture.c, drain.c, ledger.c and their like share. */
#ifndef CAPTURE_STATE_H
#define CAPTURE_STATE_H

#include <bpf/libbpf.h>
#include <errno.h>

#include "base/clock.h"
#include "capture/births.h"
#include "capture/capture.h"
#include "capture/chunks.h"
#include "capture/decode.h"
#include "capture/load.h"
#include "capture/self.h"
#include "capture/sideband.h"
#include "capture/tasks.h"
#include "capture/threads.h"
#include "capture/waits.h"

/* of a ring's records: this drain has read what was there when it began */
#define CAPTURE_ROUND_OVER (-ECANCELED)
/* until a drain, at the start */
#define CAPTURE_FIRST_DRAIN_NS (20 * NSEC_PER_MSEC)

struct cpu {
	int event_fd;			/* -1: none on this CPU */
	uint64_t former_ticks;		/* of events that the CPU had before it went */
	uint64_t seen_runs, seen_ns;	/* the last tick that was seen, and when */
	struct ring_buffer *ring;
	uint64_t consumed;		/* records read */
	uint64_t limit;			/* records to have read when this drain ends */
	struct wire_cpu now, base;	/* counters at the end of this profile, and of the one before */
	uint64_t ticks, base_ticks;	/* so the events' */
};

struct box {
	int fd;				/* of the list of CPUs that are online */
	char *list;			/* as it was read last */
	bool *online;			/* [nr_cpus] */
	uint64_t asleep_ns, checked_ns;	/* since boot: at the start, at the last look */
	uint64_t side_ns;		/* when the side-band's events were looked at */
	uint32_t max_rate;		/* the kernel's limit at the start */
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
	struct decoder *former;		/* of the last profile, while samples of it wait for tables; NULL: none */
	struct box box;
	int sleepers_fd;		/* the list of them, for the end */
	struct loop *loop;		/* capture_watch()'s, with what it calls */
	loop_fn full_fn;
	void *full_ctx;
	struct ring_ctx *ring_ctx;	/* [nr_cpus] */
	struct cpu *cpu;		/* [nr_cpus] */
	const struct wire_cpu *live;	/* [nr_cpus], mmapped */
	size_t live_size;
	int nr_cpus;
	bool *wanted;			/* [nr_cpus], whose ticks and ends of waits are asked for */
	uint32_t nr_wanted;
	pid_t *target_tgid;		/* of threads that are asked for */
	size_t nr_target_tgid, cap_target_tgid;
	uint64_t period_ns, start_ns, now_ns;
	uint64_t begun_ns, end_ns;	/* of this profile */
	int64_t end_real_ns;
	struct meta_unwind unwind_base;	/* counts that former profiles have */
	uint64_t counted, not_followed;
	uint64_t ready_ns;		/* when all that ran at the start had their tables */
	uint64_t expired_ns;		/* when images were last forgotten */
	uint64_t released_ns;		/* when files were last given back */
	uint64_t drain_ns;		/* until the next */
	struct self self;
};

struct ring_ctx {
	struct capture *c;
	int cpu;
};

/*
 * While the account is paused: what the programs have counted so far is this profile's. It waits for those that run
 * at the moment.
 */
int ledger_copy(struct capture *c) must_check;

/*
 * Does what each CPU's copy says was emitted equal what came? Copies are made first, then the rings are read.
 * -EBADE after fail_plain(). valid: [nr_cpus], which have a copy.
 */
int ledger_check_drained(struct capture *c, const struct wire_cpu *copy, const bool *valid) must_check;

/* What unwinding took and what it lacked; not present where no user stacks are taken. */
void ledger_unwinding(const struct capture *c, struct meta_unwind *u);

/* Columns and limits. */
void capture_begin_profile(struct capture *c, struct profile *p);

/* Rings of a CPU that has come. */
int capture_open_cpu(struct capture *c, int cpu) must_check;

/* The profile gets its ledger of ledger_copy(), up to which the rings have been read. */
int ledger_close(struct capture *c) must_check;

/* What comes belongs to the next profile. */
void ledger_next(struct capture *c);

#endif
