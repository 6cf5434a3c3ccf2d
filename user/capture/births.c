/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/births.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"

int births_open(struct births *b, int fd, int nr_cpus)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = ((size_t)nr_cpus * sizeof(struct wire_births) + page - 1) / page * page;
	void *live = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (live == MAP_FAILED)
		return fail(-errno, "map the list of new programs");
	(void)madvise(live, size, MADV_DONTFORK);
	b->live = live;
	b->size = size;
	b->nr_cpus = nr_cpus;
	b->read = xcalloc((size_t)nr_cpus, sizeof(*b->read));
	return 0;
}

void births_close(struct births *b)
{
	if (b->live)
		munmap((void *)b->live, b->size);
	free(b->read);
	memset(b, 0, sizeof(*b));
}

/* The n-th of one CPU. False: another has its place by now, or is just being put there. */
static bool copy_birth(const struct wire_births *from, uint64_t n, struct wire_birth *to)
{
	memcpy(to, &from->birth[n % WIRE_BIRTHS], sizeof(*to));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&from->count, __ATOMIC_RELAXED) - n < WIRE_BIRTHS;
}

void births_read(struct births *b, uint64_t until, void (*fn)(void *ctx, const struct wire_birth *one),
		 void *ctx)
{
	struct wire_birth one;
	int cpu;

	for (cpu = 0; cpu < b->nr_cpus; cpu++) {
		const struct wire_births *from = &b->live[cpu];
		uint64_t count = __atomic_load_n(&from->count, __ATOMIC_ACQUIRE);

		if (count - b->read[cpu] >= WIRE_BIRTHS) {
			b->missed += count - b->read[cpu] - (WIRE_BIRTHS - 1);
			b->read[cpu] = count - (WIRE_BIRTHS - 1);
		}
		for (; b->read[cpu] < count; b->read[cpu]++) {
			if (!copy_birth(from, b->read[cpu], &one)) {
				b->missed++;
				continue;
			}
			if (one.time > until)
				break;
			fn(ctx, &one);
		}
	}
}
