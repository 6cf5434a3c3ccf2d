/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/thread_list.h"

#include <bpf/bpf.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

#define MAX_LIST (64u << 20)

int thread_list_open(struct thread_list *l, int link_fd)
{
	l->fd = bpf_iter_create(link_fd);
	return l->fd < 0 ? fail(l->fd, "list the threads") : 0;
}

static int compare_tids(const void *a, const void *b)
{
	uint32_t x = ((const struct wire_thread_now *)a)->tid, y = ((const struct wire_thread_now *)b)->tid;

	return x < y ? -1 : x > y;
}

int thread_list_read(struct thread_list *l)
{
	char *data;
	size_t len;
	int r = read_all(l->fd, MAX_LIST, &data, &len);

	close(l->fd);
	l->fd = -1;
	if (r < 0)
		return r;
	l->now = (struct wire_thread_now *)data;
	l->nr = len / sizeof(*l->now);
	l->seen = xcalloc(l->nr + 1, sizeof(*l->seen));
	qsort(l->now, l->nr, sizeof(*l->now), compare_tids);
	return 0;
}

void thread_list_done(struct thread_list *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->now);
	free(l->seen);
	*l = (struct thread_list){ .fd = -1 };
}

struct wire_thread_now *thread_list_tid(const struct thread_list *l, uint32_t tid)
{
	struct wire_thread_now key = { .tid = tid };

	return l->nr ? bsearch(&key, l->now, l->nr, sizeof(key), compare_tids) : NULL;
}

struct wire_thread_now *thread_list_find(const struct thread_list *l, const struct wire_thread *one)
{
	struct wire_thread_now *now = thread_list_tid(l, one->tid);
	size_t i;

	if (now && now->start_time == one->start_time && now->task_struct == one->task_struct)
		return now;
	for (i = 0; i < l->nr; i++)
		if (l->now[i].task_struct == one->task_struct && l->now[i].tgid == one->tgid &&
		    (!one->exit || l->now[i].start_time <= one->start_time))
			return &l->now[i];
	return NULL;
}
