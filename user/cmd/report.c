/* SPDX-License-Identifier: BSD-2-Clause */
/* `dwell report`: a profile, anybody's, as a table, folded stacks or JSON. */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/alloc.h"
#include "base/option.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "format/format.h"
#include "view/table.h"

#define DEFAULT_FILE  "dwell.pb.gz"
#define DEFAULT_LIMIT 20

struct report {
	struct hotspot_query query;
	regex_t focus, ignore;
	bool has_focus, has_ignore;
	bool shaped; /* --by, --sort or --limit was given */
	bool has_limit, has_unit;
	bool folded, json;
	enum folded_unit unit;
	const char *file; /* "-": stdin */
};

/* The index of value among the words, or -EINVAL after fail_plain(). */
static int find_word(const char *option, const char *value, const char *const *words, size_t nr)
{
	struct buf all = { 0 };

	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(value, words[i])) {
			buf_done(&all);
			return (int)i;
		}
		buf_printf(&all, "%s%s", i ? ", " : "", words[i]);
	}
	fail_plain(-EINVAL, "--%s %s: it is one of %s", option, value, buf_text(&all));
	buf_done(&all);
	return -EINVAL;
}

static int set_by(void *ctx, const char *value)
{
	static const char *const words[] = {
		[BY_FUNCTION] = "function",
		[BY_MODULE] = "module",
		[BY_THREAD] = "thread",
		[BY_PROCESS] = "process",
	};
	struct report *r = ctx;
	int i = find_word("by", value, words, ARRAY_LEN(words));

	if (i < 0)
		return i;
	r->query.by = (enum hotspot_by)i;
	r->shaped = true;
	return 0;
}

static int set_kind(void *ctx, const char *value)
{
	static const char *const words[] = { "cpu", "off", "all" };
	struct report *r = ctx;
	int i = find_word("kind", value, words, ARRAY_LEN(words));

	if (i < 0)
		return i;
	r->query.kind = (enum hotspot_kind)(KIND_CPU + i);
	return 0;
}

static int set_sort(void *ctx, const char *value)
{
	static const char *const words[] = { [SORT_SELF] = "self", [SORT_TOTAL] = "total" };
	struct report *r = ctx;
	int i = find_word("sort", value, words, ARRAY_LEN(words));

	if (i < 0)
		return i;
	r->query.sort = (enum hotspot_sort)i;
	r->shaped = true;
	return 0;
}

static int set_unit(void *ctx, const char *value)
{
	static const char *const words[] = { [FOLDED_SAMPLES] = "samples", [FOLDED_NS] = "ns" };
	struct report *r = ctx;
	int i = find_word("unit", value, words, ARRAY_LEN(words));

	if (i < 0)
		return i;
	r->unit = (enum folded_unit)i;
	r->has_unit = true;
	return 0;
}

static int set_limit(void *ctx, const char *value)
{
	struct report *r = ctx;
	uint64_t n;

	if (parse_u64(value, &n) || n > UINT32_MAX)
		return fail_plain(-EINVAL, "--limit %s: it takes a number of rows, 0 for all",
				  value);
	r->query.limit = (uint32_t)n;
	r->has_limit = r->shaped = true;
	return 0;
}

static int compile(regex_t *re, bool *has, const char *option, const char *value)
{
	char why[128];
	int e;

	if (*has)
		return fail_plain(-EINVAL, "--%s is given twice: join them as 'A|B'", option);
	e = regcomp(re, value, REG_EXTENDED | REG_NOSUB);
	if (e) {
		regerror(e, re, why, sizeof(why));
		return fail_plain(-EINVAL, "--%s '%s' is no regular expression: %s", option, value,
				  why);
	}
	*has = true;
	return 0;
}

static int set_focus(void *ctx, const char *value)
{
	struct report *r = ctx;

	return compile(&r->focus, &r->has_focus, "focus", value);
}

static int set_ignore(void *ctx, const char *value)
{
	struct report *r = ctx;

	return compile(&r->ignore, &r->has_ignore, "ignore", value);
}

static int set_folded(void *ctx, const char *value)
{
	((struct report *)ctx)->folded = true;
	return 0;
}

static int set_json(void *ctx, const char *value)
{
	((struct report *)ctx)->json = true;
	return 0;
}

static const struct option_def options[] = {
	{ 0, "by", "KIND", "a row for each function (default), module, thread or process", set_by },
	{ 0, "kind", "KIND", "time on the cpu (default), off it, or all", set_kind },
	{ 0, "sort", "WHAT", "by self time (default), or by total: with callees", set_sort },
	{ 0, "limit", "N", "rows (20, with --json all; 0: all)", set_limit },
	{ 0, "focus", "RE", "only samples with a frame or process that matches", set_focus },
	{ 0, "ignore", "RE", "no samples with a frame or process that matches", set_ignore },
	{ 'f', "folded", NULL, "folded stacks, for flame graphs", set_folded },
	{ 0, "unit", "UNIT", "folded stacks count samples (default) or ns (default of waits)", set_unit },
	{ 0, "json", NULL, "the table as JSON, with how the profile was made", set_json },
	{ 0 },
};

static int print_help(void)
{
	struct buf text = { 0 };
	int status;

	buf_puts(&text,
		 "usage: dwell report [OPTIONS] [FILE]\n\n"
		 "Shows a profile: dwell's own, or anybody's in pprof format. FILE is " DEFAULT_FILE
		 "\nby default, - is stdin.\n\n");
	options_help(options, &text);
	buf_puts(&text, "\nexamples:\n"
			"  dwell report                         the hottest functions\n"
			"  dwell report --kind off              where threads wait, and how long\n"
			"  dwell report --kind off --folded     the same for a flame graph, in ns\n"
			"  dwell report --by module --sort total cpu.pb.gz\n"
			"  dwell report --folded --focus 'parse|lex' >stacks.txt\n");
	status = output_text(buf_text(&text)) < 0 ? failed() : 0;
	buf_done(&text);
	return status;
}

