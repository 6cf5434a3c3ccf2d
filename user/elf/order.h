/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions that call frame information describes, in their order. */
#ifndef ELF_ORDER_H
#define ELF_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct frame { /* a function, up to where another one begins */
	uint64_t start;
	uint32_t size;
	uint32_t program, program_len; /* in the data of its CIE's section */
	uint32_t cie;
};

/*
 * Sorts them by start and makes them disjoint; returns how many are left. The first nr_eh are of
 * .eh_frame: one that begins in another one ends that; of several that begin together the first
 * one stays. The others only stay where they touch none of those.
 */
size_t order_frames(struct frame *frame, size_t nr_eh, size_t nr);

#endif
