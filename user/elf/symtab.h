/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The function symbols of one object: .symtab, or .dynsym where there is none
 * (both where .symtab is the shorter one and so cannot hold the other).
 *
 * Which symbol has an address: the sized function that starts last at or before
 * it and reaches over it, so that a nested one wins over the one around it. An
 * unsized function reaches to the next symbol or its section's end; it, and
 * symbols without a type in executable sections, only count where no sized
 * function does.
 * Which of several at one start (of the longest size): one that is seen from
 * outside (global or weak) before a local one, fewer leading underscores (a
 * mangling prefix is none), global before weak, the shorter name, the smaller
 * by strcmp(): "write" of {__write, write, __GI___libc_write}.
 */
#ifndef ELF_SYMTAB_H
#define ELF_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "elf/go.h"
#include "elf/reader.h"

#define SYMTAB_MAX_SYMBOLS (4u << 20) /* in all tables, before they are sorted out */
#define SYMTAB_MAX_NAME	   4096	      /* bytes with the NUL; longer names are cut */
#define SYMTAB_MAX_ALIASES 64	      /* at one address; further ones are dropped */
#define SYMTAB_MAX_NESTING 64	      /* symbols around a symbol that are looked at */
#define SYMTAB_MAX_CODE	   4096	      /* executable sections that are known */

struct elf_symbol {
	uint64_t start;
	uint32_t size;	/* never 0: what it covers */
	uint32_t name;	/* offset in its string table */
	uint32_t outer; /* index of a symbol around it, or SYMTAB_NONE */
	uint8_t table;	/* whose strings */
	uint8_t bind;	/* STB_* */
	uint8_t kind;	/* enum symbol_kind */
};

#define SYMTAB_NONE UINT32_MAX

struct elf_range {
	uint64_t start, end; /* less than 4 GiB apart, unless they were put together */
};

struct symbol_table { /* as it lies in the file */
	uint64_t offset, size;
	uint64_t strings, strings_size;
};

struct symtab {
	struct elf_symbol *symbol; /* sorted by start; aliases are neighbours */
	uint32_t nr;
	struct symbol_table table[3]; /* the last may be only strings: Go's */
	bool wide;		/* a 64-bit file */
	struct elf_range *code; /* executable sections, sorted, disjoint */
	uint32_t nr_code;
	const struct elf_range
		*loaded; /* executable segments, sorted, disjoint; only for reading */
	uint32_t nr_loaded;
	const struct go *go; /* its functions are symbols, too; NULL: none; only for reading */
};

/* Reads the nr tables (0 to 2) into st, whose other fields are filled in. */
int symtab_read(struct symtab *st, struct reader *r, uint32_t nr) must_check;
void symtab_done(struct symtab *st);

/* The first of the symbols that cover the address (then named by symtab_name()), or NULL. */
const struct elf_symbol *symtab_find(const struct symtab *st, uint64_t address);

/*
 * The name of the best of the aliases that begin with `first`: 1, 0 when none has a name,
 * or negative as reader_get().
 */
int symtab_name(const struct symtab *st, struct reader *r, const struct elf_symbol *first,
		char name[SYMTAB_MAX_NAME]) must_check;

/* Sorts the ranges and puts together what overlaps; returns how many are left. */
uint32_t range_sort(struct elf_range *range, uint32_t nr);

/* The range that has the address, or NULL. Binary search in sorted disjoint ranges. */
const struct elf_range *range_find(const struct elf_range *range, uint32_t nr, uint64_t address);

#endif
