/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/side_merge.h"

#include <stdbool.h>

#include "base/alloc.h"

void side_merge_init(struct side_merge *m, int nr)
{
	*m = (struct side_merge){ .nr = nr };
	m->source = xcalloc((size_t)nr, sizeof(*m->source));
	m->heap = xcalloc((size_t)nr, sizeof(struct side_source *));
}

void side_merge_done(struct side_merge *m)
{
	free(m->source);
	free(m->heap);
	*m = (struct side_merge){ 0 };
}

/* The next record of interest that is not younger than `time`. False: there is none. */
static bool fetch(struct side_source *s, uint64_t time)
{
	const struct perf_event_header *h;

	for (;;) {
		if (perf_ring_peek(&s->ring, &h) < 0 || (h && side_record_parse(&s->next, h) < 0)) {
			s->next = (struct side_record){ .kind = SIDE_LOST, .lost = 1 };
			return true;
		}
		if (!h || s->next.time > time)
			return false;
		if (s->next.kind != SIDE_OTHER)
			return true;
		perf_ring_next(&s->ring);
	}
}

static void sift_down(struct side_merge *m)
{
	struct side_source *top = m->heap[0];
	int at = 0, child;

	while ((child = 2 * at + 1) < m->nr_heap) {
		if (child + 1 < m->nr_heap &&
		    m->heap[child + 1]->next.time < m->heap[child]->next.time)
			child++;
		if (top->next.time <= m->heap[child]->next.time)
			break;
		m->heap[at] = m->heap[child];
		at = child;
	}
	m->heap[at] = top;
}

static void push(struct side_merge *m, struct side_source *s)
{
	int at = m->nr_heap++, above;

	for (; at; at = above) {
		above = (at - 1) / 2;
		if (m->heap[above]->next.time <= s->next.time)
			break;
		m->heap[at] = m->heap[above];
	}
	m->heap[at] = s;
}

int side_merge_read(struct side_merge *m, uint64_t time,
		    void (*fn)(void *ctx, const struct side_record *r), void *ctx)
{
	static const struct side_record broken = { .kind = SIDE_LOST, .lost = 1 };
	int i, n = 0;

	for (i = 0; i < m->nr; i++) {
		struct side_source *s = &m->source[i];

		if (!s->ring.page)
			continue;
		if (perf_ring_begin(&s->ring) < 0) {
			fn(ctx, &broken);
			n++;
		}
		if (fetch(s, time))
			push(m, s);
	}
	for (; m->nr_heap; n++) {
		struct side_source *s = m->heap[0];

		fn(ctx, &s->next);
		perf_ring_next(&s->ring);
		if (!fetch(s, time)) {
			if (!--m->nr_heap)
				continue;
			m->heap[0] = m->heap[m->nr_heap];
		}
		sift_down(m);
	}
	return n;
}
