/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/output.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "base/alloc.h"
#include "base/text.h"
#include "view/table.h"

/* read by the signal handler only */
static const struct outfile *volatile unfinished;

static int put(FILE *f, const char *text)
{
	errno = 0;
	if (fputs(text, f) == EOF || fflush(f))
		return fail(-(errno ? errno : EIO), "write to %s", f == stdout ? "stdout" : "stderr");
	return 0;
}

int output_text(const char *text)
{
	return put(stdout, text);
}

int output_width(FILE *f)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;
	uint64_t n;

	if (isatty(fileno(f)) && !ioctl(fileno(f), TIOCGWINSZ, &ws) && ws.ws_col)
		return ws.ws_col;
	if (columns && !parse_u64(columns, &n) && n < 10000)
		return (int)n;
	return 0;
}

int output_table(const struct profile *p, uint32_t limit, const char *file, FILE *f)
{
	struct hotspot_query q = { .by = BY_FUNCTION, .kind = hotspots_kind(p), .sort = SORT_SELF, .limit = limit };
	struct hotspots h;
	struct buf text = { 0 };
	int r;

	summary_print(p, &text);
	ledger_print(p, &text);
	r = put(stderr, buf_text(&text));
	buf_clear(&text);
	hotspots_find(p, &q, &h);
	buf_putc(&text, '\n');
	table_print(p, &q, &h, output_width(f), &text);
	buf_putc(&text, '\n');
	if (!r)
		r = put(f, buf_text(&text));
	buf_clear(&text);
	buf_printf(&text, "profile: %s     again: dwell report %s     elsewhere: go tool pprof -top %s\n",
		   file, file, file);
	if (p->waits.present && q.kind != KIND_OFF)
		buf_printf(&text, "where threads wait: dwell report --kind off %s\n", file);
	if (!r)
		r = put(stderr, buf_text(&text));
	hotspots_done(&h);
	buf_done(&text);
	return r;
}

static int compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static uint32_t count_distinct(const struct profile *p, const char *key)
{
	autofree int64_t *id = xcalloc(p->nr_label_sets + 1, sizeof(*id));
	size_t i, n = 0;
	uint32_t distinct = 0;

	for (i = 1; i < p->nr_label_sets; i++) {
		const struct label *l = profile_label(p, (uint32_t)i, key);

		if (l)
			id[n++] = l->num;
	}
	qsort(id, n, sizeof(*id), compare_ids);
	for (i = 0; i < n; i++)
		distinct += !i || id[i] != id[i - 1];
	return distinct;
}

void output_count_tasks(struct profile *p)
{
	p->meta.processes = count_distinct(p, "pid");
	p->meta.threads = count_distinct(p, "tid");
}

void output_give_to_sudo_user(struct outfile *of)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	uint64_t u, g;

	if (geteuid() || !uid || !gid || parse_u64(uid, &u) || parse_u64(gid, &g))
		return;
	outfile_set_owner(of, (uid_t)u, (gid_t)g);
}

void output_remember(const struct outfile *of)
{
	unfinished = of;
}

static void abort_now(int sig)
{
	if (unfinished)
		outfile_unlink((const struct outfile *)unfinished);
	_exit(128 + sig);
}

void output_second_signal_aborts(void)
{
	struct sigaction sa = { .sa_handler = abort_now };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
