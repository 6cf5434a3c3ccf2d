/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/unwinder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

#define OBJECT_NONE UINT32_MAX

enum object_state { OBJECT_NEW, OBJECT_READY, OBJECT_NO_ROWS, OBJECT_FAILED, OBJECT_NO_FILE };

struct unwind_object {
	uint8_t state;		 /* enum object_state */
	bool keeps_fp;		 /* a compiler that always does made it */
	struct table_span *span; /* by address */
	uint32_t nr_spans;
	struct object_segment *segment;
	uint32_t nr_segments;
};

struct unwinder {
	struct tables *tables;
	struct worker *worker;
	const struct objects *objects;
	struct unwind_object *object; /* [nr_objects], by number in `objects` */
	size_t nr_objects, cap_objects;
	uint32_t asked;	      /* which the worker is at; OBJECT_NONE: none */
	struct wire_map *map; /* the maps of one image under construction */
	size_t nr_maps, cap_maps;
	struct unwinder_stats stats;
};

struct unwinder *unwinder_new(const struct tables_memory *m, struct worker *w,
			      const struct objects *objects)
{
	struct unwinder *u = xcalloc(1, sizeof(*u));

	u->tables = tables_new(m);
	u->worker = w;
	u->objects = objects;
	u->asked = OBJECT_NONE;
	return u;
}

void unwinder_free(struct unwinder *u)
{
	size_t i;

	if (!u)
		return;
	for (i = 0; i < u->nr_objects; i++) {
		free(u->object[i].span);
		free(u->object[i].segment);
	}
	tables_free(u->tables);
	free(u->object);
	free(u->map);
	free(u);
}

const struct unwinder_stats *unwinder_stats(const struct unwinder *u)
{
	return &u->stats;
}

const struct tables *unwinder_tables(const struct unwinder *u)
{
	return u->tables;
}

static struct unwind_object *object_at(struct unwinder *u, uint32_t object)
{
	grow(&u->object, &u->cap_objects, object + 1, sizeof(*u->object));
	while (u->nr_objects <= object)
		u->object[u->nr_objects++] = (struct unwind_object){ 0 };
	return &u->object[object];
}

/* Rows of the worker into the tables; what the object needs of them stays here. */
static int take_rows(struct unwinder *u, struct unwind_object *o, struct worker_rows *rows)
{
	struct table_rows in = { rows->row,
				 rows->nr_rows,
				 rows->page,
				 rows->nr_pages,
				 rows->rule,
				 rows->nr_rules,
				 (const struct table_span_in *)rows->span,
				 rows->nr_spans };
	int r;

	u->stats.rows += rows->nr_rows;
	u->stats.frame_bytes += rows->frame_bytes;
	o->nr_segments = (uint32_t)rows->nr_segments;
	o->segment = xcalloc(o->nr_segments + 1, sizeof(*o->segment));
	memcpy(o->segment, rows->segment, o->nr_segments * sizeof(*o->segment));
	o->keeps_fp = rows->keeps_fp;
	if (!rows->nr_spans) {
		o->state = OBJECT_NO_ROWS;
		u->stats.objects_without_rows++;
		return 0;
	}
	r = tables_add_rows(u->tables, &in, &o->span);
	if (r)
		return r;
	o->nr_spans = (uint32_t)rows->nr_spans;
	o->state = OBJECT_READY;
	return 0;
}

/* The worker's answer to what it was asked last. false: it is not there yet. */
static bool take_asked(struct unwinder *u, uint64_t budget_ns)
{
	struct unwind_object *o;
	struct worker_rows rows;
	uint64_t start;
	int r;

	if (u->asked == OBJECT_NONE)
		return true;
	r = worker_rows_wait(u->worker, budget_ns, &rows);
	if (r == -EAGAIN)
		return false;
	o = object_at(u, u->asked);
	o->state = OBJECT_FAILED;
	u->asked = OBJECT_NONE;
	if (!r) {
		start = clock_mono();
		u->stats.build_ns += rows.took_ns;
		r = take_rows(u, o, &rows);
		worker_rows_done(&rows);
		u->stats.build_ns += clock_mono() - start;
	}
	if (r)
		u->stats.objects_failed++;
	return true;
}

/* false: the rows take longer than that, and are still in the making. */
static bool make_rows(struct unwinder *u, uint32_t object, uint64_t budget_ns)
{
	const struct object_file *f = objects_get(u->objects, object);
	struct unwind_object *o = object_at(u, object);

	u->stats.objects++;
	if (f->kind == OBJECT_ANON) {
		o->state = OBJECT_NO_ROWS;
		o->keeps_fp = true;
		return true;
	}
	if (f->fd < 0 || worker_rows_ask(u->worker, f->fd) < 0) {
		o->state = f->fd < 0 ? OBJECT_NO_FILE : OBJECT_FAILED;
		u->stats.objects_failed++;
		return true;
	}
	u->asked = object;
	return take_asked(u, budget_ns);
}

void unwinder_give_up(struct unwinder *u)
{
	worker_rows_give_up(u->worker);
	u->asked = OBJECT_NONE;
}

/* A file may be opened by a later process that maps it. */
static bool can_be_opened_now(const struct unwinder *u, const struct unwind_object *o,
			      uint32_t object)
{
	const struct object_file *f = objects_get(u->objects, object);

	return o->state == OBJECT_NO_FILE && f->fd >= 0 && !f->changed;
}

