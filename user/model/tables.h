/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * THE profile, its tables: everything is ids. Open for reading by every room;
 * only model/ writes, by profile.h and frame.h.
 *
 *   sample --> stack --> frame --> mapping          stack: a prefix tree, id 0
 *     |          |          '--> lines --> function  is the empty stack and the
 *     '> labels  '--> parent (towards the root)      parent of every root
 *
 * Ids start at 0 for strings ("" is 0), and at 0 for stacks (the empty one);
 * mappings, functions, frames and label sets have a reserved entry 0 that
 * means "none".
 */
#ifndef MODEL_TABLES_H
#define MODEL_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/index.h"
#include "base/strtab.h"
#include "model/ledger.h"
#include "model/times.h"

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
#define PROFILE_OVERFLOW "[overflow]"	/* the frame of samples for which a profile had no room */
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
	uint32_t *comments;		size_t nr_comments, cap_comments; /* strings of others */

	/* PROFILE_OVERFLOW; limit 0: there is none */
	size_t limit;
	uint32_t overflow, overflow_frame;	/* the stack, and its only frame */

	struct index mapping_index, function_index, frame_index, stack_index, label_set_index,
		sample_index;

	struct meta meta;
	struct ledger ledger;		/* ledger.present says whether there is one */
	struct times times;		/* so does times.present */
	struct waits_ledger waits;
};

#endif
