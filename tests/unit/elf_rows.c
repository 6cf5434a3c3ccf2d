/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "elf/order.h"
#include "elf/rows.h"
#include "frame_bytes.h"

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

static struct frame_image make_image(void)
{
	return (struct frame_image){ .type = ET_DYN, .machine = EM_X86_64, .sections = true };
}

static struct rows read_rows(const struct frame_image *im)
{
	struct rows r = { 0 };
	int fd = frame_file(im), err = rows_read(&r, fd);

	if (err)
		print_error("%s\n", error_text());
	assert_int_equal(err, 0);
	close(fd);
	return r;
}

static int read_error(const struct frame_image *im)
{
	struct rows r;
	int fd = frame_file(im), err = rows_read(&r, fd);

	close(fd);
	return err;
}

/* The word at TEXT + at. */
static uint32_t at(const struct rows *r, uint64_t at)
{
	return rows_find(r, TEXT + at) & ROW_BELOW;
}

static const struct wire_rule *rule_at(const struct rows *r, uint64_t place)
{
	uint32_t word = at(r, place);

	assert_true(word & ROW_ESCAPED);
	assert_true((word & ROW_RULE_MASK) >= RULE_FIRST_FREE);
	assert_true((word & ROW_RULE_MASK) < r->nr_rules);
	return &r->rule[word & ROW_RULE_MASK];
}

/* What holds of any tables. */
static void check_tables(const struct rows *r)
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

static void test_one_function(void **state)
{
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, "");
	struct rows r;

	put_fde(&im.eh, cie, TEXT + 0x10, 0x20,
		CODE("\x41\x0e\x10\x86\x02\x43\x0d\x06\x58\xc6\x0c\x07\x08"));
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(at(&r, 0), NONE);
	assert_int_equal(at(&r, 0xf), NONE);
	assert_int_equal(at(&r, 0x10), SP(8));
	assert_int_equal(at(&r, 0x11), SP(16) | SAVED(16));
	assert_int_equal(at(&r, 0x13), SP(16) | SAVED(16));
	assert_int_equal(at(&r, 0x14), FP(16) | SAVED(16));
	assert_int_equal(at(&r, 0x2c), SP(8));
	assert_int_equal(at(&r, 0x2f), SP(8));
	assert_int_equal(at(&r, 0x30), NONE);
	assert_int_equal(rows_find(&r, TEXT - 1), NONE);
	assert_int_equal(rows_find(&r, TEXT + 4096), NONE);
	assert_int_equal(rows_find(&r, UINT64_MAX), NONE);
	assert_int_equal(r.nr_rows, 6);
	assert_int_equal(r.nr_pages, 1);
	assert_int_equal(r.nr_spans, 1);
	assert_int_equal(r.nr_fdes, 1);
	assert_int_equal(r.nr_rules, RULE_FIRST_FREE);
	assert_int_equal(r.frame_bytes, im.eh.len);
	rows_done(&r);
}

/* Neighbours: next to each other, padded, apart; in any order. */
static void test_between_functions(void **state)
{
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, "");
	struct rows r;

	put_fde(&im.eh, cie, TEXT + 0x48, 8, CODE(""));	     /* 0x48 - 0x50 */
	put_fde(&im.eh, cie, TEXT, 0x11, CODE(PUSH));	     /* 0x00 - 0x11 */
	put_fde(&im.eh, cie, TEXT + 0x20, 0x20, CODE(PUSH)); /* 0x20 - 0x40 */
	put_fde(&im.eh, cie, TEXT + 0x50, 0x10, CODE(PUSH)); /* 0x50 - 0x60 */
	put_fde(&im.eh, cie, TEXT + 0x70, 0x10, CODE(PUSH)); /* 0x70 - 0x80 */
	put_fde(&im.eh, cie, TEXT + 0x90, 0, CODE(PUSH));
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(at(&r, 0x10), SP(16));
	/* less than 16 bytes before an aligned function are padding, and its first row is there */
	assert_int_equal(at(&r, 0x11), SP(8));
	assert_int_equal(at(&r, 0x20), SP(8));
	assert_int_equal(at(&r, 0x21), SP(16));
	/* before another one they are not */
	assert_int_equal(at(&r, 0x40), NONE);
	assert_int_equal(at(&r, 0x48), SP(8));
	assert_int_equal(at(&r, 0x50), SP(8));
	assert_int_equal(at(&r, 0x51), SP(16));
	assert_int_equal(at(&r, 0x60), NONE);
	assert_int_equal(at(&r, 0x6f), NONE);
	assert_int_equal(at(&r, 0x80), NONE);
	/* 0, 1, 11, 21, 40, 48, 51, 60, 70, 71, 80 */
	assert_int_equal(r.nr_rows, 11);
	assert_int_equal(r.nr_fdes, 6);
	rows_done(&r);
}

