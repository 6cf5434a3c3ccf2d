/* SPDX-License-Identifier: BSD-2-Clause */
/* The sub-commands: one file each, one row each in main.c's table. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

struct command {
	const char *name;
	/* argv[0] is the sub-command's name. Returns the exit status: 0 done, 1 failed, 2 misused. */
	int (*run)(int argc, char **argv);
	const char *summary;
};

int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_help(int argc, char **argv);

/* Prints error_text() as "dwell: ..." and returns 2. */
int usage_error(void);

/* The same for what went wrong while running: returns 1. */
int failed(void);

#endif
