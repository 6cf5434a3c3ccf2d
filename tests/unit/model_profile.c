/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/profile.h"

static void test_columns(void **state)
{
	struct profile *p = profile_new();
	int64_t values[PROFILE_MAX_COLUMNS] = { 1 };
	char name[2] = "A";
	int i;

	assert_int_equal(profile_column(p, "samples"), -1);
	assert_false(profile_is_native(p));
	for (i = 0; i < PROFILE_MAX_COLUMNS; i++, name[0]++)
		assert_int_equal(profile_add_column(p, name, "count"), 0);
	assert_int_equal(profile_column(p, "C"), 2);
	assert_int_equal(profile_add_column(p, "more", "count"), -E2BIG);
	profile_add(p, 0, 0, values);
	assert_int_equal(profile_add_column(p, "more", "count"), -EBUSY);
	profile_free(p);
	profile_free(NULL);
}

static void test_native(void **state)
{
	struct profile *p = profile_new();

	profile_native(p, 10101010);
	assert_true(profile_is_native(p));
	assert_int_equal(profile_column(p, "samples"), COL_SAMPLES);
	assert_int_equal(profile_column(p, "wait_var"), COL_WAIT_VAR);
	assert_int_equal(p->default_column, COL_CPU);
	assert_string_equal(profile_str(p, p->period_type.unit), "nanoseconds");
	assert_int_equal(profile_check(p), 0);
	p->column[COL_KEPT].unit = 0;
	assert_false(profile_is_native(p));
	profile_free(p);
}

/* Beyond its limit a profile keeps what it knows, and adds up. */
static void test_limit(void **state)
{
	struct profile *p = profile_new();
	struct label l = { .key = profile_strings(p, "tid") };
	int64_t value = 1, sum = 0, known = 0, overflow = 0;
	uint32_t first = 0, i;
	size_t s;

	assert_int_equal(profile_add_column(p, "samples", "count"), 0);
	profile_limit(p, 100);
	for (i = 0; i < 1000; i++) {
		uint32_t root = profile_push(p, 0, profile_frame(p, 0, 1 + i % 7)), stack;

		stack = profile_push(p, profile_push(p, root, profile_frame(p, 0, 100 + i)), profile_frame(p, 0, 1));
		first = i ? first : stack;
		l.num = 1 + i;
		profile_add(p, stack, profile_labels(p, &l, 1), &value);
		profile_add(p, first, 0, &value);
	}
	assert_int_equal(p->nr_stacks, 100);
	assert_true(p->nr_frames <= 100 && p->nr_label_sets <= 100 && p->nr_samples <= 101);
	assert_int_equal(profile_push(p, p->overflow, 1), p->overflow);
	assert_int_equal(profile_frame(p, 0, 100), p->stacks[p->stacks[first].parent].frame);
	for (s = 0; s < p->nr_samples; s++) {
		sum += *profile_values(p, s);
		known += p->samples[s].stack == first && !p->samples[s].labels ? *profile_values(p, s) : 0;
		overflow += p->samples[s].stack == p->overflow ? *profile_values(p, s) : 0;
	}
	assert_int_equal(sum, 2000);
	assert_int_equal(known, 1000);
	assert_true(overflow > 900 && overflow < 1000);
	assert_int_equal(profile_check(p), 0);
	profile_free(p);
}

/* Threads that are too many lose their names, not their stacks; and samples that are too many, both. */
static void test_limit_of_labels(void **state)
{
	struct profile *p = profile_new();
	struct label l = { .key = profile_strings(p, "tid") };
	int64_t value = 1, sum = 0;
	uint32_t stack, other, i;
	size_t s;

	assert_int_equal(profile_add_column(p, "samples", "count"), 0);
	profile_limit(p, 100);
	stack = profile_push(p, 0, profile_frame(p, 0, 1));
	other = profile_push(p, 0, profile_frame(p, 0, 2));
	for (i = 0; i < 1000; i++) {
		l.num = 1 + i;
		profile_add(p, stack, profile_labels(p, &l, 1), &value);
		profile_add(p, other, profile_labels(p, &l, 1), &value);
	}
	assert_int_equal(p->nr_label_sets, 100);
	assert_true(p->nr_samples <= 101);
	for (s = 0; s < p->nr_samples; s++)
		sum += *profile_values(p, s);
	assert_int_equal(sum, 2000);
	profile_free(p);
}

