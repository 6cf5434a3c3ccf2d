/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unwind tables that bpf/ walks: rows, pages and maps in mmapped chunks,
 * filled without any bpf(2) call but that for a new chunk (law L4). Written so
 * that a walk on another CPU finds either the old or the new: rows before the
 * pages that name them, pages before maps, maps before the process. What was
 * given up is used again only after TABLES_GRACE_NS.
 */
#ifndef UNWIND_TABLES_H
#define UNWIND_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/wire.h"

#define TABLES_GRACE_NS	  2000000000ull
#define TABLES_MAX_MAPS	  4096		/* of one process; the walk's search has 12 steps */

/* Where the tables are: of the BPF maps, or (tests) of plain memory. */
struct tables_memory {
	struct wire_rule *rules;		/* [WIRE_MAX_RULES] */
	struct wire_process *processes;		/* [WIRE_PROCESS_SLOTS] */
	void *(*chunk)(void *ctx, uint32_t n);	/* makes chunk n, all zero; NULL: cannot */
	void *ctx;
};

/* What was left out because a table was full: shown, never silent. */
struct tables_caps {
	uint64_t rows, pages, maps, rules, processes;
};

struct tables;

struct tables *tables_new(const struct tables_memory *m);
void tables_free(struct tables *t);
const struct tables_caps *tables_caps(const struct tables *t);
uint64_t tables_bytes(const struct tables *t);		/* of chunks in use */
void *tables_chunk(const struct tables *t, uint32_t n);	/* NULL: there is none */
const struct wire_rule *tables_rule(const struct tables *t, uint32_t n);	/* likewise */

struct table_span_in {
	uint64_t address;			/* of the first page; of the object */
	uint32_t first_page, nr_pages;
};

/* Rows of one object as the worker made them; see elf/rows.h. */
struct table_rows {
	const uint32_t *row;		size_t nr_rows;
	const struct wire_page *page;	size_t nr_pages;
	const struct wire_rule *rule;	size_t nr_rules;
	const struct table_span_in *span;	size_t nr_spans;
};

struct table_span {
	uint64_t address;
	uint32_t nr_pages, page;		/* page number in the tables */
};

/* Puts the rows into the tables; *spans (for free()) says where. -ENOSPC: no room, and counted. */
int tables_add_rows(struct tables *t, const struct table_rows *in, struct table_span **spans) must_check;

/*
 * Publishes the maps (sorted, without overlaps) of a process, in place of what was there for its tgid.
 * -ENOSPC: no room; -E2BIG: too many maps; both counted, and nothing is published then.
 */
int tables_set_process(struct tables *t, const struct wire_process *identity, const struct wire_map *map,
		       uint32_t nr, uint64_t now_ns) must_check;

/* The process is gone, or another program now. */
void tables_drop_process(struct tables *t, uint32_t tgid, uint64_t now_ns);

/* What is published for this tgid, or NULL. */
const struct wire_process *tables_process(const struct tables *t, uint32_t tgid);

#endif
