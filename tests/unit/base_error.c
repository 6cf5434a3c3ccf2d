/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

static void test_texts(void **state)
{
	errno = EPIPE;
	assert_int_equal(fail(-ENOENT, "open %s", "x"), -ENOENT);
	assert_string_equal(error_text(), "open x: No such file or directory");
	assert_int_equal(errno, EPIPE);
	assert_int_equal(fail_plain(-EINVAL, "%d is odd", 3), -EINVAL);
	assert_string_equal(error_text(), "3 is odd");
	assert_int_equal(fail_in(-EINVAL, "file %s", "a.gz"), -EINVAL);
	assert_string_equal(error_text(), "file a.gz: 3 is odd");
	error_clear();
	assert_string_equal(error_text(), "");
	assert_int_equal(fail_in(-EIO, "alone"), -EIO);
	assert_string_equal(error_text(), "alone");
}

static void test_own_text_as_argument(void **state)
{
	assert_int_equal(fail_plain(-EIO, "inner"), -EIO);
	assert_int_equal(fail_plain(-EIO, "outer (%s)", error_text()), -EIO);
	assert_string_equal(error_text(), "outer (inner)");
}

static void test_long_text_is_cut(void **state)
{
	char longer[5000];

	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(fail(-EIO, "%s", longer), -EIO);
	assert_int_equal(strlen(error_text()), strspn(error_text(), "a"));
	assert_in_range(strlen(error_text()), 500, 4000);
	assert_int_equal(fail_in(-EIO, "%s", "context"), -EIO);
	assert_int_equal(strncmp(error_text(), "context: aaa", 12), 0);
}

static void *other_thread(void *arg)
{
	int empty = !*error_text();

	return fail_plain(-EIO, "theirs") && empty ? arg : NULL;
}

static void test_text_is_the_threads_own(void **state)
{
	pthread_t thread;
	int mark;
	void *ret;

	assert_int_equal(fail_plain(-EIO, "mine"), -EIO);
	assert_int_equal(pthread_create(&thread, NULL, other_thread, &mark), 0);
	assert_int_equal(pthread_join(thread, &ret), 0);
	assert_ptr_equal(ret, &mark);
	assert_string_equal(error_text(), "mine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_own_text_as_argument),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_text_is_the_threads_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
