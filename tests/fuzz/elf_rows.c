/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as an object file: refused with a reason, or evaluated to unwind tables that are
 * whole and in order.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_page(const struct rows *r, const struct wire_page *p)
{
	const uint32_t *row = r->row + p->first, *end = row + p->count;

	must(p->first <= r->nr_rows && p->count <= r->nr_rows - p->first);
	must(!p->count || *row >> ROW_PC_SHIFT == 0);
	for (; row < end; row++) {
		must(row + 1 == end || row[0] >> ROW_PC_SHIFT < row[1] >> ROW_PC_SHIFT);
		must(!(*row & ROW_ESCAPED) || (*row & ROW_RULE_MASK) < r->nr_rules);
	}
}

static void check_spans(const struct rows *r)
{
	const struct rows_span *s;
	uint64_t next = 0;
	size_t pages = 0;
	uint32_t word;

	for (s = r->span; s < r->span + r->nr_spans; s++) {
		must(s->address >= next && s->address % ROWS_PAGE_BYTES == 0);
		must(s->first_page == pages && s->nr_pages && s->nr_pages <= r->nr_pages - pages);
		pages += s->nr_pages;
		next = s->address + (uint64_t)s->nr_pages * ROWS_PAGE_BYTES;
		word = rows_find(r, s->address + ROWS_PAGE_BYTES / 2);
		must(!(word & ROW_ESCAPED) || (word & ROW_RULE_MASK) < r->nr_rules);
	}
	must(pages == r->nr_pages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct rows r;
	size_t i;

	if (fd < 0)
		fd = memfd_create("object", MFD_CLOEXEC);
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (rows_read_any(&r, fd)) {
		must(*error_text());
		return 0;
	}
	for (i = 0; i < r.nr_pages; i++)
		check_page(&r, &r.page[i]);
	check_spans(&r);
	rows_done(&r);
	return 0;
}
