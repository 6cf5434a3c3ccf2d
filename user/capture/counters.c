/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/counters.h"

#include <errno.h>
#include <string.h>

#define READ_TRIES 1000

static const char *const lost_reason[WIRE_LOSTS] = {
	[WIRE_LOST_RING_FULL] = "ring-full",
	[WIRE_LOST_NESTED] = "nested",
	[WIRE_LOST_IDENTITY] = "identity",
	[WIRE_LOST_NO_COUNT] = "no-count",
};

int counters_read(const struct wire_cpu *live, struct wire_cpu *copy)
{
	int try;

	for (try = 0; try < READ_TRIES; try++) {
		uint64_t begin = __atomic_load_n(&live->begin, __ATOMIC_ACQUIRE);

		if (begin != __atomic_load_n(&live->end, __ATOMIC_ACQUIRE))
			continue;
		memcpy(copy, (const void *)live, sizeof(*copy));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (begin == __atomic_load_n(&live->begin, __ATOMIC_ACQUIRE))
			return 0;
	}
	return -EAGAIN;
}

int counters_check(const struct wire_cpu *c, int cpu)
{
	uint64_t sum = c->emitted + c->idle + c->filtered + c->self;
	int i;

	for (i = 0; i < WIRE_LOSTS; i++)
		sum += c->lost[i];
	if (sum == c->runs)
		return 0;
	return fail_plain(-EBADE, "the ledger of CPU %d does not close: %llu runs, %llu in buckets", cpu,
			  (unsigned long long)c->runs, (unsigned long long)sum);
}

void counters_ledger(const struct wire_cpu *c, uint64_t ticks, struct ledger *l)
{
	int i;

	l->present = true;
	l->ticks += ticks;
	l->counted += c->emitted;
	l->idle += c->idle;
	l->filtered += c->filtered;
	l->self += c->self;
	/* what the event counted and no run of the program stands for */
	l->missed += (int64_t)(ticks - c->runs);
	for (i = 0; i < WIRE_LOSTS; i++)
		ledger_lost(l, lost_reason[i], c->lost[i]);
}
