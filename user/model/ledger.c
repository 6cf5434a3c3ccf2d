/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Reasons beyond the table meet in its last row. */
#define REASON_OTHER "other"

/* Files and the kernel say reasons too: anything but [a-z0-9-] becomes '-'. */
static void clean_reason(char out[LEDGER_REASON_LEN], const char *reason)
{
	size_t i;
	char c;

	for (i = 0; i < LEDGER_REASON_LEN - 1 && reason[i]; i++) {
		c = reason[i];
		out[i] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-';
	}
	out[i] = '\0';
}

static struct lost *find_reason(struct ledger *l, const char *reason)
{
	uint32_t i;

	for (i = 0; i < l->nr_lost; i++) {
		if (!strcmp(l->lost[i].reason, reason))
			return &l->lost[i];
	}
	return NULL;
}

static void add_u64(uint64_t *sum, uint64_t n)
{
	if (__builtin_add_overflow(*sum, n, sum))
		*sum = UINT64_MAX;
}

void ledger_lost(struct ledger *l, const char *reason, uint64_t n)
{
	char name[LEDGER_REASON_LEN];
	struct lost *row;

	clean_reason(name, reason);
	row = find_reason(l, name);
	if (!row && l->nr_lost >= LEDGER_MAX_LOST - 1) {
		clean_reason(name, REASON_OTHER);
		row = find_reason(l, name);
	}
	if (!row) {
		row = &l->lost[l->nr_lost++];
		memcpy(row->reason, name, sizeof(row->reason));
		row->n = 0;
	}
	add_u64(&row->n, n);
}

void ledger_sum(struct ledger *a, const struct ledger *b)
{
	uint32_t i;

	a->present |= b->present;
	add_u64(&a->ticks, b->ticks);
	add_u64(&a->counted, b->counted);
	add_u64(&a->idle, b->idle);
	add_u64(&a->filtered, b->filtered);
	add_u64(&a->self, b->self);
	if (__builtin_add_overflow(a->missed, b->missed, &a->missed))
		a->missed = b->missed < 0 ? INT64_MIN : INT64_MAX;
	for (i = 0; i < b->nr_lost; i++)
		ledger_lost(a, b->lost[i].reason, b->lost[i].n);
}

uint64_t ledger_total_lost(const struct ledger *l)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < l->nr_lost; i++)
		add_u64(&sum, l->lost[i].n);
	return sum;
}

int ledger_check(const struct ledger *l)
{
	/* 128 bits: no sum of hostile numbers wraps to a right one */
	__int128 sum = (__int128)l->counted + l->idle + l->filtered + l->self + l->missed;
	uint32_t i;

	if (l->nr_lost > LEDGER_MAX_LOST)
		return fail_plain(-EINVAL, "ledger: %u reasons of loss", l->nr_lost);
	for (i = 0; i < l->nr_lost; i++) {
		if (!l->lost[i].reason[0] || !memchr(l->lost[i].reason, 0, LEDGER_REASON_LEN))
			return fail_plain(-EINVAL, "ledger: loss %u has no reason", i);
		sum += l->lost[i].n;
	}
	if (sum == (__int128)l->ticks)
		return 0;
	return fail_plain(-EINVAL,
			  "ledger does not close: %" PRIu64 " ticks, but %" PRIu64
			  " counted + %" PRIu64 " idle + %" PRIu64 " filtered + %" PRIu64
			  " self + %" PRId64 " missed + %" PRIu64 " lost",
			  l->ticks, l->counted, l->idle, l->filtered, l->self, l->missed,
			  ledger_total_lost(l));
}
