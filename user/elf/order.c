/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/order.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

#define DIGIT_BITS 11
#define DIGITS	   (1u << DIGIT_BITS)

/* One pass of a stable radix sort, by the digit of (start - base) at `shift`. */
static void pass(struct frame *to, const struct frame *from, size_t nr, uint64_t base,
		 unsigned int shift)
{
	uint32_t place[DIGITS] = { 0 }, sum = 0, n;
	size_t i;

	for (i = 0; i < nr; i++)
		place[((from[i].start - base) >> shift) % DIGITS]++;
	for (i = 0; i < DIGITS; i++) {
		n = place[i];
		place[i] = sum;
		sum += n;
	}
	for (i = 0; i < nr; i++)
		to[place[((from[i].start - base) >> shift) % DIGITS]++] = from[i];
}

/* Stable. Three passes for 8 GiB of text, where comparing would take seventeen. */
static void sort(struct frame *frame, size_t nr)
{
	uint64_t min = UINT64_MAX, max = 0;
	autofree struct frame *other = NULL;
	struct frame *from = frame, *to, *next;
	bool sorted = true;
	unsigned int shift;
	size_t i;

	for (i = 0; i < nr; i++) {
		sorted = sorted && (!i || frame[i - 1].start <= frame[i].start);
		min = frame[i].start < min ? frame[i].start : min;
		max = frame[i].start > max ? frame[i].start : max;
	}
	if (sorted)
		return;
	to = other = xmalloc(nr * sizeof(*other));
	for (shift = 0; shift < 64 && (max - min) >> shift; shift += DIGIT_BITS) {
		pass(to, from, nr, min, shift);
		next = from;
		from = to;
		to = next;
	}
	if (from != frame)
		memcpy(frame, from, nr * sizeof(*frame));
}

static size_t separate(struct frame *frame, size_t nr)
{
	size_t i, kept = 0;

	for (i = 0; i < nr; i++) {
		if (kept && frame[kept - 1].start == frame[i].start)
			continue;
		if (kept && frame[i].start - frame[kept - 1].start < frame[kept - 1].size)
			frame[kept - 1].size = (uint32_t)(frame[i].start - frame[kept - 1].start);
		frame[kept++] = frame[i];
	}
	return kept;
}

/* Keeps of the sorted others what touches none of the sorted first ones; both are disjoint. */
static size_t fill_gaps(const struct frame *first, size_t nr_first, struct frame *other, size_t nr)
{
	size_t i, f = 0, kept = 0;

	for (i = 0; i < nr; i++) {
		while (f < nr_first && first[f].start + first[f].size <= other[i].start)
			f++;
		if (f == nr_first || first[f].start >= other[i].start + other[i].size)
			other[kept++] = other[i];
	}
	return kept;
}

size_t order_frames(struct frame *frame, size_t nr_eh, size_t nr)
{
	size_t nr_other = nr - nr_eh, nr_first;
	struct frame *other;

	sort(frame, nr_eh);
	nr_first = separate(frame, nr_eh);
	if (!nr_other)
		return nr_first;
	other = frame + nr_eh;
	sort(other, nr_other);
	nr_other = separate(other, nr_other);
	nr_other = fill_gaps(frame, nr_first, other, nr_other);
	memmove(frame + nr_first, other, nr_other * sizeof(*frame));
	sort(frame, nr_first + nr_other);
	return nr_first + nr_other;
}
