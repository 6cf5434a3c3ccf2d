/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <string.h>

#include "base/alloc.h"
#include "model/profile.h"

static uint32_t new_function(struct profile *p, const char *name)
{
	struct function f = { .name = profile_strings(p, name) };

	return profile_function(p, &f);
}

static uint32_t new_mapping(struct profile *p, const char *file)
{
	struct mapping m = { .file = profile_strings(p, file) };

	return profile_mapping(p, &m);
}

static void test_by_address(void **state)
{
	struct profile *p = profile_new();
	uint32_t m = new_mapping(p, "/bin/a"), id = profile_frame(p, m, 0x10);

	assert_int_equal(id, 1);
	assert_int_equal(profile_frame(p, m, 0x10), id);
	assert_int_not_equal(profile_frame(p, m, 0x11), id);
	assert_int_not_equal(profile_frame(p, 0, 0x10), id);
	assert_int_equal(profile_frame_lines(p, m, 0x10, NULL, 0), id);
	profile_free(p);
}

static void test_by_lines(void **state)
{
	struct profile *p = profile_new();
	const struct line l[2] = { { new_function(p, "inner"), 5 },
				   { new_function(p, "outer"), 9 } };
	const struct line other[2] = { l[0], { l[1].function, 10 } };
	uint32_t id = profile_frame_lines(p, 0, 0, l, 2);

	assert_int_equal(profile_frame_lines(p, 0, 0, l, 2), id);
	assert_int_not_equal(profile_frame_lines(p, 0, 0, l, 1), id);
	assert_int_not_equal(profile_frame_lines(p, 0, 0, other, 2), id);
	assert_int_not_equal(profile_frame_lines(p, 0, 1, l, 2), id);
	assert_int_not_equal(profile_frame(p, 0, 0), id);
	assert_int_equal(p->frames[id].nr_lines, 2);
	assert_true(p->lines[p->frames[id].first_line + 1].line == 9);
	profile_free(p);
}

static void test_named_later(void **state)
{
	struct profile *p = profile_new();
	uint32_t m = new_mapping(p, "/lib/libc.so.6");
	const struct line l = { new_function(p, "malloc"), 3 }, other = { l.function, 4 };
	uint32_t id = profile_frame(p, m, 0x10);
	char buf[64];

	assert_string_equal(profile_frame_name(p, id, 0, buf, sizeof(buf)), "libc.so.6+0x10");
	profile_name_frame(p, id, &l, 1);
	assert_string_equal(profile_frame_name(p, id, 0, buf, sizeof(buf)), "malloc");
	assert_int_equal(profile_frame(p, m, 0x10), id);
	assert_int_equal(profile_frame_lines(p, m, 0x10, &l, 1), id);
	profile_name_frame(p, id, &other, 1); /* has its name */
	assert_true(p->lines[p->frames[id].first_line].line == 3);
	assert_int_not_equal(profile_frame_lines(p, m, 0x10, &other, 1), id);
	profile_native(p, 1);
	assert_int_equal(profile_check(p), 0);
	profile_free(p);
}

static void test_names(void **state)
{
	struct profile *p = profile_new();
	const struct function mangled = { .system_name = profile_strings(p, "_Zf") };
	const struct function empty = { .start_line = 1 };
	const struct line l[3] = { { new_function(p, "in"), 0 },
				   { profile_function(p, &mangled), 0 },
				   { profile_function(p, &empty), 0 } };
	uint32_t id = profile_frame_lines(p, new_mapping(p, "/a/b"), 0xff, l, 3);
	char buf[64];

	assert_string_equal(profile_frame_name(p, id, 0, buf, sizeof(buf)), "in");
	assert_string_equal(profile_frame_name(p, id, 1, buf, sizeof(buf)), "_Zf");
	assert_string_equal(profile_frame_name(p, id, 2, buf, sizeof(buf)), "b+0xff");
	assert_string_equal(profile_frame_name(p, id, 9, buf, sizeof(buf)), "b+0xff");
	id = profile_frame(p, 0, 0xabc);
	assert_string_equal(profile_frame_name(p, id, 0, buf, sizeof(buf)), "0xabc");
	assert_string_equal(profile_frame_name(p, id, 0, buf, 4), "0xa");
	profile_free(p);
}

