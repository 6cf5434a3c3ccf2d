/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/process.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/index.h"
#include "proc/maps.h"
#include "proc/open.h"

#define REREAD_NS     (100 * NSEC_PER_MSEC)
#define REREAD_MAX_NS (6400 * NSEC_PER_MSEC)
#define SWEEP_AT  4096			/* processes; beyond, those that rest are forgotten */
#define REST_NS	  (10 * NSEC_PER_SEC)

struct processes {
	struct process *process;
	size_t nr, cap;
	struct index index;
	struct object_file *object;
	size_t nr_objects, cap_objects;
	struct index object_index;
	uint64_t nr_seen;
};

struct process_key {
	int tgid;
	uint64_t start_time, exec_id;
};

struct processes *processes_new(void)
{
	return xcalloc(1, sizeof(struct processes));
}

void processes_free(struct processes *ps)
{
	size_t i;

	if (!ps)
		return;
	for (i = 0; i < ps->nr; i++)
		free(ps->process[i].map);
	for (i = 0; i < ps->nr_objects; i++) {
		free(ps->object[i].path);
		if (ps->object[i].fd >= 0)
			close(ps->object[i].fd);
	}
	index_done(&ps->index);
	index_done(&ps->object_index);
	free(ps->process);
	free(ps->object);
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

/* Anonymous code differs by process and place, a file only by what it is. */
static bool object_eq(const void *owner, uint32_t id, const void *key)
{
	const struct object_file *a = ((const struct processes *)owner)->object + id, *b = key;

	if (a->kind != b->kind)
		return false;
	if (a->kind == OBJECT_VDSO)
		return true;
	if (a->kind == OBJECT_ANON)
		return a->pid == b->pid && a->start == b->start && a->end == b->end;
	return a->dev_major == b->dev_major && a->dev_minor == b->dev_minor && a->inode == b->inode;
}

static uint64_t object_hash(const struct object_file *o)
{
	if (o->kind == OBJECT_VDSO)
		return hash_u64(1, 1);
	if (o->kind == OBJECT_ANON)
		return hash_u64((uint64_t)o->pid, o->start ^ o->end << 1);
	return hash_u64(o->inode, (uint64_t)o->dev_major << 32 | o->dev_minor);
}

/* The object behind a mapping; opened when new. */
static uint32_t object_of(struct processes *ps, int pid, const struct exec_map *m)
{
	struct object_file o = { .kind = OBJECT_FILE,
				 .dev_major = m->dev_major,
				 .dev_minor = m->dev_minor,
				 .inode = m->inode,
				 .start = m->start,
				 .end = m->end,
				 .pid = pid,
				 .fd = -1 };
	uint64_t hash;
	uint32_t id;

	if (!strcmp(m->path, "[vdso]"))
		o.kind = OBJECT_VDSO;
	else if (!m->inode)
		o.kind = OBJECT_ANON;
	hash = object_hash(&o);
	id = index_find(&ps->object_index, hash, object_eq, ps, &o);
	if (id != INDEX_NONE)
		return id;
	o.path = xstrdup(m->path);
	if (o.kind == OBJECT_VDSO)
		o.fd = open_vdso(&o.reason);
	else if (o.kind == OBJECT_FILE)
		o.fd = open_mapped(pid, m, &o.reason);
	id = (uint32_t)ps->nr_objects;
	grow(&ps->object, &ps->cap_objects, ps->nr_objects + 1, sizeof(*ps->object));
	ps->object[ps->nr_objects++] = o;
	index_add(&ps->object_index, hash, id);
	return id;
}

static void read_maps(struct processes *ps, struct process *p, uint64_t now_ns)
{
	autofree struct exec_map *list = NULL;
	autofree char *text = NULL;
	size_t n = 0, i;

	p->read_ns = now_ns;
	/* a process on its way out still has a maps file, but an empty one */
	if (maps_read(p->tgid, &text, &list, &n) < 0 || !n) {
		p->gone = !p->nr_maps;
		return;
	}
	p->gone = false;
	p->map = xreallocarray(p->map, n, sizeof(*p->map));
	p->nr_maps = (uint32_t)n;
	for (i = 0; i < n; i++) {
		p->map[i].start = list[i].start;
		p->map[i].end = list[i].end;
		p->map[i].offset = list[i].offset;
		p->map[i].object = object_of(ps, p->tgid, &list[i]);
	}
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
	return ps->nr_objects;
}

const struct object_file *processes_object(const struct processes *ps, uint32_t object)
{
	return &ps->object[object];
}
