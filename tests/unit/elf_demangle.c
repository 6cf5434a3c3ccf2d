/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "elf/demangle.h"

static void check(const char *name, const char *want)
{
	char out[DEMANGLE_MAX_OUT];

	assert_int_equal(demangle(name, out), 1);
	assert_string_equal(out, want);
}

static void test_cxx(void **state)
{
	check("_Z3addii", "add(int, int)");
	check("_ZN3foo3barEPKc", "foo::bar(char const*)");
	check("_ZNSt6vectorIiSaIiEE9push_backEOi",
	      "std::vector<int, std::allocator<int> >::push_back(int&&)");
	check("_Z4workv.cold", "work() [clone .cold]");
}

static void test_rust(void **state)
{
	check("_ZN4core3fmt5Write9write_str17h0123456789abcdefE", "core::fmt::Write::write_str");
	check("_RNvC7mycrate3foo", "mycrate::foo");
}

static void test_d(void **state)
{
	check("_D3std5stdio7writelnFAyaZv", "std.stdio.writeln(immutable(char)[])");
}

static void test_plain(void **state)
{
	static const char *const plain[] = { "",       "_",	     "main",	"__libc_start_main",
					     "_start", "_Z",	     "_Znope!", "_R",
					     "_D",     "_Dmain_not", "Z3addii" };
	char out[DEMANGLE_MAX_OUT];
	size_t i;

	for (i = 0; i < ARRAY_LEN(plain); i++)
		assert_int_equal(demangle(plain[i], out), 0);
}

/* P<int, int>, then P<that, that>, and so on: 34 doublings in 300 bytes. */
static void test_bomb(void **state)
{
	static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char name[512] = "_Z1f1PIiiE", out[DEMANGLE_MAX_OUT];
	uint64_t begun = clock_mono();
	size_t i, n;

	for (i = 0; i < 34; i++) {
		assert_int_equal(demangle(name, out), i < 7);
		n = strlen(name);
		snprintf(name + n, sizeof(name) - n, "S_IS%c_S%c_E", digit[i], digit[i]);
	}
	assert_true(clock_mono() - begun < NSEC_PER_SEC);
}

/* As deep as a name of 4 KiB can be. */
static void test_deep(void **state)
{
	char name[4096] = "_Z1f", out[DEMANGLE_MAX_OUT];

	memset(name + 4, 'P', sizeof(name) - 6);
	name[sizeof(name) - 2] = 'i';
	(void)demangle(name, out);
	memset(name + 4, 'F', sizeof(name) - 6);
	(void)demangle(name, out);
	strcpy(name, "_R");
	memset(name + 2, 'R', sizeof(name) - 3);
	(void)demangle(name, out);
	strcpy(name, "_D1aF");
	memset(name + 5, 'P', sizeof(name) - 6);
	(void)demangle(name, out);
	/* the same walk still works after one was left by a jump */
	check("_Z3addii", "add(int, int)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cxx),  cmocka_unit_test(test_rust),
		cmocka_unit_test(test_d),    cmocka_unit_test(test_plain),
		cmocka_unit_test(test_bomb), cmocka_unit_test(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
