/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/threads_size.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "bpf/threads.h"
#include "proc/pids.h"

#define MIN_SLOTS   8192u
#define MAX_SLOTS   262144u
#define INIT_PID_NS 0xEFFFFFFCu		/* PROC_PID_INIT_INO of the kernel's proc_ns.h */

static uint32_t power_of_two(uint32_t from, uint64_t want, uint32_t to)
{
	while (from < want && from < to)
		from *= 2;
	return from;
}

static uint64_t read_number(const char *path, uint64_t otherwise)
{
	char line[64];
	uint64_t n;

	return !read_line(path, line, sizeof(line)) && !parse_u64(line, &n) ? n : otherwise;
}

/* "0.00 0.01 0.05 1/123 4567": 123 threads */
static uint64_t count_threads(void)
{
	char line[128], *slash;

	if (read_line("/proc/loadavg", line, sizeof(line)))
		return 0;
	slash = strchr(line, '/');
	return slash ? strtoull(slash + 1, NULL, 10) : 0;
}

/*
 * Of the box, of which a container's limit says nothing. Who came before the limit was lowered may be beyond it; then
 * so may be any thread.
 */
static uint64_t highest_tid(void)
{
	autofree int *pid = NULL;
	struct stat st;
	uint64_t limit;
	size_t i, n;

	if (stat("/proc/self/ns/pid", &st) || st.st_ino != INIT_PID_NS || pids_list(&pid, &n))
		return WIRE_MAX_TID;
	limit = read_number("/proc/sys/kernel/pid_max", WIRE_MAX_TID);
	for (i = 0; i < n; i++)
		if ((uint64_t)pid[i] > limit)
			return WIRE_MAX_TID;
	return limit;
}

struct threads_size threads_size(int nr_cpus)
{
	uint64_t tids = highest_tid();
	struct threads_size s;

	if (tids > WIRE_MAX_TID)
		tids = WIRE_MAX_TID;
	s.lines = (uint32_t)(tids + WIRE_TID_LINE) / WIRE_TID_LINE;
	s.slots = power_of_two(MIN_SLOTS, 2 * count_threads() + (uint64_t)nr_cpus * WIRE_SLOT_QUEUE, MAX_SLOTS);
	return s;
}
