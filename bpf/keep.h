/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which waits are kept: the decision itself, for the BPF programs and for who tests that it is unbiased. */
#ifndef BPF_KEEP_H
#define BPF_KEEP_H

#ifndef __bpf__
#include <stdbool.h>
#endif
#include "bpf/wire.h"

/*
 * Is a wait of d ns kept? For certain from `period` on, else with probability d / period (below 2^32 both). It
 * then stands for max(d, period) ns. *random: xorshift64 (Marsaglia, "Xorshift RNGs", 2003), never 0.
 */
static inline __attribute__((always_inline)) bool wire_keeps(__u64 *random, __u64 d, __u64 period)
{
	__u64 x = *random;

	if (d >= period)
		return true;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*random = x;
	return (x >> 32) * period >> 32 < d;
}

#endif