static void test_pages(void **state)
{
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, "");
	struct rows r;

	put_fde(&im.eh, cie, TEXT + 0xff0, 0x2010, CODE(PUSH)); /* ends with a page */
	put_fde(&im.eh, cie, TEXT + 0x5000, 0x20, CODE(PUSH));	/* begins with one */
	put_fde(&im.eh, cie, TEXT + 0x5000 + (ROWS_SPAN_GAP + 1) * 0x1000, 0x20, CODE(PUSH));
	put_fde(&im.eh, cie, TEXT + 0x5000 + (2 * ROWS_SPAN_GAP + 1) * 0x1000, 0x20, CODE(PUSH));
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(at(&r, 0xfef), NONE);
	assert_int_equal(at(&r, 0xff0), SP(8));
	assert_int_equal(at(&r, 0x1000), SP(16));
	assert_int_equal(at(&r, 0x2fff), SP(16));
	assert_int_equal(at(&r, 0x3000), NONE);
	assert_int_equal(at(&r, 0x4fff), NONE);
	assert_int_equal(at(&r, 0x5000), SP(8));
	assert_int_equal(at(&r, 0x5020), NONE);
	/* 3 pages of the first, 2 without a row, 1; then a new span, as there are 32 without */
	assert_int_equal(r.nr_spans, 2);
	assert_int_equal(r.span[0].address, TEXT);
	assert_int_equal(r.span[0].nr_pages, 6);
	assert_int_equal(r.page[1].count, 1);
	assert_int_equal(r.page[3].count, 0);
	assert_int_equal(r.page[4].count, 0);
	assert_int_equal(r.span[1].address, TEXT + 0x26000);
	assert_int_equal(r.span[1].nr_pages, ROWS_SPAN_GAP + 1);
	assert_int_equal(rows_find(&r, TEXT + 0x46000) & ROW_BELOW, SP(8));
	rows_done(&r);
}

static void test_overlaps(void **state)
{
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, "");
	struct rows r;

	put_fde(&im.eh, cie, TEXT, 0x100, CODE("\x0e\x20"));
	put_fde(&im.eh, cie, TEXT + 0x40, 0x10, CODE("\x0e\x30"));
	put_fde(&im.eh, cie, TEXT + 0x40, 0x20, CODE("\x0e\x40"));
	/* outside of code, and over its end */
	put_fde(&im.eh, cie, 0x1000, 0x20, CODE("\x0e\x50"));
	put_fde(&im.eh, cie, IMAGE_BASE + IMAGE_TEXT - 0x10, 0x20, CODE("\x0e\x50"));
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(at(&r, 0x3f), SP(0x20));
	assert_int_equal(at(&r, 0x40), SP(0x30));
	assert_int_equal(at(&r, 0x50), NONE);
	assert_int_equal(rows_find(&r, 0x1000), NONE);
	assert_int_equal(rows_find(&r, IMAGE_BASE + IMAGE_TEXT - 1) & ROW_BELOW, SP(0x50));
	assert_int_equal(rows_find(&r, IMAGE_BASE + IMAGE_TEXT), NONE);
	rows_done(&r);
}

