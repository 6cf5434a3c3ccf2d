/* SPDX-License-Identifier: BSD-2-Clause */
/* How large the maps are that keep the account of threads. */
#ifndef CAPTURE_THREADS_SIZE_H
#define CAPTURE_THREADS_SIZE_H

#include <stdint.h>

struct threads_size {
	uint32_t slots, lines;		/* entries of the maps: threads at once, tids / WIRE_TID_LINE */
};

/* What this box's threads and its limit of tids ask for. */
struct threads_size threads_size(int nr_cpus);

#endif
