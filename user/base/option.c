/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/option.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

/* What getopt_long() returns for row i: LONG + i, also when its letter was used. */
#define LONG	    256
#define HELP_COLUMN 28

struct parser {
	const struct option_def *defs;
	int nr, argc;
	struct option *longs;
	char *letters;
};

static void parser_done(struct parser *ps)
{
	free(ps->longs);
	free(ps->letters);
}

static void parser_init(struct parser *ps, const struct option_def *defs, int argc)
{
	const struct option_def *d;
	char *letter;

	ps->defs = defs;
	ps->argc = argc;
	for (ps->nr = 0; defs[ps->nr].name; ps->nr++)
		;
	ps->longs = xcalloc((size_t)ps->nr + 2, sizeof(*ps->longs));
	ps->letters = letter = xcalloc((size_t)ps->nr * 2 + 3, 1);
	*letter++ = ':';
	*letter++ = 'h';
	for (d = defs; d->name; d++) {
		ps->longs[d - defs] = (struct option){
			.name = d->name,
			.has_arg = !d->arg ? no_argument : d->arg[0] == '[' ? optional_argument : required_argument,
			.val = LONG + (int)(d - defs),
		};
		if (!d->letter)
			continue;
		*letter++ = d->letter;
		if (d->arg)
			*letter++ = ':';
	}
	ps->longs[ps->nr] = (struct option){ .name = "help", .val = 'h' };
}

static const struct option_def *row(const struct parser *ps, int c)
{
	int i;

	if (c >= LONG)
		return c - LONG < ps->nr ? &ps->defs[c - LONG] : NULL;
	for (i = 0; i < ps->nr; i++) {
		if (ps->defs[i].letter == c)
			return &ps->defs[i];
	}
	return NULL;
}

/* Says what getopt_long() found wrong: c is '?' or ':', optopt the row or the letter. */
static int bad_option(const struct parser *ps, int c, char **argv)
{
	const struct option_def *d = row(ps, optopt);
	bool is_command = !strchr(argv[0], '/') && strcmp(argv[0], "dwell");
	const char *command = is_command ? argv[0] : "", *space = is_command ? " " : "";
	const char *given = argv[optind - 1];

	if (c == ':' && d)
		return fail_plain(-EINVAL, "option --%s needs a value: %s (see dwell%s%s --help)",
				  d->name, d->arg, space, command);
	if (optopt >= LONG || (optopt == 'h' && given[1] == '-'))
		return fail_plain(-EINVAL, "option %.*s takes no value (see dwell%s%s --help)",
				  (int)strcspn(given, "="), given, space, command);
	if (optopt)
		return fail_plain(-EINVAL, "unknown option -%c (see dwell%s%s --help)", optopt,
				  space, command);
	return fail_plain(-EINVAL, "unknown option %.*s (see dwell%s%s --help)",
			  (int)strcspn(given, "="), given, space, command);
}

/*
 * One walk over argv, which first only looks: --help and mistakes are found
 * before anything is set. *value is the value of the last option that had one.
 */
static int walk(const struct parser *ps, void *ctx, bool set, char **argv, const char **value)
{
	int c, err;

	opterr = 0;
	optind = 0; /* glibc: start anew */
	*value = NULL;
	while ((c = getopt_long(ps->argc, argv, ps->letters, ps->longs, NULL)) != -1) {
		if (c == 'h')
			return 1;
		if (c == '?' || c == ':')
			return bad_option(ps, c, argv);
		*value = optarg;
		err = set ? row(ps, c)->set(ctx, optarg) : 0;
		if (err)
			return err;
	}
	return 0;
}

/* What comes behind "--" stays where it is, so its index is that of argv as it was. */
static int find_behind(char **former, int argc, const char *dashes)
{
	int i = 1;

	while (i < argc && former[i] != dashes)
		i++;
	return i + 1;
}

int options_parse(const struct option_def *defs, void *ctx, int argc, char **argv,
		  struct operands *rest)
{
	autofree char **former = xcalloc((size_t)argc, sizeof(*former));
	const char *value, *last;
	struct parser ps;
	int rc;

	memcpy(former, argv, (size_t)argc * sizeof(*former));
	parser_init(&ps, defs, argc);
	rc = walk(&ps, ctx, false, argv, &value);
	if (!rc)
		rc = walk(&ps, ctx, true, argv, &value);
	parser_done(&ps);
	if (rc)
		return rc;
	/* "--" ends up right before the operands, unless it is the value in "-o --" */
	last = optind > 1 ? argv[optind - 1] : "";
	rest->first = optind;
	rest->behind = !strcmp(last, "--") && last != value ? find_behind(former, argc, last) : 0;
	return 0;
}

static void help_line(const char *left, const char *help, struct buf *out)
{
	size_t width = strlen(left), line;

	buf_puts(out, left);
	if (width + 2 > HELP_COLUMN) {
		buf_putc(out, '\n');
		width = 0;
	}
	for (; *help; help += line + (help[line] == '\n')) {
		line = strcspn(help, "\n");
		buf_printf(out, "%*s%.*s\n", (int)(HELP_COLUMN - width), "", (int)line, help);
		width = 0;
	}
}

void options_help(const struct option_def *defs, struct buf *out)
{
	const struct option_def *d;
	struct buf left = { 0 };

	for (d = defs; d->name; d++) {
		buf_clear(&left);
		if (d->letter)
			buf_printf(&left, "  -%c, --%s", d->letter, d->name);
		else
			buf_printf(&left, "      --%s", d->name);
		if (d->arg)
			buf_printf(&left, "%s%s", d->arg[0] == '[' ? "" : " ", d->arg);
		help_line(buf_text(&left), d->help, out);
	}
	help_line("  -h, --help", "show this help", out);
	buf_done(&left);
}