/* The order of many, against one that is simple. */
static void test_order(void **state)
{
	static struct frame f[5000];
	uint64_t x = 88172645463325252ull, last = 0;
	size_t i, nr;

	for (i = 0; i < NR(f); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		f[i] = (struct frame){ .start = 0x7f0000000000ull + (x >> 24) % 100000 * 0x7000,
				       .size = 0x10000,
				       .cie = (uint32_t)i };
	}
	nr = order_frames(f, NR(f), NR(f));
	assert_true(nr > NR(f) * 9 / 10 && nr < NR(f));
	for (i = 0; i < nr; i++) {
		assert_true(!i || f[i].start >= last);
		assert_true(f[i].size == 0x10000 || f[i].size == 0x7000 || f[i].size == 0xe000);
		last = f[i].start + f[i].size;
	}
}

struct said {
	const char *code;
	size_t len;
	uint32_t word;	       /* ROW_ESCAPED: the rule below */
	struct wire_rule rule; /* RULE_UNSUPPORTED where that is all 0 and word says so */
	const char *letters;
};

#define BEYOND_CFA { CFA_NONE }, ""

static const struct said said[] = {
	{ CODE(""), SP(8), { 0 }, "" },
	{ CODE("\x0e\xf8\x1f"), SP(4088), { 0 }, "" },
	{ CODE("\x0e\x80\x20"), ROW_ESCAPED, { CFA_REG, 7, FP_SAME, RA_CFA, 4096, 0, -8, 0 }, "" },
	{ CODE("\x0e\x0c"), ROW_ESCAPED, { CFA_REG, 7, FP_SAME, RA_CFA, 12, 0, -8, 0 }, "" },
	{ CODE("\x86\x7f"), SP(8) | SAVED(1016), { 0 }, "" },
	{ CODE("\x86\x80\x01"), ROW_ESCAPED, { CFA_REG, 7, FP_CFA, RA_CFA, 8, -1024, -8, 0 }, "" },
	{ CODE("\x86\x00"), ROW_ESCAPED, { CFA_REG, 7, FP_CFA, RA_CFA, 8, 0, -8, 0 }, "" },
	{ CODE("\x07\x06"), ROW_ESCAPED, { CFA_REG, 7, FP_UNDEFINED, RA_CFA, 8, 0, -8, 0 }, "" },
	{ CODE("\x07\x10"), STOP, { 0 }, "" },
	{ CODE("\x90\x02"), ROW_ESCAPED, { CFA_REG, 7, FP_SAME, RA_CFA, 8, 0, -16, 0 }, "" },
	/* vfork: the return address is in rdi */
	{ CODE("\x0e\x00\x09\x10\x05"),
	  ROW_ESCAPED,
	  { CFA_REG, 7, FP_SAME, RA_REG, 0, 0, 5, 0 },
	  "" },
	{ CODE("\x08\x10"), UNSUPPORTED, { 0 }, "" },
	{ CODE("\x0d\x0a"), ROW_ESCAPED, { CFA_REG, 10, FP_SAME, RA_CFA, 8, 0, -8, 0 }, "" },
	{ CODE("\x0d\x10"), UNSUPPORTED, { 0 }, "" },
	{ CODE("\x0d\xff\x01"), UNSUPPORTED, { 0 }, "" },
	{ CODE("\x0d\x87\x02"), UNSUPPORTED, { 0 }, "" },
	{ CODE("\x0e\x80\x80\x80\x80\x08"), UNSUPPORTED, { 0 }, "" },
	/* gcc's realigned stack */
	{ CODE("\x0f\x03\x76\x78\x06\x10\x06\x02\x76\x00"),
	  ROW_ESCAPED,
	  { CFA_DEREF, 6, FP_FP, RA_CFA, -8, 0, -8, 0 },
	  "" },
	{ CODE("\x0f\x05\x77\x28\x06\x23\x08"),
	  ROW_ESCAPED,
	  { CFA_DEREF, 7, FP_SAME, RA_CFA, 40, 0, -8, 8 },
	  "" },
	{ CODE("\x0f\x0a\x77\x08\x79\x00\x38\x1e\x22\x06\x23\x08"),
	  ROW_ESCAPED,
	  { CFA_INDEXED, 9, FP_SAME, RA_CFA, 8, 0, -8, 8 },
	  "" },
	{ CODE("\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22"),
	  ROW_ESCAPED,
	  { CFA_PLT, 7, FP_SAME, RA_CFA, 11, 0, -8, 0 },
	  "" },
	{ CODE("\x0f\x02\x30\x06"), UNSUPPORTED, { 0 }, "" },
	/* the same place, said by an expression */
	{ CODE("\x10\x06\x02\x77\x18"),
	  ROW_ESCAPED,
	  { CFA_REG, 7, FP_CFA, RA_CFA, 8, 16, -8, 0 },
	  "" },
	{ CODE("\x10\x10\x02\x77\x18"),
	  ROW_ESCAPED,
	  { CFA_REG, 7, FP_SAME, RA_CFA, 8, 0, 16, 0 },
	  "" },
	{ CODE("\x10\x06\x02\x73\x18"),
	  ROW_ESCAPED,
	  { CFA_REG, 7, FP_UNDEFINED, RA_CFA, 8, 0, -8, 0 },
	  "" },
	{ CODE("\x10\x10\x02\x76\x18"), UNSUPPORTED, { 0 }, "" },
	{ CODE("\x91\x02\x87\x05"), UNSUPPORTED, { 0 }, "" },
	{ CODE("\x14\x07\x00"), ROW_ESCAPED, { CFA_REG, 7, FP_SAME, RA_CFA, 8, 0, -8, 0 }, "" },
	{ CODE("\x14\x07\x01"), UNSUPPORTED, { 0 }, "" },
	/* signal frames: the kernel's, and others */
	{ CODE("\x0f\x04\x77\xa0\x01\x06\x10\x06\x03\x77\xf8\x00\x10\x07\x03\x77\xa0\x01"
	       "\x10\x10\x03\x77\xa8\x01"),
	  SIGNAL,
	  { 0 },
	  "S" },
	{ CODE("\x0f\x04\x77\xa0\x01\x06\x10\x06\x03\x77\xf8\x00\x10\x10\x03\x77\xb0\x01"),
	  UNSUPPORTED,
	  { 0 },
	  "S" },
	{ CODE(""), UNSUPPORTED, { 0 }, "S" },
	{ CODE("\x07\x10"), STOP, { 0 }, "S" },
};