int unwinder_prepare(struct unwinder *u, const struct image *i, uint64_t budget_ns)
{
	uint64_t start = clock_mono(), spent;
	uint32_t k;
	int left = 0;

	/* the last answer may be of another image's object */
	if (u->asked != OBJECT_NONE && !take_asked(u, budget_ns))
		budget_ns = 0;
	for (k = 0; k < i->nr_maps + i->nr_former; k++) {
		uint32_t object = k < i->nr_maps ? i->map[k].object
						 : i->former[k - i->nr_maps].map.object;
		struct unwind_object *o = object_at(u, object);

		if (object == u->asked) {
			left++;
			continue;
		}
		if (o->state != OBJECT_NEW && !can_be_opened_now(u, o, object))
			continue;
		spent = clock_mono() - start;
		if (spent >= budget_ns || u->asked != OBJECT_NONE ||
		    !make_rows(u, object, budget_ns - spent))
			left++;
	}
	return left;
}

static void put_map(struct unwinder *u, uint64_t start, uint64_t end, uint32_t pages,
		    uint32_t flags)
{
	if (start >= end)
		return;
	grow(&u->map, &u->cap_maps, u->nr_maps + 1, sizeof(*u->map));
	u->map[u->nr_maps++] =
		(struct wire_map){ .start = start, .end = end, .pages = pages, .flags = flags };
}

/* The object's own address of a file offset; false: in no executable segment. */
static bool object_address(const struct unwind_object *o, uint64_t offset, uint64_t *address)
{
	uint32_t i;

	for (i = 0; i < o->nr_segments; i++) {
		const struct object_segment *s = &o->segment[i];

		/* a mapping begins at a page, a segment need not */
		if (offset + 4096 > s->offset && offset < s->offset + s->size) {
			*address = s->address - s->offset + offset;
			return true;
		}
	}
	return false;
}

/* The parts of a mapping that have rows, and between them those that have none. */
static void put_image_map(struct unwinder *u, const struct image_map *m)
{
	const struct unwind_object *o = object_at(u, m->object);
	uint32_t flags = o->keeps_fp ? WIRE_MAP_FP : o->state == OBJECT_NEW ? WIRE_MAP_PENDING : 0;
	uint64_t at = m->start, base, bias;
	uint32_t i;

	if (o->state == OBJECT_READY && object_address(o, m->offset, &base)) {
		bias = m->start - base;
		for (i = 0; i < o->nr_spans; i++) {
			const struct table_span *s = &o->span[i];
			uint64_t from = s->address + bias,
				 to = from + ((uint64_t)s->nr_pages << 12);
			uint32_t page = s->page;

			if (to <= at || from >= m->end || to < from)
				continue;
			if (from < at) {
				page += (uint32_t)((at - from) >> 12);
				from = at;
			}
			put_map(u, at, from, WIRE_NO_PAGES, flags);
			at = to < m->end ? to : m->end;
			put_map(u, from, at, page, flags);
		}
	}
	put_map(u, at, m->end, WIRE_NO_PAGES, flags);
}

/*
 * For the kernel side. Where code comes and goes its tables would be of what was there before:
 * stacks are copied there, and walked with what was mapped at their time. Returns until when; 0:
 * nowhere.
 */
static uint64_t build_maps(struct unwinder *u, const struct image *i, uint64_t now_ns)
{
	uint64_t until = 0, end;
	uint32_t k;

	u->nr_maps = 0;
	for (k = 0; k < i->nr_maps; k++) {
		const struct image_map *m = &i->map[k];

		end = image_unrest(i, m, now_ns);
		until = end > until ? end : until;
		if (end)
			put_map(u, m->start, m->end, WIRE_NO_PAGES, WIRE_MAP_PENDING);
		else
			put_image_map(u, m);
	}
	return until;
}

static int by_start(const void *a, const void *b)
{
	const struct wire_map *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* The same, of what was mapped then. */
static void build_maps_of(struct unwinder *u, const struct image *i, uint64_t time)
{
	uint32_t k;

	u->nr_maps = 0;
	for (k = 0; k < i->nr_maps; k++)
		if (i->map[k].from_ns <= time)
			put_image_map(u, &i->map[k]);
	for (k = i->nr_former; k-- > 0 && time < i->former[k].to_ns;)
		if (i->former[k].map.from_ns <= time)
			put_image_map(u, &i->former[k].map);
	if (u->nr_maps)
		qsort(u->map, u->nr_maps, sizeof(*u->map), by_start);
}

void unwinder_publish(struct unwinder *u, struct image *i, uint64_t now_ns)
{
	struct wire_process identity = { .tgid = (uint32_t)i->tgid,
					 .start_time = i->start_time,
					 .exec_id = (uint32_t)i->exec_id };

	if (!i->identified || i->to_ns != UINT64_MAX || !i->nr_maps ||
	    (i->published == i->version && (!i->unrest_ns || now_ns < i->unrest_ns)) ||
	    unwinder_prepare(u, i, 0))
		return;
	i->unrest_ns = build_maps(u, i, now_ns);
	if (!tables_set_process(u->tables, &identity, u->map, (uint32_t)u->nr_maps, now_ns)) {
		i->published = i->version;
		i->tables[1] = i->tables[0];
		i->tables[0] = (struct image_tables){ clock_mono(), now_ns };
		u->stats.published++;
	}
}

void unwinder_forget(struct unwinder *u, struct image *i, uint64_t now_ns)
{
	const struct wire_process *p = tables_process(u->tables, (uint32_t)i->tgid);

	/* its successor may have the slot by now */
	if (i->published && p && p->start_time == i->start_time &&
	    p->exec_id == (uint32_t)i->exec_id)
		tables_drop_process(u->tables, (uint32_t)i->tgid, now_ns);
	i->published = 0;
}

void unwinder_walk(struct unwinder *u, const struct image *i, uint64_t time,
		   const struct replay_stack *s, struct replay_walk *out)
{
	build_maps_of(u, i, time);
	replay_walk(u->tables, u->map, u->nr_maps, s, out);
}
