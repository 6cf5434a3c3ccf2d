/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of numbers from outside: they stop at the ends of their range rather than wrap. */
#ifndef BASE_SUM_H
#define BASE_SUM_H

#include <stdint.h>

static inline void sum_add(int64_t *sum, int64_t n)
{
	if (__builtin_add_overflow(*sum, n, sum))
		*sum = n < 0 ? INT64_MIN : INT64_MAX;
}

static inline int64_t sum_difference(int64_t a, int64_t b)
{
	int64_t d;

	return __builtin_sub_overflow(a, b, &d) ? (b < 0 ? INT64_MAX : INT64_MIN) : d;
}

#endif
