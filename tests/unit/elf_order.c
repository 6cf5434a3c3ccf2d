/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame_rows.h"

#include "elf/order.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
