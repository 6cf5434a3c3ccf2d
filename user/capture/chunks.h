/* SPDX-License-Identifier: BSD-2-Clause */
/* The unwind tables' BPF maps as memory. */
#ifndef CAPTURE_CHUNKS_H
#define CAPTURE_CHUNKS_H

#include "base/error.h"
#include "unwind/tables.h"

struct chunks {
	int outer_fd;			/* the array of maps; the caller's */
	struct tables_memory memory;
	void **mapped;			/* [WIRE_MAX_CHUNKS] */
};

/* Maps the rules and processes, and makes chunks as they are asked for. Descriptors stay the caller's. */
int chunks_open(struct chunks *c, int outer_fd, int rules_fd, int processes_fd) must_check;
void chunks_close(struct chunks *c);

#endif