static void check_said(const struct said *s)
{
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, s->letters);
	struct rows r;

	put_fde(&im.eh, cie, TEXT, 0x100, s->code, s->len);
	r = read_rows(&im);
	check_tables(&r);
	if (s->word == ROW_ESCAPED) {
		assert_memory_equal(rule_at(&r, 0), &s->rule, sizeof(s->rule));
		assert_int_equal(r.nr_beyond[ROWS_FP], s->code[0] == 0x10 && s->code[3] == 0x73);
	} else {
		assert_int_equal(at(&r, 0), s->word);
	}
	assert_int_equal(at(&r, 0xff), at(&r, 0));
	rows_done(&r);
}

static void test_rules(void **state)
{
	size_t i;

	for (i = 0; i < NR(said); i++)
		check_said(&said[i]);
}

static void test_arm64(void **state)
{
	static const struct said cases[] = {
		{ CODE(""), SP(0) | ROW_RA_LINK, { 0 }, "" },
		{ CODE("\x0e\x20\x9d\x04\x9e\x03"),
		  SP(32) | SAVED(32) | ROW_RA_ABOVE_FP,
		  { 0 },
		  "" },
		{ CODE("\x0c\x1d\x20\x9d\x04\x9e\x03\x2d"),
		  FP(32) | SAVED(32) | ROW_RA_ABOVE_FP,
		  { 0 },
		  "" },
		{ CODE("\x0e\x10\x9e\x02"),
		  ROW_ESCAPED,
		  { CFA_REG, 31, FP_SAME, RA_CFA, 16, 0, -16, 0 },
		  "" },
		{ CODE("\x0e\x10\x9d\x02"),
		  ROW_ESCAPED,
		  { CFA_REG, 31, FP_CFA, RA_REG, 16, -16, 30, 0 },
		  "" },
		{ CODE("\x0e\x80\x80\x04\x9d\x80\x80\x02\x9e\xff\xff\x01"),
		  ROW_ESCAPED,
		  { CFA_REG, 31, FP_CFA, RA_ABOVE_FP, 65536, -262144, 0, 0 },
		  "" },
		{ CODE("\x07\x1e"), STOP, { 0 }, "" },
		{ CODE("\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22"),
		  UNSUPPORTED,
		  { 0 },
		  "" },
	};
	struct frame_image im;
	struct rows r;
	uint32_t cie;
	size_t i;

	for (i = 0; i < NR(cases); i++) {
		im = make_image();
		im.machine = EM_AARCH64;
		cie = put_cie_arm64(&im.eh);
		put_fde(&im.eh, cie, TEXT, 0x100, cases[i].code, cases[i].len);
		r = read_rows(&im);
		if (cases[i].word == ROW_ESCAPED)
			assert_memory_equal(rule_at(&r, 0), &cases[i].rule, sizeof(cases[i].rule));
		else
			assert_int_equal(at(&r, 0), cases[i].word);
		rows_done(&r);
	}
}

