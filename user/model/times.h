/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Law L2: what each thread did with its time, exactly, beside what samples say of where.
 *   task + stolen + runqueue + blocked = alive
 * All ns. Parts are signed: clocks of CPUs differ by a little.
 */
#ifndef MODEL_TIMES_H
#define MODEL_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct thread_time {
	int64_t pid, tid;		/* 0, 0: of all that have no row of their own */
	uint32_t comm;			/* string: the thread's name */
	int64_t task;			/* on a CPU, its own */
	int64_t stolen;			/* on a CPU that interrupts or the hypervisor had meanwhile */
	int64_t runqueue, blocked;
	int64_t alive;			/* in the window */
};

struct times {
	bool present;
	int64_t window, idle;		/* length; of all CPUs together */
	int64_t other;			/* on a CPU: threads that were not asked for, and dwell itself */
	uint64_t switches;
	uint64_t full;			/* switches to threads for which there was no room */
	int64_t full_ns;		/* that these ran, not in any row */
	uint64_t repaired, negative;	/* switches that were not seen; intervals below 0 */
	struct thread_time *row;
	size_t nr, cap;
	size_t nr_ended;		/* rows of threads that had ended before the end */
	size_t others;			/* the row of all that have none of their own, from 1 on; 0: there is none yet */
};

/* Number and ns of waits. */
struct waits_some {
	uint64_t n, ns;
};

/*
 * Law L1 of waits, in number and in ns: seen = below + under + self + filtered + kept; kept = walked + stackless.
 * Those below T that chance did not keep are what kept ones stand for; those under the least length are one row.
 */
struct waits_ledger {
	bool present;
	uint64_t period;		/* T at the end, ns: the longest of all CPUs */
	struct waits_some seen, below, under, self, filtered, kept;
	uint64_t walked, stackless;
	struct waits_some open;		/* those that had not ended: not in seen */
};

/* Does it close? 0 or -EINVAL after fail_plain(). */
int waits_check(const struct waits_ledger *w) must_check;

/*
 * Rows that a profile has at most, and those among them of threads that have ended: they come first, and must leave
 * room for those that live at the end. What the rest did goes into the row of all others.
 */
#define TIMES_MAX_ROWS	16384
#define TIMES_MAX_ENDED (TIMES_MAX_ROWS / 4 * 3)

/* Adds a row, or to the row of all others where there is no room. */
void times_add(struct times *t, const struct thread_time *row);

/* The same for a thread that has ended. */
void times_add_ended(struct times *t, const struct thread_time *row);

/* All rows together; pid, tid and comm are 0. */
struct thread_time times_sum(const struct times *t);

/* Does each row close? 0 or -EINVAL after fail_plain(). */
int times_check(const struct times *t) must_check;

void times_done(struct times *t);

#endif
