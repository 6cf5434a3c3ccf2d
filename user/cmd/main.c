/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cmd/cmd.h"

static const struct command commands[] = {
	{ "record", cmd_record, "sample the box, a process or a command; write a profile, print the table" },
	{ "report", cmd_report, "a profile as tables, folded stacks or JSON" },
	{ "doctor", cmd_doctor, "what this kernel and these rights allow, and what mends the rest" },
	{ "version", cmd_version, "the version and what is built in" },
	{ "help", cmd_help, "this text" },
};

int usage_error(void)
{
	fprintf(stderr, "dwell: %s\n", error_text());
	return 2;
}

int failed(void)
{
	fprintf(stderr, "dwell: %s\n", error_text());
	return 1;
}

static void print_usage(FILE *f)
{
	size_t i;

	fprintf(f, "usage: dwell COMMAND [OPTIONS]\n\n");
	for (i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(f, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fprintf(f, "\n`dwell COMMAND --help` tells a command's options. "
		   "To begin with: sudo dwell record -d 5\n");
}

int cmd_help(int argc, char **argv)
{
	if (argc > 1) {
		size_t i;
		char *help[] = { argv[1], (char *)"--help", NULL };

		for (i = 0; i < ARRAY_LEN(commands); i++)
			if (!strcmp(commands[i].name, argv[1]) && commands[i].run != cmd_help)
				return commands[i].run(2, help);
	}
	print_usage(stdout);
	return fflush(stdout) ? 1 : 0;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		print_usage(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
		return cmd_help(1, argv);
	if (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version"))
		return cmd_version(1, argv);
	for (i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(commands[i].name, argv[1]))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "dwell: unknown command '%s' (see `dwell help`)\n", argv[1]);
	return 2;
}
