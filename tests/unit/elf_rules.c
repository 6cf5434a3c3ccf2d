/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame_rows.h"

#include <string.h>

static const struct wire_rule *rule_at(const struct rows *r, uint64_t place)
{
	uint32_t word = at(r, place);

	assert_true(word & ROW_ESCAPED);
	assert_true((word & ROW_RULE_MASK) >= RULE_FIRST_FREE);
	assert_true((word & ROW_RULE_MASK) < r->nr_rules);
	return &r->rule[word & ROW_RULE_MASK];
}

struct said {
	struct code code;
	uint32_t word;	       /* ROW_ESCAPED: the rule below */
	struct wire_rule rule; /* RULE_UNSUPPORTED where that is all 0 and word says so */
	const char *letters;
};

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

	put_fde(&im.eh, cie, TEXT, 0x100, s->code);
	r = read_rows(&im);
	check_tables(&r);
	if (s->word == ROW_ESCAPED) {
		assert_memory_equal(rule_at(&r, 0), &s->rule, sizeof(s->rule));
		assert_int_equal(r.nr_beyond[ROWS_FP],
				 s->code.at[0] == 0x10 && s->code.at[3] == 0x73);
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

/* Its offsets count 16 bytes, but for where the return address is alone. */
#define SP16(cfa)   ((cfa) / 16u << ROW_CFA_SHIFT)
#define FP16(cfa)   (SP16(cfa) | ROW_BASE_FP)
#define SAVED16(fp) ((fp) / 16u << ROW_FP_SHIFT | ROW_RA_ABOVE_FP)
#define ALONE(ra)   (SAVED(ra) | ROW_RA_ALONE)

static const struct said said_arm64[] = {
	{ CODE(""), SP16(0) | ROW_RA_LINK, { 0 }, "" },
	{ CODE("\x0e\x20\x9d\x04\x9e\x03"), SP16(32) | SAVED16(32), { 0 }, "" },
	{ CODE("\x0c\x1d\x20\x9d\x04\x9e\x03\x2d"), FP16(32) | SAVED16(32), { 0 }, "" },
	{ CODE("\x0e\x10\x9e\x02"), SP16(16) | ALONE(16), { 0 }, "" },
	{ CODE("\x0e\x20\x9e\x03\x2d"), SP16(32) | ALONE(24), { 0 }, "" },
	/* the farthest, and one farther */
	{ CODE("\x0e\xf0\x3f\x9d\xfe\x01\x9e\xfd\x01"), SP16(8176) | SAVED16(2032), { 0 }, "" },
	{ CODE("\x0e\x80\x40"), ROW_ESCAPED, { CFA_REG, 31, FP_SAME, RA_REG, 8192, 0, 30, 0 }, "" },
	{ CODE("\x0e\x10\x9d\x80\x02\x9e\xff\x01"),
	  ROW_ESCAPED,
	  { CFA_REG, 31, FP_CFA, RA_CFA, 16, -2048, -2040, 0 },
	  "" },
	{ CODE("\x0e\x10\x9e\x80\x01"),
	  ROW_ESCAPED,
	  { CFA_REG, 31, FP_SAME, RA_CFA, 16, 0, -1024, 0 },
	  "" },
	/* no multiple of 16 */
	{ CODE("\x0e\x18"), ROW_ESCAPED, { CFA_REG, 31, FP_SAME, RA_REG, 24, 0, 30, 0 }, "" },
	{ CODE("\x0e\x20\x9d\x03\x9e\x02"),
	  ROW_ESCAPED,
	  { CFA_REG, 31, FP_CFA, RA_CFA, 32, -24, -16, 0 },
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
	{ CODE("\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22"), UNSUPPORTED, { 0 }, "" },
};

static void test_arm64(void **state)
{
	struct frame_image im;
	struct rows r;
	uint32_t cie;
	size_t i;

	for (i = 0; i < NR(said_arm64); i++) {
		im = make_image();
		im.machine = EM_AARCH64;
		cie = put_cie_arm64(&im.eh);
		put_fde(&im.eh, cie, TEXT, 0x100, said_arm64[i].code);
		r = read_rows(&im);
		if (said_arm64[i].word == ROW_ESCAPED)
			assert_memory_equal(rule_at(&r, 0), &said_arm64[i].rule,
					    sizeof(said_arm64[i].rule));
		else
			assert_int_equal(at(&r, 0), said_arm64[i].word);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_arm64),
		cmocka_unit_test(test_same_rule_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
