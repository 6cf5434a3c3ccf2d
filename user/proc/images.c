/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/images.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proc/image_table.h"
#include "proc/pids.h"

#define REREAD_NS     (100 * NSEC_PER_MSEC)
#define REREAD_MAX_NS (6400 * NSEC_PER_MSEC)
#define REREAD_COST   20			/* a reading's time is at most 1 of so many */
#define CHECK_NS      (10 * NSEC_PER_MSEC)	/* between two looks whether a process has ended */
#define SWEEP_NS      NSEC_PER_SEC
#define SKEW_NS	      (50 * 1000ull)		/* between the times of two CPUs */

struct images {
	struct image_table table;
	struct objects *objects;
	uint64_t reads, read_ns, missed, late;
	uint64_t swept_ns;
	bool unsure;			/* any image is */
};

struct images *images_new(void)
{
	struct images *im = xcalloc(1, sizeof(*im));

	im->objects = objects_new();
	return im;
}

void images_free(struct images *im)
{
	if (!im)
		return;
	image_table_done(&im->table);
	objects_free(im->objects);
	free(im);
}

const struct objects *images_objects(const struct images *im)
{
	return im->objects;
}

void images_get_stats(const struct images *im, struct images_stats *out)
{
	const struct image_table *t = &im->table;

	*out = (struct images_stats){ .living = t->living,
				      .kept = t->kept,
				      .maps = t->maps,
				      .reads = im->reads,
				      .read_ns = im->read_ns,
				      .missed = im->missed,
				      .late = im->late,
				      .refused_images = t->refused_images,
				      .refused_maps = t->refused_maps };
}

static uint32_t object_of(struct images *im, const struct image_entry *e, const struct exec_map *m,
			  uint64_t now_ns)
{
	struct object_owner w = { e->image.tgid, e->image.parent, e->serial };

	return objects_of(im->objects, &w, m, now_ns);
}

/* False: there are none to be read, or no room for them. */
static bool read_proc(struct images *im, struct image_entry *e, uint64_t now_ns)
{
	autofree struct image_map *map = NULL;
	autofree struct exec_map *list = NULL;
	autofree char *text = NULL;
	uint64_t begun = clock_mono();
	size_t n = 0, i;
	uint32_t nr = 0;
	int r;

	e->asked_ns = now_ns;
	r = maps_read(e->image.tgid, &text, &list, &n);
	e->image.refused = r == -ESRCH ? 0 : r;
	/* a process on its way out, or into a new program, has a maps file, but an empty one */
	if (r < 0 || !n)
		return false;
	map = xmalloc(n * sizeof(*map));
	for (i = 0; i < n; i++) {
		uint32_t object = object_of(im, e, &list[i], now_ns);

		if (object != OBJECT_NONE)
			map[nr++] = (struct image_map){ list[i].start, list[i].end, list[i].offset,
							object, 0 };
	}
	if (!image_table_set(&im->table, e, map, nr, begun))
		return false;
	e->begun_ns = begun;
	e->read_ns = clock_mono();
	e->image.known = true;
	e->stale = false;
	im->reads++;
	im->read_ns += e->read_ns - begun;
	return true;
}

/* The parent's image of when this one was forked, or NULL. */
static struct image_entry *source_of(const struct images *im, const struct image_entry *e)
{
	struct image_entry *p = e->source ? image_table_newest(&im->table, e->image.parent) : NULL;

	while (p && p->serial != e->source)
		p = p->older;
	return p;
}

static void inherit(struct images *im, struct image_entry *e, const struct image_entry *from)
{
	if (image_table_set(&im->table, e, from->image.map, from->image.nr_maps,
			    e->image.from_ns))
		e->image.known = true;
	/* and the tables made of them, from its first instruction on */
	e->image.tables[0] = from->image.tables[0];
	e->stale = from->stale;
}

/* Reads the maps of a living image or, too late for that, of whom it was forked from. */
static void learn(struct images *im, struct image_entry *e, uint64_t now_ns)
{
	struct image_entry *from;

	if (read_proc(im, e, now_ns))
		return;
	for (from = e; !e->image.known && (from = source_of(im, from));) {
		if (from->image.known || (image_lives(from) && read_proc(im, from, now_ns)))
			inherit(im, e, from);
	}
	if (pid_ended(e->image.tgid))
		image_table_finish(&im->table, e, clock_mono());
}

