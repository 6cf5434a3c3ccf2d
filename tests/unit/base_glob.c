/* SPDX-License-Identifier: BSD-2-Clause */
/* Patterns for names: beside the C library's fnmatch(). */
#include "unit.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/glob.h"

static bool fits(const char *pattern, const char *name)
{
	struct glob g = { 0 };

	assert_int_equal(glob_add(&g, pattern, 15), 0);
	return glob_fits(&g, name, 16);
}

static void test_words(void **state)
{
	assert_true(fits("nginx", "nginx"));
	assert_false(fits("nginx", "nginx2"));
	assert_false(fits("nginx", "ngin"));
	assert_true(fits("nginx*", "nginx"));
	assert_true(fits("*worker*", "my-worker-1"));
	assert_true(fits("*", ""));
	assert_false(fits("?*", ""));
	assert_true(fits("t-[0-9]", "t-7"));
	assert_false(fits("t-[!0-9]", "t-7"));
	assert_true(fits("a\\*", "a*"));
	assert_false(fits("a\\*", "ab"));
	/* of 16 bytes without an end */
	assert_true(fits("*p", "abcdefghijklmnop"));
}

static void test_several(void **state)
{
	struct glob g = { 0 };

	assert_int_equal(glob_add(&g, "ab*", 15), 0);
	assert_int_equal(glob_add(&g, "c?", 15), 0);
	assert_true(glob_fits(&g, "abc", 3));
	assert_true(glob_fits(&g, "cx", 2));
	assert_false(glob_fits(&g, "c", 1));
	/* the end of one is not the beginning of the next */
	assert_false(glob_fits(&g, "abc?", 0));
	assert_false(glob_fits(&g, "xcx", 3));
}

static void test_refused(void **state)
{
	struct glob g = { 0 };
	int i;

	assert_int_equal(glob_add(&g, "", 15), -EINVAL);
	assert_int_equal(glob_add(&g, "[a", 15), -EINVAL);
	assert_int_equal(glob_add(&g, "0123456789abcdef", 15), -EINVAL);
	assert_int_equal(glob_add(&g, "*0123456789abcde", 15), 0);
	g = (struct glob){ 0 };
	for (i = 0; i < 4; i++)
		if (glob_add(&g, "0123456789abcde", 15))
			break;
	/* 16 states each, of 64 */
	assert_int_equal(i, 4);
	assert_int_equal(glob_add(&g, "x", 15), -EINVAL);
	assert_int_equal(glob_add(&g, "*", 15), -EINVAL);
}

/* No bracket of one that was not closed is an error; of fnmatch() it is a letter. */
static void test_fnmatch(void **state)
{
	static const char letters[] = "aab*?[]!-", name_letters[] = "abc-]!";
	char pattern[9], name[8];
	int i, k, tested = 0;

	srandom(1);
	for (i = 0; i < 200000; i++) {
		struct glob g = { 0 };
		int n = (int)(random() % 8) + 1, m = (int)(random() % 7);

		for (k = 0; k < n; k++)
			pattern[k] = letters[random() % (long)(sizeof(letters) - 1)];
		pattern[n] = '\0';
		for (k = 0; k < m; k++)
			name[k] = name_letters[random() % (long)(sizeof(name_letters) - 1)];
		name[m] = '\0';
		if (glob_add(&g, pattern, 15))
			continue;
		tested++;
		if (glob_fits(&g, name, sizeof(name)) != !fnmatch(pattern, name, 0))
			print_message("'%s' and '%s'\n", pattern, name);
		assert_int_equal(glob_fits(&g, name, sizeof(name)), !fnmatch(pattern, name, 0));
	}
	assert_true(tested > 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_fnmatch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
