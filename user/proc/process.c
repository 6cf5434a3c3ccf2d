/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/process.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/index.h"
#include "proc/maps.h"

#define REREAD_NS     (100 * NSEC_PER_MSEC)
#define REREAD_MAX_NS (6400 * NSEC_PER_MSEC)
#define SWEEP_AT  4096			/* processes; beyond, those that rest are forgotten */
#define REST_NS	  (10 * NSEC_PER_SEC)

struct processes {
	struct process *process;
	size_t nr, cap;
	struct index index;
	struct objects *objects;
	uint64_t nr_seen;
};

struct process_key {
	int tgid;
	uint64_t start_time, exec_id;
};

struct processes *processes_new(void)
{
	struct processes *ps = xcalloc(1, sizeof(*ps));

	ps->objects = objects_new();
	return ps;
}

void processes_free(struct processes *ps)
{
	size_t i;

	if (!ps)
		return;
	for (i = 0; i < ps->nr; i++)
		free(ps->process[i].map);
	objects_free(ps->objects);
	index_done(&ps->index);
	free(ps->process);
	free(ps);
}

static uint64_t process_hash(const struct process_key *k)
{
	return hash_u64((uint64_t)k->tgid ^ k->exec_id << 32, k->start_time);
}

static bool process_eq(const void *owner, uint32_t id, const void *key)
{
	const struct process *p = ((const struct processes *)owner)->process + id;
	const struct process_key *k = key;

	return p->tgid == k->tgid && p->start_time == k->start_time && p->exec_id == k->exec_id;
}

static void read_maps(struct processes *ps, struct process *p, uint64_t now_ns)
{
	autofree struct exec_map *list = NULL;
	autofree char *text = NULL;
	struct object_owner w = { p->tgid, 0, p->start_time ^ p->exec_id << 32 };
	size_t n = 0, i, k = 0;

	p->read_ns = now_ns;
	/* a process on its way out still has a maps file, but an empty one */
	if (maps_read(p->tgid, &text, &list, &n) < 0 || !n) {
		p->gone = !p->nr_maps;
		return;
	}
	p->gone = false;
	p->map = xreallocarray(p->map, n, sizeof(*p->map));
	for (i = 0; i < n; i++) {
		p->map[k].start = list[i].start;
		p->map[k].end = list[i].end;
		p->map[k].offset = list[i].offset;
		p->map[k].object = objects_of(ps->objects, &w, &list[i], now_ns);
		k += p->map[k].object != OBJECT_NONE;
	}
	p->nr_maps = (uint32_t)k;
}

/* Forgets the processes that were not sampled of late; they come back when they are. */
static void sweep(struct processes *ps, uint64_t now_ns)
{
	size_t i, kept = 0;

	for (i = 0; i < ps->nr; i++) {
		if (now_ns - ps->process[i].used_ns > REST_NS)
			free(ps->process[i].map);
		else
			ps->process[kept++] = ps->process[i];
	}
	ps->nr = kept;
	index_clear(&ps->index);
	for (i = 0; i < kept; i++) {
		struct process *p = &ps->process[i];
		struct process_key k = { p->tgid, p->start_time, p->exec_id };

		index_add(&ps->index, process_hash(&k), (uint32_t)i);
	}
}

struct process *processes_get(struct processes *ps, int tgid, uint64_t start_time, uint64_t exec_id,
			      uint64_t now_ns)
{
	struct process_key k = { tgid, start_time, exec_id };
	uint64_t hash = process_hash(&k);
	uint32_t id = index_find(&ps->index, hash, process_eq, ps, &k);
	struct process *p;

	if (id == INDEX_NONE) {
		if (ps->nr >= SWEEP_AT && ps->nr == ps->cap)
			sweep(ps, now_ns);
		id = (uint32_t)ps->nr;
		grow(&ps->process, &ps->cap, ps->nr + 1, sizeof(*ps->process));
		p = &ps->process[ps->nr++];
		ps->nr_seen++;
		*p = (struct process){ .tgid = tgid, .start_time = start_time, .exec_id = exec_id };
		index_add(&ps->index, hash, id);
		read_maps(ps, p, now_ns);
	}
	p = &ps->process[id];
	p->used_ns = now_ns;
	return p;
}

static const struct process_map *find_map(const struct process *p, uint64_t address)
{
	size_t lo = 0, hi = p->nr_maps;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->map[mid].start <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && address < p->map[lo - 1].end ? &p->map[lo - 1] : NULL;
}

const struct process_map *processes_map(struct processes *ps, struct process *p, uint64_t address,
					bool certain, uint64_t now_ns)
{
	const struct process_map *m = find_map(p, address);
	uint64_t wait = certain || !p->reread_ns ? REREAD_NS : p->reread_ns;

	if (m || p->gone || now_ns - p->read_ns < wait)
		return m;
	read_maps(ps, p, now_ns);
	m = find_map(p, address);
	if (m)
		p->reread_ns = REREAD_NS;
	else if (!certain)
		p->reread_ns = wait * 2 < REREAD_MAX_NS ? wait * 2 : REREAD_MAX_NS;
	return m;
}

uint64_t processes_nr_seen(const struct processes *ps)
{
	return ps->nr_seen;
}

size_t processes_nr_objects(const struct processes *ps)
{
	return objects_count(ps->objects);
}

const struct object_file *processes_object(const struct processes *ps, uint32_t object)
{
	return objects_get(ps->objects, object);
}
