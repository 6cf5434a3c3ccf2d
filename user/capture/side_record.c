/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/side_record.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

/* As in the comments of linux/perf_event.h; the time follows. */
struct lost {
	struct perf_event_header header;
	uint64_t id, lost;
};

struct comm {
	struct perf_event_header header;
	uint32_t pid, tid;
	char comm[];
};

struct task {
	struct perf_event_header header;
	uint32_t pid, ppid, tid, ptid;
	uint64_t time;
};

struct mmap2 {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t start, len, offset;
	uint32_t dev_major, dev_minor;
	uint64_t inode, generation;
	uint32_t prot, flags;
	char path[];
};

static int too_short(const struct perf_event_header *h)
{
	return fail_plain(-EBADMSG, "a record of kind %u has only %u bytes", h->type, h->size);
}

static int parse_task(struct side_record *out, const struct perf_event_header *h, size_t len,
		      enum side_kind kind)
{
	const struct task *t = (const void *)h;

	if (len < sizeof(*t))
		return too_short(h);
	out->kind = kind;
	out->pid = (int)t->pid;
	out->tid = (int)t->tid;
	out->parent = (int)t->ppid;
	out->time = t->time;
	return 0;
}

static int parse_comm(struct side_record *out, const struct perf_event_header *h, size_t len)
{
	const struct comm *c = (const void *)h;

	if (len < sizeof(*c))
		return too_short(h);
	if (!(h->misc & PERF_RECORD_MISC_COMM_EXEC))
		return 0;
	out->kind = SIDE_EXEC;
	out->pid = (int)c->pid;
	out->tid = (int)c->tid;
	return 0;
}

static int parse_mmap2(struct side_record *out, const struct perf_event_header *h, size_t len)
{
	const struct mmap2 *m = (const void *)h;

	if (len < sizeof(*m) || !memchr(m->path, '\0', len - offsetof(struct mmap2, path)))
		return too_short(h);
	/* with a build id the record has no inode; it is not asked for */
	if (!(m->prot & PROT_EXEC) || (h->misc & PERF_RECORD_MISC_MMAP_BUILD_ID) ||
	    m->start + m->len < m->start)
		return 0;
	out->kind = SIDE_MMAP;
	out->pid = (int)m->pid;
	out->tid = (int)m->tid;
	out->map = (struct exec_map){ .start = m->start,
				      .end = m->start + m->len,
				      .offset = m->offset,
				      .dev_major = m->dev_major,
				      .dev_minor = m->dev_minor,
				      .inode = m->inode,
				      .path = m->path };
	return 0;
}

static int parse_lost(struct side_record *out, const struct perf_event_header *h, size_t len)
{
	const struct lost *l = (const void *)h;

	if (len < sizeof(*l))
		return too_short(h);
	out->kind = SIDE_LOST;
	out->lost = l->lost;
	return 0;
}

int side_record_parse(struct side_record *out, const struct perf_event_header *h)
{
	size_t len = h->size;

	*out = (struct side_record){ .kind = SIDE_OTHER };
	if (len < sizeof(*h) + sizeof(out->time))
		return too_short(h);
	len -= sizeof(out->time);
	memcpy(&out->time, (const char *)h + len, sizeof(out->time));
	switch (h->type) {
	case PERF_RECORD_FORK:
		return parse_task(out, h, len, SIDE_FORK);
	case PERF_RECORD_EXIT:
		return parse_task(out, h, len, SIDE_EXIT);
	case PERF_RECORD_COMM:
		return parse_comm(out, h, len);
	case PERF_RECORD_MMAP2:
		return parse_mmap2(out, h, len);
	case PERF_RECORD_LOST:
		return parse_lost(out, h, len);
	default:
		return 0;
	}
}
