/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that were sampled, and the object files that their code comes from.
 *
 *   process (tgid, start time, exec id) --> map [start, end) --> object (device, inode)
 *
 * A process's mappings are read when it is first seen, and again (rarely) when
 * an address is in none of them. An object is opened at first sight, while a
 * process that maps it still lives; equal objects of all processes are one.
 */
#ifndef PROC_PROCESS_H
#define PROC_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "proc/object.h"

struct process {
	int tgid;
	uint64_t start_time, exec_id;
	bool gone;			/* it ended before its mappings could be read */
	uint32_t nr_maps;
	struct process_map *map;	/* sorted by start */
	uint64_t read_ns, used_ns;	/* CLOCK_MONOTONIC */
	uint64_t reread_ns;		/* how long to wait before the mappings are read again */
};

struct process_map {
	uint64_t start, end, offset;
	uint32_t object;		/* index in the table's objects */
};

struct processes;

struct processes *processes_new(void);
void processes_free(struct processes *ps);

/* The process with this identity; its mappings are read when it is new. Never NULL; valid until the next call. */
struct process *processes_get(struct processes *ps, int tgid, uint64_t start_time, uint64_t exec_id,
			      uint64_t now_ns);

/*
 * The mapping that holds the address, or NULL. Reads the process's mappings anew where none does:
 * for an address that is code for certain (it ran) at most once in 100 ms for each process, for one that
 * only may be, less and less often as long as it turns out to be none.
 */
const struct process_map *processes_map(struct processes *ps, struct process *p, uint64_t address,
					bool certain, uint64_t now_ns);

/* Processes that were new to processes_get() so far. */
uint64_t processes_nr_seen(const struct processes *ps);

size_t processes_nr_objects(const struct processes *ps);
const struct object_file *processes_object(const struct processes *ps, uint32_t object);

#endif
