/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/option.h"

struct seen {
	struct buf log;
};

static int set_all(void *ctx, const char *value)
{
	assert_null(value);
	buf_puts(&((struct seen *)ctx)->log, "all;");
	return 0;
}

static int set_pid(void *ctx, const char *value)
{
	if (!strcmp(value, "bad"))
		return fail_plain(-ERANGE, "no process bad");
	buf_printf(&((struct seen *)ctx)->log, "pid=%s;", value);
	return 0;
}

static int set_json(void *ctx, const char *value)
{
	assert_null(value);
	buf_puts(&((struct seen *)ctx)->log, "json;");
	return 0;
}

static const struct option_def defs[] = {
	{ 'a', "all", NULL, "the whole machine", set_all },
	{ 'p', "pid", "PID,..", "only these processes\nand their children", set_pid },
	{ 0, "json", NULL, "print JSON", set_json },
	{ 0 },
};

/* Runs `line`, words apart by blanks; what was set is in *log. */
static int run(const char *line, char log[256], const char **operands, bool *dashes)
{
	static char text[256], rest[256];
	struct seen seen = { 0 };
	char *argv[32], *save = NULL, *word;
	int argc = 0, first = -1, rc, i;

	strcpy(text, line);
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	*dashes = false;
	rc = options_parse(defs, &seen, argc, argv, &first, dashes);
	strcpy(log, buf_text(&seen.log));
	buf_done(&seen.log);
	rest[0] = '\0';
	for (i = first; !rc && i < argc; i++)
		strcat(strcat(rest, argv[i]), " ");
	*operands = rest;
	return rc;
}

static void test_good(void **state)
{
	static const struct {
		const char *line, *log, *operands;
		bool dashes;
	} rows[] = {
		{ "record", "", "", false },
		{ "record -a", "all;", "", false },
		{ "record -ap1 -p 2", "all;pid=1;pid=2;", "", false },
		{ "record --pid=1 --pid 2 --json", "pid=1;pid=2;json;", "", false },
		{ "record x -a y", "all;", "x y ", false },
		{ "record -a -- ls -p 5 --foo", "all;", "ls -p 5 --foo ", true },
		{ "record -- --", "", "-- ", true },
		{ "record --", "", "", true },
		{ "record -p --", "pid=--;", "", false },
		{ "record -p -- x", "pid=--;", "x ", false },
		{ "record -p -- -- x", "pid=--;", "x ", true },
		{ "record x -- -a", "", "x -a ", true },
		{ "record -", "", "- ", false },
	};
	const char *operands;
	char log[256];
	bool dashes;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(run(rows[i].line, log, &operands, &dashes), 0);
		assert_string_equal(log, rows[i].log);
		assert_string_equal(operands, rows[i].operands);
		assert_int_equal(dashes, rows[i].dashes);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *line, *text;
	} rows[] = {
		{ "record --foo", "unknown option --foo (see dwell record --help)" },
		{ "record --foo=5", "unknown option --foo (see dwell record --help)" },
		{ "record -a -x", "unknown option -x (see dwell record --help)" },
		{ "record -ax", "unknown option -x (see dwell record --help)" },
		{ "record y -x z", "unknown option -x (see dwell record --help)" },
		{ "record -p", "option --pid needs a value: PID,.. (see dwell record --help)" },
		{ "record -a --pid", "option --pid needs a value: PID,.. (see dwell record --help)" },
		{ "record --all=1", "option --all takes no value (see dwell record --help)" },
		{ "record --help=1", "option --help takes no value (see dwell record --help)" },
		{ "/usr/bin/dwell -x", "unknown option -x (see dwell --help)" },
	};
	const char *operands;
	char log[256];
	bool dashes;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(run(rows[i].line, log, &operands, &dashes), -EINVAL);
		assert_string_equal(error_text(), rows[i].text);
		assert_string_equal(log, "");	/* nothing was set before the mistake */
	}
	assert_int_equal(run("record -a -p bad", log, &operands, &dashes), -ERANGE);
	assert_string_equal(error_text(), "no process bad");
}

static void test_help(void **state)
{
	const char *operands;
	char log[256];
	bool dashes;

	assert_int_equal(run("record -a -h", log, &operands, &dashes), 1);
	assert_string_equal(log, "");
	assert_int_equal(run("record --help --foo", log, &operands, &dashes), 1);
	assert_int_equal(run("record -- -h", log, &operands, &dashes), 0);
	assert_string_equal(operands, "-h ");
}

static void test_help_text(void **state)
{
	struct buf out = { 0 };

	options_help(defs, &out);
	assert_string_equal(buf_text(&out),
			    "  -a, --all                 the whole machine\n"
			    "  -p, --pid PID,..          only these processes\n"
			    "                            and their children\n"
			    "      --json                print JSON\n"
			    "  -h, --help                show this help\n");
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_help_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