static void test_modules(void **state)
{
	static const char *const rows[][2] = {
		{ "/usr/lib/libc.so.6", "libc.so.6" },
		{ "[kernel.kallsyms]", "[kernel.kallsyms]" },
		{ "plain", "plain" },
		{ "/ends/", "/ends/" },
		{ "", "-" },
	};
	struct profile *p = profile_new();
	size_t i;

	assert_string_equal(profile_module(p, 0), "-");
	for (i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(profile_module(p, new_mapping(p, rows[i][0])), rows[i][1]);
	profile_free(p);
}

static void test_special(void **state)
{
	struct profile *p = profile_new();
	uint32_t a = profile_special_frame(p, "[truncated: fault]"), b;
	char buf[64];

	assert_int_equal(profile_special_frame(p, "[truncated: fault]"), a);
	b = profile_special_frame(p, "[exec]");
	assert_int_not_equal(a, b);
	assert_string_equal(profile_frame_name(p, a, 0, buf, sizeof(buf)), "[truncated: fault]");
	assert_int_equal(p->frames[a].mapping, p->frames[b].mapping);
	assert_int_equal(p->mappings[p->frames[a].mapping].kind, MAPPING_SPECIAL);
	assert_string_equal(profile_module(p, p->frames[a].mapping), "-");
	profile_free(p);
}

/*
 * Two segments as a linker lays them out: file 0x1000.. at 0x401000, and
 * 0x2e00.. at 0x403e00. The frames' addresses are file offsets at first.
 */
static void test_move(void **state)
{
	static const struct segment seg[2] = { { 0x1000, 0x800, 0x401000 },
					       { 0x2e00, 0x300, 0x403e00 } };
	static const uint64_t rows[][2] = {
		{ 0x1000, 0x401000 }, { 0x17ff, 0x4017ff }, { 0x1800, 0x401800 },
		{ 0x2e00, 0x403e00 }, { 0x30ff, 0x4040ff }, { 0x0500, 0x400500 },
	};
	struct profile *p = profile_new();
	uint32_t m = new_mapping(p, "/bin/a"), other = new_mapping(p, "/bin/b");
	const struct line l = { new_function(p, "f"), 1 };
	uint32_t id[ARRAY_LEN(rows)], kept = profile_frame(p, other, 0x1000), lines;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		id[i] = profile_frame(p, m, rows[i][0]);
	lines = profile_frame_lines(p, m, 0x1000, &l, 1);
	profile_name_frame(p, id[1], &l, 1);
	profile_move_mapping(p, m, seg, 2);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(p->frames[id[i]].address == rows[i][1]);
		assert_int_equal(profile_frame(p, m, rows[i][1]), id[i]);
	}
	assert_int_equal(profile_frame_lines(p, m, 0x401000, &l, 1), lines);
	assert_int_equal(profile_frame_lines(p, m, 0x4017ff, &l, 1), id[1]);
	assert_int_equal(profile_frame(p, other, 0x1000), kept);
	assert_true(p->mappings[m].start == 0x401000 && p->mappings[m].limit == 0x404100);
	assert_true(p->mappings[m].offset == 0x1000);
	assert_int_equal(profile_mapping(p, &(struct mapping){ .file = p->mappings[m].file,
							       .start = 0x401000,
							       .limit = 0x404100,
							       .offset = 0x1000 }),
			 m);
	profile_native(p, 1);
	assert_int_equal(profile_check(p), 0);
	profile_move_mapping(p, m, NULL, 0);
	assert_true(p->frames[id[0]].address == 0x401000);
	profile_free(p);
}

/* Parts that touch in the file and are apart in memory: an end belongs to the next one. */
static void test_move_across_a_seam(void **state)
{
	static const struct segment seg[2] = { { 0x1000, 0x1000, 0x1000 },
					       { 0x2000, 0x1000, 0x9000 } };
	struct profile *p = profile_new();
	uint32_t m = new_mapping(p, "/bin/a");
	uint32_t low = profile_frame(p, m, 0x1fff), high = profile_frame(p, m, 0x2000);
	uint32_t beyond = profile_frame(p, m, 0x3000);

	profile_move_mapping(p, m, seg, 2);
	assert_true(p->frames[low].address == 0x1fff && p->frames[high].address == 0x9000);
	assert_true(p->frames[beyond].address == 0x3000);
	assert_true(p->mappings[m].start == 0x1000 && p->mappings[m].offset == 0x1000);
	assert_true(p->mappings[m].limit == 0xa000);
	profile_free(p);
}

/* Each frame moves to where its neighbour was a moment ago. */
static void test_move_by_one(void **state)
{
	static const struct segment seg = { 0, UINT64_MAX, 1 };
	struct profile *p = profile_new();
	uint32_t m = new_mapping(p, "/bin/a"), i, id[500];

	for (i = 0; i < 500; i++)
		id[i] = profile_frame(p, m, i);
	profile_move_mapping(p, m, &seg, 1);
	for (i = 0; i < 500; i++)
		assert_int_equal(profile_frame(p, m, i + 1), id[i]);
	assert_int_equal(p->nr_frames, 501);
	assert_int_equal(p->frame_index.used, 500);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_address),  cmocka_unit_test(test_by_lines),
		cmocka_unit_test(test_named_later), cmocka_unit_test(test_names),
		cmocka_unit_test(test_modules),	    cmocka_unit_test(test_special),
		cmocka_unit_test(test_move),	    cmocka_unit_test(test_move_across_a_seam),
		cmocka_unit_test(test_move_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
