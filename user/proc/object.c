/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/object.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/index.h"
#include "proc/open.h"

#define CHECK_NS    (2 * NSEC_PER_SEC)
#define OPEN_MIN_NS (20 * NSEC_PER_MSEC)	/* until another try; doubled up to CHECK_NS */

struct objects {
	struct object_file *object;
	size_t nr, cap;
	struct index index;
	uint64_t refused;
};

struct objects *objects_new(void)
{
	return xcalloc(1, sizeof(struct objects));
}

void objects_free(struct objects *os)
{
	size_t i;

	if (!os)
		return;
	for (i = 0; i < os->nr; i++) {
		free(os->object[i].path);
		if (os->object[i].fd >= 0)
			close(os->object[i].fd);
	}
	index_done(&os->index);
	free(os->object);
	free(os);
}

static bool object_eq(const void *owner, uint32_t id, const void *key)
{
	const struct object_file *a = ((const struct objects *)owner)->object + id, *b = key;

	if (a->kind != b->kind)
		return false;
	if (a->kind == OBJECT_VDSO)
		return true;
	if (a->kind == OBJECT_ANON)
		return a->pid == b->pid && a->serial == b->serial;
	return a->dev_major == b->dev_major && a->dev_minor == b->dev_minor && a->inode == b->inode;
}

static uint64_t object_hash(const struct object_file *o)
{
	if (o->kind == OBJECT_VDSO)
		return hash_u64(1, 1);
	if (o->kind == OBJECT_ANON)
		return hash_u64((uint64_t)o->pid, o->serial);
	return hash_u64(o->inode, (uint64_t)o->dev_major << 32 | o->dev_minor);
}

static int64_t mtime_of(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * (int64_t)NSEC_PER_SEC + st->st_mtim.tv_nsec;
}

static void open_object(struct object_file *o, const struct object_owner *w,
			const struct exec_map *m, uint64_t now_ns)
{
	struct stat st;

	if (o->kind == OBJECT_VDSO)
		o->fd = open_vdso(&o->reason);
	else if (o->kind == OBJECT_FILE)
		o->fd = open_mapped(w->pid, w->parent, m, &o->reason);
	o->checked_ns = now_ns;
	if (o->fd < 0) {
		o->wait_ns = o->wait_ns ? o->wait_ns * 2 : OPEN_MIN_NS;
		if (o->wait_ns > CHECK_NS)
			o->wait_ns = CHECK_NS;
		return;
	}
	o->reason = NULL;
	o->wait_ns = CHECK_NS;
	if (!fstat(o->fd, &st)) {
		o->size = (uint64_t)st.st_size;
		o->mtime_ns = mtime_of(&st);
	}
}

/* Opened again, is it what it was? Else, as where it cannot be opened, this object is what was mapped before. */
static bool is_back(struct object_file *o, const struct object_owner *w, const struct exec_map *m, uint64_t now_ns)
{
	struct object_file now = *o;

	open_object(&now, w, m, now_ns);
	if (now.fd >= 0 && now.size == o->size && now.mtime_ns == o->mtime_ns) {
		*o = now;
		o->released = false;
		return true;
	}
	if (now.fd >= 0)
		close(now.fd);
	o->changed = true;
	return false;
}

/*
 * Looks at a known object of a file again. False: its file was written to, so that it stands only
 * for what was mapped before.
 */
static bool still_good(struct object_file *o, const struct object_owner *w,
		       const struct exec_map *m, uint64_t now_ns)
{
	struct stat st;

	if (o->released)
		return is_back(o, w, m, now_ns);
	if (o->kind != OBJECT_FILE || now_ns - o->checked_ns < o->wait_ns)
		return true;
	if (o->fd < 0) {
		open_object(o, w, m, now_ns);
		return true;
	}
	o->checked_ns = now_ns;
	if (!fstat(o->fd, &st) && (uint64_t)st.st_size == o->size && mtime_of(&st) == o->mtime_ns)
		return true;
	o->changed = true;
	return false;
}

static struct object_file key_of(const struct object_owner *w, const struct exec_map *m)
{
	struct object_file o = { .kind = OBJECT_FILE,
				 .dev_major = m->dev_major,
				 .dev_minor = m->dev_minor,
				 .inode = m->inode,
				 .fd = -1 };

	if (!strcmp(m->path, "[vdso]")) {
		o.kind = OBJECT_VDSO;
	} else if (!m->inode) {
		o.kind = OBJECT_ANON;
		o.pid = w->pid;
		o.serial = w->serial;
		o.start = m->start;
		o.end = m->end;
		o.reason = "no file";
	}
	return o;
}

static void widen(struct object_file *o, const struct exec_map *m)
{
	if (o->kind != OBJECT_ANON)
		return;
	if (m->start < o->start)
		o->start = m->start;
	if (m->end > o->end)
		o->end = m->end;
}

uint32_t objects_of(struct objects *os, const struct object_owner *w, const struct exec_map *m,
		    uint64_t now_ns)
{
	struct object_file o = key_of(w, m);
	uint64_t hash = object_hash(&o);
	uint32_t id = index_find(&os->index, hash, object_eq, os, &o);

	if (id != INDEX_NONE) {
		widen(&os->object[id], m);
		if (still_good(&os->object[id], w, m, now_ns))
			return id;
	}
	if (os->nr >= OBJECTS_MAX) {
		os->refused++;
		return OBJECT_NONE;
	}
	if (id != INDEX_NONE)
		index_remove(&os->index, hash, id);
	o.path = xstrdup(m->path);
	open_object(&o, w, m, now_ns);
	id = (uint32_t)os->nr;
	grow(&os->object, &os->cap, os->nr + 1, sizeof(*os->object));
	os->object[os->nr++] = o;
	index_add(&os->index, hash, id);
	return id;
}

void objects_release(struct objects *os, const bool *needed)
{
	size_t i;

	for (i = 0; i < os->nr; i++) {
		struct object_file *o = &os->object[i];

		if (needed[i] || o->kind != OBJECT_FILE || o->fd < 0)
			continue;
		close(o->fd);
		o->fd = -1;
		o->reason = "file closed";
		o->released = true;
	}
}

size_t objects_count(const struct objects *os)
{
	return os->nr;
}

const struct object_file *objects_get(const struct objects *os, uint32_t i)
{
	return &os->object[i];
}

uint64_t objects_refused(const struct objects *os)
{
	return os->refused;
}
