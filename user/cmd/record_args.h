/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of `dwell record`. */
#ifndef CMD_RECORD_ARGS_H
#define CMD_RECORD_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"
#include "capture/capture.h"

struct record_args {
	struct capture_config capture;
	struct ids {
		pid_t *id;
		size_t nr, cap;
	} pids, tids;			/* -p, -t */
	const char **cgroups;
	size_t nr_cgroups, cap_cgroups;
	struct glob comms;
	bool all, quiet, has_freq, has_off, has_limit;
	uint64_t duration_ns;		/* 0: until a signal or the targets' end */
	uint64_t rotate_ns;		/* 0: one profile */
	uint64_t keep;			/* of rotated files; 0: all */
	uint32_t limit;			/* rows of the table */
	const char *output;
	char **command;			/* NULL: none; else ends with NULL */
	char *line;			/* the whole command line, for the profile */
};

/* Returns 0, 1 for --help (its text in *help), or negative after fail*(). */
int record_args_parse(struct record_args *a, int argc, char **argv, struct buf *help) must_check;
void record_args_done(struct record_args *a);

#endif
