/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/sleepers.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "sampler.skel.h"

#define BUFFER	   (64u * sizeof(struct wire_sleeper))
#define MAX_PIECES (WIRE_RAW_STACK / 4096 + 1)
#define PAGE_PRESENT (1ull << 63)

void sleepers_close(struct capture *c)
{
	/* 0: was never opened */
	if (c->sleepers_fd > 0)
		close(c->sleepers_fd);
	c->sleepers_fd = 0;
}

int sleepers_open(struct capture *c)
{
	const struct sampler_bpf *skel = c->loaded.skel;
	const struct bpf_link *link = c->loaded.uses_slots ? skel->links.list_sleepers_slot : skel->links.list_sleepers_task;

	sleepers_close(c);
	c->sleepers_fd = bpf_iter_create(bpf_link__fd(link));
	return c->sleepers_fd < 0 ? fail(-errno, "list the tasks that sleep") : 0;
}

/* "RAN WAITED TIMES": has it slept since? */
static bool slept_on(const struct wire_sample *s)
{
	char path[64], line[128], *times;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/schedstat", s->tgid, s->tid);
	if (read_line(path, line, sizeof(line)))
		return false;
	times = strrchr(line, ' ');
	return times && strtoull(times, NULL, 10) == s->seq;
}

/*
 * How many pages from the one at `page` on are in memory (Documentation/admin-guide/mm/pagemap.rst). Another could
 * have to be brought by somebody who does not answer, as a FUSE server or a dead disk.
 */
static unsigned int pages_present(pid_t tid, uint64_t page, unsigned int max)
{
	uint64_t entry[MAX_PIECES];
	unsigned int n = 0, have;
	char path[64];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", tid);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = pread(fd, entry, max * sizeof(*entry), (off_t)(page * sizeof(*entry)));
	have = got < 0 ? 0 : (unsigned int)((size_t)got / sizeof(*entry));
	while (n < have && entry[n] & PAGE_PRESENT)
		n++;
	return n;
}

/* len bytes of its memory from `at` on, up to what is not there. Returns how many. */
static uint32_t read_memory(pid_t tid, uint64_t at, void *to, uint32_t len)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), end = at + len;
	struct iovec mine = { to, len }, theirs[MAX_PIECES];
	unsigned int n = 0, max = (unsigned int)((end - 1) / page - at / page + 1);
	ssize_t got;

	if (end < at || max > MAX_PIECES)
		return 0;
	max = pages_present(tid, at / page, max);
	/* what is read ends at the end of a piece */
	while (at < end && n < max) {
		uint64_t next = (at / page + 1) * page;

		if (next > end)
			next = end;
		theirs[n++] = (struct iovec){ (void *)at, next - at };
		at = next;
	}
	got = n ? process_vm_readv(tid, &mine, 1, theirs, n, 0) : 0;
	return got < 0 ? 0 : (uint32_t)got;
}

static void fill(struct wire_raw *r, const struct wire_sleeper *from)
{
	uint64_t sp = from->regs.reg[WIRE_REG_SP];
	pid_t tid = (pid_t)from->sample.tid;	/* the first thread may have ended */

	memcpy(r->frame, from->frame, sizeof(r->frame));
	r->pc = from->regs.pc;
	memcpy(r->reg, from->regs.reg, sizeof(r->reg));
	r->return_address = from->regs.return_address;
	r->skipped = 0;
	r->stack_len = sp + WIRE_RAW_STACK > sp ? read_memory(tid, sp, r->stack, WIRE_RAW_STACK) : 0;
	r->below_len = read_memory(tid, sp - WIRE_BELOW, r->below, WIRE_BELOW) == WIRE_BELOW ? WIRE_BELOW : 0;
}

/* Its wait, which is still the one that the account saw, with its stack. */
static void add_one(struct capture *c, const struct wire_sleeper *one, struct wire_raw *r)
{
	struct open_wait *w = open_waits_find(threads_open_waits(c->threads), one->sample.tid, one->sample.seq);
	size_t size = sizeof(*r);

	if (!w || one->sample.nr_kernel > WIRE_MAX_KERNEL)
		return;
	r->sample = one->sample;
	r->sample.time = clock_mono();
	r->sample.wait = (uint64_t)w->wait;
	r->sample.queued = (uint64_t)w->queued;
	r->sample.period = 0;
	if (r->sample.flags & WIRE_RAW) {
		fill(r, one);
		size += r->stack_len;
		if (!slept_on(&one->sample))
			return;
	} else {
		memcpy(r->frame, one->frame, sizeof(r->frame));
	}
	if (!decoder_add(c->decoder, &r->sample, size, c->now_ns))
		w->done = true;
}

void sleepers_add(struct capture *c)
{
	autofree struct wire_raw *raw = xmalloc(sizeof(*raw) + WIRE_RAW_STACK);
	autofree uint8_t *data = xmalloc(BUFFER);
	size_t have = 0, at;
	ssize_t n;

	c->now_ns = clock_mono();
	for (;;) {
		n = read(c->sleepers_fd, data + have, BUFFER - have);
		if (n <= 0 && !(n < 0 && errno == EAGAIN))
			break;
		have += n > 0 ? (size_t)n : 0;
		for (at = 0; have - at >= sizeof(struct wire_sleeper); at += sizeof(struct wire_sleeper))
			add_one(c, (const struct wire_sleeper *)(data + at), raw);
		memmove(data, data + at, have - at);
		have -= at;
	}
	open_waits_name(threads_open_waits(c->threads), c->p, n < 0 ? "[stack lost: not listed]" : "[still waiting]");
}
