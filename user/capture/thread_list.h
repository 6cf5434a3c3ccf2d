/* SPDX-License-Identifier: BSD-2-Clause */
/* All threads as the scheduler knows them at one moment, from a BPF task iterator. */
#ifndef CAPTURE_THREAD_LIST_H
#define CAPTURE_THREAD_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/threads.h"

struct thread_list {
	int fd;				/* the iterator, until it is read; -1: none */
	struct wire_thread_now *now;	/* by tid */
	size_t nr;
	uint8_t *seen;			/* [nr]: the caller's */
};

/* An iterator of this link. */
int thread_list_open(struct thread_list *l, int link_fd) must_check;

/* What is listed is what runs when it is read. */
int thread_list_read(struct thread_list *l) must_check;

void thread_list_done(struct thread_list *l);

/* The thread of that tid, NULL: none. */
struct wire_thread_now *thread_list_tid(const struct thread_list *l, uint32_t tid);

/*
 * The same thread as one->tid, start_time and task_struct say. An execve() changes the former one after the other, to
 * those of its process's first thread. One that began later than one that exits may have its memory.
 */
struct wire_thread_now *thread_list_find(const struct thread_list *l, const struct wire_thread *one);

#endif
