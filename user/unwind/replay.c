/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/replay.h"

#include <string.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define barrier_var(var) asm volatile("" : "+r"(var))

/* The chunk number of the walk's own maps, which are in no chunk of the tables. */
#define OWN_MAPS WIRE_MAX_CHUNKS

/* What walk.inc asks of its surroundings; set for the time of one walk. */
static _Thread_local const struct tables *the_tables;
static _Thread_local const struct replay_stack *the_stack;
static _Thread_local const struct wire_map *the_maps;

static const void *walk_chunk(__u32 n)
{
	return n == OWN_MAPS ? the_maps : tables_chunk(the_tables, n);
}

static const struct wire_rule *walk_rule(__u32 n)
{
	return tables_rule(the_tables, n);
}

static int walk_read(void *to, __u32 len, __u64 from)
{
	__u64 off = from - the_stack->reg[WIRE_REG_SP];

	if (the_stack->read)
		return the_stack->read(the_stack->ctx, to, len, from);
	if (from < the_stack->reg[WIRE_REG_SP]) {
		off += the_stack->below_len;
		if (off >= the_stack->below_len || len > the_stack->below_len - off)
			return -1;
		memcpy(to, the_stack->below + off, len);
		return 0;
	}
	if (off < the_stack->skipped || off > the_stack->len || len > the_stack->len - off)
		return -1;
	memcpy(to, the_stack->bytes + off, len);
	return 0;
}

#include "bpf/walk.inc"

void replay_walk(const struct tables *t, const struct wire_map *map, size_t nr_maps,
		 const struct replay_stack *s, struct replay_walk *out)
{
	struct walk w = { .first_map = OWN_MAPS * WIRE_CHUNK_MAPS,
			  .nr_maps = (__u32)(nr_maps < TABLES_MAX_MAPS ? nr_maps : TABLES_MAX_MAPS),
			  .pc = s->pc,
			  .return_address = s->return_address };

	the_tables = t;
	the_stack = s;
	the_maps = map;
	memcpy(w.reg, s->reg, sizeof(w.reg));
	w.sample.flags = s->in_syscall ? WIRE_SYSCALL : 0;
	walk_begin(&w);
	while (w.nr < s->max && w.nr < WIRE_FRAME_SLOTS - 1)
		if (walk_step(&w))
			break;
	memcpy(out->frame, w.frame, sizeof(out->frame));
	out->nr = w.nr;
	out->status = (uint8_t)w.status;
	out->by_fp = w.sample.by_fp;
	out->by_guess = w.sample.by_guess;
	out->bad_pc = w.sample.bad_pc;
}
