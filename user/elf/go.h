/* SPDX-License-Identifier: BSD-2-Clause */
/* What Go's linker leaves in an object: where its table of functions is. Sandboxed worker only. */
#ifndef ELF_GO_H
#define ELF_GO_H

#include "elf/headers.h"
#include "elf/pclntab.h"
#include "elf/reader.h"

#define GO_MAX_TABLE (64u << 20) /* bytes */

struct go {
	struct pclntab table; /* nr 0: none, or one that cannot be made out */
	uint8_t *data;
	uint64_t offset; /* of the table in the file */
};

/* Is this the name of a section that only Go's linker makes? */
bool go_is_mark(const char *section);

/*
 * Reads the table, whose functions' addresses then count from table.text. A negative errno after
 * fail_plain() when the file cannot be read. g is to be freed in any case.
 */
int go_read(struct go *g, struct reader *r, const struct headers *h) must_check;
void go_done(struct go *g);

#endif