static uint64_t least_wait(const struct image_entry *e)
{
	uint64_t cost = (e->read_ns - e->begun_ns) * REREAD_COST;

	return cost > REREAD_NS ? cost : REREAD_NS;
}

bool images_read(struct images *im, struct image *i, uint64_t now_ns)
{
	struct image_entry *e = (struct image_entry *)i;

	if (image_lives(e) && (!i->known || e->stale) &&
	    (!e->asked_ns || now_ns >= e->asked_ns + least_wait(e)))
		learn(im, e, now_ns);
	return i->known;
}

const struct image_map *images_map(struct images *im, struct image *i, const struct image_code *at,
				   uint64_t now_ns)
{
	struct image_entry *e = (struct image_entry *)i;
	const struct image_map *m = image_find(i, at->address, at->time);
	uint64_t wait = least_wait(e);

	if (!at->certain && e->doubt_ns > wait)
		wait = e->doubt_ns;
	if (m || !image_lives(e) || (e->asked_ns && now_ns < e->asked_ns + wait))
		return m;
	learn(im, e, now_ns);
	m = image_find(i, at->address, at->time);
	if (m)
		e->doubt_ns = 0;
	else if (!at->certain)
		e->doubt_ns = wait * 2 < REREAD_MAX_NS ? wait * 2 : REREAD_MAX_NS;
	return m;
}

/* Is the identity that of a sample of after that time? */
static bool told_before(const struct image_entry *e, uint64_t time)
{
	return e && image_lives(e) && e->image.identified && time <= e->identified_ns;
}

/* Is what a record of that time tells older than this image, as far as its beginning is known? */
static bool is_late(struct images *im, const struct image_entry *e, uint64_t time)
{
	if (!e || time >= e->image.from_ns || (e->discovered && told_before(e, time)))
		return false;
	im->late++;
	return true;
}

/* The image of which a sample told began then. */
static void set_beginning(struct image_entry *e, uint64_t time)
{
	struct image_entry *o = e->older;

	e->image.from_ns = time;
	e->threads = 1;
	e->leader_gone = false;
	if (o && o->image.to_ns > time)
		o->image.to_ns = time > o->image.from_ns ? time : o->image.from_ns;
}

static void thread_began(struct image_entry *e, uint64_t time)
{
	if (e && image_lives(e) && e->threads && time >= e->image.from_ns)
		e->threads++;
}

void images_fork(struct images *im, int parent, int pid, uint64_t time)
{
	struct image_entry *e = image_table_newest(&im->table, pid), *p;

	if (pid == parent) {
		thread_began(e, time);
		return;
	}
	if (is_late(im, e, time))
		return;
	/* else a sample of after this fork has told of the process already */
	if (!told_before(e, time)) {
		if (e && image_lives(e))
			image_table_finish(&im->table, e, time);
		e = image_table_begin(&im->table, pid, time);
	}
	if (!e)
		return;
	set_beginning(e, time);
	p = image_table_newest(&im->table, parent);
	e->image.parent = parent;
	e->source = p ? p->serial : 0;
	if (p && p->image.known && !e->image.known)
		inherit(im, e, p);
}

void images_exec(struct images *im, int tgid, uint64_t time)
{
	struct image_entry *e = image_table_newest(&im->table, tgid), *former = e;
	/* then the identity is the new program's */
	bool told = told_before(e, time);

	if (is_late(im, e, time))
		return;
	/* and so are the maps, if they were read since */
	if (told && e->begun_ns > time) {
		set_beginning(e, time);
		return;
	}
	if (e && image_lives(e))
		image_table_finish(&im->table, e, time);
	e = image_table_begin(&im->table, tgid, time);
	if (!e)
		return;
	e->image.known = true;
	e->threads = 1;
	if (!former)
		return;
	e->image.parent = former->image.parent;
	if (!told)
		return;
	e->image.start_time = former->image.start_time;
	e->image.exec_id = former->image.exec_id;
	e->image.identified = true;
	e->identified_ns = former->identified_ns;
	former->image.identified = false;
}

