/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/rotate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cmd/output.h"
#include "format/format.h"

#define STAMP_LEN 24
#define EXTENSION ".pb.gz"

struct rotate {
	const char *output;
	uint64_t keep, nr, lost;	/* files to keep; profiles so far; of these not written */
	char **kept;			/* names, the oldest at [first] */
	size_t nr_kept, cap_kept, first;
	char *name;			/* of the one that is being written */
	pid_t writer;			/* 0: none */
};

/* Without ".pb.gz", or what else it ends with. */
static size_t stem_len(const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot;
	size_t len = strlen(path), n = strlen(EXTENSION);

	if (strlen(base) > n && !strcmp(path + len - n, EXTENSION))
		return len - n;
	dot = *base ? strrchr(base + 1, '.') : NULL;
	return dot ? (size_t)(dot - path) : len;
}

/* NAME.pb.gz -> NAME-20261121T181500.042Z.pb.gz. Intervals are longer than a millisecond: no name comes twice. */
static char *name_of(const struct rotate *r, int64_t time_ns)
{
	size_t stem = stem_len(r->output);
	time_t seconds = (time_t)(time_ns / (int64_t)NSEC_PER_SEC);
	struct buf b = { 0 };
	char stamp[STAMP_LEN];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
	buf_printf(&b, "%.*s-%s.%03uZ%s", (int)stem, r->output, stamp,
		   (unsigned int)(time_ns / (int64_t)NSEC_PER_MSEC % 1000), r->output + stem);
	return b.data;
}

int rotate_open(struct rotate **out, const char *output, uint64_t keep)
{
	struct rotate *r = xcalloc(1, sizeof(*r));
	autofree char *name = NULL;
	struct outfile *of;
	struct stat st;
	int e;

	*out = r;
	r->output = output;
	r->keep = keep;
	if (!stat(output, &st) && !S_ISREG(st.st_mode))
		return fail_plain(-EINVAL, "%s is no regular file: --rotate makes files with names like it", output);
	name = name_of(r, (int64_t)clock_real());
	e = outfile_open(&of, name);
	if (!e)
		outfile_abort(of);
	return e;
}

void rotate_close(struct rotate *r)
{
	size_t i;

	if (!r)
		return;
	rotate_busy(r, true);
	for (i = 0; i < r->nr_kept; i++)
		free(r->kept[i]);
	free(r->kept);
	free(r);
}

static int write_file(const char *name, const struct profile *p)
{
	struct outfile *of;
	int e = outfile_open(&of, name);

	if (e)
		return e;
	e = pprof_write(p, of);
	if (e) {
		outfile_abort(of);
		return e;
	}
	output_give_to_sudo_user(of);
	return outfile_commit(of, 1);
}

pid_t rotate_write(struct rotate *r, const struct profile *p, bool say)
{
	pid_t pid;

	r->name = name_of(r, p->time_ns);
	r->nr++;
	pid = fork();
	if (!pid) {
		int e = write_file(r->name, p);

		if (e)
			fprintf(stderr, "dwell: %s: these %.1f s are lost\n", error_text(), (double)p->duration_ns / 1e9);
		else if (say)
			fprintf(stderr, "profile: %s (%.1f s)\n", r->name, (double)p->duration_ns / 1e9);
		_exit(e ? 1 : 0);
	}
	if (pid < 0) {
		fprintf(stderr, "dwell: cannot write %s: %s: these %.1f s are lost\n", r->name, strerror(errno),
			(double)p->duration_ns / 1e9);
		r->lost++;
		free(r->name);
		r->name = NULL;
		return 0;
	}
	r->writer = pid;
	return pid;
}

/* The oldest goes when there are too many. Only files of this run are ever removed. */
static void remember(struct rotate *r, char *name)
{
	if (!r->keep) {
		free(name);
		return;
	}
	if (r->nr_kept == r->keep) {
		(void)unlink(r->kept[r->first]);
		free(r->kept[r->first]);
		r->kept[r->first] = name;
		r->first = (r->first + 1) % r->nr_kept;
		return;
	}
	grow(&r->kept, &r->cap_kept, r->nr_kept + 1, sizeof(*r->kept));
	r->kept[r->nr_kept++] = name;
}

bool rotate_busy(struct rotate *r, bool wait)
{
	int status;
	pid_t pid;

	if (!r->writer)
		return false;
	do
		pid = waitpid(r->writer, &status, wait ? 0 : WNOHANG);
	while (pid < 0 && errno == EINTR);
	if (!pid)
		return true;
	if (pid == r->writer && WIFEXITED(status) && !WEXITSTATUS(status)) {
		remember(r, r->name);
	} else {
		if (pid == r->writer && WIFSIGNALED(status))
			fprintf(stderr, "dwell: %s was not written: its writer was killed by signal %d\n", r->name,
				WTERMSIG(status));
		r->lost++;
		free(r->name);
	}
	r->name = NULL;
	r->writer = 0;
	return false;
}

int rotate_result(const struct rotate *r)
{
	return r->lost ? fail_plain(-EIO, "%llu of %llu profiles were lost", (unsigned long long)r->lost,
				    (unsigned long long)r->nr) :
			 0;
}