static void test_same_rule_once(void **state)
{
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, "");
	struct rows r;

	put_fde(&im.eh, cie, TEXT, 0x10, CODE("\x0d\x0a"));
	put_fde(&im.eh, cie, TEXT + 0x20, 0x10, CODE("\x0d\x0b"));
	put_fde(&im.eh, cie, TEXT + 0x40, 0x10, CODE("\x0d\x0a"));
	r = read_rows(&im);
	assert_int_equal(r.nr_rules, RULE_FIRST_FREE + 2);
	assert_ptr_equal(rule_at(&r, 0), rule_at(&r, 0x40));
	assert_ptr_not_equal(rule_at(&r, 0), rule_at(&r, 0x20));
	rows_done(&r);
}

/* A function whose program breaks off has no rows that could be believed. */
static void test_malformed_program(void **state)
{
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, "");
	struct rows r;

	put_fde(&im.eh, cie, TEXT, 0x10, CODE(PUSH));
	put_fde(&im.eh, cie, TEXT + 0x18, 0x2000, CODE(PUSH "\x03\0\x18\x0e\x18\x41\x0b"));
	put_fde(&im.eh, cie, TEXT + 0x2018, 0x10, CODE(PUSH));
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(at(&r, 0xf), SP(16));
	assert_int_equal(at(&r, 0x10), NONE);
	assert_int_equal(at(&r, 0x18), UNSUPPORTED);
	assert_int_equal(at(&r, 0x19), UNSUPPORTED);
	assert_int_equal(at(&r, 0x1800), UNSUPPORTED);
	assert_int_equal(at(&r, 0x2017), UNSUPPORTED);
	assert_int_equal(at(&r, 0x2018), SP(8));
	assert_int_equal(r.nr_malformed, 1);
	rows_done(&r);
}

static void test_malformed_entries(void **state)
{
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, ""), bad = put_cie(&im.eh, "X");
	struct rows r;

	put_fde(&im.eh, cie, TEXT, 0x10, CODE(""));
	put_fde(&im.eh, bad, TEXT + 0x20, 0x10, CODE(""));
	put_fde(&im.eh, bad, TEXT + 0x40, 0x10, CODE(""));
	put_int(&im.eh, 0, 4); /* a terminator, and another */
	put_int(&im.eh, 0, 4);
	put_fde(&im.eh, cie, TEXT + 0x60, 0x10, CODE(""));
	put_int(&im.eh, 0x1000, 4); /* nothing can be read behind this */
	put_fde(&im.eh, cie, TEXT + 0x80, 0x10, CODE(""));
	r = read_rows(&im);
	assert_int_equal(at(&r, 0), SP(8));
	assert_int_equal(at(&r, 0x20), NONE);
	assert_int_equal(at(&r, 0x60), SP(8));
	assert_int_equal(at(&r, 0x80), NONE);
	assert_int_equal(r.nr_malformed, 3);
	assert_int_equal(r.nr_fdes, 2);
	rows_done(&r);
}

