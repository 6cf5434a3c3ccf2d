/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Object files. Runs in the sandboxed worker only; the file is hostile until
 * proven otherwise: every offset and size is checked, limits are named.
 */
#ifndef ELF_OBJECT_H
#define ELF_OBJECT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define OBJECT_MAX_FILE (4ull << 30)
#define OBJECT_MAX_READ (256ull << 20)		/* bytes of tables read of one file */
#define OBJECT_MAX_SYMBOLS (4u << 20)
#define OBJECT_MAX_NAME 4096
#define OBJECT_MAX_SEGMENTS 64

struct elf_segment {
	uint64_t offset, size, address;
};

struct elf_symbol {
	uint64_t start, size;
	uint32_t name;			/* offset in names */
	uint8_t rank;			/* among symbols at one address: lower is better */
};

struct object {
	uint8_t build_id[40];
	uint32_t build_id_len;
	struct elf_segment segment[OBJECT_MAX_SEGMENTS];
	uint32_t nr_segments;
	struct elf_symbol *symbol;	/* sorted by start, one per address */
	size_t nr_symbols;
	char *names;
	size_t names_len;
};

/* Reads header, executable segments, build id and function symbols (.symtab, else .dynsym). */
int object_read(struct object *o, int fd) must_check;
void object_done(struct object *o);

/* File offset to ELF virtual address; 0 and untouched *address when no executable segment has it. */
int object_address(const struct object *o, uint64_t offset, uint64_t *address);

/* The symbol that covers this ELF virtual address, or NULL. Binary search. */
const struct elf_symbol *object_symbol(const struct object *o, uint64_t address);

#endif
