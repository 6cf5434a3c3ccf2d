/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sandboxed process that parses object files (law L3): no capabilities,
 * seccomp allow-list, rlimits, files only by descriptor. It may die at any
 * moment: a request is tried again in a fresh one, then answered with a reason.
 * What it answers is checked before it is believed.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "bpf/wire.h"

#define WORKER_MAX_OFFSETS (1u << 20)
#define WORKER_DEADLINE_MS 5000 /* for one request */
#define WORKER_TRIES	   4	/* processes that one request may cost */
#define WORKER_MAX_STUCK   4	/* killed ones that do not go away (a dead file server) */

struct worker;

/*
 * Forks the first process. started(ctx, pid) is called for each process that is forked, before it
 * works; NULL: nobody wants to know. A forked process has a copy of the caller's memory: what it
 * must not see is to be mapped with MADV_DONTFORK; what is shared (buffers of the kernel's) it lets
 * go of by itself. The caller keeps CAP_KILL, where it has capabilities, or a stuck process cannot be ended.
 */
int worker_new(struct worker **out, void (*started)(void *ctx, pid_t pid), void *ctx) must_check;
void worker_free(struct worker *w);

/* From now on ended(ctx, pid), with worker_new()'s ctx, is called for each process that is gone for good. */
void worker_tell_ends(struct worker *w, void (*ended)(void *ctx, pid_t pid));

/* Processes that died so far without being asked to. */
uint64_t worker_deaths(const struct worker *w);

struct object_segment { /* an executable PT_LOAD */
	uint64_t offset, size, address;
};

struct object_name {		 /* for one asked offset */
	uint64_t address;	 /* ELF virtual address; the offset itself when no segment has it */
	uint64_t start;		 /* the symbol's */
	const char *name;	 /* demangled; NULL: no symbol here */
	const char *system_name; /* as in the file; equal to name when not mangled */
};

struct object_names {
	char build_id[81]; /* lower-case hex, "" when there is none */
	struct object_segment *segment;
	size_t nr_segments;
	struct object_name *name; /* [n], in the order asked */
	size_t nr_names;
	uint32_t nr_symbols; /* function symbols of the object; 0: stripped of all */
	char *text;	     /* holds the strings */
};

/*
 * Names the code at n file offsets (quickest when ascending) of the object at fd, a regular file
 * (which stays the caller's; its file position may change).
 * Returns 0, or a negative errno after fail_plain() with a short reason ("not an ELF file",
 * "truncated", "worker died", "worker timed out") and *out untouched. Free with
 * object_names_done().
 */
int worker_name(struct worker *w, int fd, const uint64_t *offset, size_t n,
		struct object_names *out) must_check;
void object_names_done(struct object_names *o);

/* ---- unwind rows ---- */

struct worker_span { /* as struct rows_span of elf/rows.h */
	uint64_t address;
	uint32_t first_page, nr_pages;
};

/* The unwind tables of an object, as bpf/rows.h draws them; all in one piece of memory. */
struct worker_rows {
	const uint32_t *row;
	size_t nr_rows;
	const struct wire_page *page;
	size_t nr_pages;
	const struct wire_rule *rule;
	size_t nr_rules;
	const struct worker_span *span;
	size_t nr_spans; /* none: the object says nothing of unwinding */
	const struct object_segment *segment;
	size_t nr_segments;
	uint64_t frame_bytes; /* of call frame information that was read */
	uint64_t took_ns;     /* to make them */
	bool keeps_fp;	      /* made by a compiler that always keeps frame pointers (Go) */
	void *body;
};

/*
 * Makes the unwind rows of the object at fd. Errors as of worker_name(). Numbers are within the
 * limits of elf/rows.h; that indexes are in range is for who uses them to check. Free with
 * worker_rows_done().
 */
int worker_rows(struct worker *w, int fd, struct worker_rows *out) must_check;

/*
 * The same without waiting until it is done: one question at a time (-EBUSY), whose answer is
 * waited for no longer than each call says; -EAGAIN: it is not there yet; -ECANCELED: nothing is
 * asked. A worker_name() in between waits for it, and keeps it.
 */
int worker_rows_ask(struct worker *w, int fd) must_check;
int worker_rows_wait(struct worker *w, uint64_t budget_ns, struct worker_rows *out) must_check;
/* Nobody wants the answer any more, where there is a question. */
void worker_rows_give_up(struct worker *w);
void worker_rows_done(struct worker_rows *r);

#endif
