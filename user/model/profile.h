/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * THE profile: tables of ids. Everything is interned, so equal stacks meet in
 * profile_add(). Open for reading by every room; only model/ writes, but for
 * what naming fills in (profile_name_frame(), profile_move_frame()).
 *
 *   sample --> stack --> frame --> mapping          stack: a prefix tree, id 0
 *     |          |          '--> lines --> function  is the empty stack and the
 *     '> labels  '--> parent (towards the root)      parent of every root
 *
 * Ids start at 0 for strings ("" is 0), and at 0 for stacks (the empty one);
 * mappings, functions, frames and label sets have a reserved entry 0 that
 * means "none".
 */
#ifndef MODEL_PROFILE_H
#define MODEL_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/index.h"
#include "base/strtab.h"
#include "model/ledger.h"

/* The columns of a profile that dwell itself records, in this order for ever. */
enum native_column {
	COL_SAMPLES,		/* samples/count */
	COL_CPU,		/* cpu/nanoseconds */
	COL_WAITS,		/* waits/count, weighted */
	COL_BLOCKED,		/* blocked/nanoseconds */
	COL_RUNQUEUE,		/* runqueue/nanoseconds */
	COL_KEPT,		/* kept/count */
	COL_WAIT_VAR,		/* wait_var/microseconds^2 */
	NATIVE_COLUMNS
};

#define PROFILE_MAX_COLUMNS 32
#define PROFILE_MAX_DEPTH 4096		/* frames of one stack, from any source */

struct column {
	uint32_t type, unit;		/* strings */
};

enum mapping_kind {
	MAPPING_FILE,			/* an ELF file, or what a foreign profile says is one */
	MAPPING_KERNEL,			/* the kernel or a module: "[kernel.kallsyms]", "[ext4]" */
	MAPPING_VDSO,
	MAPPING_ANON,			/* JIT and other anonymous code of one process */
	MAPPING_SPECIAL,		/* no code at all: "[truncated: ...]" and its like */
};

struct mapping {
	uint64_t start, limit, offset;	/* addresses that its frames use; file offset of start */
	uint32_t file;			/* string: path */
	uint32_t build_id;		/* string: lower-case hex */
	uint32_t unnamed;		/* string: why its frames have no names, "" otherwise */
	uint8_t kind;
	bool has_functions, has_filenames, has_line_numbers, has_inline_frames;
};

struct function {
	uint32_t name, system_name, file;	/* strings; system_name is the mangled one */
	int64_t start_line;
};

struct line {
	uint32_t function;
	int64_t line;
};

struct frame {
	uint64_t address;		/* in the object's own addresses (ELF virtual addresses) */
	uint32_t mapping;
	uint32_t first_line, nr_lines;	/* in lines[], innermost inlined first; 0: not named */
};

struct stack {
	uint32_t parent;		/* the stack without its leaf; parent < own id */
	uint32_t frame;			/* the leaf */
	uint32_t depth;
};

struct label {
	uint32_t key, str;		/* strings */
	int64_t num;			/* when str is 0 */
	uint32_t num_unit;		/* string */
};

struct label_set {
	uint32_t first, nr;		/* in label_pool[] */
};

struct sample {
	uint32_t stack, labels;		/* values: profile_values() */
};

struct profile {
	struct strtab strings;
	struct column column[PROFILE_MAX_COLUMNS];
	uint32_t nr_columns;
	uint32_t default_column;	/* index: the one to rank by */
	struct column period_type;
	int64_t period;
	int64_t time_ns, duration_ns;	/* wall clock since 1970; length */
	uint32_t doc_url;		/* string */

	struct mapping *mappings;	size_t nr_mappings, cap_mappings;
	struct function *functions;	size_t nr_functions, cap_functions;
	struct line *lines;		size_t nr_lines, cap_lines;
	struct frame *frames;		size_t nr_frames, cap_frames;
	struct stack *stacks;		size_t nr_stacks, cap_stacks;
	struct label *label_pool;	size_t nr_label_pool, cap_label_pool;
	struct label_set *label_sets;	size_t nr_label_sets, cap_label_sets;
	struct sample *samples;		size_t nr_samples, cap_samples;
	int64_t *values;		size_t cap_values;	/* [nr_samples * nr_columns] */
	uint32_t *comments;		size_t nr_comments, cap_comments;	/* strings of others */

