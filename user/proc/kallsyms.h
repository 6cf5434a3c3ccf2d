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

#define KALLSYMS_MAX_SYMBOLS  (8u << 20)
#define KALLSYMS_MAX_TEXT     (256u << 20) /* bytes of names */
#define KALLSYMS_MAX_MODULES  65535
#define KALLSYMS_MAX_FUNCTION (1u << 20) /* bytes from a symbol to the last address it gets */

struct kallsyms;

struct kernel_symbol {
	uint64_t start;
	const char *name;   /* "bpf_prog_<tag>_name" is shortened to "name" */
	const char *module; /* "ext4", "bpf", "" for the kernel itself */
};

/*
 * Reads path ("/proc/kallsyms"). -EACCES: the addresses are all zero (kptr_restrict), -ENODATA:
 * no function in it, -EINVAL: not of that format.
 */
int kallsyms_open(struct kallsyms **out, const char *path) must_check;
void kallsyms_free(struct kallsyms *k);

/* Functions, aliases at one address counted once. */
size_t kallsyms_count(const struct kallsyms *k);

/*
 * The symbol with the greatest start <= address. Kernel symbols carry no size: past the end of
 * the kernel's text (_etext, _einittext) and KALLSYMS_MAX_FUNCTION after a symbol there is none.
 * Of several at one address: the fewest leading underscores, then the shortest, then the smallest
 * by strcmp(). Returns 1, or 0 when there is none.
 */
int kallsyms_find(const struct kallsyms *k, uint64_t address, struct kernel_symbol *sym);

#endif
