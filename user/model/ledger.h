/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Law L1: every tick has one bucket.
 *   ticks = counted + idle + filtered + self + missed + sum(lost[reason])
 * ticks is the sampling event's own count divided by its period, never a sum
 * of the others. missed is signed: a tick that came early is -1 for a moment.
 */
#ifndef MODEL_LEDGER_H
#define MODEL_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define LEDGER_MAX_LOST 16
#define LEDGER_REASON_LEN 24

struct lost {
	char reason[LEDGER_REASON_LEN];		/* "ring-full"; [a-z0-9-] */
	uint64_t n;
};

struct ledger {
	bool present;
	uint64_t ticks, counted, idle, filtered, self;
	int64_t missed;
	struct lost lost[LEDGER_MAX_LOST];
	uint32_t nr_lost;
};

/* Adds n to the reason's row, which is made when new (n may be 0: the row shows). */
void ledger_lost(struct ledger *l, const char *reason, uint64_t n);

/* Adds b to a, row by row. */
void ledger_sum(struct ledger *a, const struct ledger *b);

uint64_t ledger_total_lost(const struct ledger *l);

/* 0 when it closes, -EINVAL after fail_plain() with both sides in the text. */
int ledger_check(const struct ledger *l) must_check;

/* What a profile knows of how it was made; "" and 0 where unknown. Strings are sanitized. */
struct meta {
	char host[65], kernel[65], version[32];
	char command[256];		/* the command line that recorded it */
	char event[32];			/* "cpu-clock" */
	uint32_t cpus;
	uint32_t freq_hz;
	uint32_t processes, threads;	/* seen in samples */
	uint64_t worker_deaths;
	uint64_t cpu_changes;		/* CPUs that went or came while it sampled */
	uint64_t cpus_missing;		/* that came and were not sampled */
	uint64_t suspended_ns;		/* the machine slept: no part of the duration */
	uint64_t throttled_hz;		/* the kernel lowered its limit of rates to this, 0: no */
	struct meta_unwind {
		bool present;
		uint64_t objects, without_tables, failed; /* looked at; without information; unreadable */
		uint64_t rows, table_bytes, build_ns;
		uint64_t processes;	       /* whose maps were published */
		uint64_t ready_ns;	       /* from the start until all that ran had been; 0: not yet */
		uint64_t copied, not_copied;   /* stacks, for want of tables; too many */
		uint64_t events_lost;	       /* of the kernel's account of mappings */
		uint64_t full;		       /* tables that were */
	} unwind;
};

#endif
