/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of objects that are made in memory, and what a test wants them to be. */
#ifndef TESTS_UNIT_FRAME_ROWS_H
#define TESTS_UNIT_FRAME_ROWS_H

#include "unit.h"

#include "elf/rows.h"
#include "frame_image.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT  (IMAGE_BASE + 0x100000u) /* far from the headers */

#define NONE	    (ROW_ESCAPED | RULE_NONE)
#define STOP	    (ROW_ESCAPED | RULE_STOP)
#define SIGNAL	    (ROW_ESCAPED | RULE_SIGNAL)
#define UNSUPPORTED (ROW_ESCAPED | RULE_UNSUPPORTED)
#define SP(cfa)	    ((cfa) / 8u << ROW_CFA_SHIFT)
#define FP(cfa)	    (SP(cfa) | ROW_BASE_FP)
#define SAVED(fp)   ((fp) / 8u << ROW_FP_SHIFT)

#define PUSH "\x41\x0e\x10" /* a byte on: rsp + 16 */

static inline struct frame_image make_image(void)
{
	return (struct frame_image){ .type = ET_DYN, .machine = EM_X86_64, .sections = true };
}

static inline struct rows read_rows(const struct frame_image *im)
{
	struct rows r = { 0 };
	int fd = frame_file(im), err = rows_read_any(&r, fd);

	if (err)
		print_error("%s\n", error_text());
	assert_int_equal(err, 0);
	close(fd);
	return r;
}

static inline int read_error(const struct frame_image *im)
{
	struct rows r;
	int fd = frame_file(im), err = rows_read_any(&r, fd);

	close(fd);
	return err;
}

/* The word at TEXT + at. */
static inline uint32_t at(const struct rows *r, uint64_t at)
{
	return rows_find(r, TEXT + at) & ROW_BELOW;
}

/* What holds of any tables. */
static inline void check_tables(const struct rows *r)
{
	size_t i, k, pages = 0, rows = 0;

	for (i = 0; i < r->nr_spans; i++) {
		assert_int_equal(r->span[i].first_page, pages);
		assert_int_equal(r->span[i].address % ROWS_PAGE_BYTES, 0);
		pages += r->span[i].nr_pages;
	}
	assert_int_equal(pages, r->nr_pages);
	for (i = 0; i < r->nr_pages; i++) {
		assert_int_equal(r->page[i].first, rows);
		for (k = 0; k < r->page[i].count; k++, rows++) {
			assert_true(!!k == !!(r->row[rows] >> ROW_PC_SHIFT));
			assert_true(!k || r->row[rows] >> ROW_PC_SHIFT > r->row[rows - 1] >>
						  ROW_PC_SHIFT);
			assert_true(!k ||
				    (r->row[rows] & ROW_BELOW) != (r->row[rows - 1] & ROW_BELOW));
		}
	}
	assert_int_equal(rows, r->nr_rows);
}

#endif
