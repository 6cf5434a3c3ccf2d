/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/sideband.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "capture/side_merge.h"

/* Enough for 250 processes that run, map five objects and end. */
#define RING_BYTES (256u << 10)

struct sideband {
	int nr_cpus;
	bool wake;
	int *fd;			/* [nr_cpus], -1: none on this CPU */
	uint64_t *enabled_ns;		/* [nr_cpus], of the event, at the last look */
	struct side_merge merge;
	struct images *im;		/* of the call that is under way */
	uint64_t time, lost;
	bool gap;			/* a CPU came: what it did before its ring was there is not known */
};

static int open_event(int cpu, bool wake)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_DUMMY,
					.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED,
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

static int open_cpu(struct sideband *s, int cpu, bool wake)
{
	int fd = open_event(cpu, wake), r;

	/* it went offline just now */
	if (fd < 0 && errno == ENODEV)
		return 0;
	if (fd < 0)
		return fail(-errno, "cannot follow the processes on CPU %d: perf_event_open", cpu);
	s->fd[cpu] = fd;
	s->enabled_ns[cpu] = 0;
	r = perf_ring_map(&s->merge.source[cpu].ring, fd, RING_BYTES / (size_t)sysconf(_SC_PAGESIZE));
	if (r) {
		close(fd);
		s->fd[cpu] = -1;
	}
	return r;
}

int sideband_open(struct sideband **out, const bool *online, int nr_cpus, bool wake)
{
	struct sideband *s = xcalloc(1, sizeof(*s));
	int cpu, r = 0;

	s->nr_cpus = nr_cpus;
	s->wake = wake;
	s->fd = xcalloc((size_t)nr_cpus, sizeof(*s->fd));
	s->enabled_ns = xcalloc((size_t)nr_cpus, sizeof(*s->enabled_ns));
	side_merge_init(&s->merge, nr_cpus);
	for (cpu = 0; cpu < nr_cpus; cpu++)
		s->fd[cpu] = -1;
	for (cpu = 0; !r && cpu < nr_cpus; cpu++)
		if (online[cpu])
			r = open_cpu(s, cpu, wake);
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
		perf_ring_unmap(&s->merge.source[cpu].ring);
		if (s->fd[cpu] >= 0)
			close(s->fd[cpu]);
	}
	side_merge_done(&s->merge);
	free(s->fd);
	free(s->enabled_ns);
	free(s);
}

int sideband_open_cpu(struct sideband *s, int cpu)
{
	perf_ring_unmap(&s->merge.source[cpu].ring);
	if (s->fd[cpu] >= 0)
		close(s->fd[cpu]);
	s->fd[cpu] = -1;
	s->gap = true;
	return open_cpu(s, cpu, s->wake);
}

int sideband_fd(const struct sideband *s, int cpu)
{
	return s->fd[cpu];
}

/* The time that an event was enabled ends with its CPU, and does not go on when that comes back. */
bool sideband_lives(struct sideband *s, int cpu)
{
	struct {
		uint64_t count, enabled_ns;
	} now;

	if (s->fd[cpu] < 0 || read(s->fd[cpu], &now, sizeof(now)) != sizeof(now) || now.enabled_ns == s->enabled_ns[cpu])
		return false;
	s->enabled_ns[cpu] = now.enabled_ns;
	return true;
}

static void apply(void *ctx, const struct side_record *r)
{
	struct sideband *s = ctx;

	switch (r->kind) {
	case SIDE_FORK:
		images_fork(s->im, r->parent, r->pid, r->time);
		break;
	case SIDE_EXEC:
		images_exec(s->im, r->pid, r->time);
		break;
	case SIDE_MMAP:
		images_mmap(s->im, r->pid, r->time, &r->map);
		break;
	case SIDE_EXIT:
		images_exit(s->im, r->pid, r->tid, r->time);
		break;
	case SIDE_LOST:
		s->lost += r->lost;
		images_lost(s->im);
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
	int n;

	s->im = im;
	if (s->gap)
		images_lost(im);
	s->gap = false;
	n = side_merge_read(&s->merge, now, apply, s);
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
