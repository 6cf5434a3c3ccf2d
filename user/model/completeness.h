/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many stacks are whole (law L6). It is read off the stacks themselves: one
 * that is not says so in its root frame, "[truncated: reason]", "[guessed]",
 * "[exec]" or "[exit]".
 */
#ifndef MODEL_COMPLETENESS_H
#define MODEL_COMPLETENESS_H

#include <stddef.h>
#include <stdint.h>

#include "model/profile.h"

#define COMPLETENESS_MAX_REASONS 24
#define COMPLETENESS_MAX_NAME	 128	/* "[truncated: reason]" */

struct completeness_reason {
	uint32_t name;			/* string: "[truncated: no unwind data]" */
	int64_t samples;
};

/* A binary that samples' user parts run through. */
struct completeness_module {
	uint32_t mapping;
	int64_t through;		/* samples with a frame in it */
	int64_t stopped;		/* samples that were cut off in it */
};

struct completeness {
	int64_t samples;		/* with a user part; the sum of the four */
	int64_t complete, guessed;
	int64_t between;		/* inside execve() or on the way out: labelled, there is no stack */
	int64_t truncated;
	struct completeness_reason reason[COMPLETENESS_MAX_REASONS];	/* most first */
	uint32_t nr_reasons;
	struct completeness_module *module;	/* most stopped first, then most through */
	size_t nr_modules;
};

/* Counts in the column of samples; without one, nothing. */
void completeness_find(const struct profile *p, struct completeness *c);

/* "no unwind data" for a reason's name; in buf. */
const char *completeness_reason_text(const struct profile *p, uint32_t name,
				     char buf[COMPLETENESS_MAX_NAME]);
void completeness_done(struct completeness *c);

#endif
