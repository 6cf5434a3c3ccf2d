/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which waits are kept, and what a kept one stands for: for the BPF programs, user space, and who tests that it is unbiased. */
#ifndef BPF_KEEP_H
#define BPF_KEEP_H

#ifndef __bpf__
#include <stdbool.h>
#endif
#include "bpf/waits.h"

/*
 * Is a wait of d ns kept? For certain from `period` on, unless it is of 0 ns, else with probability d / period (below
 * 2^32 both). It then stands for max(d, period) ns. *random: the upper half of a multiplicative congruential generator
 * of 64 bits (the multiplier is that of MMIX: Knuth, "The Art of Computer Programming", volume 2, 3.3.4), whatever odd
 * number it begins with: all but its two lowest bits are a mixed generator's, which needs an addition more.
 */
static inline __attribute__((always_inline)) bool wire_keeps(__u64 *random, __u64 d, __u64 period)
{
	__u64 x = *random * 6364136223846793005ull;

	*random = x;
	/* what is compared is below period */
	return (x >> 32) * period >> 32 < d;
}

/* A kept wait of d ns, q of it in run queues, that gets no stack: b gets what it stands for. */
static inline __attribute__((always_inline)) void wire_stands_for(struct wire_bare *b, __u64 d, __u64 q, __u64 period)
{
	b->kept++;
	if (d >= period || !d) {
		b->waits++;
		b->blocked += d - q;
		b->runqueue += q;
	} else {
		b->waits += (period + d / 2) / d;
		b->blocked += (d - q) * period / d;
		b->runqueue += q * period / d;
		b->var += period * (period - d) / 1000000;
	}
}

#endif
