/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * .eh_frame (or .debug_frame) of an object -> unwind rows and pages, as bpf/rows.h draws them.
 * Runs in the sandboxed worker only.
 */
#ifndef ELF_ROWS_H
#define ELF_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/wire.h"

#define ROWS_MAX	(8u << 20)	/* rows of one object */
#define ROWS_MAX_TEXT	(1ull << 30)	/* bytes of one executable segment */
#define ROWS_MAX_FRAMES (512u << 20)	/* bytes of .eh_frame read */

/* A run of text pages with rows; text between runs has none. Addresses are the object's own. */
struct rows_span {
	uint64_t address;		/* of its first page, a multiple of 4096 */
	uint32_t first_page, nr_pages;	/* in page[] */
};

struct rows {
	uint32_t *row;		size_t nr_rows;
	struct wire_page *page;	size_t nr_pages;	/* first: index in row[] */
	struct wire_rule *rule;	size_t nr_rules;	/* [0 .. RULE_FIRST_FREE) as fixed; rows refer here */
	struct rows_span *span;	size_t nr_spans;	/* by address */
	uint64_t frame_bytes;				/* of .eh_frame that were evaluated */
	uint64_t nr_fdes, nr_unsupported;		/* rows that came out as RULE_UNSUPPORTED */
};

/*
 * Evaluates the call frame information of the ELF file at fd. -ENOENT: it has none. Text that no FDE
 * covers, inside a page that has rows, gets RULE_NONE rows; the code at the entry point gets RULE_STOP where
 * no FDE covers it. Bounds-checked everywhere: an FDE that is not well-formed is left out and counted as unsupported.
 */
int rows_read(struct rows *r, int fd) must_check;
void rows_done(struct rows *r);

/* The row in force at an address, or RULE_NONE escaped when there is none. */
uint32_t rows_find(const struct rows *r, uint64_t address);

#endif