void images_mmap(struct images *im, int tgid, uint64_t time, const struct exec_map *m)
{
	struct image_entry *e = image_table_newest(&im->table, tgid);
	struct image_map map = { m->start, m->end, m->offset, 0, time };

	/* what was read, or is still to be read, holds it already */
	if (is_late(im, e, time) || !e || !image_lives(e) || !e->image.known || time < e->begun_ns)
		return;
	map.object = object_of(im, e, m, time);
	if (map.object == OBJECT_NONE)
		return;
	/* nobody tells of munmap() */
	if (!image_table_put(&im->table, e, &map) || e->image.nr_maps > e->many)
		e->stale = true;
}

void images_exit(struct images *im, int tgid, int tid, uint64_t time)
{
	struct image_entry *e = image_table_newest(&im->table, tgid);

	if (!e || !image_lives(e))
		return;
	if (time < e->image.from_ns) {
		im->late++;
		return;
	}
	if (e->threads) {
		if (!--e->threads)
			image_table_finish(&im->table, e, time);
		return;
	}
	if (tid == tgid)
		e->leader_gone = true;
	if (!e->leader_gone)
		return;
	/* it may still be on its way out: then it is looked at again by and by */
	im->unsure = e->unsure = true;
	if (time < e->checked_ns + CHECK_NS)
		return;
	e->checked_ns = time;
	if (pid_ended(tgid))
		image_table_finish(&im->table, e, time);
}

void images_lost(struct images *im)
{
	struct image_entry *e;
	size_t i;

	for (i = 0; i < im->table.nr_slots; i++) {
		e = im->table.head[i];
		if (!e || !image_lives(e))
			continue;
		e->threads = 0;
		e->stale = e->unsure = true;
		im->unsure = true;
	}
}

int images_scan(struct images *im)
{
	autofree int *pid = NULL;
	struct image_entry *e;
	size_t n, i;
	int r;

	r = pids_list(&pid, &n);
	if (r)
		return r;
	r = 0;
	for (i = 0; i < n; i++) {
		e = image_table_newest(&im->table, pid[i]);
		if (e && image_lives(e))
			continue;
		r += !!image_table_begin(&im->table, pid[i], e ? e->image.to_ns : 0);
	}
	return r;
}

struct sample_key {
	uint64_t start_time, exec_id, time;
};

/* Which program came first: < 0 the sample's, > 0 the image's, 0: the same one. */
static int compare(const struct sample_key *k, const struct image *i)
{
	if (k->start_time != i->start_time)
		return k->start_time < i->start_time ? -1 : 1;
	if (k->exec_id != i->exec_id)
		return k->exec_id < i->exec_id ? -1 : 1;
	return 0;
}

static struct image_entry *by_identity(struct image_entry *e, const struct sample_key *k)
{
	for (; e; e = e->older)
		if (e->image.identified && !compare(k, &e->image))
			break;
	return e;
}

/*
 * Of those without an identity, which lived at that time or (second best) about that time? It comes
 * after all that have an older identity, and before all that have a newer one.
 */
static struct image_entry *by_time(struct image_entry *e, const struct sample_key *k)
{
	struct image_entry *exact = NULL, *near = NULL;

	for (; e; e = e->older) {
		if (k->start_time && e->image.identified) {
			if (compare(k, &e->image) > 0)
				break;
			exact = near = NULL;
		} else if (k->time >= e->image.from_ns && k->time < e->image.to_ns) {
			exact = exact ? exact : e;
		} else if (!near && k->time + SKEW_NS >= e->image.from_ns &&
			   (image_lives(e) || k->time < e->image.to_ns + SKEW_NS)) {
			near = e;
		}
	}
	return exact ? exact : near;
}

static void identify(struct images *im, struct image_entry *e, const struct sample_key *k)
{
	if (!k->start_time)
		return;
	if (!e->image.identified)
		image_table_mark(&im->table, e);
	if (!e->image.identified || k->time < e->identified_ns)
		e->identified_ns = k->time;
	e->image.start_time = k->start_time;
	e->image.exec_id = k->exec_id;
	e->image.identified = true;
}

