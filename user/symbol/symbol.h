/* SPDX-License-Identifier: BSD-2-Clause */
/* Names the frames of a profile, in place. */
#ifndef SYMBOL_SYMBOL_H
#define SYMBOL_SYMBOL_H

#include "model/profile.h"
#include "proc/kallsyms.h"
#include "worker/worker.h"

struct symbol_object {
	uint32_t mapping;   /* whose frames hold file offsets until they are named */
	int fd;		    /* the object file; -1: could not be opened */
	const char *reason; /* why not, for fd -1 */
};

/*
 * Kernel frames by kallsyms (NULL: they stay unnamed, under a reason), the frames of each object by
 * the worker. An object that could not be named keeps its frames, and says why in its mapping's
 * `unnamed` ("worker died", "process gone", "no permission"). Names are sanitized on the way in.
 * Never fails: what went wrong is in the profile.
 */
void symbol_name_profile(struct profile *p, struct worker *w, const struct kallsyms *k,
			 const struct symbol_object *obj, size_t nr);

/* The same in steps, so that the caller can do something in between. */
void symbol_name_kernel(struct profile *p, const struct kallsyms *k);
void symbol_name_object(struct profile *p, struct worker *w, const struct symbol_object *obj);

#endif
