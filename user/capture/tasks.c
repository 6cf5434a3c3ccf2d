/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/tasks.h"

#include <bpf/bpf.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"

#define TASKS_MAX_BYTES (16u << 20)
#define WANTED_NS	NSEC_PER_SEC	/* at most, before the first sample */

void tasks_read(struct tasks *t, int link_fd)
{
	autoclose int fd = link_fd < 0 ? -1 : bpf_iter_create(link_fd);
	char *data;
	size_t len;

	memset(t, 0, sizeof(*t));
	if (fd < 0 || read_all(fd, TASKS_MAX_BYTES, &data, &len) < 0)
		return;
	t->task = (struct wire_task *)data;
	t->nr = len / sizeof(*t->task);
}

void tasks_done(struct tasks *t)
{
	free(t->task);
	memset(t, 0, sizeof(*t));
}

size_t tasks_prepare(struct tasks *t, struct images *im, struct unwinder *u, uint64_t now_ns,
		     uint64_t budget_ns)
{
	uint64_t start = clock_mono(), spent = 0;

	for (; t->next < t->nr && spent < budget_ns; spent = clock_mono() - start) {
		const struct wire_task *task = &t->task[t->next];
		struct image *i = images_find(im, (int)task->tgid, task->start_time, task->exec_id, now_ns);

		if (i && i->known && unwinder_prepare(u, i, budget_ns - spent))
			break;
		if (i)
			unwinder_publish(u, i, now_ns);
		t->next++;
	}
	return t->nr - t->next;
}

void tasks_prepare_wanted(struct tasks *t, struct images *im, struct unwinder *u, tasks_wanted wanted,
			  void *ctx)
{
	size_t i, n = 0;

	for (i = 0; i < t->nr; i++)
		if (wanted(ctx, (pid_t)t->task[i].tgid))
			t->task[n++] = t->task[i];
	t->nr = n;
	tasks_prepare(t, im, u, clock_mono(), WANTED_NS);
}
