/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/children.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "proc/pids.h"

#define STATUS_MAX (64u << 10)

/* The number at s, behind spaces; -1 where there is none. */
static pid_t number_at(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	return end > s && n >= 0 && n <= INT32_MAX ? (pid_t)n : -1;
}

int children_scan(struct proc_parent **out, size_t *nr)
{
	autofree int *pid = NULL;
	struct proc_parent *list;
	struct pid_stat s;
	size_t n, kept = 0, i;
	int r = pids_list(&pid, &n);

	if (r)
		return r;
	list = xcalloc(n + 1, sizeof(*list));
	for (i = 0; i < n; i++)
		if (!pid_stat(pid[i], &s))
			list[kept++] = (struct proc_parent){ pid[i], s.parent, s.start_ticks };
	*out = list;
	*nr = kept;
	return 0;
}

pid_t children_tgid(pid_t tid)
{
	autofree char *text = NULL;
	char path[64];
	const char *s;
	size_t len;
	pid_t tgid;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	r = read_file(path, STATUS_MAX, &text, &len);
	if (r == -ENOENT || r == -ESRCH)
		return fail_plain(-ESRCH, "no process %d", tid);
	if (r < 0)
		return r;
	s = strstr(text, "\nTgid:");
	tgid = s ? number_at(s + strlen("\nTgid:")) : -1;
	return tgid > 0 ? tgid : fail_plain(-ESRCH, "no process %d", tid);
}
