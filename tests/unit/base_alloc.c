/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/alloc.h"

static void test_grow_keeps_and_doubles(void **state)
{
	uint32_t *a = NULL;
	size_t cap = 0, i, moves = 0, former;

	for (i = 0; i < 100000; i++) {
		former = cap;
		grow(&a, &cap, i + 1, sizeof(*a));
		moves += cap != former;
		assert_true(cap > i);
		a[i] = (uint32_t)i;
	}
	for (i = 0; i < 100000; i++)
		assert_int_equal(a[i], i);
	assert_in_range(moves, 5, 20);
	free(a);
}

static void test_nothing_is_something(void **state)
{
	autofree void *a = xmalloc(0), *b = xcalloc(0, 8), *c = xreallocarray(NULL, 0, 8);
	autofree char *s = xasprintf("%d-%s", 7, "x");

	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	assert_string_equal(s, "7-x");
}

/* How a child ends that asks for more than there is. */
static int ends_by(size_t need, size_t size)
{
	int status, out;
	pid_t pid = fork();

	if (!pid) {
		void *p = NULL;
		size_t cap = 0;

		out = open("/dev/null", O_WRONLY);
		dup2(out, STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		grow(&p, &cap, need, size);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_too_much_aborts(void **state)
{
	assert_int_equal(ends_by(100, 8), 0);
#ifndef DWELL_SANITIZED
	assert_int_equal(ends_by(SIZE_MAX - 1, 1), SIGABRT);
	assert_int_equal(ends_by(SIZE_MAX / 8, 64), SIGABRT);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grow_keeps_and_doubles),
		cmocka_unit_test(test_nothing_is_something),
		cmocka_unit_test(test_too_much_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
