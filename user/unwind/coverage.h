/* SPDX-License-Identifier: BSD-2-Clause */
/* How much of an object's code its unwind rows speak of. */
#ifndef UNWIND_COVERAGE_H
#define UNWIND_COVERAGE_H

#include "worker/worker.h"

/* Bytes. What is neither covered nor beyond the rules has no rows: padding, assembly, other's code. */
struct coverage {
	uint64_t text;		/* of executable segments */
	uint64_t covered;
	uint64_t beyond;	/* there is information, but no rule says it */
};

/* Rows as the worker gave them: what points outside of its table counts as not there. */
void coverage_find(const struct worker_rows *r, struct coverage *c);

#endif
