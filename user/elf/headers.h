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
 * The names of the sections: *names is the caller's to free, *len bytes and a NUL behind them;
 * NULL where there are none, or more than HEADERS_MAX_NAMES.
 */
int headers_names(struct reader *r, const struct headers *h, char **names, uint64_t *len) must_check;

#endif
