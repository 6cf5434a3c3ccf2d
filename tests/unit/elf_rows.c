/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame_rows.h"

#include <errno.h>
#include <fcntl.h>

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

#define LEAF_CODE "\x48\xc7\xc0\xea\xff\xff\xff\x48\x85\xff\x74\x3e\x89\xd7\x89\xc2"
#define CLONE	  (IMAGE_BASE + IMAGE_ENTRY)

/* The word at its byte `at`, with `code` behind a leaf of 16 bytes, and a function of `last` behind that. */
static uint32_t behind_leaf(struct code code, struct code leaf, struct code last, uint16_t machine, size_t at)
{
	struct frame_image im = make_image();
	uint32_t cie = put_cie(&im.eh, ""), word;
	char text[256] = LEAF_CODE;
	struct rows r;

	memcpy(text + 16, code.at, code.len);
	memset(text + 16 + code.len, 0x31, 16);
	im.machine = machine;
	im.code = (struct code){ text, 32 + code.len };
	put_fde(&im.eh, cie, CLONE, 16, leaf);
	put_fde(&im.eh, cie, CLONE + 16 + code.len, 16, last);
	r = read_rows(&im);
	check_tables(&r);
	word = rows_find(&r, CLONE + at) & ROW_BELOW;
	rows_done(&r);
	return word;
}

