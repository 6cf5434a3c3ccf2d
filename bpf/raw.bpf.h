/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copies of stacks that could not be walked for want of tables: user space walks them later. */
#ifndef BPF_RAW_BPF_H
#define BPF_RAW_BPF_H

#include "bpf/unwind.bpf.h"

/* Set before load: how many stacks a CPU may copy in a second for want of tables. */
const volatile __u32 raw_per_second = 200;

/* Would tables have helped? */
static __always_inline bool needs_raw(const struct walk *w)
{
	return (w->status == WIRE_USER_NO_PROCESS || w->status == WIRE_USER_NO_MAP) &&
	       w->first + w->nr <= WIRE_RAW_FRAMES;
}

/* Copies may fill three quarters of a ring: the rest is for samples. */
static __always_inline bool has_room(void *ring, __u64 size)
{
	return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) + size <
	       bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / 4 * 3;
}

static __always_inline bool raw_allowed(struct wire_cpu *c, void *ring, __u64 time, __u64 size)
{
	__u64 second = time >> 30;

	if (second != c->raw_second) {
		c->raw_second = second;
		c->raw_in_second = 0;
	}
	if (c->raw_in_second < raw_per_second && has_room(ring, size)) {
		c->raw_in_second++;
		return true;
	}
	c->raw_limited++;
	return false;
}

/*
 * Copies, and waits, that fill a quarter of the ring ask for a drain before its time: what copies wait for are
 * tables, and one more may have no room. Once, until something was read.
 */
static __always_inline __u64 wake_up(struct wire_cpu *c, void *ring)
{
	__u64 read = bpf_ringbuf_query(ring, BPF_RB_CONS_POS) + 1;

	if (c->woken_at == read ||
	    bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) < bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / 4)
		return BPF_RB_NO_WAKEUP;
	c->woken_at = read;
	return BPF_RB_FORCE_WAKEUP;
}

/*
 * Copies the stack from there on to the page's end, and the pages above it: as much as is there. A frame that
 * is being made may lie in pages that are not there yet: they are skipped.
 */
static __always_inline __u32 copy_stack(struct wire_raw *r, __u64 sp, const __u32 pages)
{
	__u32 first = -sp & (PAGE_BYTES - 1), end = 0, off, i;

	r->skipped = 0;
	if (bpf_probe_read_user(r->stack, first, (const void *)sp))
		r->skipped = first;
	else
		end = first;
	WALK_UNROLL
	for (i = 0; i < pages - 1; i++) {
		off = first + i * PAGE_BYTES;
		if (!bpf_probe_read_user(r->stack + off, PAGE_BYTES, (const void *)(sp + off)))
			end = off + PAGE_BYTES;
		else if (end)
			return end;
		else
			r->skipped = off + PAGE_BYTES;
	}
	return end;
}

/* What it takes to walk on from where the walk stopped. */
static __always_inline void raw_fill(struct walk *w, struct wire_raw *r, const __u32 pages)
{
	__u64 sp = w->reg[WIRE_REG_SP];

	r->pc = w->pc;
	__builtin_memcpy(r->reg, w->reg, sizeof(r->reg));
	r->return_address = w->return_address;
	r->stack_len = copy_stack(r, sp, pages);
	r->below_len = bpf_probe_read_user(r->below, WIRE_BELOW, (const void *)(sp - WIRE_BELOW)) ? 0 : WIRE_BELOW;
	w->sample.flags |= WIRE_RAW;
	/* in two: one copy may have 1 KiB */
	__builtin_memcpy(r->frame, w->frame, sizeof(r->frame) / 2);
	__builtin_memcpy(r->frame + WIRE_RAW_FRAMES / 2, w->frame + WIRE_RAW_FRAMES / 2,
			 sizeof(r->frame) / 2);
	__builtin_memcpy(&r->sample, &w->sample, sizeof(r->sample));
}

static __always_inline int emit_pages(struct wire_cpu *c, struct walk *w, void *ring, const __u32 pages)
{
	const __u64 size = sizeof(struct wire_raw) + pages * PAGE_BYTES;
	struct wire_raw *r;

	if (!raw_allowed(c, ring, w->sample.time, size))
		return -1;
	r = bpf_ringbuf_reserve(ring, size, 0);
	if (!r)
		return -1;
	raw_fill(w, r, pages);
	bpf_ringbuf_submit(r, wake_up(c, ring));
	c->raw++;
	return 0;
}

/*
 * Everything that a later walk takes, where this one had no tables. Of a first thread's stack the
 * kernel knows the end. 0: sent.
 */
static __always_inline int emit_raw(struct wire_cpu *c, struct walk *w, void *ring)
{
	__u64 sp = w->reg[WIRE_REG_SP], needs = w->stack_top - sp;

	if (w->stack_top < sp || needs > WIRE_RAW_STACK * 16ull)
		return emit_pages(c, w, ring, 4);
	if (needs <= PAGE_BYTES)
		return emit_pages(c, w, ring, 2);
	if (needs <= 3 * PAGE_BYTES)
		return emit_pages(c, w, ring, 4);
	if (needs <= 7 * PAGE_BYTES)
		return emit_pages(c, w, ring, 8);
	return emit_pages(c, w, ring, WIRE_RAW_STACK / PAGE_BYTES);
}

#endif
