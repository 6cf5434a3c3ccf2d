/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/kernel.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "unit.h"

static void test_is_the_releases_beginning(void **state)
{
	unsigned int version = kernel_version();
	char text[32];
	struct utsname u;

	assert_int_equal(uname(&u), 0);
	snprintf(text, sizeof(text), "%u.%u", version >> 8, version & 255);
	assert_int_equal(strncmp(u.release, text, strlen(text)), 0);
	assert_int_equal(strspn(u.release + strlen(text), "0123456789"), 0);
}

static void test_versions_are_ordered(void **state)
{
	assert_true(KERNEL_VERSION_OF(5, 9) < KERNEL_VERSION_OF(5, 10));
	assert_true(KERNEL_VERSION_OF(5, 255) < KERNEL_VERSION_OF(6, 0));
}

/* From 5.11 on there is no such limit. */
static void test_locked_memory(void **state)
{
	unsigned long long kib = 7;
	bool locks = kernel_locks_bpf(&kib);

	if (kernel_version() >= KERNEL_VERSION_OF(5, 11))
		assert_false(locks);
	if (!locks)
		assert_int_equal(kib, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_the_releases_beginning),
		cmocka_unit_test(test_versions_are_ordered),
		cmocka_unit_test(test_locked_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
