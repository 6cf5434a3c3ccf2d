/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>

#include "format/format.h"
#include "profile_text.h"

static void expect_folded(const struct profile *p, struct hotspot_query q, enum folded_unit unit,
			  const char *text)
{
	struct buf out = { 0 };

	folded_print(p, &q, unit, &out);
	assert_string_equal(buf_text(&out), text);
	buf_done(&out);
}

static uint32_t stack_of(struct profile *p, uint32_t m, const char *const *names)
{
	uint32_t s = 0;

	for (uint64_t i = 0; names[i]; i++)
		s = profile_push(p, s, a_frame(p, m, i + p->nr_frames, names[i]));
	return s;
}

#define STACK(p, m, ...) stack_of(p, m, (const char *const[]){ __VA_ARGS__, NULL })

/* Equal names at other addresses are one line; lines are in the order of their bytes. */
static void test_merged_and_sorted(void **state)
{
	struct profile *p = profile_new();
	uint32_t exe, kernel, srv;

	profile_native(p, 1);
	exe = a_mapping(p, MAPPING_FILE, "/bin/srv", 0);
	kernel = a_mapping(p, MAPPING_KERNEL, "[kernel.kallsyms]", 0);
	srv = a_label_set(p, "srv", 1);
	a_sample(p, STACK(p, exe, "main", "b"), srv, 1);
	a_sample(p, STACK(p, exe, "main", "b", "c"), srv, 2);
	a_sample(p, STACK(p, exe, "main", "b"), a_label_set(p, "srv", 2), 4);
	a_sample(p, STACK(p, exe, "main", "b b", "c"), srv, 8);
	a_sample(p, STACK(p, exe, "main", "b<int>"), srv, 16);
	a_sample(p, STACK(p, exe, "main", "a"), srv, 32);
	a_sample(p, STACK(p, exe, "main", "a", "z"), srv, 0);
	a_sample(p, profile_push(p, STACK(p, exe, "main"), profile_frame(p, exe, 0x1f)), srv, 64);
	a_sample(p, profile_push(p, STACK(p, exe, "main"), a_frame(p, kernel, 9, "read")), srv, 128);
	a_sample(p, STACK(p, exe, "main"), a_label_set(p, "a;b\nc", 3), 256);
	a_sample(p, 0, 0, 512);
	expect_folded(p, (struct hotspot_query){ 0 }, FOLDED_SAMPLES,
		      "[no stack] 512\n"
		      "a:b\xef\xbf\xbd" "c;main 256\n"
		      "srv;main;a 32\n"
		      "srv;main;b 5\n"
		      "srv;main;b b;c 8\n"
		      "srv;main;b;c 2\n"
		      "srv;main;b<int> 16\n"
		      "srv;main;read_[k] 128\n"
		      "srv;main;srv+0x1f 64\n");
	profile_free(p);
}

static void test_units_and_filter(void **state)
{
	struct profile *p = profile_new();
	regex_t re;
	uint32_t exe;

	profile_native(p, 1);
	exe = a_mapping(p, MAPPING_FILE, "/bin/srv", 0);
	a_sample(p, STACK(p, exe, "main", "keep"), 0, 3);
	a_sample(p, STACK(p, exe, "main", "drop"), 0, 1);
	assert_int_equal(regcomp(&re, "^keep$", REG_NOSUB), 0);
	expect_folded(p, (struct hotspot_query){ .focus = &re }, FOLDED_NS, "main;keep 30000000\n");
	expect_folded(p, (struct hotspot_query){ .ignore = &re }, FOLDED_SAMPLES, "main;drop 1\n");
	regfree(&re);
	profile_free(p);
}

/* Inlined functions are frames of their own, the outer one first. */
static void test_inlined(void **state)
{
	struct profile *p = profile_new();
	struct line lines[] = {
		{ .function = a_function(p, "inner", "", 0) },
		{ .function = a_function(p, "outer", "", 0) },
	};

	profile_native(p, 1);
	a_sample(p, profile_push(p, 0, profile_frame_lines(p, 0, 1, lines, 2)), 0, 1);
	expect_folded(p, (struct hotspot_query){ 0 }, FOLDED_SAMPLES, "outer;inner 1\n");
	profile_free(p);
}

