/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows [-n TIMES] FILE.. - builds the unwind tables of object files, best of TIMES (5), and prints
 * what they are, one file a line: bytes of call frame information, functions, rows, 4 KiB pages,
 * spans, rules, bytes of rows and pages per byte, milliseconds of CPU time, MB/s, rows that are
 * inline and rows that are unsupported. The last line sums up.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "elf/rows.h"

struct figures {
	uint64_t bytes, fdes, rows, pages, spans, rules, table, ns, escaped, unsupported;
};

/* Not the time that passes: others want the processors too. */
static uint64_t cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void print(const char *name, const struct figures *f)
{
	double ms = (double)f->ns / 1e6, mb = (double)f->bytes / 1e6;

	printf("%-22.22s %9llu %7llu %8llu %6llu %5llu %5llu %6.3f %8.2f %6.0f %8.3f %6llu\n", name,
	       (unsigned long long)f->bytes, (unsigned long long)f->fdes,
	       (unsigned long long)f->rows, (unsigned long long)f->pages,
	       (unsigned long long)f->spans, (unsigned long long)f->rules,
	       f->bytes ? (double)f->table / (double)f->bytes : 0.0, ms,
	       ms > 0 ? mb * 1e3 / ms : 0.0,
	       f->rows ? 100.0 * (double)(f->rows - f->escaped) / (double)f->rows : 0.0,
	       (unsigned long long)f->unsupported);
}

static void measure(const struct rows *r, struct figures *f)
{
	size_t i;

	*f = (struct figures){ .bytes = r->frame_bytes,
			       .fdes = r->nr_fdes,
			       .rows = r->nr_rows,
			       .pages = r->nr_pages,
			       .spans = r->nr_spans,
			       .rules = r->nr_rules,
			       .table = r->nr_rows * sizeof(*r->row) +
					r->nr_pages * sizeof(*r->page),
			       .ns = UINT64_MAX };
	for (i = 0; i < r->nr_rows; i++) {
		uint32_t rule = r->row[i] & ROW_RULE_MASK;

		if (!(r->row[i] & ROW_ESCAPED))
			continue;
		f->escaped += rule >= RULE_FIRST_FREE;
		f->unsupported += rule == RULE_UNSUPPORTED;
	}
}

static int bench(const char *path, int times, struct figures *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), i;
	uint64_t start, ns, best = UINT64_MAX;
	struct rows r;

	for (i = 0; fd >= 0 && i < times; i++) {
		start = cpu_time();
		if (rows_read_any(&r, fd)) {
			fprintf(stderr, "%s: %s\n", path, error_text());
			break;
		}
		ns = cpu_time() - start;
		best = ns < best ? ns : best;
		if (i == times - 1)
			measure(&r, out);
		rows_done(&r);
	}
	if (fd < 0)
		perror(path);
	else
		close(fd);
	out->ns = best;
	return fd >= 0 && i == times ? 0 : -1;
}

static void add(struct figures *sum, const struct figures *f)
{
	sum->bytes += f->bytes;
	sum->fdes += f->fdes;
	sum->rows += f->rows;
	sum->pages += f->pages;
	sum->spans += f->spans;
	sum->rules += f->rules;
	sum->table += f->table;
	sum->ns += f->ns;
	sum->escaped += f->escaped;
	sum->unsupported += f->unsupported;
}

int main(int argc, char **argv)
{
	struct figures sum = { 0 }, f;
	int times = 5, i = 1, status = 0;

	if (argc > 2 && !strcmp(argv[1], "-n")) {
		times = atoi(argv[2]);
		i = 3;
	}
	if (times < 1 || i >= argc) {
		fprintf(stderr, "usage: rows [-n TIMES] FILE..\n");
		return 2;
	}
	printf("%-22s %9s %7s %8s %6s %5s %5s %6s %8s %6s %8s %6s\n", "file", "bytes", "FDEs",
	       "rows", "pages", "spans", "rules", "B/B", "ms", "MB/s", "inline%", "unsup");
	for (; i < argc; i++) {
		if (bench(argv[i], times, &f)) {
			status = 1;
			continue;
		}
		print(base_name(argv[i]), &f);
		add(&sum, &f);
	}
	print("together", &sum);
	return status;
}