/* Where clone() returns twice nothing is described; what is like it in part only stays a gap. */
static void test_clone(void **state)
{
	const struct code clone = CODE("\x0f\x05\x48\x85\xc0\x7c\x13\x74\x01\xc3"), stop = CODE("\x07\x10"), none = CODE("");
	char large[40] = "\x0f\x05\x48\x85\xc0";

	assert_int_equal(behind_leaf(clone, none, stop, EM_X86_64, 15), SP(8));
	assert_int_equal(behind_leaf(clone, none, stop, EM_X86_64, 16), ROW_ESCAPED | RULE_CLONE);
	assert_int_equal(behind_leaf(clone, none, stop, EM_X86_64, 25), ROW_ESCAPED | RULE_CLONE);
	assert_int_equal(behind_leaf(clone, none, stop, EM_X86_64, 26), STOP);
	/* nor is it taken for what fills up to 16 bytes */
	assert_int_equal(behind_leaf((struct code){ large, 16 }, none, stop, EM_X86_64, 16), ROW_ESCAPED | RULE_CLONE);
	assert_int_equal(behind_leaf((struct code){ large, 12 }, none, stop, EM_X86_64, 27), ROW_ESCAPED | RULE_CLONE);
	/* no thread begins there; not a leaf; another machine; other code; too little, too much of it */
	assert_int_equal(behind_leaf(clone, none, none, EM_X86_64, 16), NONE);
	assert_int_equal(behind_leaf(clone, CODE(PUSH), stop, EM_X86_64, 16), NONE);
	assert_int_equal(behind_leaf(clone, none, stop, EM_AARCH64, 16), NONE);
	assert_int_equal(behind_leaf(CODE("\x0f\x05\x48\x85\xc1\x7c\x13\x74\x01\xc3"), none, stop, EM_X86_64, 16), NONE);
	assert_int_equal(behind_leaf(CODE("\x0f\x05\x48\x85\xc0\x74\x01\xc3"), none, stop, EM_X86_64, 16), NONE);
	assert_int_equal(behind_leaf((struct code){ large, 31 }, none, stop, EM_X86_64, 46), ROW_ESCAPED | RULE_CLONE);
	assert_int_equal(behind_leaf((struct code){ large, 33 }, none, stop, EM_X86_64, 16), NONE);
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
		put_entry(b, 0, &body, CODE(""));
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

static void test_refused(void **state)
{
	struct frame_image im = make_image();
	struct rows r = { .nr_rows = 77 };
	size_t len, cut;
	uint8_t *data;
	int fd;

	assert_int_equal(read_error(&im), -ENOENT);
	put_cie(&im.eh, ""); /* of no function */
	assert_int_equal(read_error(&im), -ENOENT);
	put_fde(&im.eh, put_cie(&im.eh, ""), TEXT, 0x10, CODE(""));
	im.machine = EM_386;
	assert_int_equal(read_error(&im), -ENOEXEC);
	im.machine = EM_X86_64;
	data = image_bytes(&im, &len);
	for (cut = 0; cut < len; cut += 7) {
		fd = memfd_create("cut", MFD_CLOEXEC);
		assert_int_equal(write(fd, data, cut), cut);
		assert_true(rows_read_any(&r, fd) < 0);
		close(fd);
	}
	assert_int_equal(r.nr_rows, 77);
	free(data);
}

/* Of machines whose rows are known the walk takes one's. */
static void test_another_machine(void **state)
{
	const uint16_t machines[] = { EM_X86_64, EM_AARCH64 };
	int taken = 0, i;

	for (i = 0; i < 2; i++) {
		struct frame_image im = make_image();
		struct rows r;
		int fd;

		im.machine = machines[i];
		put_fde(&im.eh, put_cie_arm64(&im.eh), TEXT, 0x10, CODE(""));
		fd = frame_file(&im);
		assert_int_equal(rows_read_any(&r, fd), 0);
		rows_done(&r);
		if (!rows_read(&r, fd)) {
			rows_done(&r);
			taken++;
		} else {
			assert_string_equal(error_text(), "ELF file of another machine");
		}
		close(fd);
	}
	assert_int_equal(taken, 1);
}

#define SIGRETURN "\x68\x11\x80\xd2\x01\x00\x00\xd4" /* mov x8, #139; svc #0 */
#define NOP	  "\x1f\x20\x03\xd5"

/* The object at IMAGE_ENTRY has the trampoline behind two NOPs: where its row begins and ends. */
static void check_trampoline(const struct frame_image *im)
{
	const uint64_t code = IMAGE_BASE + IMAGE_ENTRY;
	struct rows r = read_rows(im);

	check_tables(&r);
	assert_int_equal(rows_find(&r, code + 3) & ROW_BELOW, NONE);
	assert_int_equal(rows_find(&r, code + 4) & ROW_BELOW, SIGNAL);
	assert_int_equal(rows_find(&r, code + 15) & ROW_BELOW, SIGNAL);
	assert_int_equal(rows_find(&r, code + 16) & ROW_BELOW, NONE);
	rows_done(&r);
}

/* aarch64's vdso: what handlers return to has no FDE, or nothing has. */
static void test_trampoline(void **state)
{
	const uint64_t code = IMAGE_BASE + IMAGE_ENTRY;
	struct frame_image im = make_image();
	struct rows r;
	uint32_t cie;

	im.machine = EM_AARCH64;
	im.text = 0x800;
	im.code = CODE(NOP NOP SIGRETURN NOP);
	check_trampoline(&im);
	cie = put_cie_arm64(&im.eh);
	put_fde(&im.eh, cie, code + 0x40, 0x10, CODE(""));
	check_trampoline(&im);
	/* the function before it reaches up to it */
	put_fde(&im.eh, cie, code, 8, CODE(""));
	r = read_rows(&im);
	assert_int_equal(rows_find(&r, code + 7) & ROW_BELOW, ROW_RA_LINK);
	assert_int_equal(rows_find(&r, code + 8) & ROW_BELOW, SIGNAL);
	rows_done(&r);
	/* it is described, if in other words */
	put_fde(&im.eh, cie, code + 8, 8, CODE(""));
	r = read_rows(&im);
	assert_int_equal(rows_find(&r, code + 8) & ROW_BELOW, ROW_RA_LINK);
	rows_done(&r);
	im.eh.len = 0;
	im.machine = EM_X86_64;
	assert_int_equal(read_error(&im), -ENOENT);
	im.machine = EM_AARCH64;
	im.text = 0; /* too long to look through */
	assert_int_equal(read_error(&im), -ENOENT);
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
		cmocka_unit_test(test_one_function),	  cmocka_unit_test(test_between_functions),
		cmocka_unit_test(test_clone),
		cmocka_unit_test(test_malformed_program), cmocka_unit_test(test_malformed_entries),
		cmocka_unit_test(test_debug_frame),	  cmocka_unit_test(test_header_only),
		cmocka_unit_test(test_refused),		  cmocka_unit_test(test_self),
		cmocka_unit_test(test_another_machine),	  cmocka_unit_test(test_trampoline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
