/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Object files: executables, shared libraries, the vdso; little-endian ELF of
 * x86 and aarch64, 64 and 32 bits. Runs in the sandboxed worker only; the file
 * is hostile until proven otherwise: every offset and size is checked, limits
 * are named.
 *
 * Names stay in the file and are read when they are asked for: the tables of
 * 100,000 symbols take 2.4 MB, their names would take three times that.
 */
#ifndef ELF_OBJECT_H
#define ELF_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "elf/reader.h"
#include "elf/symtab.h"

#define OBJECT_MAX_SEGMENTS 64	  /* executable ones */
#define OBJECT_MAX_NOTES    65536 /* bytes of one table of notes */
#define OBJECT_MAX_BUILD_ID 40	  /* bytes */

struct elf_segment { /* an executable PT_LOAD */
	uint64_t offset, size, address;
};

struct object {
	struct reader reader;
	uint8_t build_id[OBJECT_MAX_BUILD_ID];
	uint32_t build_id_len;
	bool is_go; /* Go's linker made it */
	struct elf_segment segment[OBJECT_MAX_SEGMENTS]; /* as in the file */
	struct elf_range loaded[OBJECT_MAX_SEGMENTS];	 /* where they lie, sorted */
	uint32_t nr_segments;
	struct symtab symtab; /* points into loaded: the struct may not be moved */
};

/*
 * Reads headers, executable segments, build id and function symbols of the file at fd, which
 * stays the caller's and open as long as names are asked for. Negative errno after fail_plain()
 * with a short reason: "not an ELF file", "truncated", "big-endian", ...
 */
int object_read(struct object *o, int fd) must_check;

/* The same without symbols. */
int object_read_layout(struct object *o, int fd) must_check;
void object_done(struct object *o);

/* File offset to ELF virtual address: 1, or 0 when no executable segment has it. */
int object_address(const struct object *o, uint64_t offset, uint64_t *address);

#endif
