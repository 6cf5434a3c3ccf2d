/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * known N COMMAND ARGS.. - starts N processes of a program that waits, and says what one of them costs
 * whose objects are known already: reading its maps and publishing them, and the same for each of its
 * objects. CPU time, median of the processes, in microseconds.
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proc/images.h"
#include "unwind/unwinder.h"

extern char **environ;


static void *chunk(void *ctx, uint32_t n)
{
	return xcalloc(1, WIRE_CHUNK_BYTES);
}

/* CPU time, the kernel's part of it too: others want the processors meanwhile. */
static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

/* Its image, its rows and its maps in the tables: microseconds to read, and to publish. */
static int learn(struct images *im, struct unwinder *u, pid_t pid, double *read, double *publish)
{
	double start = now_us(), between;
	struct image *i = images_find(im, pid, (uint64_t)pid, 1, clock_mono());

	if (!i || !images_read(im, i, clock_mono()))
		return -1;
	between = now_us();
	*read = between - start;
	if (unwinder_prepare(u, i, UINT64_MAX))
		return -1;
	unwinder_publish(u, i, clock_mono());
	*publish = now_us() - between;
	return (int)i->nr_maps;
}

int main(int argc, char **argv)
{
	struct tables_memory m = { xcalloc(WIRE_MAX_RULES, sizeof(*m.rules)),
				   xcalloc(WIRE_PROCESS_SLOTS, sizeof(*m.processes)), chunk, NULL };
	int n = argc > 2 ? atoi(argv[1]) : 0, i, maps = 0, got;
	pid_t *pid = xcalloc((size_t)n + 1, sizeof(*pid));
	double *read = xcalloc((size_t)n + 1, sizeof(*read));
	double *publish = xcalloc((size_t)n + 1, sizeof(*publish)), r, p;
	struct images *im = images_new();
	struct unwinder *u;
	struct worker *w;

	if (n < 3 || worker_new(&w, NULL, NULL)) {
		fprintf(stderr, "usage: known N COMMAND ARGS..\n");
		return 2;
	}
	for (i = 0; i < n; i++)
		if (posix_spawnp(&pid[i], argv[2], NULL, NULL, argv + 2, environ)) {
			fprintf(stderr, "known: cannot run %s\n", argv[2]);
			return 2;
		}
	sleep(3);
	u = unwinder_new(&m, w, images_objects(im));
	if (images_scan(im) < 0 || learn(im, u, pid[0], read, publish) < 0) {
		fprintf(stderr, "known: cannot read the maps of %s\n", argv[2]);
		return 1;
	}
	for (i = 1; i < n; i++) {
		got = learn(im, u, pid[i], &read[i], &publish[i]);
		maps = got > maps ? got : maps;
	}
	r = median(read + 1, (size_t)n - 1);
	p = median(publish + 1, (size_t)n - 1);
	printf("%s: %d maps; us a process: %.1f to read them, %.1f to publish; us an object: %.2f\n",
	       argv[2], maps, r, p, maps ? (r + p) / maps : 0.0);
	for (i = 0; i < n; i++)
		kill(pid[i], SIGKILL);
	unwinder_free(u);
	worker_free(w);
	images_free(im);
	return 0;
}