static void put_debug_frame(struct frame_bytes *b)
{
	struct frame_bytes body = { .len = 0 };
	static const uint64_t start[] = { TEXT + 0x8, TEXT + 0x10, TEXT + 0x40 };
	size_t i;

	put_bytes(&body, "\x03\0\x01\x78\x10", 5);
	put_entry(b, UINT32_MAX, &body, CODE("\x0c\x07\x40\x90\x01"));
	for (i = 0; i < NR(start); i++) {
		body.len = 0;
		put_int(&body, start[i], 8);
		put_int(&body, 0x10, 8);
		put_entry(b, 0, &body, "", 0);
	}
}

/* .debug_frame speaks where .eh_frame does not. */
static void test_debug_frame(void **state)
{
	struct frame_image im = make_image();
	struct rows r;

	put_debug_frame(&im.debug);
	r = read_rows(&im);
	assert_int_equal(at(&r, 0x8), SP(0x40));
	assert_int_equal(at(&r, 0x10), SP(0x40));
	assert_int_equal(at(&r, 0x4f), SP(0x40));
	rows_done(&r);
	put_fde(&im.eh, put_cie(&im.eh, ""), TEXT, 0x10, CODE(""));
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(at(&r, 0x8), SP(8));
	assert_int_equal(at(&r, 0x10), SP(0x40));
	assert_int_equal(at(&r, 0x40), SP(0x40));
	assert_int_equal(r.frame_bytes, im.eh.len + im.debug.len);
	rows_done(&r);
}

/* Without section headers .eh_frame is found by its search table, or by where that begins. */
static void test_header_only(void **state)
{
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, "");
	struct rows r;

	im.sections = false;
	im.header = true;
	im.fde[im.nr_fdes++] = put_fde(&im.eh, cie, TEXT + 0x80, 0x10, CODE(PUSH));
	put_int(&im.eh, 0, 4);
	im.fde[im.nr_fdes++] = put_fde(&im.eh, cie, TEXT, 0x10, CODE(PUSH));
	r = read_rows(&im);
	assert_int_equal(at(&r, 1), SP(16));
	assert_int_equal(at(&r, 0x81), SP(16));
	assert_int_equal(r.frame_bytes, im.eh.len);
	assert_int_equal(r.nr_malformed, 0);
	rows_done(&r);
	im.nr_fdes = 0; /* no table: up to the terminator */
	r = read_rows(&im);
	assert_int_equal(at(&r, 1), NONE);
	assert_int_equal(at(&r, 0x81), SP(16));
	rows_done(&r);
	im.header = false;
	assert_int_equal(read_error(&im), -ENOENT);
}

static void check_entry(struct frame_image *im, const char *code, size_t len, uint64_t want)
{
	uint64_t i;
	struct rows r;

	im->code = code;
	im->code_len = len;
	im->entry = IMAGE_BASE + IMAGE_ENTRY;
	r = read_rows(im);
	check_tables(&r);
	for (i = 0; i < 0x50; i++)
		assert_int_equal(rows_find(&r, im->entry + i) & ROW_BELOW, i < want ? STOP : NONE);
	assert_int_equal(at(&r, 0), SP(8));
	rows_done(&r);
}

#define START_CODE "\x31\xed\x49\x89\xd1\x5e\x48\x89\xe2\x48\x83\xe4\xf0\x50\xff\x15\0\0\0\0\xf4"

