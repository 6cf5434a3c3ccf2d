/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Waits, sampled by their length: one of d ns is kept with probability min(1, d / T), and stands for max(d, T) ns,
 * which is unbiased, and certain for all that are as long as T. A kept one is walked in the context of the task
 * that waited, right after it was switched to.
 */
#ifndef BPF_WAITS_H
#define BPF_WAITS_H

#include "bpf/wire.h"

#define WIRE_MAX_CPUS	4096		/* whose switches are accounted, a power of two */
#define WIRE_MAX_PERIOD (1ull << 31)	/* of T, ns */
#define WIRE_NONE_ASKED (~0ull)		/* as `min`: what ends on this CPU is not asked for */
#define WIRE_BELL_BYTES 65536		/* of the ring that asks for an interrupt: 4,096 times */

/* What runs the program that walks kept waits, in the context of the task that waited. */
enum wire_walker {
	WIRE_WALKER_NONE,		/* nothing: they have the kernel part of their stacks only */
	WIRE_WALKER_INTERRUPT,		/* the CPU's interrupt to itself: x86 */
	WIRE_WALKER_SWITCH,		/* the end of each switch: 6.15 and later */
};

/* Why a kept wait has no stack. */
enum wire_stackless {
	WIRE_NO_IPI,			/* the CPU switched again before the interrupt came */
	WIRE_MISMATCH,			/* it came while another task ran */
	WIRE_NO_RING,			/* user space did not read in time */
	WIRE_NO_WALKER,			/* there is none, or this CPU has just come */
	WIRE_NO_SCRATCH,		/* the CPU's scratch was in use */
	WIRE_NOT_TOLD,			/* no program was told of the switch that ended it: the next one says so */
	WIRE_STACKLESS
};

/* What waits without a stack stand for. */
struct wire_bare {
	__u64 kept, waits;
	__u64 blocked, runqueue;	/* ns */
	__u64 var;			/* us^2 */
};

/* Number and ns. */
struct wire_some {
	__u64 n, ns;
};

/*
 * What each switch needs of its CPU: a cache line, in the programs' own data, where they reach it without a lookup.
 * Counters grow for ever.
 */
struct wire_hot {
	__u32 begin, end;		/* switches: those seen, and those done with. Both equal: it is not at work */
	__u64 clock;			/* of the latest switch */
	__u32 tid;			/* who runs since then; 0: idle */
	__u32 slot;			/* of who runs, or of anybody */
	__u64 min;			/* ns; waits under it are only counted. Above all that are: none is asked for */
	__u32 period;			/* T; it doubles while walking takes more than the budget */
	__u32 on;			/* 0: switches pass as if unseen */
	__u64 random;			/* the state of wire_keeps(): odd */
	struct wire_some below;		/* waits that were short, and left to chance */
} __attribute__((aligned(64)));

/*
 * Of one CPU. told = under + self + filtered + kept, in number and in ns; kept = walked + untold + the sum of
 * bare[].kept.
 */
struct wire_waits {
	struct wire_some told, under, self, filtered, kept;
	__u64 base_period;		/* what was asked for */
	__u64 budget;			/* ns of walking per 2^30 ns; 0: unlimited */
	__u64 second, spent;		/* of the present 2^30 ns */
	__u64 under_queued;		/* ns of `under` in run queues */
	__u64 walked;
	struct wire_bare bare[WIRE_STACKLESS];
	__u64 untold;			/* kept ones with a record that has no user part: WIRE_NO_STACK */
	__u32 armed_tid, armed_flags;	/* whose wait is to be walked, 0: nobody's; enum wire_sample_flags */
	__u64 armed_wait, armed_queued, armed_period;
};

/*
 * A task that sleeps: struct wire_sample (with the times it was switched to as seq), WIRE_RAW_FRAMES frames, and
 * this. With WIRE_RAW registers are there.
 */
struct wire_sleeper_regs {
	__u64 pc, reg[WIRE_REGS];
	__u32 return_address, pad;
};

struct wire_sleeper {
	struct wire_sample sample;
	__u64 frame[WIRE_RAW_FRAMES];
	struct wire_sleeper_regs regs;
};

_Static_assert(sizeof(struct wire_hot) == 64, "wire_hot");
_Static_assert(sizeof(struct wire_waits) == 408, "wire_waits");

#endif
