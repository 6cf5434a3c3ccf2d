/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command lines from one table per command, which also makes its --help.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/error.h"
#include "base/text.h"

struct option_def {
	char letter;		/* 'p', or 0 when there is only a long name */
	const char *name;	/* "pid" */
	const char *arg;	/* "PID,.." shown in the help; "[=MIN]": may be left out; NULL: takes no value */
	const char *help;
	/* For each occurrence; value is NULL without one. Returns 0, or negative after fail(). */
	int (*set)(void *ctx, const char *value);
};

/* Where argv goes on behind the options. */
struct operands {
	int first;		/* index of the first operand, argc when there is none */
	int behind;		/* index of what follows "--", maybe argc; 0 without "--" */
};

/*
 * Walks argv[1..argc-1] and calls set() for each option. Options and operands may be mixed:
 * operands are moved behind the options. Nothing is set when there is an unknown option, a value
 * too few or too many, or -h/--help. argv[0] is the command's name, for messages.
 * Returns 0, 1 for -h/--help, what set() returned, or -EINVAL after fail_plain().
 */
int options_parse(const struct option_def *defs, void *ctx, int argc, char **argv,
		  struct operands *rest) must_check;

/* The option lines of --help, for a table that ends with an all-zero entry. */
void options_help(const struct option_def *defs, struct buf *out);

#endif