/* Can the sample be of a program that came after this one? */
static bool is_after(const struct image_entry *e, const struct sample_key *k)
{
	if (!k->start_time || k->time < e->image.from_ns)
		return false;
	if (!image_lives(e) && k->time < e->image.to_ns)
		return false;
	return !e->image.identified || compare(k, &e->image) > 0;
}

/* A sample tells of a program that no record told of. */
static struct image_entry *discover(struct images *im, int tgid, const struct sample_key *k)
{
	struct image_entry *e = image_table_newest(&im->table, tgid);
	uint64_t from = 0;

	if (e && !is_after(e, k))
		return NULL;
	if (e) {
		if (image_lives(e))
			image_table_finish(&im->table, e, k->time);
		from = e->image.to_ns;
	}
	e = image_table_begin(&im->table, tgid, from);
	if (!e)
		return NULL;
	im->missed++;
	e->discovered = true;
	identify(im, e, k);
	if (k->start_time && !pid_started_at(tgid, k->start_time))
		image_table_finish(&im->table, e, k->time);
	return e;
}

struct image *images_find(struct images *im, int tgid, uint64_t start_time, uint64_t exec_id,
			  uint64_t time)
{
	struct sample_key k = { start_time, exec_id, time };
	struct image_entry *head = image_table_newest(&im->table, tgid), *e = NULL;

	if (start_time)
		e = by_identity(head, &k);
	if (!e)
		e = by_time(head, &k);
	if (!e)
		e = discover(im, tgid, &k);
	if (!e)
		return NULL;
	identify(im, e, &k);
	images_read(im, &e->image, time);
	return &e->image;
}

/* Ends those that ended untold. */
static void sweep(struct images *im)
{
	uint64_t now = clock_mono();
	struct image_entry *e;
	size_t i;

	if (!im->unsure || now - im->swept_ns < SWEEP_NS)
		return;
	im->swept_ns = now;
	im->unsure = false;
	for (i = 0; i < im->table.nr_slots; i++) {
		e = im->table.head[i];
		if (!e || !image_lives(e) || !e->unsure)
			continue;
		if (pid_ended(e->image.tgid)) {
			image_table_finish(&im->table, e, now);
			continue;
		}
		e->unsure = e->leader_gone;
		im->unsure |= e->unsure;
	}
}

void images_expire(struct images *im, uint64_t time, void (*fn)(void *ctx, struct image *i),
		   void *ctx)
{
	sweep(im);
	while (im->table.ended_first && (im->table.ended_first->image.to_ns < time ||
				   im->table.living + im->table.kept > IMAGES_MAX / 4 * 3)) {
		if (fn)
			fn(ctx, &im->table.ended_first->image);
		image_table_forget_first(&im->table);
	}
}

static void need(const struct image *i, bool *needed)
{
	uint32_t k;

	for (k = 0; k < i->nr_maps; k++)
		needed[i->map[k].object] = true;
	for (k = 0; k < i->nr_former; k++)
		needed[i->former[k].map.object] = true;
}

void images_release(struct images *im, bool *needed)
{
	const struct image_entry *e;
	size_t i;

	for (i = 0; i < im->table.nr_slots; i++)
		for (e = im->table.head[i]; e; e = e->older)
			need(&e->image, needed);
	objects_release(im->objects, needed);
}

int images_each(struct images *im, int (*fn)(void *ctx, struct image *i), void *ctx)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < im->table.nr_slots; i++)
		if (im->table.head[i] && image_lives(im->table.head[i]))
			r = fn(ctx, &im->table.head[i]->image);
	return r;
}

int images_each_changed(struct images *im, int (*fn)(void *ctx, struct image *i), void *ctx)
{
	struct image_table *t = &im->table;
	autofree struct image_entry **list = t->changed;
	size_t i, n = t->nr_changed;
	int r = 0;

	/* what fn changes is for the next time */
	t->changed = NULL;
	t->nr_changed = t->cap_changed = 0;
	for (i = 0; i < n; i++)
		if (list[i])
			list[i]->changed = 0;
	for (i = 0; i < n; i++) {
		if (!list[i] || !image_lives(list[i]))
			continue;
		if (r)
			image_table_mark(t, list[i]);
		else
			r = fn(ctx, &list[i]->image);
	}
	return r;
}
