/* SPDX-License-Identifier: BSD-2-Clause */
/* The code at a program's entry point, where the call frame information leaves it out. */
#ifndef ELF_ENTRY_H
#define ELF_ENTRY_H

#include "elf/headers.h"

#define ENTRY_MAX_CODE 64 /* bytes */

/*
 * How many bytes of the code at the entry point, at most `limit`, belong to the outermost frame of
 * a process; 0 when they do not: a shared library's entry point is often just its first
 * function. offset: where the code lies in the file. Negative errno as reader_get().
 */
int entry_code(struct reader *r, const struct headers *h, uint64_t offset,
	       uint64_t limit) must_check;

#endif