static void test_entry(void **state)
{
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, "");

	put_fde(&im.eh, cie, TEXT, 0x10, CODE(""));
	/* a library's first function; then what begins a process */
	check_entry(&im, CODE("\x48\x8d\x3d\0\0\0\0\xc3"), 0);
	check_entry(&im, CODE(START_CODE), 21);
	check_entry(&im, CODE("\xf3\x0f\x1e\xfa" START_CODE), 25);
	check_entry(&im, CODE("\x48\x89\xe7\xe8\0\0\0\0\x49\x89\xc4\x41\xff\xe4\x0f\x1f\0"), 14);
	check_entry(&im, CODE("\x48\x31\xed\x48\x89\xe7\xe8\0\0\0\0\x55"), 11);
	check_entry(&im, CODE("\x48\x89\xe7\xcc\xcc"), 3);
	check_entry(&im, CODE("\x48\x89\xe7"), 64);
	im.interpreter = true;
	check_entry(&im, CODE("\x90\xf4"), 2);
	im.interpreter = false;
	im.type = ET_EXEC;
	check_entry(&im, CODE("\xe9\0\0\0\0\x90\x90"), 5);
	/* up to the next function */
	put_fde(&im.eh, cie, IMAGE_BASE + IMAGE_ENTRY + 0x51, 0x10, CODE(""));
	check_entry(&im, CODE("\x90"), 64);
	im.machine = EM_AARCH64;
	im.eh.len = 0;
	put_fde(&im.eh, put_cie_arm64(&im.eh), TEXT, 0x10, CODE("\x0e\x08\x9d\x01\x9e\x00"));
	im.type = ET_DYN;
	im.code = "\x5f\x24\x03\xd5\xe0\x03\x00\x91";
	im.code_len = 8;
	{
		struct rows r = read_rows(&im);

		assert_int_equal(rows_find(&r, im.entry + 63) & ROW_BELOW, STOP);
		rows_done(&r);
	}
}

static void test_entry_is_described(void **state)
{
	const uint64_t code = IMAGE_BASE + IMAGE_ENTRY;
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, "");
	struct rows r;

	im.type = ET_EXEC;
	im.entry = code + 0x20;
	put_fde(&im.eh, cie, code, 0x30, CODE(PUSH));
	r = read_rows(&im);
	assert_int_equal(rows_find(&r, code + 0x20) & ROW_BELOW, SP(16));
	rows_done(&r);
	im.entry = code + 0x30; /* behind it, and before another one */
	put_fde(&im.eh, cie, code + 0x38, 0x30, CODE(PUSH));
	r = read_rows(&im);
	assert_int_equal(rows_find(&r, code + 0x2f) & ROW_BELOW, SP(16));
	assert_int_equal(rows_find(&r, code + 0x30) & ROW_BELOW, STOP);
	assert_int_equal(rows_find(&r, code + 0x37) & ROW_BELOW, STOP);
	assert_int_equal(rows_find(&r, code + 0x38) & ROW_BELOW, SP(8));
	rows_done(&r);
}

static void test_refused(void **state)
{
	struct frame_image im = make_image();
	struct rows r = { .nr_rows = 77 };
	size_t len, cut;
	uint8_t *data;
	int fd;

	assert_int_equal(read_error(&im), -ENOENT);
	put_fde(&im.eh, put_cie(&im.eh, ""), TEXT, 0x10, CODE(""));
	im.machine = EM_386;
	assert_int_equal(read_error(&im), -ENOEXEC);
	im.machine = EM_X86_64;
	data = image_bytes(&im, &len);
	for (cut = 0; cut < len; cut += 7) {
		fd = memfd_create("cut", MFD_CLOEXEC);
		assert_int_equal(write(fd, data, cut), cut);
		assert_true(rows_read(&r, fd) < 0);
		close(fd);
	}
	assert_int_equal(r.nr_rows, 77);
	free(data);
}

/* This very program: its rows say where the caller of a function is. */
static void test_self(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct rows r;

	assert_int_equal(rows_read(&r, fd), 0);
	check_tables(&r);
	assert_true(r.nr_fdes > 20);
	assert_int_equal(r.nr_malformed, 0);
	assert_true(r.nr_rows * 4 + r.nr_pages * 8 < r.frame_bytes * 2);
	rows_done(&r);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_function),
		cmocka_unit_test(test_between_functions),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_arm64),
		cmocka_unit_test(test_same_rule_once),
		cmocka_unit_test(test_malformed_program),
		cmocka_unit_test(test_malformed_entries),
		cmocka_unit_test(test_debug_frame),
		cmocka_unit_test(test_header_only),
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_entry_is_described),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_self),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