static void test_strings_are_cleaned(void **state)
{
	struct profile *p = profile_new();
	autofree char *longer = xmalloc(5000);
	uint32_t id;

	assert_string_equal(profile_str(p, profile_strings(p, "a\x1b[0m")), "a\xef\xbf\xbd[0m");
	assert_int_equal(profile_string(p, "mainly", 4), profile_strings(p, "main"));
	assert_int_equal(profile_strings(p, ""), 0);
	memset(longer, 1, 5000);
	id = profile_string(p, longer, 5000);
	assert_int_equal(strlen(profile_str(p, id)), 15000);
	profile_free(p);
}

static void test_mappings(void **state)
{
	struct profile *p = profile_new();
	struct mapping m = { .start = 1, .limit = 9, .file = profile_strings(p, "/bin/true") };
	uint32_t id = profile_mapping(p, &m);

	assert_int_equal(id, 1);
	m.has_functions = true; /* no part of what a mapping is */
	assert_int_equal(profile_mapping(p, &m), id);
	m.kind = MAPPING_ANON;
	assert_int_not_equal(profile_mapping(p, &m), id);
	m.kind = MAPPING_FILE;
	m.offset = 4096;
	assert_int_not_equal(profile_mapping(p, &m), id);
	m.offset = 0;
	m.build_id = profile_strings(p, "ab12");
	assert_int_not_equal(profile_mapping(p, &m), id);
	assert_int_equal(p->nr_mappings, 5);
	profile_free(p);
}

static void test_functions(void **state)
{
	struct profile *p = profile_new();
	struct function f = { .name = profile_strings(p, "f"), .start_line = 5 };
	uint32_t id = profile_function(p, &f);

	assert_int_equal(id, 1);
	assert_int_equal(profile_function(p, &f), id);
	f.start_line = -5;
	assert_int_equal(profile_function(p, &f), 2);
	f.system_name = f.name;
	assert_int_equal(profile_function(p, &f), 3);
	f.file = f.name;
	assert_int_equal(profile_function(p, &f), 4);
	profile_free(p);
}

static void test_stacks(void **state)
{
	struct profile *p = profile_new();
	uint32_t a = profile_frame(p, 0, 1), b = profile_frame(p, 0, 2);
	uint32_t sa = profile_push(p, 0, a), sab = profile_push(p, sa, b);

	assert_int_equal(profile_push(p, 0, a), sa);
	assert_int_equal(profile_push(p, sa, b), sab);
	assert_int_not_equal(profile_push(p, 0, b), sab);
	assert_int_equal(p->stacks[sab].depth, 2);
	assert_int_equal(p->stacks[sab].parent, sa);
	assert_int_equal(p->stacks[0].depth, 0);
	profile_free(p);
}

static void test_labels(void **state)
{
	struct profile *p = profile_new();
	struct label l[2] = {
		{ .key = profile_strings(p, "pid"), .num = 7 },
		{ .key = profile_strings(p, "comm"), .str = profile_strings(p, "sh") },
	};
	struct label turned[2] = { l[1], l[0] };
	uint32_t id = profile_labels(p, l, 2);

	assert_int_equal(profile_labels(p, NULL, 0), 0);
	assert_int_equal(id, 1);
	assert_int_equal(profile_labels(p, l, 2), id);
	assert_int_equal(profile_labels(p, turned, 2), 2);
	assert_int_equal(profile_labels(p, l, 1), 3);
	l[0].num = 8;
	assert_int_equal(profile_labels(p, l, 2), 4);
	l[0].num_unit = l[1].str;
	assert_int_equal(profile_labels(p, l, 2), 5);
	assert_true(profile_label(p, id, "pid")->num == 7);
	assert_string_equal(profile_str(p, profile_label(p, id, "comm")->str), "sh");
	assert_null(profile_label(p, id, "tid"));
	assert_null(profile_label(p, 3, "comm"));
	assert_null(profile_label(p, 0, "pid"));
	profile_free(p);
}

