/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/pids.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"

int pids_list(int **out, size_t *nr)
{
	int *list = NULL;
	size_t n = 0, cap = 0;
	struct dirent *e;
	DIR *dir = opendir("/proc");

	if (!dir)
		return fail(-errno, "read /proc");
	while ((e = readdir(dir))) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		grow(&list, &cap, n + 1, sizeof(*list));
		list[n++] = atoi(e->d_name);
	}
	closedir(dir);
	*out = list;
	*nr = n;
	return 0;
}

/* "pid (any name) S ppid ...": the name may hold brackets and spaces. */
int pid_stat(int pid, struct pid_stat *out)
{
	unsigned long long start;
	char path[40], line[1024];
	unsigned int threads;
	const char *s;
	char state;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_line(path, line, sizeof(line)) < 0)
		return -ESRCH;
	s = strrchr(line, ')');
	if (!s || sscanf(s,
			 ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %u "
			 "%*d %llu",
			 &state, &threads, &start) != 3)
		return -ESRCH;
	*out = (struct pid_stat){ state, threads, start };
	return 0;
}

bool pid_ended(int pid)
{
	struct pid_stat s;

	return pid_stat(pid, &s) < 0 || ((s.state == 'Z' || s.state == 'X') && s.threads <= 1);
}

bool pid_started_at(int pid, uint64_t start_ns)
{
	struct pid_stat s;

	return !pid_stat(pid, &s) &&
	       s.start_ticks == start_ns / (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
}
