/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that are dwell itself, in places that the BPF programs read: dwell's own is the first, its workers'
 * come behind it, the last is of who writes a file. A process that is gone is soon no longer in its place, for its
 * number will be another's.
 */
#ifndef CAPTURE_SELF_H
#define CAPTURE_SELF_H

#include <stdint.h>
#include <sys/types.h>

#include "bpf/wire.h"

struct self {
	volatile uint32_t *tgid;	/* [WIRE_MAX_SELF], 0: a free place */
	uint8_t drains[WIRE_MAX_SELF];	/* until the place of one that is gone is free; 0: it is not gone */
	uint32_t turn;
};

void self_open(struct self *s, volatile uint32_t *tgid, pid_t own);

/* A worker began; it ended, and has been waited for. */
void self_add(struct self *s, pid_t pid);
void self_ended(struct self *s, pid_t pid);

/* Who writes now; 0: nobody. */
void self_writer(struct self *s, pid_t pid);

/* The end of a drain. */
void self_drained(struct self *s);

#endif
