/* SPDX-License-Identifier: BSD-2-Clause */
/* Which samples --focus and --ignore leave. */
#ifndef MODEL_SELECT_H
#define MODEL_SELECT_H

#include <regex.h>
#include <stdbool.h>

#include "model/profile.h"

/*
 * [nr_samples], true for those that are kept: with a frame, or a process name
 * (label "process"), that focus matches, and none that ignore matches. Either
 * may be NULL. Names are those of profile_frame_name(). NULL when both are:
 * all samples are kept. The caller frees it.
 */
bool *samples_select(const struct profile *p, const regex_t *focus, const regex_t *ignore);

#endif