/* Waits in ns, and in numbers; both together only in ns. */
static void test_kinds(void **state)
{
	struct profile *p = profile_new();
	int64_t cpu[NATIVE_COLUMNS] = { [COL_SAMPLES] = 1, [COL_CPU] = 10 };
	int64_t off[NATIVE_COLUMNS] = { [COL_WAITS] = 3, [COL_BLOCKED] = 20, [COL_RUNQUEUE] = 7, [COL_KEPT] = 1 };
	struct hotspot_query q = { .kind = KIND_OFF };
	uint32_t exe, srv;

	profile_native(p, 10);
	exe = a_mapping(p, MAPPING_FILE, "/bin/srv", 0);
	srv = a_label_set(p, "srv", 1);
	profile_add(p, STACK(p, exe, "main", "spin"), srv, cpu);
	profile_add(p, STACK(p, exe, "main", "wait"), srv, off);
	expect_folded(p, q, FOLDED_NS, "srv;main;wait 27\n");
	expect_folded(p, q, FOLDED_SAMPLES, "srv;main;wait 3\n");
	q.kind = KIND_ALL;
	expect_folded(p, q, FOLDED_NS, "srv;main;spin 10\nsrv;main;wait 27\n");
	q.kind = KIND_CPU;
	expect_folded(p, q, FOLDED_NS, "srv;main;spin 10\n");
	expect_folded(p, q, FOLDED_SAMPLES, "srv;main;spin 1\n");
	profile_free(p);
}

static void test_columns(void **state)
{
	struct profile *p = profile_new();
	int64_t values[2] = { 7, 1000 };

	assert_int_equal(profile_add_column(p, "inuse_space", "bytes"), 0);
	assert_int_equal(folded_column(p, FOLDED_SAMPLES), -1);
	assert_int_equal(folded_column(p, FOLDED_NS), -1);
	expect_folded(p, (struct hotspot_query){ 0 }, FOLDED_NS, "");
	assert_int_equal(profile_add_column(p, "delay", "nanoseconds"), 0);
	assert_int_equal(folded_column(p, FOLDED_NS), 1);
	profile_add(p, 0, 0, values);
	expect_folded(p, (struct hotspot_query){ 0 }, FOLDED_NS, "[no stack] 1000\n");
	profile_free(p);
	p = profile_new();
	profile_native(p, 1);
	assert_int_equal(folded_column(p, FOLDED_SAMPLES), COL_SAMPLES);
	assert_int_equal(folded_column(p, FOLDED_NS), COL_CPU);
	profile_free(p);
}

/* What a difference of profiles has left of a stack may be nothing, also of whole branches. */
static void test_counts_that_cancel(void **state)
{
	struct profile *p = profile_new();
	uint32_t exe;

	profile_native(p, 1);
	exe = a_mapping(p, MAPPING_FILE, "/bin/srv", 0);
	a_sample(p, STACK(p, exe, "gone", "deep", "deeper"), 0, 3);
	a_sample(p, STACK(p, exe, "gone", "deep", "deeper"), 0, -3);
	expect_folded(p, (struct hotspot_query){ 0 }, FOLDED_SAMPLES, "");
	a_sample(p, STACK(p, exe, "less"), 0, -2);
	expect_folded(p, (struct hotspot_query){ 0 }, FOLDED_SAMPLES, "less -2\n");
	profile_free(p);
}

static void test_deepest(void **state)
{
	struct profile *p = profile_new();
	struct buf out = { 0 };
	uint32_t s = 0;

	profile_native(p, 1);
	for (uint32_t i = 0; i < PROFILE_MAX_DEPTH; i++)
		s = profile_push(p, s, a_frame(p, 0, i % 3 + 1, "f"));
	a_sample(p, s, 0, 1);
	folded_print(p, &(struct hotspot_query){ 0 }, FOLDED_SAMPLES, &out);
	assert_int_equal(out.len, PROFILE_MAX_DEPTH * 2 + 2);
	buf_done(&out);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merged_and_sorted),
		cmocka_unit_test(test_units_and_filter),
		cmocka_unit_test(test_inlined),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_counts_that_cancel),
		cmocka_unit_test(test_deepest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
