/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The driver of the walk. walk_step() is behind a global function with one
 * scalar argument, so the verifier looks at it once and not 127 times; the
 * driver is a plain bounded loop (5.10 has no bpf_loop).
 */
#ifndef BPF_UNWIND_BPF_H
#define BPF_UNWIND_BPF_H

#include "bpf/tables.bpf.h"

#include "bpf/walk.inc"

/* Set before load: frames of a user stack, 1 to WIRE_MAX_USER. */
const volatile __u32 max_user = WIRE_MAX_USER;

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
	__u32 i;

	find_maps(w);
	walk_begin(w);
	for (i = 1; i < WIRE_MAX_USER; i++)
		if (i >= max_user || step(cpu))
			break;
	/* the maps became another's on the way: nothing but the first frame is sure */
	if (w->stamp && !is_block(w->first_map, w->stamp)) {
		w->nr = 1;
		w->status = WIRE_USER_BAD_RA;
	}
}

#endif
