/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/sideband.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "capture/perf_ring.h"
#include "capture/side_record.h"

/* 256 KiB: 600 processes that run, map five objects and end. */
#define RING_BYTES (256u << 10)

struct cpu {
	int fd;				/* -1: none on this CPU */
	struct perf_ring ring;
	struct side_record next;	/* the oldest one not applied */
};

struct sideband {
	int nr_cpus;
	struct cpu *cpu;		/* [nr_cpus] */
	struct cpu **heap;		/* those with a next record, the oldest on top */
	int nr_heap;
	uint64_t time, lost;
};

static int open_event(int cpu, bool wake)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_DUMMY,
					.sample_type = PERF_SAMPLE_TIME,
					.exclude_kernel = 1,
					.mmap = 1,
					.mmap2 = 1,
					.comm = 1,
					.comm_exec = 1,
					.task = 1,
					.sample_id_all = 1,
					.watermark = 1,
					.wakeup_watermark = wake ? 1 : RING_BYTES / 2,
					.use_clockid = 1,
					.clockid = CLOCK_MONOTONIC };

	return (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static int open_cpu(struct cpu *c, int cpu, bool wake)
{
	c->fd = open_event(cpu, wake);
	/* it went offline just now */
	if (c->fd < 0 && errno == ENODEV)
		return 0;
	if (c->fd < 0)
		return fail(-errno, "cannot follow the processes on CPU %d: perf_event_open", cpu);
	return perf_ring_map(&c->ring, c->fd, RING_BYTES / (size_t)sysconf(_SC_PAGESIZE));
}

int sideband_open(struct sideband **out, const bool *online, int nr_cpus, bool wake)
{
	struct sideband *s = xcalloc(1, sizeof(*s));
	int cpu, r = 0;

	s->nr_cpus = nr_cpus;
	s->cpu = xcalloc((size_t)nr_cpus, sizeof(*s->cpu));
	s->heap = xcalloc((size_t)nr_cpus, sizeof(struct cpu *));
	for (cpu = 0; cpu < nr_cpus; cpu++)
		s->cpu[cpu].fd = -1;
	for (cpu = 0; !r && cpu < nr_cpus; cpu++)
		if (online[cpu])
			r = open_cpu(&s->cpu[cpu], cpu, wake);
	if (r) {
		sideband_close(s);
		return r;
	}
	*out = s;
	return 0;
}

void sideband_close(struct sideband *s)
{
	int cpu;

	if (!s)
		return;
	for (cpu = 0; cpu < s->nr_cpus; cpu++) {
		perf_ring_unmap(&s->cpu[cpu].ring);
		if (s->cpu[cpu].fd >= 0)
			close(s->cpu[cpu].fd);
	}
	free(s->cpu);
	free(s->heap);
	free(s);
}

int sideband_fd(const struct sideband *s, int cpu)
{
	return s->cpu[cpu].fd;
}

/* The next record of interest that is not younger than `time`. False: there is none. */
static bool fetch(struct sideband *s, struct cpu *c, uint64_t time)
{
	const struct perf_event_header *h;

	for (;;) {
		if (perf_ring_peek(&c->ring, &h) < 0 || (h && side_record_parse(&c->next, h) < 0)) {
			/* as if it had not fit */
			c->next = (struct side_record){ .kind = SIDE_LOST, .lost = 1 };
			return true;
		}
		if (!h || c->next.time > time)
			return false;
		if (c->next.kind != SIDE_OTHER)
			return true;
		perf_ring_next(&c->ring);
	}
}

static void sift_down(struct sideband *s)
{
	struct cpu *top = s->heap[0];
	int at = 0, child;

	while ((child = 2 * at + 1) < s->nr_heap) {
		if (child + 1 < s->nr_heap &&
		    s->heap[child + 1]->next.time < s->heap[child]->next.time)
			child++;
		if (top->next.time <= s->heap[child]->next.time)
			break;
		s->heap[at] = s->heap[child];
		at = child;
	}
	s->heap[at] = top;
}

static void push(struct sideband *s, struct cpu *c)
{
	int at = s->nr_heap++, above;

	for (; at; at = above) {
		above = (at - 1) / 2;
		if (s->heap[above]->next.time <= c->next.time)
			break;
		s->heap[at] = s->heap[above];
	}
	s->heap[at] = c;
}

static void apply(struct sideband *s, const struct side_record *r, struct images *im)
{
	switch (r->kind) {
	case SIDE_FORK:
		images_fork(im, r->parent, r->pid, r->time);
		break;
	case SIDE_EXEC:
		images_exec(im, r->pid, r->time);
		break;
	case SIDE_MMAP:
		images_mmap(im, r->pid, r->time, &r->map);
		break;
	case SIDE_EXIT:
		images_exit(im, r->pid, r->tid, r->time);
		break;
	case SIDE_LOST:
		s->lost += r->lost;
		images_lost(im);
		break;
	case SIDE_OTHER:
		break;
	}
}

/*
 * What is younger than the beginning of this call stays for the next: of two rings the one that is
 * looked at later could show an effect without its cause.
 */
int sideband_read(struct sideband *s, struct images *im)
{
	uint64_t now = clock_mono();
	int cpu, n = 0;

	for (cpu = 0; cpu < s->nr_cpus; cpu++) {
		struct cpu *c = &s->cpu[cpu];

		if (c->fd < 0)
			continue;
		if (perf_ring_begin(&c->ring) < 0) {
			s->lost++;
			images_lost(im);
		}
		if (fetch(s, c, now))
			push(s, c);
	}
	while (s->nr_heap) {
		struct cpu *c = s->heap[0];

		apply(s, &c->next, im);
		n++;
		perf_ring_next(&c->ring);
		if (!fetch(s, c, now)) {
			if (!--s->nr_heap)
				break;
			s->heap[0] = s->heap[s->nr_heap];
		}
		sift_down(s);
	}
	s->time = now;
	return n;
}

uint64_t sideband_time(const struct sideband *s)
{
	return s->time;
}

uint64_t sideband_lost(const struct sideband *s)
{
	return s->lost;
}
