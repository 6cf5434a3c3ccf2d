/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The unwind tables as BPF maps, and what the walk asks of them. */
#ifndef BPF_TABLES_BPF_H
#define BPF_TABLES_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf/wire.h"

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

#endif
