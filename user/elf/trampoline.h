/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The code that a signal handler returns to, where the call frame information leaves it out: that
 * of aarch64's vdso (Linux 5.10 and later) and of musl.
 */
#ifndef ELF_TRAMPOLINE_H
#define ELF_TRAMPOLINE_H

#include "elf/frames.h"

#define TRAMPOLINE_MAX_TEXT   (1u << 20) /* bytes of code that are looked through */
#define TRAMPOLINE_MAX_FRAMES 64	 /* who describes more functions describes this one too */

/*
 * 1 with the code's range; 0 where there is none. It begins an instruction early, since a handler's
 * return address is looked for by the byte before it. Negative errno as reader_get().
 */
int trampoline_find(const struct frames *f, struct reader *r, struct elf_range *out) must_check;

#endif
