/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command lines from one table per command, which also makes its --help.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

struct option_def {
	char letter;		/* 'p', or 0 when there is only a long name */
	const char *name;	/* "pid" */
	const char *arg;	/* "PID,.." shown in the help; NULL: takes no value */
	const char *help;
	/* Called for each occurrence; value is NULL without arg. Returns 0, or negative after fail(). */
	int (*set)(void *ctx, const char *value);
};

/*
 * Walks argv[1..argc-1], calls set() for each option and leaves the index of
 * the first operand in *first ("--" is skipped; *dashes says whether it was there).
 * Options and operands may be mixed; operands are moved behind the options.
 * Returns 0, 1 when -h/--help was given (nothing else is done then), or -EINVAL after fail_plain().
 */
int options_parse(const struct option_def *defs, void *ctx, int argc, char **argv, int *first,
		  bool *dashes) must_check;

/* The option lines of --help, for a table that ends with an all-zero entry. */
void options_help(const struct option_def *defs, struct buf *out);

#endif
