/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame_rows.h"

static void check_entry(struct frame_image *im, struct code code, uint64_t want)
{
	uint64_t i;
	struct rows r;

	im->code = code;
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
	im.code = CODE("\x5f\x24\x03\xd5\xe0\x03\x00\x91");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_entry_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
