/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * .eh_frame (and .debug_frame, or Go's table of functions, where that says nothing) of an object ->
 * unwind rows and pages, as bpf/rows.h draws them. Runs in the sandboxed worker only.
 */
#ifndef ELF_ROWS_H
#define ELF_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/wire.h"

#define ROWS_MAX	(16u << 20) /* rows of one object */
#define ROWS_MAX_PAGES	(1u << 19)  /* 2 GiB of text that has rows */
#define ROWS_PAGE_BYTES 4096
#define ROWS_SPAN_GAP	32 /* pages without rows that end a span */

/* A run of text pages with rows; text between runs has none. Addresses are the object's own. */
struct rows_span {
	uint64_t address;	       /* of its first page, a multiple of ROWS_PAGE_BYTES */
	uint32_t first_page, nr_pages; /* in page[]; span by span, without gaps */
};

/* What an object's rows could not say. */
enum rows_reason {
	ROWS_CFA,    /* where the frame is: an expression, or an offset, beyond a rule */
	ROWS_RA,     /* the same of the return address */
	ROWS_SP,     /* the caller's stack pointer is not the CFA */
	ROWS_SIGNAL, /* a signal frame of another form than the kernel's */
	ROWS_RULES,  /* more different rules than an object may have */
	ROWS_FP,     /* the caller's frame pointer: the rest is said, so this is FP_UNDEFINED */
	ROWS_REASONS
};

struct rows {
	uint32_t *row;
	size_t nr_rows;
	struct wire_page *page;
	size_t nr_pages; /* first: index in row[] */
	struct wire_rule *rule;
	size_t nr_rules; /* [0 .. RULE_FIRST_FREE) as fixed */
	struct rows_span *span;
	size_t nr_spans;      /* by address */
	uint64_t frame_bytes; /* of call frame information that were evaluated */
	bool go; /* it has Go's table of functions */
	uint64_t nr_fdes;
	uint64_t nr_malformed; /* FDEs and CIEs left out, or whose code is RULE_UNSUPPORTED */
	uint64_t nr_beyond[ROWS_REASONS]; /* rows; all but ROWS_FP are RULE_UNSUPPORTED */
};

/*
 * Evaluates the call frame information of the ELF file at fd, of this build's machine. Text that no
 * FDE covers, inside a page that has rows, gets RULE_NONE rows; where no FDE covers it, the code at
 * the entry point gets RULE_STOP, and what signal handlers return to gets RULE_SIGNAL (aarch64). Of
 * FDEs that overlap, the one that begins last holds.
 * -ENOENT: it has none. Else a negative errno after fail_plain() with a short reason.
 */
int rows_read(struct rows *r, int fd) must_check;

/* The same of a file of any machine whose rows are known. */
int rows_read_any(struct rows *r, int fd) must_check;
void rows_done(struct rows *r);

/* The row in force at an address, or RULE_NONE escaped when there is none. */
uint32_t rows_find(const struct rows *r, uint64_t address);

#endif
