/* SPDX-License-Identifier: BSD-2-Clause */
/* C++, Rust and D names as their programmers wrote them. Sandboxed worker only. */
#ifndef ELF_DEMANGLE_H
#define ELF_DEMANGLE_H

#include <stddef.h>

#define DEMANGLE_MAX_OUT 4096 /* with the NUL */

/*
 * The readable form of a symbol's name in out: 1, or 0 when it is not mangled (or is in a way
 * that is not understood, or whose text would be longer) and out holds nothing of use.
 */
int demangle(const char *name, char out[DEMANGLE_MAX_OUT]);

#endif