/* 0, 1 when only the help is wanted, or negative after fail_plain(). */
static int parse_arguments(struct report *r, int argc, char **argv)
{
	struct operands rest;
	int first, e = options_parse(options, r, argc, argv, &rest);

	if (e)
		return e;
	first = rest.first;
	if (argc - first > 1)
		return fail_plain(-EINVAL, "report takes one file, and '%s' is a second",
				  argv[first + 1]);
	if (r->folded && r->json)
		return fail_plain(-EINVAL, "--folded and --json exclude each other");
	if (r->folded && r->has_unit && r->unit == FOLDED_SAMPLES && r->query.kind == KIND_ALL)
		return fail_plain(-EINVAL, "--kind all has no samples to count, only --unit ns");
	if (r->folded && r->shaped)
		return fail_plain(-EINVAL,
				  "--by, --sort and --limit are for tables, not for --folded");
	if (r->has_unit && !r->folded)
		return fail_plain(-EINVAL, "--unit goes with --folded");
	r->file = first < argc ? argv[first] : DEFAULT_FILE;
	r->query.focus = r->has_focus ? &r->focus : NULL;
	r->query.ignore = r->has_ignore ? &r->ignore : NULL;
	if (!r->has_limit)
		r->query.limit = r->json ? 0 : DEFAULT_LIMIT;
	return 0;
}

/* A profile may be a stranger's, and root its reader: nothing that it does to us goes further. */
static int give_up_rights(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail_plain(-EPERM, "cannot give up capabilities");
	return 0;
}

static int open_file(const char *file)
{
	int fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;

	if (fd < 0 && errno == ENOENT && !strcmp(file, DEFAULT_FILE))
		return fail_plain(-ENOENT, "no %s here: make one with dwell record, or name a file",
				  file);
	return fd < 0 ? fail(-errno, "open %s", file) : fd;
}

static int load(const struct report *r, struct profile **out)
{
	const char *name = strcmp(r->file, "-") ? r->file : "stdin";
	int fd = open_file(r->file), e;

	if (fd < 0)
		return fd;
	e = give_up_rights();
	if (!e)
		e = pprof_read(fd, name, out);
	if (fd != STDIN_FILENO)
		close(fd);
	return e;
}

static int make_folded(const struct report *r, const struct profile *p, struct buf *out)
{
	if (folded_column(p, r->unit) < 0)
		return fail_plain(-ENODATA, "%s has no column in %s", r->file,
				  r->unit == FOLDED_NS ? "nanoseconds (try --unit samples)"
						       : "counts (try --unit ns)");
	folded_print(p, &r->query, r->unit, out);
	return 0;
}

static void make_table(const struct report *r, const struct profile *p, struct buf *out)
{
	struct hotspots h;

	hotspots_find(p, &r->query, &h);
	if (r->json)
		hotspots_json(p, &h, out);
	else
		table_print(p, &r->query, &h, output_width(stdout), out);
	if (!r->json && r->query.by == BY_THREAD && p->times.present && !h.filtered) {
		buf_putc(out, '\n');
		times_print(p, r->query.limit, output_width(stdout), out);
	}
	hotspots_done(&h);
}

/* What a reader should know of the profile. Folded stacks are for programs: only losses are told.
 */
static void print_account(const struct report *r, const struct profile *p)
{
	struct buf text = { 0 };

	if (r->json || (r->folded && !ledger_total_lost(&p->ledger)))
		return;
	summary_print(p, &text);
	ledger_print(p, &text);
	fputs(buf_text(&text), stderr);
	buf_done(&text);
}

static int print_report(const struct report *r, const struct profile *p)
{
	bool first = isatty(STDOUT_FILENO); /* else what fails to be written is all that is said */
	struct buf out = { 0 };
	int e = 0;

	if (r->folded)
		e = make_folded(r, p, &out);
	else
		make_table(r, p, &out);
	if (!e && first)
		print_account(r, p);
	if (!e)
		e = output_text(buf_text(&out));
	if (!e && !first)
		print_account(r, p);
	buf_done(&out);
	return e;
}

static void report_done(struct report *r)
{
	if (r->has_focus)
		regfree(&r->focus);
	if (r->has_ignore)
		regfree(&r->ignore);
}

int cmd_report(int argc, char **argv)
{
	struct report r = { 0 };
	struct profile *p = NULL;
	int status = 0, e = parse_arguments(&r, argc, argv);

	if (e) {
		status = e > 0 ? print_help() : usage_error();
		report_done(&r);
		return status;
	}
	e = load(&r, &p);
	if (!e && r.query.kind != KIND_DEFAULT && !profile_is_native(p))
		e = fail_plain(-ENODATA, "%s is not dwell's: its columns are not known as kinds of time", r.file);
	if (!e && r.query.kind == KIND_DEFAULT)
		r.query.kind = hotspots_kind(p);
	/* how often is no measure of waiting */
	if (!r.has_unit && (r.query.kind == KIND_OFF || r.query.kind == KIND_ALL))
		r.unit = FOLDED_NS;
	if (!e)
		e = print_report(&r, p);
	if (e < 0)
		status = failed();
	profile_free(p);
	report_done(&r);
	return status;
}
