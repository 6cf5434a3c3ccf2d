/* SPDX-License-Identifier: BSD-2-Clause */
/* The hotspot table for a person. */
#ifndef VIEW_TABLE_H
#define VIEW_TABLE_H

#include "base/text.h"
#include "model/hotspot.h"

/*
 * width: columns of the terminal, 0 = as wide as the names need. Names are shortened in the
 * middle, digits never.
 */
void table_print(const struct profile *p, const struct hotspot_query *q, const struct hotspots *h,
		 int width, struct buf *out);

/* What each thread did with its time, the busiest first; p->times.present. limit 0: all. */
void times_print(const struct profile *p, uint32_t limit, int width, struct buf *out);

/*
 * "dwell: 10.0 s, 3 processes, 21 threads, 2 CPUs, 99 Hz on-CPU (cpu-clock)": what is known of how
 * p was made; nothing where nothing is.
 */
void summary_print(const struct profile *p, struct buf *out);

/*
 * "dwell: 1,974 ticks = 1,402 counted + ...; nothing lost": the ledger, and a second line for the
 * objects whose frames have no names.
 */
void ledger_print(const struct profile *p, struct buf *out);

#endif
