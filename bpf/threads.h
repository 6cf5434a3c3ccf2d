/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The account of each thread's time (law L2), which the switch program keeps and user space reads, all mmapped.
 * User space hands free slots to each CPU and takes back those of the dead: no locks, no map system calls.
 * ns are of the scheduler's clock: only differences mean anything.
 */
#ifndef BPF_THREADS_H
#define BPF_THREADS_H

#include "bpf/waits.h"

#define WIRE_TID_LINE	16		/* slot numbers in one element of slot_of: a cache line */
#define WIRE_MAX_TID	(1u << 22)	/* the kernel's own limit */
#define WIRE_SLOT_QUEUE 2048		/* slots that a CPU may have in hand, a power of two */
#define WIRE_SLOT_CACHE 32768		/* slots that are found without slot_of, a power of two */

enum wire_thread_state {
	WIRE_THREAD_OFF,		/* waits for something */
	WIRE_THREAD_READY,		/* waits for a CPU: it was preempted */
	WIRE_THREAD_ON,			/* runs */
	WIRE_THREAD_DEAD,		/* ran for the last time */
};

/*
 * Slot 0 is nobody's. What a switch that was not seen would have said follows at the next from the scheduler's own
 * sums, so no time is lost by it. User space reads it when no switch is accounted, or its thread is dead. From `born` to
 * `since` it was on a CPU, by itself, for exec - exec_from, waited for one for delay - delay_from, lost `stolen` to
 * interrupts and the hypervisor, and was blocked for the rest.
 */
struct wire_thread {
	__u32 state;			/* enum wire_thread_state */
	__u32 wanted;			/* was its process asked for, at its first switch or its last? */
	__u64 task_struct;		/* its address: who it is, whatever becomes of its tid */
	__u64 since;			/* the last switch that was seen */
	__u64 exec, delay;		/* se.sum_exec_runtime and sched_info's whole delay at it */
	__s64 stolen;
	__u64 exec_from, delay_from;	/* exec and delay at `born` */
	__u64 born;			/* where this account begins */
	__u64 start_time;		/* of the thread: boot time, ns */
	__u32 tid, tgid;
	__u32 repaired;			/* switches that were not seen */
	__u32 negative;			/* intervals that came out below 0, as clocks of CPUs differ */
	char comm[WIRE_COMM_LEN];
	__u64 exit;			/* CLOCK_MONOTONIC when it began to, ns; 0: it did not */
	/* whole delay less the clock, at its first switch to a CPU between two accounts, since it was closed; 0: none */
	__u64 arrived;
};

/* Where to find the slots of 16 threads: tid / 16, then tid % 16. 0: none. */
struct wire_tid_line {
	__u32 slot[WIRE_TID_LINE];
};

/*
 * What else the switch program of one CPU keeps: few switches need it. Counters grow for ever; a queue's n-th is at
 * n % its size.
 */
struct wire_switches {
	struct wire_waits waits;
	__u64 from;			/* the clock when the account began */
	__u64 idle;			/* ns */
	__u64 full, full_ns;		/* switches to and ns on this CPU of threads that got no slot */
	__u64 unreturned;		/* slots of the dead for which the queue had no room */
	__u64 free_put, free_taken;	/* by user space; by the program */
	__u64 dead_put, dead_taken;	/* by the program; by user space */
	__u64 noting;			/* not 0: the account is paused, and who comes to a CPU is to say so */
	__u64 pad[3];
	__u32 free[WIRE_SLOT_QUEUE];
	__u32 dead[WIRE_SLOT_QUEUE];
};

/* A thread as the iterator lists it: what its last switch does not tell. */
struct wire_thread_now {
	__u64 start_time;
	__u64 exec, delay, queued;	/* queued: since when on the run queue; 0: not */
	__u32 tid, tgid;
	char comm[WIRE_COMM_LEN];
	__u32 wanted;			/* was its process asked for? */
	__u32 on_cpu;
	__u64 pcount;			/* how often it was switched to */
	__u64 came, exec_came;		/* when it last came to a CPU, and what it had run by then */
	__u64 task_struct;		/* its address */
};

_Static_assert(sizeof(struct wire_thread) == 128, "wire_thread");
_Static_assert(sizeof(struct wire_switches) % 64 == 0, "wire_switches");
_Static_assert(sizeof(struct wire_tid_line) == 64, "wire_tid_line");
_Static_assert(sizeof(struct wire_thread_now) == 96, "wire_thread_now");

#endif
