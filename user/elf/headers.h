/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF headers, widened to the 64-bit form whatever the file's class. Sandboxed worker only.
 */
#ifndef ELF_HEADERS_H
#define ELF_HEADERS_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "elf/reader.h"

#define HEADERS_MAX_PROGRAMS 1024
#define HEADERS_MAX_SECTIONS 65536
#define HEADERS_MAX_NAMES    (1u << 20) /* bytes of the sections' names */

struct headers {
	bool wide; /* a 64-bit file */
	uint16_t type, machine;
	uint64_t entry;
	uint64_t phoff, shoff;
	uint32_t phnum, shnum; /* these many lie in the file */
	uint32_t names;	       /* the section of the sections' names; maybe no section at all */
};

/*
 * Negative errno after fail_plain() with a short reason: "not an ELF file", "truncated",
 * "big-endian ELF file", ...
 */
int headers_read(struct reader *r, struct headers *h) must_check;

/* Section header i < shnum, program header i < phnum. */
int headers_section(struct reader *r, const struct headers *h, uint32_t i,
		    Elf64_Shdr *out) must_check;
int headers_program(struct reader *r, const struct headers *h, uint32_t i,
		    Elf64_Phdr *out) must_check;

/*
 * Calls fn with each section and its name; with none where there are no names, or more than
 * HEADERS_MAX_NAMES bytes of them.
 */
int headers_named(struct reader *r, const struct headers *h,
		  void (*fn)(void *ctx, const Elf64_Shdr *s, const char *name),
		  void *ctx) must_check;

#endif
