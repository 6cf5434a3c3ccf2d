/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
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

/* Runs `line`, words apart by blanks; what was set is in log. */
static int run(const char *line, char log[256], char operands[256])
{
	autofree char *text = xstrdup(line);
	struct operands rest = { 0 };
	struct seen seen = { 0 };
	char *argv[32], *save = NULL, *word;
	int argc = 0, rc, i, n = 0;

	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	rc = options_parse(defs, &seen, argc, argv, &rest);
	snprintf(log, 256, "%s", buf_text(&seen.log));
	buf_done(&seen.log);
	operands[0] = '\0';
	for (i = rest.first; !rc && i <= argc; i++) {
		n += snprintf(operands + n, 256 - (size_t)n, "%s", i == rest.behind ? "-- " : "");
		if (i < argc)
			n += snprintf(operands + n, 256 - (size_t)n, "%s ", argv[i]);
	}
	return rc;
}

static void test_good(void **state)
{
	static const struct {
		const char *line, *log, *operands;
	} rows[] = {
		{ "record", "", "" },
		{ "record -a", "all;", "" },
		{ "record -ap1 -p 2", "all;pid=1;pid=2;", "" },
		{ "record --pid=1 --pid 2 --json", "pid=1;pid=2;json;", "" },
		{ "record x -a y", "all;", "x y " },
		{ "record -a -- ls -p 5 --foo", "all;", "-- ls -p 5 --foo " },
		{ "record -- --", "", "-- -- " },
		{ "record --", "", "-- " },
		{ "record -p --", "pid=--;", "" },
		{ "record -p -- x", "pid=--;", "x " },
		{ "record -p -- -- x", "pid=--;", "-- x " },
		{ "record x -- -a", "", "x -- -a " },
		{ "record x -a y --json -- z -- -a", "all;json;", "x y -- z -- -a " },
		{ "record x -a --", "all;", "x -- " },
		{ "record -", "", "- " },
	};
	char log[256], operands[256];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(run(rows[i].line, log, operands), 0);
		assert_string_equal(log, rows[i].log);
		assert_string_equal(operands, rows[i].operands);
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
		{ "record -a --pid",
		  "option --pid needs a value: PID,.. (see dwell record --help)" },
		{ "record --all=1", "option --all takes no value (see dwell record --help)" },
		{ "record --help=1", "option --help takes no value (see dwell record --help)" },
		{ "/usr/bin/dwell -x", "unknown option -x (see dwell --help)" },
	};
	char log[256], operands[256];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(run(rows[i].line, log, operands), -EINVAL);
		assert_string_equal(error_text(), rows[i].text);
		assert_string_equal(log, ""); /* nothing was set before the mistake */
	}
	assert_int_equal(run("record -a -p bad", log, operands), -ERANGE);
	assert_string_equal(error_text(), "no process bad");
}

static void test_help(void **state)
{
	char log[256], operands[256];

	assert_int_equal(run("record -a -h", log, operands), 1);
	assert_string_equal(log, "");
	assert_int_equal(run("record --help --foo", log, operands), 1);
	assert_int_equal(run("record -- -h", log, operands), 0);
	assert_string_equal(operands, "-- -h ");
}

static void test_help_text(void **state)
{
	struct buf out = { 0 };

	options_help(defs, &out);
	assert_string_equal(buf_text(&out), "  -a, --all                 the whole machine\n"
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
