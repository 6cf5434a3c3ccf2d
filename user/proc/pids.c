/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/pids.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

int pids_list(int **out, size_t *nr)
{
	int *list = NULL;
	size_t n = 0, cap = 0;
	struct dirent *e;
	DIR *dir = opendir("/proc");

	if (!dir)
		return fail(-errno, "read /proc");
	while ((e = readdir(dir))) {
		uint64_t pid;

		if (e->d_name[0] < '1' || e->d_name[0] > '9' || parse_u64(e->d_name, &pid) ||
		    pid > INT_MAX)
			continue;
		grow(&list, &cap, n + 1, sizeof(*list));
		list[n++] = (int)pid;
	}
	closedir(dir);
	*out = list;
	*nr = n;
	return 0;
}

/* Fields of /proc/PID/stat, as proc(5) counts them. */
enum { STAT_STATE = 3, STAT_PARENT = 4, STAT_THREADS = 20, STAT_START = 22 };

/* The field, of the text from STAT_STATE on; "" when there are fewer. */
static const char *stat_field(const char *s, int field)
{
	for (field -= STAT_STATE; field; field--) {
		s += strcspn(s, " ");
		s += *s == ' ';
	}
	return s;
}

/* "pid (any name) S ppid ...": the name may hold brackets and spaces. */
int pid_stat(int pid, struct pid_stat *out)
{
	char path[40], line[1024];
	const char *s;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	r = read_line(path, line, sizeof(line));
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	s = strrchr(line, ')');
	if (!s || s[1] != ' ' || !*stat_field(s + 2, STAT_START))
		return -ESRCH;
	s += 2;
	out->state = *s;
	out->parent = (int)strtol(stat_field(s, STAT_PARENT), NULL, 10);
	out->threads = (uint32_t)strtoul(stat_field(s, STAT_THREADS), NULL, 10);
	out->start_ticks = strtoull(stat_field(s, STAT_START), NULL, 10);
	return 0;
}

bool pid_ended(int pid)
{
	struct pid_stat s;
	int r = pid_stat(pid, &s);

	/* one of which nothing can be read (no descriptor is free) is there for all that is known */
	if (r < 0)
		return r == -ESRCH;
	return (s.state == 'Z' || s.state == 'X') && s.threads <= 1;
}

bool pid_started_at(int pid, uint64_t start_ns)
{
	struct pid_stat s;
	int r = pid_stat(pid, &s);

	if (r < 0)
		return r != -ESRCH;
	return s.start_ticks == start_ns / (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
}
