/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The walk of a user stack: one step() per frame over state in a per-CPU slot.
 * step() is a global function with one scalar argument, so the verifier looks
 * at it once and not 127 times; the driver is a plain bounded loop (5.10 has
 * no bpf_loop). The stack is read in windows of 512 bytes: one read per some
 * ten frames instead of one per word, and never across a page, since the next
 * page need not be there.
 */
#ifndef BPF_WALK_BPF_H
#define BPF_WALK_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf/wire.h"

#define WINDOW_WORDS 64
#define WINDOW_BYTES (WINDOW_WORDS * 8)
#define PAGE_BYTES   4096
#define USER_MIN     4096ull
#define USER_MAX     0x00007ffffffff000ull
#define COMM_WORDS   (WIRE_COMM_LEN / 8)

struct walk {
	__u32 in_use;
	__u32 nr;		/* user frames so far */
	__u32 first;		/* index of the first of them in frame[] */
	__u32 status;		/* enum wire_user_status */
	__u64 sp;		/* lowest address the next frame may lie at */
	__u64 fp;
	__u64 window_start;	/* user address of window[0] */
	__u64 window_len;	/* bytes that are valid */
	__u64 window[WINDOW_WORDS];
	struct wire_sample sample;	/* the record under construction ... */
	__u64 frame[WIRE_FRAME_SLOTS];	/* ... and its frames right behind it */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);		/* CPUs; set at load */
	__type(key, __u32);
	__type(value, struct walk);
} walks SEC(".maps");

/* Makes window[0..1] hold the two words at `at`. */
static __always_inline int window_fill(struct walk *w, __u64 at)
{
	__u32 len = PAGE_BYTES - (at & (PAGE_BYTES - 1));

	if (len > WINDOW_BYTES)
		len = WINDOW_BYTES;
	if (len < 16)
		len = 16;
	w->window_len = 0;
	if (bpf_probe_read_user(w->window, len, (const void *)at))
		return -1;
	w->window_start = at;
	w->window_len = len;
	return 0;
}

static __always_inline void walk_put(struct walk *w, __u64 ip)
{
	w->frame[(w->first + w->nr) & (WIRE_FRAME_SLOTS - 1)] = ip;
	w->nr++;
}

/* One frame by the checked frame-pointer rule. Non-zero: the walk has ended, w->status says how. */
__noinline int step(__u32 cpu)
{
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	__u64 fp, off, ra;

	if (!w)
		return 1;
	fp = w->fp;
	if (!fp) {
		w->status = WIRE_USER_COMPLETE;
		return 1;
	}
	if (fp < w->sp || (fp & 7) || fp >= USER_MAX) {
		w->status = WIRE_USER_NO_FP;
		return 1;
	}
	off = fp - w->window_start;
	if (off + 16 > w->window_len || off > WINDOW_BYTES - 16) {
		if (window_fill(w, fp)) {
			w->status = WIRE_USER_FAULT;
			return 1;
		}
		off = 0;
	}
	/* the compiler would drop the masks for bounds that it knows and 6.12's verifier forgets */
	off >>= 3;
	barrier_var(off);
	ra = w->window[(off + 1) & (WINDOW_WORDS - 1)];
	if (ra < USER_MIN || ra >= USER_MAX) {
		w->status = ra ? WIRE_USER_NO_FP : WIRE_USER_COMPLETE;
		return 1;
	}
	w->fp = w->window[off & (WINDOW_WORDS - 1)];
	w->sp = fp + 16;
	walk_put(w, ra);
	return 0;
}

/*
 * Walks from w->sp and w->fp. syscall: the registers were saved on entry to the kernel by a
 * system call, whose stub in libc has no frame: the caller's address is at *sp.
 */
static __always_inline void walk_user(struct walk *w, __u32 cpu, __u64 ip, bool syscall)
{
	__u64 sp = w->sp;
	int i;

	w->nr = 0;
	w->status = WIRE_USER_DEPTH;
	w->window_len = 0;
	walk_put(w, ip);
	if (syscall)
		w->sample.flags |= WIRE_SYSCALL;
	if (syscall && !(sp & 7) && sp < USER_MAX && !window_fill(w, sp)) {
		__u64 ra = w->window[0];

		if (ra >= USER_MIN && ra < USER_MAX) {
			walk_put(w, ra);
			w->sample.flags |= WIRE_SYSCALL_RA;
		}
	}
	for (i = 0; i < WIRE_MAX_USER - 2; i++)
		if (step(cpu))
			break;
}

#endif
