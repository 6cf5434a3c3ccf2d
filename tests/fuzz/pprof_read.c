/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a pprof file: refused, or read to a profile that is true to
 * itself, can be shown in every form, and comes back the same once written.
 * The corpus begins with tests/cmd/data/two.txt, encoded.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "format/format.h"
#include "view/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s: %s\n", what, error_text());
	abort();
}

static void show(const struct profile *p, enum hotspot_by by, struct buf *out)
{
	struct hotspot_query q = { .by = by, .limit = 3 };
	struct hotspots h;

	hotspots_find(p, &q, &h);
	table_print(p, &q, &h, 60, out);
	hotspots_json(p, &h, out);
	hotspots_done(&h);
}

static void show_all(const struct profile *p)
{
	struct hotspot_query q = { 0 };
	struct buf out = { 0 };

	for (int by = BY_FUNCTION; by <= BY_PROCESS; by++)
		show(p, (enum hotspot_by)by, &out);
	folded_print(p, &q, FOLDED_SAMPLES, &out);
	folded_print(p, &q, FOLDED_NS, &out);
	summary_print(p, &out);
	ledger_print(p, &out);
	buf_done(&out);
}

static void write_again(const struct profile *p)
{
	autoclose int fd = memfd_create("again", MFD_CLOEXEC);
	struct profile *q = NULL;
	struct outfile *of;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(!outfile_open(&of, path), "open");
	must(!pprof_write(p, of), "write");
	must(!outfile_commit(of, 0), "commit");
	must(lseek(fd, 0, SEEK_SET) == 0, "seek");
	must(!pprof_read(fd, "again", &q), "read again");
	must(p->nr_samples == q->nr_samples && p->nr_stacks == q->nr_stacks, "the same again");
	must(p->ledger.present == q->ledger.present, "the same ledger again");
	profile_free(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoclose int fd = memfd_create("input", MFD_CLOEXEC);
	struct profile *p = NULL;

	must(write(fd, data, size) == (ssize_t)size && !lseek(fd, 0, SEEK_SET), "input");
	if (pprof_read(fd, "input", &p) < 0)
		return 0;
	must(!profile_check(p), "check");
	show_all(p);
	write_again(p);
	profile_free(p);
	return 0;
}
