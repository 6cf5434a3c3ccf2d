/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling a profile: everything is interned, so equal stacks meet in
 * profile_add(). model/tables.h draws the tables, model/frame.h has what
 * concerns mappings and frames.
 */
#ifndef MODEL_PROFILE_H
#define MODEL_PROFILE_H

#include "base/error.h"
#include "model/frame.h"
#include "model/tables.h"

/* An empty profile without columns. */
struct profile *profile_new(void);
void profile_free(struct profile *p);

/* Adds a column; -E2BIG beyond PROFILE_MAX_COLUMNS, -EBUSY once there are samples. */
int profile_add_column(struct profile *p, const char *type, const char *unit) must_check;

/* The seven columns of native_column, period type cpu/nanoseconds, default column cpu. */
void profile_native(struct profile *p, int64_t period_ns);

/*
 * From now on at most so many stacks (each with each of its callers), frames, label sets and samples, to bound what
 * a profile takes. What is known goes on as before; what is new beyond is all one stack, PROFILE_OVERFLOW, and has no labels.
 */
void profile_limit(struct profile *p, size_t limit);

/* Is this dwell's own column layout? */
bool profile_is_native(const struct profile *p);

/* Index of the column of that type, -1 when there is none. */
int profile_column(const struct profile *p, const char *type);

/*
 * Interning: each returns the id of the equal entry, made when new. Strings
 * that come from outside go through profile_string(), which sanitizes (L8).
 */
uint32_t profile_string(struct profile *p, const char *s, size_t len);
uint32_t profile_strings(struct profile *p, const char *s);	/* NUL-terminated */

/* Equal when name, system_name, file and start_line are equal. */
uint32_t profile_function(struct profile *p, const struct function *f);

/* The stack `parent` with `frame` on top (towards the leaf). */
uint32_t profile_push(struct profile *p, uint32_t parent, uint32_t frame);

/* The set of these labels, in this order. */
uint32_t profile_labels(struct profile *p, const struct label *labels, uint32_t nr);

/* Adds values[nr_columns] to the sample of (stack, labels); sums stop at the ends of int64_t. */
void profile_add(struct profile *p, uint32_t stack, uint32_t labels, const int64_t *values);

static inline int64_t *profile_values(const struct profile *p, size_t sample)
{
	return p->values + sample * p->nr_columns;
}

static inline const char *profile_str(const struct profile *p, uint32_t id)
{
	return strtab_get(&p->strings, id);
}

/* The label of that key in a set: NULL when it has none. */
const struct label *profile_label(const struct profile *p, uint32_t label_set, const char *key);

/*
 * Is all of it true to itself: ids in range, parents before children, columns as said, and, where
 * there is a ledger, the ledger closed and equal to the samples? 0 or -EINVAL after fail_plain().
 */
int profile_check(const struct profile *p) must_check;

#endif
