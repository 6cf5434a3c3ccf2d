/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/target.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "bpf/filters.h"
#include "proc/cgroup.h"
#include "proc/children.h"
#include "proc/pids.h"

/* When no process started: an entry of it counts for nothing. */
#define NOBODYS UINT64_MAX

/* 1: added now, 0: was there */
static int put(int map_fd, pid_t pid, struct wire_target t)
{
	__u32 key = (__u32)pid;

	if (!bpf_map_update_elem(map_fd, &key, &t, BPF_NOEXIST))
		return 1;
	if (errno == EEXIST)
		return 0;
	return fail(-errno, "ask for process %d", pid);
}

bool target_has(int map_fd, pid_t pid)
{
	struct wire_target t;
	__u32 key = (__u32)pid;

	return !bpf_map_lookup_elem(map_fd, &key, &t) && t.start_time != NOBODYS;
}

/*
 * A child of a list that is older than this, so that it may have died since, and its number may be another's.
 * What is put at first counts for nothing. Then it is looked at again: who is there still is freed after the put,
 * and who gets the number later has the fork program take the entry away, or make it his own. So none is left to
 * be made to count, or it is that child's. 1: it counts from now on.
 */
static int put_child(int map_fd, const struct proc_parent *child)
{
	struct wire_target t = { .start_time = NOBODYS };
	__u32 key = (__u32)child->pid;
	struct pid_stat now;
	int r = put(map_fd, child->pid, t);

	/* was there: and counts, or was put for another that had the number */
	if (r < 0 || (!r && target_has(map_fd, child->pid)))
		return r;
	if (pid_stat(child->pid, &now) || now.start_ticks != child->start_ticks)
		return 0;
	t.start_time = 0;
	if (!bpf_map_update_elem(map_fd, &key, &t, BPF_EXIST))
		return 1;
	return errno == ENOENT ? 0 : fail(-errno, "ask for process %d", child->pid);
}

/*
 * The children that were there before. Those that come later are the fork program's; one that is
 * forked by a process which the scan has not reached yet is found by the next round.
 */
static int put_children(int map_fd)
{
	size_t n, i;
	int r, added;

	do {
		autofree struct proc_parent *list = NULL;

		r = children_scan(&list, &n);
		if (r)
			return r;
		added = 0;
		for (i = 0; i < n; i++) {
			if (!target_has(map_fd, list[i].ppid))
				continue;
			r = put_child(map_fd, &list[i]);
			if (r < 0)
				return r;
			added += r;
		}
	} while (added);
	return 0;
}

int target_add(int map_fd, pid_t pid, bool pending)
{
	pid_t tgid = children_tgid(pid);
	int r;

	if (tgid < 0)
		return tgid;
	if (tgid != pid)
		return fail_plain(-ESRCH, "%d is a thread of process %d: use -p %d", pid, tgid, tgid);
	r = put(map_fd, pid, (struct wire_target){ .pending = pending });
	if (r < 0)
		return r;
	return pending ? 0 : put_children(map_fd);
}

pid_t target_add_thread(int map_fd, pid_t tid)
{
	pid_t tgid = children_tgid(tid);
	int r;

	if (tgid < 0)
		return tgid;
	r = put(map_fd, tid, (struct wire_target){ 0 });
	return r < 0 ? r : tgid;
}

struct cgroups {
	int map_fd;
	bool added;
	size_t met;
};

static int put_cgroup(void *ctx, uint64_t id, const char *path)
{
	struct cgroups *c = ctx;
	__u64 key = id;
	__u8 yes = 1;

	c->met++;
	if (!bpf_map_update_elem(c->map_fd, &key, &yes, BPF_NOEXIST))
		c->added = true;
	else if (errno != EEXIST)
		return fail(-errno, "ask for cgroup %s", path);
	return 0;
}

/* As with children: one that is made below a group which the scan has not reached yet is found by the next round. */
int target_add_cgroup(int map_fd, const char *name)
{
	struct cgroups c = { .map_fd = map_fd };
	autofree char *path = NULL;
	int r = cgroup_find(name, &path);

	do {
		c.added = false;
		if (!r)
			r = cgroup_each(path, put_cgroup, &c);
	} while (!r && c.added);
	return r || c.met ? r : fail_plain(-ENOENT, "no cgroup '%s' any more", name);
}
