/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "model/profile.h"

/* A profile with something in every table: 3 ticks, main -> work, and one without a stack. */
static struct profile *make(void)
{
	struct profile *p = profile_new();
	struct mapping m = { .start = 0x1000, .limit = 0x2000, .file = profile_strings(p, "/a") };
	struct function f = { .name = profile_strings(p, "main") };
	struct line line = { .function = profile_function(p, &f), .line = 5 };
	struct label label = { .key = profile_strings(p, "pid"), .num = 7 };
	int64_t values[NATIVE_COLUMNS] = { 1, 100 };
	uint32_t mapping = profile_mapping(p, &m), stack, set = profile_labels(p, &label, 1);

	profile_native(p, 100);
	stack = profile_push(p, 0, profile_frame_lines(p, mapping, 0x1000, &line, 1));
	stack = profile_push(p, stack, profile_frame(p, mapping, 0x1800));
	profile_add(p, stack, set, values);
	profile_add(p, stack, set, values);
	profile_add(p, 0, set, values);
	p->ledger = (struct ledger){ .present = true, .ticks = 10, .counted = 3, .idle = 7 };
	grow(&p->comments, &p->cap_comments, 1, sizeof(*p->comments));
	p->comments[p->nr_comments++] = profile_strings(p, "a comment");
	return p;
}

#define BREAK(what, where)                                                        \
	do {                                                                      \
		struct profile *p = make();                                       \
		assert_int_equal(profile_check(p), 0);                            \
		error_clear();                                                    \
		what;                                                             \
		assert_int_equal(profile_check(p), -EINVAL);                      \
		assert_int_equal(strncmp(error_text(), where, strlen(where)), 0); \
		profile_free(p);                                                  \
	} while (0)

static void test_tables(void **state)
{
	BREAK(p->nr_columns = 0, "profile: 0 value columns");
	BREAK(p->nr_columns = PROFILE_MAX_COLUMNS + 1, "profile: 33 value columns");
	BREAK(p->default_column = NATIVE_COLUMNS, "profile: default column 7");
	BREAK(p->column[2].type = 9999, "profile: column 2");
	BREAK(p->column[6].unit = 9999, "profile: column 6");
	BREAK(p->period_type.type = 9999, "profile: header");
	BREAK(p->doc_url = 9999, "profile: header");
	BREAK(p->comments[0] = 9999, "profile: comment 0");
	BREAK(p->mappings[1].file = 9999, "profile: mapping 1");
	BREAK(p->mappings[1].build_id = 9999, "profile: mapping 1");
	BREAK(p->mappings[1].unnamed = 9999, "profile: mapping 1");
	BREAK(p->mappings[1].kind = MAPPING_SPECIAL + 1, "profile: mapping 1");
	BREAK(p->mappings[1].limit = 0xfff, "profile: mapping 1: ends before it begins");
	BREAK(p->nr_mappings = 0, "profile: mapping 0");
	BREAK(p->functions[1].name = 9999, "profile: function 1");
	BREAK(p->functions[1].system_name = 9999, "profile: function 1");
	BREAK(p->functions[1].file = 9999, "profile: function 1");
	BREAK(p->nr_functions = 0, "profile: function 0");
}

static void test_frames_and_stacks(void **state)
{
	BREAK(p->lines[0].function = 2, "profile: line 0");
	BREAK(p->lines[0].function = 0, "profile: line 0");
	BREAK(p->frames[1].mapping = 2, "profile: frame 1");
	BREAK(p->frames[1].nr_lines = 2, "profile: frame 1: lines");
	BREAK(p->frames[1].nr_lines = UINT32_MAX, "profile: frame 1: lines");
	BREAK((p->frames[1].first_line = 1, p->frames[1].nr_lines = UINT32_MAX),
	      "profile: frame 1: lines");
	BREAK(p->frames[2].first_line = 2, "profile: frame 2: lines");
	BREAK(p->nr_frames = 0, "profile: frame 0");
	BREAK(p->nr_frames = 2, "profile: stack 2: a frame");
	BREAK(p->stacks[2].parent = 2, "profile: stack 2: its parent");
	BREAK(p->stacks[1].parent = 2, "profile: stack 1: its parent");
	BREAK(p->stacks[1].parent = UINT32_MAX, "profile: stack 1: its parent");
	BREAK(p->stacks[2].frame = 0, "profile: stack 2: a frame");
	BREAK(p->stacks[2].frame = 3, "profile: stack 2: a frame");
	BREAK(p->stacks[2].depth = 1, "profile: stack 2: wrong depth");
	BREAK(p->stacks[0].depth = 1, "profile: stack 0");
	BREAK(p->stacks[0].frame = 1, "profile: stack 0");
	BREAK(p->nr_stacks = 0, "profile: stack 0");
}

static void test_labels_and_samples(void **state)
{
	BREAK(p->label_pool[0].key = 9999, "profile: label 0");
	BREAK(p->label_pool[0].str = 9999, "profile: label 0");
	BREAK(p->label_pool[0].num_unit = 9999, "profile: label 0");
	BREAK(p->label_sets[0].nr = 1, "profile: label set 0");
	BREAK(p->label_sets[1].nr = 2, "profile: label set 1");
	BREAK(p->label_sets[1].first = 1, "profile: label set 1");
	BREAK(p->label_sets[1].first = 9, "profile: label set 1");
	BREAK(p->nr_label_sets = 0, "profile: label set 0");
	BREAK(p->samples[0].stack = 3, "profile: sample 0: a stack");
	BREAK(p->samples[1].labels = 2, "profile: sample 1: a label set");
	BREAK(p->nr_samples = p->cap_values / NATIVE_COLUMNS + 1, "profile: samples");
}

static void test_ledger(void **state)
{
	BREAK(p->ledger.idle = 8, "ledger does not close: 10 ticks");
	BREAK((p->ledger.counted = 4, p->ledger.idle = 6),
	      "profile: the ledger counted 4 ticks, the samples are 3");
	BREAK(profile_values(p, 0)[COL_SAMPLES] = 1, "profile: the ledger counted 3");
	BREAK(profile_values(p, 0)[COL_SAMPLES] = -1, "profile: sample 0: a negative count");
	BREAK(p->column[COL_SAMPLES].type = 0, "profile: a ledger, but no column of samples");
}

static void test_no_ledger_no_matter(void **state)
{
	struct profile *p = make();

	p->ledger = (struct ledger){ .ticks = 5 };
	assert_int_equal(profile_check(p), 0);
	profile_free(p);
}

static void test_deepest_stack(void **state)
{
	struct profile *p = profile_new();
	uint32_t stack = 0, i, frame = profile_frame(p, 0, 1);

	profile_native(p, 1);
	for (i = 0; i < PROFILE_MAX_DEPTH; i++)
		stack = profile_push(p, stack, frame);
	assert_int_equal(profile_check(p), 0);
	profile_push(p, stack, frame);
	assert_int_equal(profile_check(p), -EINVAL);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_frames_and_stacks),
		cmocka_unit_test(test_labels_and_samples),
		cmocka_unit_test(test_ledger),
		cmocka_unit_test(test_no_ledger_no_matter),
		cmocka_unit_test(test_deepest_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
