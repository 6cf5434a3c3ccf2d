/* SPDX-License-Identifier: BSD-2-Clause */
/* What doctor says of binaries and of running programs. */
#ifndef CMD_DOCTOR_UNWIND_H
#define CMD_DOCTOR_UNWIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

struct doctor_output {
	bool json;
	size_t width;	/* of the terminal, 0: as wide as need be */
};

/* Each operand is the number of a process, or a file. The first that cannot be looked at ends it. */
int doctor_unwind(char *const *operand, size_t n, const struct doctor_output *how,
		  struct buf *out) must_check;

#endif