static void test_equal_samples_meet(void **state)
{
	struct profile *p = profile_new();
	struct label l = { .key = profile_strings(p, "pid"), .num = 7 };
	uint32_t stack = profile_push(p, 0, profile_frame(p, 0, 1));
	uint32_t set = profile_labels(p, &l, 1);
	const int64_t values[2] = { 1, 10 };

	assert_int_equal(profile_add_column(p, "samples", "count"), 0);
	assert_int_equal(profile_add_column(p, "cpu", "nanoseconds"), 0);
	profile_add(p, stack, 0, values);
	profile_add(p, stack, set, values);
	profile_add(p, 0, set, values);
	profile_add(p, stack, 0, values);
	assert_int_equal(p->nr_samples, 3);
	assert_true(profile_values(p, 0)[0] == 2 && profile_values(p, 0)[1] == 20);
	assert_true(profile_values(p, 1)[0] == 1 && profile_values(p, 2)[1] == 10);
	assert_int_equal(profile_check(p), 0);
	profile_free(p);
}

static void test_sums_do_not_wrap(void **state)
{
	struct profile *p = profile_new();
	const int64_t up = INT64_MAX - 5, down = -10;

	assert_int_equal(profile_add_column(p, "n", "count"), 0);
	profile_add(p, 0, 0, &up);
	profile_add(p, 0, 0, &up);
	assert_true(profile_values(p, 0)[0] == INT64_MAX);
	profile_add(p, 0, 0, &down);
	assert_true(profile_values(p, 0)[0] == INT64_MAX - 10);
	profile_free(p);
}

/* Random stacks, and each one read back is the one that was put in. */
static void test_many_stacks(void **state)
{
	enum { NR = 20000, DEPTH = 12 };
	struct profile *p = profile_new();
	const int64_t one = 1;
	uint32_t *leaf = xcalloc(NR, sizeof(*leaf)), at;
	int64_t sum = 0;
	unsigned int i, j;
	size_t k;

	assert_int_equal(profile_add_column(p, "n", "count"), 0);
	for (i = 0; i < NR; i++) {
		srandom(i % (NR / 2)); /* each twice */
		for (j = 0; j < DEPTH; j++)
			leaf[i] = profile_push(
				p, leaf[i], profile_frame(p, 0, (uint64_t)random() % 50 + j * 100));
		profile_add(p, leaf[i], 0, &one);
	}
	for (i = 0; i < NR; i++) {
		uint64_t want[DEPTH];

		srandom(i % (NR / 2));
		for (j = 0; j < DEPTH; j++)
			want[j] = (uint64_t)random() % 50 + j * 100;
		for (at = leaf[i], j = DEPTH; j-- > 0; at = p->stacks[at].parent)
			assert_true(p->frames[p->stacks[at].frame].address == want[j]);
		assert_int_equal(at, 0);
	}
	for (k = 0; k < p->nr_samples; k++)
		sum += profile_values(p, k)[0];
	assert_int_equal(sum, NR);
	assert_in_range(p->nr_samples, NR / 2 - 10, NR / 2);
	assert_int_equal(profile_check(p), 0);
	free(leaf);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_native),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_of_labels),
		cmocka_unit_test(test_strings_are_cleaned),
		cmocka_unit_test(test_mappings),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_equal_samples_meet),
		cmocka_unit_test(test_sums_do_not_wrap),
		cmocka_unit_test(test_many_stacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
