/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/perf_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"

int perf_ring_map(struct perf_ring *r, int fd, size_t nr_pages)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = nr_pages * page;
	void *p = mmap(NULL, page + size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return fail(-errno, "map a ring of %zu KiB for the kernel's events", size / 1024);
	perf_ring_init(r, p, (uint8_t *)p + page, size);
	return 0;
}

void perf_ring_init(struct perf_ring *r, struct perf_event_mmap_page *page, const void *data,
		    uint64_t size)
{
	*r = (struct perf_ring){ .page = page, .data = data, .size = size };
	r->head = r->tail = page->data_tail;
}

void perf_ring_unmap(struct perf_ring *r)
{
	if (r->page)
		munmap(r->page, (size_t)sysconf(_SC_PAGESIZE) + r->size);
	perf_ring_done(r);
}

void perf_ring_done(struct perf_ring *r)
{
	free(r->copy);
	*r = (struct perf_ring){ 0 };
}

static void release(struct perf_ring *r, uint64_t tail)
{
	r->tail = tail;
	r->peeked = 0;
	/* our reads come before the kernel may write there */
	__atomic_store_n(&r->page->data_tail, tail, __ATOMIC_RELEASE);
}

int perf_ring_begin(struct perf_ring *r)
{
	/* what lies before head was written before head was */
	r->head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE);
	if (r->head - r->tail <= r->size)
		return 0;
	release(r, r->head);
	return fail_plain(-EBADMSG, "a ring holds more than its size");
}

/* len bytes from the tail on, in one piece. */
static const void *contiguous(struct perf_ring *r, size_t len)
{
	uint64_t at = r->tail & (r->size - 1);
	size_t first = r->size - at;

	if (len <= first)
		return r->data + at;
	grow(&r->copy, &r->cap_copy, len, 1);
	memcpy(r->copy, r->data + at, first);
	memcpy(r->copy + first, r->data, len - first);
	return r->copy;
}

int perf_ring_peek(struct perf_ring *r, const struct perf_event_header **out)
{
	const struct perf_event_header *h;
	uint64_t left = r->head - r->tail;

	*out = NULL;
	if (!left)
		return 0;
	/* records are multiples of 8 bytes, so a header never goes round the end */
	h = (const void *)(r->data + (r->tail & (r->size - 1)));
	if (r->tail % 8 || left < sizeof(*h) || h->size < sizeof(*h) || h->size % 8 ||
	    h->size > left) {
		release(r, r->head);
		return fail_plain(-EBADMSG, "a record of the kernel's is not whole");
	}
	r->peeked = h->size;
	*out = contiguous(r, h->size);
	return 0;
}

void perf_ring_next(struct perf_ring *r)
{
	release(r, r->tail + r->peeked);
}
