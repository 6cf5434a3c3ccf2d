/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands put out: text that is noticed when it cannot be written, the table, an output file's fate. */
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include <stdio.h>

#include "base/file.h"
#include "model/profile.h"

/* Writes text to stdout. 0, or negative after fail() (a full disk, a closed pipe). */
int output_text(const char *text) must_check;

/* Columns of the terminal behind f; 0: as many as needed. */
int output_width(FILE *f);

/* The ledger to stderr, the hottest functions to f, and what to do next to stderr. */
int output_table(const struct profile *p, uint32_t limit, const char *file, FILE *f) must_check;

/* Fills in how many processes and threads the samples are of. */
void output_count_tasks(struct profile *p);

/* Under sudo the file belongs to who called it. */
void output_give_to_sudo_user(struct outfile *of);

/* The file whose temporary part a second signal removes; NULL: none. */
void output_remember(const struct outfile *of);

/* From now on SIGINT, SIGTERM and SIGHUP end dwell at once, without leaving half a file. */
void output_second_signal_aborts(void);

#endif
