/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "proc/maps.h"

static int parse(const char *text, struct exec_map **out, size_t *nr, char **copy)
{
	*copy = xstrdup(text);
	return maps_parse(*copy, out, nr);
}

static void executable_lines_only(void **state)
{
	autofree struct exec_map *m = NULL;
	autofree char *copy = NULL;
	size_t n = 0;

	assert_int_equal(parse("1000-2000 r--p 00000000 fe:01 77    /bin/a b\n"
			       "2000-3000 r-xp 00001000 fe:01 77    /bin/a b\n"
			       "7000-8000 rwxp 00000000 00:00 0 \n"
			       "9000-a000 r-xp 00000000 00:00 0                  [vdso]\n",
			       &m, &n, &copy),
			 0);
	assert_int_equal(n, 3);
	assert_int_equal(m[0].start, 0x2000);
	assert_int_equal(m[0].end, 0x3000);
	assert_int_equal(m[0].offset, 0x1000);
	assert_int_equal(m[0].dev_major, 0xfe);
	assert_int_equal(m[0].dev_minor, 1);
	assert_int_equal(m[0].inode, 77);
	assert_string_equal(m[0].path, "/bin/a b");
	assert_string_equal(m[1].path, "");
	assert_int_equal(m[1].inode, 0);
	assert_string_equal(m[2].path, "[vdso]");
}

static void what_is_no_maps_line_is_refused(void **state)
{
	static const char *const bad[] = {
		"x\n",
		"1000-2000\n",
		"1000-2000 r-x\n",
		"1000-2000 r-xp zz fe:01 1 /a\n",
		"1000-2000 r-xp 0 fe 1 /a\n",
		"-1000-2000 r-xp 0 fe:01 1 /a\n",
		"1000-ffffffffffffffffff r-xp 0 fe:01 1 /a\n",
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		autofree struct exec_map *m = NULL;
		autofree char *copy = NULL;
		size_t n = 9;

		assert_int_equal(parse(bad[i], &m, &n, &copy), -EINVAL);
		assert_null(m);
		assert_int_equal(n, 9);
	}
}

static void no_more_than_the_limit(void **state)
{
	autofree struct exec_map *m = NULL;
	autofree char *text = NULL, *copy = NULL;
	size_t n = 0, i, len = 0, cap = (MAPS_MAX_ENTRIES + 10) * 64;

	text = xmalloc(cap);
	for (i = 0; i < MAPS_MAX_ENTRIES + 10; i++)
		len += (size_t)snprintf(text + len, cap - len, "%zx000-%zx000 r-xp 0 00:00 0\n", i + 1,
					i + 2);
	assert_int_equal(parse(text, &m, &n, &copy), 0);
	assert_int_equal(n, MAPS_MAX_ENTRIES);
}

static void own_maps_hold_own_code(void **state)
{
	autofree struct exec_map *m = NULL;
	autofree char *text = NULL;
	uintptr_t here = (uintptr_t)own_maps_hold_own_code;
	size_t n, i, hits = 0;

	assert_int_equal(maps_read(getpid(), &text, &m, &n), 0);
	for (i = 0; i < n; i++) {
		hits += m[i].start <= here && here < m[i].end;
		assert_true(!i || m[i - 1].end <= m[i].start);
	}
	assert_int_equal(hits, 1);
	assert_int_equal(maps_read(0x7ffffff0, &text, &m, &n), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(executable_lines_only),
		cmocka_unit_test(what_is_no_maps_line_is_refused),
		cmocka_unit_test(no_more_than_the_limit),
		cmocka_unit_test(own_maps_hold_own_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
