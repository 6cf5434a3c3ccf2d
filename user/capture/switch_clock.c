/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/switch_clock.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"

#define SETTLE_TRIES 50000		/* 10 s */
#define CLOCK_TRIES  4

uint64_t switch_clock_newest(const struct wire_hot *hot, int nr_cpus)
{
	uint64_t newest = 0;
	int i;

	usleep(SWITCH_SETTLE_US);
	for (i = 0; i < nr_cpus; i++) {
		uint64_t clock = __atomic_load_n(&hot[i].clock, __ATOMIC_RELAXED);

		if (clock > newest)
			newest = clock;
	}
	return newest;
}

/* To read the clock takes a switch, and who naps may be kept from coming back for long: the least of some. */
uint64_t switch_clock_lead(const struct wire_hot *hot, int nr_cpus)
{
	int64_t d, least = INT64_MAX;
	int try;

	for (try = 0; try < CLOCK_TRIES; try++) {
		uint64_t newest = switch_clock_newest(hot, nr_cpus);

		d = (int64_t)(clock_mono() - newest);
		if (d < least)
			least = d;
	}
	return (uint64_t)least;
}

void switch_clock_set_from(struct wire_switches *cpu, int nr_cpus, uint64_t from)
{
	int i;

	for (i = 0; i < nr_cpus; i++)
		__atomic_store_n(&cpu[i].from, from, __ATOMIC_RELEASE);
}

void switch_clock_set_on(struct wire_hot *hot, int nr_cpus, bool on)
{
	int i;

	for (i = 0; i < nr_cpus; i++)
		__atomic_store_n(&hot[i].on, on, __ATOMIC_SEQ_CST);
}

void switch_clock_set_noting(struct wire_switches *cpu, int nr_cpus, bool noting)
{
	int i;

	for (i = 0; i < nr_cpus; i++)
		__atomic_store_n(&cpu[i].noting, noting, __ATOMIC_SEQ_CST);
}

/* A switch that is being accounted may take long: a virtual CPU stands still as long as its host likes. */
int switch_clock_settle(const struct wire_hot *hot, int nr_cpus)
{
	int i, try;

	/* who is behind the flag has said so by then */
	usleep(SWITCH_SETTLE_US);
	for (i = 0; i < nr_cpus; i++) {
		const struct wire_hot *h = &hot[i];

		for (try = 0; __atomic_load_n(&h->begin, __ATOMIC_ACQUIRE) != __atomic_load_n(&h->end, __ATOMIC_ACQUIRE); try++) {
			if (try == SETTLE_TRIES)
				return fail_plain(-EBUSY, "CPU %d does not end its switch", i);
			usleep(SWITCH_SETTLE_US);
		}
	}
	return 0;
}
