/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/chunks.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"

#define RULES_BYTES	(WIRE_MAX_RULES * sizeof(struct wire_rule))
#define PROCESSES_BYTES (WIRE_PROCESS_SLOTS * sizeof(struct wire_process))

static void *map_fd(int fd, size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* the next worker is not to have it */
	(void)madvise(p, bytes, MADV_DONTFORK);
	return p;
}

/*
 * One of the few bpf(2) calls while sampling: a chunk holds the rows of some
 * ten objects, or a thousand processes.
 */
static void *make_chunk(void *ctx, uint32_t n)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	struct chunks *c = ctx;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "chunk", 4, WIRE_CHUNK_BYTES, 1, &opts);
	void *p;

	if (fd < 0)
		return NULL;
	p = map_fd(fd, WIRE_CHUNK_BYTES);
	if (p && bpf_map_update_elem(c->outer_fd, &n, &fd, BPF_ANY)) {
		munmap(p, WIRE_CHUNK_BYTES);
		p = NULL;
	}
	/* the outer map and the mapping keep it */
	close(fd);
	c->mapped[n] = p;
	return p;
}

int chunks_open(struct chunks *c, int outer_fd, int rules_fd, int processes_fd)
{
	c->outer_fd = outer_fd;
	c->mapped = xcalloc(WIRE_MAX_CHUNKS, sizeof(*c->mapped));
	c->memory.rules = map_fd(rules_fd, RULES_BYTES);
	c->memory.processes = map_fd(processes_fd, PROCESSES_BYTES);
	c->memory.chunk = make_chunk;
	c->memory.ctx = c;
	if (!c->memory.rules || !c->memory.processes)
		return fail(-errno, "map the unwind tables");
	return 0;
}

void chunks_close(struct chunks *c)
{
	uint32_t n;

	for (n = 0; c->mapped && n < WIRE_MAX_CHUNKS; n++)
		if (c->mapped[n])
			munmap(c->mapped[n], WIRE_CHUNK_BYTES);
	if (c->memory.rules)
		munmap(c->memory.rules, RULES_BYTES);
	if (c->memory.processes)
		munmap(c->memory.processes, PROCESSES_BYTES);
	free(c->mapped);
	memset(c, 0, sizeof(*c));
}
