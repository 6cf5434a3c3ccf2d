/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same walk as in bpf/, natively: over the same tables, and a copy of the
 * stack instead of the stack. For samples that met a process or a mapping
 * before its tables were there.
 */
#ifndef UNWIND_REPLAY_H
#define UNWIND_REPLAY_H

#include <stdbool.h>

#include "bpf/wire.h"
#include "unwind/tables.h"

struct replay_stack {
	uint64_t pc, reg[WIRE_REGS];
	bool return_address;
	bool in_syscall;			/* pc is behind a system call's instruction */
	const uint8_t *bytes;			/* the stack from reg[WIRE_REG_SP] on */
	uint32_t len;
	uint32_t skipped;			/* of these the first are not known */
	const uint8_t *below;			/* and what is under the stack pointer, up to it */
	uint32_t below_len;
	/* NULL: all there is is in bytes. Else reads any memory of the process; non-zero: cannot. */
	int (*read)(void *ctx, void *to, uint32_t len, uint64_t from);
	void *ctx;
	uint32_t max;				/* frames at most */
};

struct replay_walk {
	uint64_t frame[WIRE_FRAME_SLOTS];	/* leaf first, pc itself included */
	uint32_t nr;
	uint8_t status, by_fp, by_guess;	/* as in struct wire_sample */
	uint64_t bad_pc;
};

/*
 * Walks with these maps, sorted by start.  A stack longer than its copy ends as
 * WIRE_USER_FAULT.
 */
void replay_walk(const struct tables *t, const struct wire_map *map, size_t nr_maps,
		 const struct replay_stack *s, struct replay_walk *out);

#endif
