/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture_keep [FILE] - is the choice of waits unbiased, and is its error what is said of it? One stream of waits is
 * sampled 400 times: the mean of the estimates, in all and for each way to wait, lies within 3 standard errors of
 * the truth. FILE has lines "WAY NS" (of tests/fixtures/waits); without one the stream is made up.
 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "bpf/keep.h"

#define RESAMPLES 400
#define MAX_WAYS  8

struct wait {
	uint32_t way;
	uint64_t ns;
};

static struct wait *stream;
static size_t nr, cap;
static char ways[MAX_WAYS + 1][64];
static uint32_t nr_ways;
static const char *file;

static void add(uint32_t way, uint64_t ns)
{
	grow(&stream, &cap, nr + 1, sizeof(*stream));
	stream[nr++] = (struct wait){ way, ns };
}

static uint32_t way_of(const char *name)
{
	uint32_t i;

	for (i = 0; i < nr_ways; i++)
		if (!strcmp(ways[i], name))
			return i;
	assert_true(nr_ways < MAX_WAYS);
	snprintf(ways[nr_ways], sizeof(ways[0]), "%s", name);
	return nr_ways++;
}

/* 20,000 waits of 1 us to 200 ms, as many in each tenfold, and one way for each. */
static void make_up(void)
{
	__u64 random = 43;
	char name[32];
	int i;

	for (i = 0; i < 20000; i++) {
		double decade;

		(void)wire_keeps(&random, 0, 1);
		decade = (double)(random >> 40) / (1 << 24) * 5.3;
		snprintf(name, sizeof(name), "10^%d ns", 3 + (int)decade);
		add(way_of(name), (uint64_t)pow(10, 3 + decade));
	}
}

static int read_stream(void **state)
{
	char name[64], ns[24];
	FILE *f;

	if (!file) {
		make_up();
		return 0;
	}
	f = fopen(file, "r");
	if (!f)
		return -1;
	while (fscanf(f, "%63s %23s", name, ns) == 2)
		add(way_of(name), strtoull(ns, NULL, 10));
	fclose(f);
	return nr ? 0 : -1;
}

struct estimate {
	double sum, squares;	/* of the estimates */
	double var;		/* of what they say of their own variance */
	uint64_t kept;		/* by chance */
};

/* Adds up one sampling: [nr_ways] is the total. */
static void sample(__u64 *random, uint64_t period, struct estimate *e)
{
	double value[MAX_WAYS + 1] = { 0 }, var[MAX_WAYS + 1] = { 0 };
	uint32_t k;
	size_t i;

	for (i = 0; i < nr; i++) {
		double d = (double)stream[i].ns, t = (double)period;

		if (!wire_keeps(random, stream[i].ns, period))
			continue;
		value[stream[i].way] += d < t ? t : d;
		var[stream[i].way] += d < t ? t * (t - d) : 0;
		e[stream[i].way].kept += d < t;
		e[nr_ways].kept += d < t;
	}
	for (k = 0; k < nr_ways; k++) {
		value[nr_ways] += value[k];
		var[nr_ways] += var[k];
	}
	for (k = 0; k <= nr_ways; k++) {
		e[k].sum += value[k];
		e[k].squares += value[k] * value[k];
		e[k].var += var[k];
	}
}

static void check(const struct estimate *e, double truth, const char *name, uint64_t period)
{
	double mean = e->sum / RESAMPLES, var = e->squares / RESAMPLES - mean * mean;
	double z = var > 0 ? (mean - truth) / sqrt(var / RESAMPLES) : 0;

	if (file)
		printf("T %5.1f ms  %-16s %10.3f s  bias %+.3f %%  standard error %6.2f %%, said %6.2f %%  z %+.2f\n",
		       (double)period / 1e6, name, truth / 1e9, (mean / truth - 1) * 100, sqrt(var > 0 ? var : 0) / truth * 100,
		       sqrt(e->var / RESAMPLES) / truth * 100, z);
	if (var > truth * truth * 1e-20)
		assert_true(fabs(z) < 3);
	else
		assert_true(fabs(mean / truth - 1) < 1e-9);
	/* chi-squared of 400: its own standard error is 7 % */
	if (e->kept > 10 * RESAMPLES)
		assert_true(var / (e->var / RESAMPLES) > 0.7 && var / (e->var / RESAMPLES) < 1.4);
}

static void resample(uint64_t period)
{
	struct estimate e[MAX_WAYS + 1] = { 0 };
	double truth[MAX_WAYS + 1] = { 0 };
	__u64 random = 20261121;
	uint32_t k;
	size_t i;
	int n;

	for (i = 0; i < nr; i++) {
		truth[stream[i].way] += (double)stream[i].ns;
		truth[nr_ways] += (double)stream[i].ns;
	}
	snprintf(ways[nr_ways], sizeof(ways[0]), "total");
	for (n = 0; n < RESAMPLES; n++)
		sample(&random, period, e);
	for (k = 0; k <= nr_ways; k++)
		check(&e[k], truth[k], ways[k], period);
}

static void test_unbiased(void **state)
{
	resample(1 * NSEC_PER_MSEC);
	resample(10 * NSEC_PER_MSEC);
	resample(100 * NSEC_PER_MSEC);
}

/* Waits of the whole period are certain, those of none never kept; T at its largest does not overflow. */
static void test_ends(void **state)
{
	__u64 random = 1;
	int kept = 0;
	int i;

	for (i = 0; i < 1000; i++) {
		assert_true(wire_keeps(&random, 10, 10));
		assert_true(wire_keeps(&random, 1, 0));
		assert_false(wire_keeps(&random, 0, 0));
		assert_true(wire_keeps(&random, 1ull << 40, (1ull << 31) - 1));
		assert_false(wire_keeps(&random, 0, 1ull << 31));
		kept += wire_keeps(&random, 1ull << 30, 1ull << 31);
	}
	assert_true(kept > 400 && kept < 600);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unbiased),
		cmocka_unit_test(test_ends),
	};

	file = argc > 1 ? argv[1] : NULL;
	return cmocka_run_group_tests(tests, read_stream, NULL);
}