	struct index mapping_index, function_index, frame_index, stack_index, label_set_index,
		sample_index;

	struct meta meta;
	struct ledger ledger;		/* ledger.present says whether there is one */
};

/* An empty profile without columns. */
struct profile *profile_new(void);
void profile_free(struct profile *p);

/* Adds a column; -E2BIG beyond PROFILE_MAX_COLUMNS, -EBUSY once there are samples. */
int profile_add_column(struct profile *p, const char *type, const char *unit) must_check;

/* The seven columns of native_column, period type cpu/nanoseconds, default column cpu. */
void profile_native(struct profile *p, int64_t period_ns);

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

/* Equal when kind, file, build_id, start, limit and offset are equal. */
uint32_t profile_mapping(struct profile *p, const struct mapping *m);
/* Equal when name, system_name, file and start_line are equal. */
uint32_t profile_function(struct profile *p, const struct function *f);
/* Equal when mapping and address are equal; not named yet. */
uint32_t profile_frame(struct profile *p, uint32_t mapping, uint64_t address);
/*
 * A frame that carries its lines from the start (a reader's): equal when mapping, address and
 * lines are equal. Readers with frames that have no address use this too.
 */
uint32_t profile_frame_lines(struct profile *p, uint32_t mapping, uint64_t address,
			     const struct line *lines, uint32_t nr);
/* A frame of MAPPING_SPECIAL with just this name: "[truncated: fault]", "[exec]". */
uint32_t profile_special_frame(struct profile *p, const char *name);

/* The stack `parent` with `frame` on top (towards the leaf). */
uint32_t profile_push(struct profile *p, uint32_t parent, uint32_t frame);

/* The set of these labels, in this order. */
uint32_t profile_labels(struct profile *p, const struct label *labels, uint32_t nr);

/* Adds values[nr_columns] to the sample of (stack, labels). */
void profile_add(struct profile *p, uint32_t stack, uint32_t labels, const int64_t *values);

static inline int64_t *profile_values(const struct profile *p, size_t sample)
{
	return p->values + sample * p->nr_columns;
}

static inline const char *profile_str(const struct profile *p, uint32_t id)
{
	return strtab_get(&p->strings, id);
}

/* Naming: gives an unnamed frame its lines (copied); the mapping's has_* flags are the caller's. */
void profile_name_frame(struct profile *p, uint32_t frame, const struct line *lines, uint32_t nr);

/*
 * Turns all addresses of a mapping from file offsets into the object's own by the segments
 * {file offset, size, address} (flat table, see worker/), and sets start, limit and offset.
 * Addresses outside all segments keep their distance to the first one. Indexes are kept right.
 */
struct segment {
	uint64_t offset, size, address;
};
void profile_move_mapping(struct profile *p, uint32_t mapping, const struct segment *seg,
			  uint32_t nr);

/* The label of that key in a set: NULL when it has none. */
const struct label *profile_label(const struct profile *p, uint32_t label_set, const char *key);

/*
 * Name of a frame's function at inline depth `i` (0 = innermost), or for a frame
 * without lines "module+0xaddress" in buf. Never NULL.
 */
const char *profile_frame_name(const struct profile *p, uint32_t frame, uint32_t i, char *buf,
			       size_t cap);

/* Last path component of a mapping's file ("libc.so.6"); "-" for mapping 0 and special ones. */
const char *profile_module(const struct profile *p, uint32_t mapping);

/*
 * Is all of it true to itself: ids in range, parents before children, columns as said, and, where
 * there is a ledger, the ledger closed and equal to the samples? 0 or -EINVAL after fail_plain().
 */
int profile_check(const struct profile *p) must_check;

#endif
