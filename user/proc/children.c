/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/children.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

#define STATUS_MAX (64u << 10)

/* The number at s, behind spaces; -1 where there is none. */
static pid_t number_at(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	return end > s && n >= 0 && n <= INT32_MAX ? (pid_t)n : -1;
}

/* The parent in "pid (any name) S ppid ..."; the name may hold brackets and spaces. */
static pid_t parent_of(const char *pid)
{
	char path[64], line[512];
	const char *s;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	if (read_line(path, line, sizeof(line)) < 0)
		return -1;
	s = strrchr(line, ')');
	if (!s || strnlen(s, 5) < 5)
		return -1;
	return number_at(s + 4);
}

int children_scan(struct proc_parent **out, size_t *nr)
{
	struct proc_parent *list = NULL;
	size_t n = 0, cap = 0;
	struct dirent *e;
	DIR *dir = opendir("/proc");

	if (!dir)
		return fail(-errno, "read /proc");
	while ((e = readdir(dir))) {
		pid_t ppid;

		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		ppid = parent_of(e->d_name);
		if (ppid < 0)
			continue;
		grow(&list, &cap, n + 1, sizeof(*list));
		list[n++] = (struct proc_parent){ number_at(e->d_name), ppid };
	}
	closedir(dir);
	*out = list;
	*nr = n;
	return 0;
}

pid_t children_tgid(pid_t tid)
{
	autofree char *text = NULL;
	char path[64];
	const char *s;
	size_t len;
	pid_t tgid;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	if (read_file(path, STATUS_MAX, &text, &len) < 0)
		return fail_plain(-ESRCH, "no process %d", tid);
	s = strstr(text, "\nTgid:");
	tgid = s ? number_at(s + strlen("\nTgid:")) : -1;
	return tgid > 0 ? tgid : fail_plain(-ESRCH, "no process %d", tid);
}
