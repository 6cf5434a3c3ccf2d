/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Go's table of functions (.gopclntab): at each address, how far the function has moved the stack
 * pointer. The forms of Go 1.18 and later (go.dev/src/runtime/symtab.go and
 * go.dev/src/internal/abi/symtab.go), on x86-64. Sandboxed worker only.
 *
 *   header: text, functions, names, steps
 *   function: place in the text --> name, flags, steps: (change of the offset, bytes of code) ...
 */
#ifndef ELF_PCLNTAB_H
#define ELF_PCLNTAB_H

#include "bpf/wire.h"
#include "elf/cfi.h"

#define PCLNTAB_MAX_CODE 512 /* bytes of a function that are looked at */

struct pclntab {
	const uint8_t *data; /* the caller's */
	size_t len;
	uint64_t text; /* the address that places count from; 0: it is not said */
	uint32_t nr;   /* functions */
	uint64_t functions, names, steps; /* in data */
	uint32_t flags;			  /* of a function, in its entry */
};

/* A function, up to where the next one begins. */
struct pclntab_function {
	uint64_t start; /* from text on */
	uint32_t size;
	uint32_t name;	/* from pclntab.names on; it may lie outside of the data */
	uint32_t entry; /* in pclntab.data */
};

/* A function's rows, one after the other. */
struct pclntab_rows {
	uint64_t from, to, end;
	enum rule_number rule; /* in [from, to); RULE_FIRST_FREE: by state */
	struct cfi_state state;
	struct cfi_bytes steps;
	uint64_t start, step_end; /* of the function; of the step being said */
	const uint8_t *code;
	size_t len;
	uint64_t stack_moved; /* from there on another stack begins with it; 0: nowhere */
	int64_t offset;
	bool saved; /* the caller's frame pointer is in the frame */
	bool whole; /* rule holds for all of it */
};

/* Looks at a table's header. False: none, or of another form. */
bool pclntab_read(struct pclntab *t, const uint8_t *data, size_t len);

/* Function i < t->nr. False: it is malformed, or the mark of a hole. */
bool pclntab_function(const struct pclntab *t, uint32_t i, struct pclntab_function *out);

/* Is that its name? */
bool pclntab_is(const struct pclntab *t, const struct pclntab_function *f, const char *name);

/* Is it what signal handlers return to, by its name? It may be looked for by the byte before it. */
bool pclntab_is_handled(const struct pclntab *t, const struct pclntab_function *f);

/*
 * Begins the rows of a function. code: its first bytes, PCLNTAB_MAX_CODE of them or all, or fewer
 * where the file ends; they must stay until the last row. False: nothing can be said of it, since
 * it moves the stack pointer elsewhere.
 */
bool pclntab_start(struct pclntab_rows *r, const struct pclntab *t,
		   const struct pclntab_function *f, const uint8_t *code, size_t len);

/* As program_next(): 1 for each next row, 0 at the end, -EBADMSG where the table is malformed. */
int pclntab_next(struct pclntab_rows *r) must_check;

#endif
