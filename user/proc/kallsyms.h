/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own function symbols, of /proc/kallsyms: a sorted table, looked
 * up by binary search. Compact: 12 bytes and the name a symbol; reading the
 * 120,000 lines of a kernel is done once, before the first sample.
 */
#ifndef PROC_KALLSYMS_H
#define PROC_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct kallsyms;

struct kernel_symbol {
	uint64_t start;
	const char *name;		/* "bpf_prog_<tag>_name" is shortened to "name" */
	const char *module;		/* "ext4", "bpf", "" for the kernel itself */
};

/* Reads path ("/proc/kallsyms"). Addresses that are all zero (kptr_restrict) give -EACCES. */
int kallsyms_open(struct kallsyms **out, const char *path) must_check;
void kallsyms_free(struct kallsyms *k);
size_t kallsyms_count(const struct kallsyms *k);

/*
 * The symbol with the greatest start <= address, unless address lies beyond the text of the last
 * one (kernel symbols carry no size). Returns 1, or 0 when there is none.
 */
int kallsyms_find(const struct kallsyms *k, uint64_t address, struct kernel_symbol *sym);

#endif
