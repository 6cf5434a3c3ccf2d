/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The walk's tables as BPF maps, and its driver. walk_step() is behind a global
 * function with one scalar argument, so the verifier looks at it once and not
 * 127 times; the driver is a plain bounded loop (5.10 has no bpf_loop).
 */
#ifndef BPF_UNWIND_BPF_H
#define BPF_UNWIND_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf/wire.h"

/* Set before load: how many stacks a CPU may copy in a second for want of tables. */
const volatile __u32 raw_per_second = 200;

struct chunk {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, WIRE_CHUNK_BYTES);
};

/* Rows, pages and maps, in chunks that user space adds as it needs them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WIRE_MAX_CHUNKS);
	__type(key, __u32);
	__array(values, struct chunk);
} chunks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WIRE_MAX_RULES);
	__type(key, __u32);
	__type(value, struct wire_rule);
} rules SEC(".maps");

/* The processes whose maps are known: written by user space, by mmap only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WIRE_PROCESS_SLOTS);
	__type(key, __u32);
	__type(value, struct wire_process);
} processes SEC(".maps");

/* Children that have their parent's maps until they exec or user space knows them: written by fork. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct wire_process);
} forked SEC(".maps");

static __always_inline void *walk_chunk(__u32 n)
{
	void *inner = bpf_map_lookup_elem(&chunks, &n);
	__u32 zero = 0;

	return inner ? bpf_map_lookup_elem(inner, &zero) : NULL;
}

static __always_inline const struct wire_rule *walk_rule(__u32 n)
{
	return bpf_map_lookup_elem(&rules, &n);
}

static __always_inline int walk_read(void *to, __u32 len, __u64 from)
{
	return bpf_probe_read_user(to, len, (const void *)from);
}

#include "bpf/walk.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);		/* CPUs; set at load */
	__type(key, __u32);
	__type(value, struct walk);
} walks SEC(".maps");

__noinline int step(__u32 cpu)
{
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);

	return w ? walk_step(w) : 1;
}

static __always_inline bool is_process(const struct wire_process *p, const struct wire_sample *s)
{
	return p->start_time == s->start_time && p->exec_id == (__u32)s->exec_id;
}

/* The slot that user space filled for this process, or NULL. */
static __always_inline struct wire_process *find_process(__u32 tgid)
{
	__u32 slot = WIRE_PROCESS_HASH(tgid), i, at;
	struct wire_process *p;

	for (i = 0; i < WIRE_PROCESS_PROBES; i++) {
		at = (slot + i) & (WIRE_PROCESS_SLOTS - 1);
		p = bpf_map_lookup_elem(&processes, &at);
		if (!p || !p->tgid)
			return NULL;
		if (p->tgid == tgid)
			return p;
	}
	return NULL;
}

/* Are the maps that a child was given still its own? Its parent may have had them freed since. */
static __always_inline bool is_block(__u32 first, __u32 stamp)
{
	const struct wire_map *maps = walk_chunk(first / WIRE_CHUNK_MAPS);

	return maps && *(volatile __u32 *)&maps[first & (WIRE_CHUNK_MAPS - 1)].stamp == stamp;
}

/* The maps of the sampled process, of user space or of its parent; nr_maps stays 0 when unknown. */
static __always_inline void find_maps(struct walk *w)
{
	__u32 tgid = w->sample.tgid, version;
	struct wire_process *p = find_process(tgid);

	w->nr_maps = 0;
	w->stamp = 0;
	if (p) {
		version = *(volatile __u32 *)&p->version;
		barrier();
		if (!(version & 1) && is_process(p, &w->sample)) {
			w->first_map = p->first;
			w->nr_maps = p->nr;
			barrier();
			if (version != *(volatile __u32 *)&p->version)
				w->nr_maps = 0;
			return;
		}
	}
	p = bpf_map_lookup_elem(&forked, &tgid);
	if (p && is_process(p, &w->sample) && is_block(p->first, p->stamp)) {
		w->first_map = p->first;
		w->nr_maps = p->nr;
		w->stamp = p->stamp;
	}
}

/* Walks from w->pc and w->reg. */
static __always_inline void walk_user(struct walk *w, __u32 cpu)
{
	int i;

	find_maps(w);
	walk_begin(w);
	for (i = 0; i < WIRE_MAX_USER - 1; i++)
		if (step(cpu))
			break;
	/* the maps became another's on the way: nothing but the first frame is sure */
	if (w->stamp && !is_block(w->first_map, w->stamp)) {
		w->nr = 1;
		w->status = WIRE_USER_BAD_RA;
	}
}

/* Would tables have helped? */
static __always_inline bool needs_raw(const struct walk *w)
{
	return w->status == WIRE_USER_NO_PROCESS || w->status == WIRE_USER_NO_MAP;
}

/* Copies may fill half of a ring: the other half is for samples. */
static __always_inline bool has_room(void *ring)
{
	return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) + sizeof(struct wire_raw) <
	       bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / 2;
}

static __always_inline bool raw_allowed(struct wire_cpu *c, void *ring, __u64 time)
{
	__u64 second = time >> 30;

	if (second != c->raw_second) {
		c->raw_second = second;
		c->raw_in_second = 0;
	}
	if (c->raw_in_second < raw_per_second && has_room(ring)) {
		c->raw_in_second++;
		return true;
	}
	c->raw_limited++;
	return false;
}

/* Copies the stack's page from there on, and up to three more: as much as is there. */
static __always_inline __u32 copy_stack(__u8 *to, __u64 sp)
{
	__u32 first = -sp & (PAGE_BYTES - 1), off, i;

	if (bpf_probe_read_user(to, first, (const void *)sp))
		return 0;
	WALK_UNROLL
	for (i = 0; i < WIRE_RAW_STACK / PAGE_BYTES - 1; i++) {
		off = first + i * PAGE_BYTES;
		if (bpf_probe_read_user(to + off, PAGE_BYTES, (const void *)(sp + off)))
			return off;
	}
	return first + i * PAGE_BYTES;
}

/* What it takes to walk on from where the walk stopped. */
static __always_inline void raw_fill(struct walk *w, struct wire_raw *r)
{
	r->pc = w->pc;
	__builtin_memcpy(r->reg, w->reg, sizeof(r->reg));
	r->return_address = w->return_address;
	r->stack_len = copy_stack(r->stack, w->reg[REG_SP]);
	w->sample.flags |= WIRE_RAW;
	/* in two: one copy may have 1 KiB */
	__builtin_memcpy(r->frame, w->frame, sizeof(r->frame) / 2);
	__builtin_memcpy(r->frame + WIRE_FRAME_SLOTS / 2, w->frame + WIRE_FRAME_SLOTS / 2,
			 sizeof(r->frame) / 2);
	__builtin_memcpy(&r->sample, &w->sample, sizeof(r->sample));
}

#endif
