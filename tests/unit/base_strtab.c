/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strtab.h"

static void test_interns(void **state)
{
	struct strtab st;
	uint32_t a, b;

	strtab_init(&st);
	assert_int_equal(strtab_adds(&st, ""), 0);
	a = strtab_adds(&st, "main");
	b = strtab_add(&st, "main_loop", 4);
	assert_int_equal(a, b);
	assert_int_equal(strtab_add(&st, "main\0x", 6), a);
	assert_int_not_equal(strtab_adds(&st, "mai"), a);
	assert_string_equal(strtab_get(&st, a), "main");
	assert_int_equal(strtab_find(&st, "main"), a);
	assert_int_equal(strtab_find(&st, "never"), INDEX_NONE);
	assert_string_equal(strtab_get(&st, 12345), "");
	assert_int_equal(strtab_add(&st, NULL, 0), 0);
	assert_int_equal(strtab_add(&st, "\0x", 2), 0);
	assert_int_equal(strtab_find(&st, ""), 0);
	strtab_done(&st);
}

static void test_many_stay_where_they_are(void **state)
{
	enum { NR = 30000 };
	const char **first = xcalloc(NR, sizeof(*first));
	struct strtab st;
	char name[64];
	uint32_t i;

	strtab_init(&st);
	for (i = 0; i < NR; i++) {
		snprintf(name, sizeof(name), "function_%u", i);
		assert_int_equal(strtab_adds(&st, name), i + 1);
		first[i] = strtab_get(&st, i + 1);
	}
	for (i = 0; i < NR; i++) {
		snprintf(name, sizeof(name), "function_%u", i);
		assert_int_equal(strtab_adds(&st, name), i + 1);
		assert_ptr_equal(strtab_get(&st, i + 1), first[i]);
		assert_string_equal(first[i], name);
	}
	assert_int_equal(st.n, NR + 1);
	strtab_done(&st);
	free(first);
}

static void test_sizes_around_a_chunk(void **state)
{
	static const size_t sizes[] = { 8190, 8191, 8192, 8193, 65535, 65536, 200000 };
	autofree char *text = xmalloc(200001);
	struct strtab st;
	uint32_t id[ARRAY_LEN(sizes)];
	size_t i;

	memset(text, 'x', 200000);
	text[200000] = '\0';
	strtab_init(&st);
	for (i = 0; i < ARRAY_LEN(sizes); i++)
		id[i] = strtab_add(&st, text, sizes[i]);
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_int_equal(strlen(strtab_get(&st, id[i])), sizes[i]);
		assert_int_equal(strtab_add(&st, text, sizes[i]), id[i]);
	}
	strtab_done(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interns),
		cmocka_unit_test(test_many_stay_where_they_are),
		cmocka_unit_test(test_sizes_around_a_chunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
