/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Patterns for names (glob(7): * ? [a-z] [!a-z] and \ before one of these) as an automaton without branches, which
 * a BPF program can run, too. Any of several patterns may fit. Bytes, not characters.
 */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * States are bits: on byte c those in accept[c] go on to the next bit, those in `stay` (before a '*') also stay. It
 * begins in `start`, and fits when it ends in one of `end`.
 */
struct glob {
	uint64_t accept[256];
	uint64_t start, stay, end;
	uint32_t used;			/* bits */
};

/*
 * One more pattern, of names with at most max_len bytes. -EINVAL after fail_plain() where its brackets do not
 * close, no name can fit, or all patterns together have more than 63 letters.
 */
int glob_add(struct glob *g, const char *pattern, size_t max_len) must_check;

/* Does one of them fit all of the name? It ends at len or at a NUL. */
bool glob_fits(const struct glob *g, const char *name, size_t len);

#endif
