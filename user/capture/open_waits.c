/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/open_waits.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void open_waits_add(struct open_waits *w, const struct open_wait *one)
{
	grow(&w->wait, &w->cap, w->nr + 1, sizeof(*w->wait));
	w->wait[w->nr++] = *one;
}

uint32_t open_waits_labels(struct profile *p, const struct wire_thread *one, const char *process)
{
	const struct label label[] = {
		{ .key = profile_strings(p, "pid"), .num = one->tgid },
		{ .key = profile_strings(p, "tid"), .num = one->tid },
		{ .key = profile_strings(p, "comm"), .str = profile_string(p, one->comm, strnlen(one->comm, WIRE_COMM_LEN)) },
		{ .key = profile_strings(p, "process"), .str = profile_string(p, process, strnlen(process, WIRE_COMM_LEN)) },
		{ .key = profile_strings(p, "state"),
		  .str = profile_strings(p, one->state == WIRE_THREAD_READY ? "preempted" : "blocked") },
	};

	return profile_labels(p, label, ARRAY_LEN(label));
}

static int compare(const void *a, const void *b)
{
	uint32_t x = ((const struct open_wait *)a)->tid, y = ((const struct open_wait *)b)->tid;

	return x < y ? -1 : x > y;
}

void open_waits_sort(struct open_waits *w)
{
	if (w->nr)
		qsort(w->wait, w->nr, sizeof(*w->wait), compare);
}

void open_waits_done(struct open_waits *w)
{
	free(w->wait);
	*w = (struct open_waits){ 0 };
}

struct open_wait *open_waits_find(const struct open_waits *w, uint32_t tid, uint64_t pcount)
{
	struct open_wait key = { .tid = tid }, *one = NULL;

	if (w->nr)
		one = bsearch(&key, w->wait, w->nr, sizeof(key), compare);
	return one && one->pcount == pcount && !one->done ? one : NULL;
}

void open_waits_name(const struct open_waits *w, struct profile *p, const char *name)
{
	size_t i;

	for (i = 0; i < w->nr; i++) {
		int64_t values[NATIVE_COLUMNS] = { 0 };

		if (w->wait[i].done)
			continue;
		values[COL_WAITS] = 1;
		values[COL_BLOCKED] = w->wait[i].wait - w->wait[i].queued;
		values[COL_RUNQUEUE] = w->wait[i].queued;
		profile_add(p, profile_push(p, 0, profile_special_frame(p, name)), w->wait[i].labels, values);
	}
}
