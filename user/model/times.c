/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/times.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void add(int64_t *to, int64_t n)
{
	if (__builtin_add_overflow(*to, n, to))
		*to = n < 0 ? INT64_MIN : INT64_MAX;
}

static void add_row(struct thread_time *to, const struct thread_time *from)
{
	add(&to->task, from->task);
	add(&to->stolen, from->stolen);
	add(&to->runqueue, from->runqueue);
	add(&to->blocked, from->blocked);
	add(&to->alive, from->alive);
}

static void append(struct times *t, const struct thread_time *row)
{
	grow(&t->row, &t->cap, t->nr + 1, sizeof(*t->row));
	t->row[t->nr++] = *row;
}

static void add_to_others(struct times *t, const struct thread_time *row)
{
	if (!t->others && t->nr < TIMES_MAX_ROWS)
		append(t, &(struct thread_time){ 0 });
	/* where no room was left for it the last one is everybody's */
	if (!t->others) {
		t->others = t->nr;
		t->row[t->nr - 1].pid = t->row[t->nr - 1].tid = 0;
		t->row[t->nr - 1].comm = 0;
	}
	add_row(&t->row[t->others - 1], row);
}

void times_add(struct times *t, const struct thread_time *row)
{
	if (t->nr < TIMES_MAX_ROWS)
		append(t, row);
	else
		add_to_others(t, row);
}

void times_add_ended(struct times *t, const struct thread_time *row)
{
	if (t->nr_ended == TIMES_MAX_ENDED) {
		add_to_others(t, row);
		return;
	}
	t->nr_ended++;
	times_add(t, row);
}

struct thread_time times_sum(const struct times *t)
{
	struct thread_time sum = { 0 };
	size_t i;

	for (i = 0; i < t->nr; i++)
		add_row(&sum, &t->row[i]);
	return sum;
}

int times_check(const struct times *t)
{
	size_t i;

	for (i = 0; i < t->nr; i++) {
		const struct thread_time *r = &t->row[i];
		__int128 sum = (__int128)r->task + r->stolen + r->runqueue + r->blocked;

		if (sum != r->alive)
			return fail_plain(-EINVAL, "the time of thread %" PRId64 " does not close: %" PRId64 " task + %"
					  PRId64 " stolen + %" PRId64 " run queue + %" PRId64 " blocked, but %" PRId64
					  " ns alive", r->tid, r->task, r->stolen, r->runqueue, r->blocked, r->alive);
	}
	return 0;
}

int waits_check(const struct waits_ledger *w)
{
	const struct waits_some *part[] = { &w->below, &w->under, &w->self, &w->filtered, &w->kept };
	__int128 n = 0, ns = 0;
	size_t i;

	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		n += part[i]->n;
		ns += part[i]->ns;
	}
	if (n != (__int128)w->seen.n || ns != (__int128)w->seen.ns)
		return fail_plain(-EINVAL, "the waits do not close: %" PRIu64 " of %" PRIu64 " ns seen, but %" PRIu64
				  " of %" PRIu64 " ns in buckets", w->seen.n, w->seen.ns, (uint64_t)n, (uint64_t)ns);
	if ((__int128)w->kept.n != (__int128)w->walked + w->stackless)
		return fail_plain(-EINVAL, "the waits do not close: %" PRIu64 " kept, but %" PRIu64 " walked + %" PRIu64
				  " without a stack", w->kept.n, w->walked, w->stackless);
	return 0;
}

void times_done(struct times *t)
{
	free(t->row);
	memset(t, 0, sizeof(*t));
}
