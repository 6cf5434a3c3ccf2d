/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the BPF programs and user space agree on: records in the per-CPU ring
 * buffers, and per-CPU counters in a mmapped array. Fixed layout, explicit
 * padding, fixed-size types only.
 */
#ifndef BPF_WIRE_H
#define BPF_WIRE_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif
#include "bpf/rows.h"

#define WIRE_COMM_LEN	 16
#define WIRE_MAX_KERNEL	 127	/* frames; the kernel's own default limit */
#define WIRE_MAX_USER	 512	/* at most; Python alone, while it imports, has over 127 */
#define WIRE_FRAME_SLOTS 1024	/* power of two > both together */
#define WIRE_RAW_FRAMES	 256	/* in front of a copied stack: power of two > WIRE_MAX_KERNEL */
#define WIRE_MAX_SELF	 16	/* processes that are dwell itself */

/* How the user part of a stack ended. Anything but COMPLETE and NONE is truncated. */
enum wire_user_status {
	WIRE_USER_NONE,		/* not asked for, or a kernel thread: there is no user part */
	WIRE_USER_COMPLETE,	/* the outermost frame was reached */
	WIRE_USER_GAP,		/* code without rows, and without a frame pointer to believe */
	WIRE_USER_FAULT,	/* the stack's memory could not be read */
	WIRE_USER_DEPTH,	/* more frames than are asked for */
	WIRE_USER_NO_REGS,	/* the registers are out of reach (5.10 under lockdown) */
	WIRE_USER_COMPAT,	/* a 32-bit program */
	WIRE_USER_BAD_RA,	/* a return address that cannot be one */
	WIRE_USER_BAD_CFA,	/* the stack does not grow towards the caller */
	WIRE_USER_UNSUPPORTED,	/* unwind information beyond what a rule can say */
	WIRE_USER_NO_MAP,	/* code outside all known mappings */
	WIRE_USER_NO_PROCESS,	/* a process whose mappings are not known yet */
	WIRE_USER_EXEC,		/* inside execve(): the old program is gone, the new not there */
	WIRE_USER_EXIT,		/* on its way out, without memory */
	WIRE_USER_STATUSES
};

/* Why a tick that should have been counted was not (law L1). */
enum wire_lost {
	WIRE_LOST_RING_FULL,	/* user space did not read in time */
	WIRE_LOST_NESTED,	/* the CPU's scratch was in use */
	WIRE_LOST_IDENTITY,	/* 5.10: the running task was not seen switching in yet */
	WIRE_LOST_NO_COUNT,	/* the event's own count could not be read */
	WIRE_LOSTS
};

enum wire_sample_flags {
	WIRE_KERNEL_MODE = 1,	/* the tick interrupted the kernel */
	WIRE_RAW = 2,		/* registers and a copy of the stack follow: struct wire_raw */
	WIRE_KERNEL_FAILED = 4,	/* the kernel part could not be taken */
	WIRE_KTHREAD = 8,
	WIRE_SYSCALL = 16,	/* user frame 0 follows a system call instruction */
	WIRE_WAIT = 32,		/* no tick, but a wait that has just ended */
	WIRE_PREEMPTED = 64,	/* it could have run on */
	WIRE_NO_STACK = 128,	/* a wait that was not walked: with WIRE_KERNEL_MODE for want of a walker, and it has kernel
				 * frames; else as it ended with a switch that was not told, and without frames */
};

/*
 * One tick on one CPU, or one wait; in its ring, followed by nr_kernel + nr_user frames (__u64), leaf first. Kernel frames
 * are as the kernel gives them (return addresses but for the first), user frames lie in the instruction that
 * was being executed: the call's, not the one after it.
 */
struct wire_sample {
	__u64 time;		/* CLOCK_MONOTONIC, ns */
	__u64 seq;		/* 1, 2, 3 ... of the records of this CPU that reached the ring */
	__u64 start_time;	/* of the process: boot time, ns */
	__u64 exec_id;		/* grows with each execve() */
	__u32 tgid, tid;
	__u16 nr_kernel, nr_user;
	__u8 user_status;	/* enum wire_user_status */
	__u8 flags;		/* enum wire_sample_flags */
	__u8 by_fp, by_guess;	/* user frames found by frame pointer, by guess; the others by rows */
	__u64 bad_pc;		/* where the user part ended, if not complete */
	__u64 wait, queued;	/* of a wait: ns off the CPU, and of these in a run queue */
	__u64 period;		/* it stands for max(wait, period) ns: shorter ones are kept by chance */
	char comm[WIRE_COMM_LEN];	/* the thread's name */
	char process[WIRE_COMM_LEN];	/* its process's first thread's name */
};

#define WIRE_BELOW     128	/* the red zone of x86-64: what was just popped, too, is said to be saved there */
#define WIRE_RAW_STACK 65536	/* at most; records have room for 8, 16, 32 or 64 KiB */

/* What it takes to walk later. Registers are of frame 0, or of where the walk stopped if nr_user is above 1. */
struct wire_raw {
	struct wire_sample sample;
	__u64 frame[WIRE_RAW_FRAMES];	/* as behind every sample */
	__u64 pc, reg[WIRE_REGS];
	__u32 return_address, stack_len;
	__u32 skipped, below_len;	/* bytes unread at the begin of stack[] (pages to come); in below[]: 0 or all */
	__u8 below[WIRE_BELOW];		/* under the stack pointer */
	__u8 stack[];			/* from reg[WIRE_REG_SP], the stack pointer, on */
};

/*
 * The counters of one CPU. Written only by the program on that CPU; `begin` is
 * raised on entry and `end` on exit, so a reader that finds both equal before
 * and after its copy has a consistent one.
 * runs = emitted + idle + filtered + self + sum(lost), always.
 */
struct wire_cpu {
	__u64 begin, end;
	__u64 ticks;		/* floor(the event's own count / its period) at the last run */
	__u64 runs;
	__u64 emitted, idle, filtered, self;
	__u64 lost[WIRE_LOSTS];
	__u64 targets_full;	/* children that could not be followed: table full */
	__u64 raw;		/* stacks copied for want of tables */
	__u64 raw_limited;	/* stacks not copied: too many in this second */
	__u64 raw_second;	/* which second, and how many in it */
	__u64 raw_in_second;
	__u64 woken_at;		/* how far the ring was read when copies last asked for a drain, plus one */
	__u64 waits;		/* records of waits; their numbers and those of ticks are one row */
	__u64 pad[13];		/* to 256 bytes: no two CPUs share a cache line */
};

_Static_assert(sizeof(struct wire_sample) == 112, "wire_sample");
_Static_assert(sizeof(struct wire_cpu) == 256, "wire_cpu");

#endif
