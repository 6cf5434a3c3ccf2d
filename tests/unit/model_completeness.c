/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "unit.h"

#include "base/alloc.h"
#include "model/completeness.h"

static struct profile *new_profile(void)
{
	struct profile *p = profile_new();

	profile_native(p, 10);
	return p;
}

/* A frame of a file, or with kind MAPPING_KERNEL of the kernel. */
static uint32_t code(struct profile *p, const char *file, uint8_t kind, uint64_t address)
{
	struct mapping m = { .file = profile_strings(p, file), .kind = kind };

	return profile_frame(p, profile_mapping(p, &m), address);
}

static void add(struct profile *p, const uint32_t *frames, uint32_t nr, int64_t n)
{
	int64_t values[NATIVE_COLUMNS] = { [COL_SAMPLES] = n, [COL_CPU] = n * 10 };
	uint32_t stack = 0, i;

	for (i = 0; i < nr; i++)
		stack = profile_push(p, stack, frames[i]);
	profile_add(p, stack, 0, values);
}

static void every_stack_with_a_user_part_counts_once(void **state)
{
	struct profile *p = new_profile();
	uint32_t a = code(p, "/bin/a", MAPPING_FILE, 1), lib = code(p, "/lib/b.so", MAPPING_FILE, 2);
	uint32_t kernel = code(p, "[kernel.kallsyms]", MAPPING_KERNEL, 3);
	uint32_t gap = profile_special_frame(p, "[truncated: no unwind data]");
	uint32_t deep = profile_special_frame(p, "[truncated: too deep]");
	struct completeness c;
	char buf[COMPLETENESS_MAX_NAME];

	add(p, (uint32_t[]){ a, lib, kernel }, 3, 90);
	add(p, (uint32_t[]){ gap, lib, a, lib }, 4, 4);
	add(p, (uint32_t[]){ deep, a }, 2, 1);
	add(p, (uint32_t[]){ profile_special_frame(p, "[guessed]"), a }, 2, 2);
	add(p, (uint32_t[]){ profile_special_frame(p, "[exec]"), kernel }, 2, 3);
	add(p, (uint32_t[]){ kernel }, 1, 50);
	add(p, NULL, 0, 7);
	completeness_find(p, &c);
	assert_int_equal(c.samples, 100);
	assert_int_equal(c.complete, 90);
	assert_int_equal(c.truncated, 5);
	assert_int_equal(c.guessed, 2);
	assert_int_equal(c.between, 3);
	assert_int_equal(c.nr_reasons, 2);
	assert_int_equal(c.reason[0].samples, 4);
	assert_string_equal(completeness_reason_text(p, c.reason[0].name, buf),
			    "no unwind data");
	assert_string_equal(completeness_reason_text(p, c.reason[1].name, buf), "too deep");
	/* cut off in b.so, whose frame is next to the mark; a sample that runs twice through it counts once */
	assert_int_equal(c.nr_modules, 2);
	assert_string_equal(profile_module(p, c.module[0].mapping), "b.so");
	assert_int_equal(c.module[0].stopped, 4);
	assert_int_equal(c.module[0].through, 94);
	assert_string_equal(profile_module(p, c.module[1].mapping), "a");
	assert_int_equal(c.module[1].stopped, 1);
	assert_int_equal(c.module[1].through, 97);
	completeness_done(&c);
	profile_free(p);
}

/* Of a file from elsewhere: what only begins like a reason is none. */
static void a_reason_is_short_closed_ascii(void **state)
{
	static const char *const other[] = { "[truncated: fault", "[truncated: ]", "[truncated: \xef\xbf\xbd]",
					     "[truncated: a\nb]" };
	struct profile *p = new_profile();
	char name[300] = "[truncated: ";
	struct completeness c;
	size_t i;

	for (i = 0; i < sizeof(other) / sizeof(*other); i++)
		add(p, (uint32_t[]){ profile_special_frame(p, other[i]) }, 1, 1);
	memset(name + strlen(name), 'x', 200);
	strcat(name, "]");
	add(p, (uint32_t[]){ profile_special_frame(p, name) }, 1, 1);
	completeness_find(p, &c);
	assert_int_equal(c.samples, 0);
	assert_int_equal(c.nr_reasons, 0);
	completeness_done(&c);
	profile_free(p);
}

static void what_has_no_samples_gives_no_reason(void **state)
{
	struct profile *p = new_profile();
	uint32_t gap = profile_special_frame(p, "[truncated: no unwind data]");
	struct completeness c;

	add(p, (uint32_t[]){ gap, code(p, "/bin/a", MAPPING_FILE, 1) }, 2, 0);
	completeness_find(p, &c);
	assert_int_equal(c.nr_reasons, 0);
	assert_int_equal(c.nr_modules, 0);
	completeness_done(&c);
	profile_free(p);
}

static void nothing_to_count_is_nothing(void **state)
{
	struct profile *p = profile_new();
	struct completeness c;

	assert_int_equal(profile_add_column(p, "inuse_space", "bytes"), 0);
	completeness_find(p, &c);
	assert_int_equal(c.samples, 0);
	assert_int_equal(c.nr_modules, 0);
	completeness_done(&c);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_stack_with_a_user_part_counts_once),
		cmocka_unit_test(a_reason_is_short_closed_ascii),
		cmocka_unit_test(what_has_no_samples_gives_no_reason),
		cmocka_unit_test(nothing_to_count_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
