/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "proc/cgroup.h"

static void test_not_found(void **state)
{
	char *path = NULL;

	assert_true(cgroup_find("/no/such/group", &path) < 0);
	assert_non_null(strstr(error_text(), "no cgroup '/no/such/group'"));
	/* there is no such id: the first is 1, and they grow */
	assert_true(cgroup_find("18446744073709551615", &path) < 0);
	assert_true(cgroup_find("", &path) < 0);
	assert_null(path);
}

struct seen {
	uint64_t id[8];
	int nr, stop_at;
};

static int on_group(void *ctx, uint64_t id, const char *path)
{
	struct seen *s = ctx;

	assert_true(s->nr < 8);
	s->id[s->nr++] = id;
	return s->nr == s->stop_at ? -EBADE : 0;
}

/* Folders alone, each with its inode number. */
static void test_each(void **state)
{
	char top[] = "/tmp/dwell-cgroup-XXXXXX", path[128];
	static const char *const dirs[] = { "/a", "/a/b", "/c" };
	struct seen s = { .stop_at = -1 };
	struct stat st;
	size_t i, k;
	FILE *f;

	assert_non_null(mkdtemp(top));
	for (i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", top, dirs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	snprintf(path, sizeof(path), "%s/a/cgroup.procs", top);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(cgroup_each(top, on_group, &s), 0);
	assert_int_equal(s.nr, 4);
	for (i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", top, dirs[i]);
		assert_int_equal(stat(path, &st), 0);
		for (k = 0; k < 4 && s.id[k] != st.st_ino; k++)
			;
		assert_true(k < 4);
	}
	s = (struct seen){ .stop_at = 2 };
	assert_int_equal(cgroup_each(top, on_group, &s), -EBADE);
	assert_int_equal(s.nr, 2);
	snprintf(path, sizeof(path), "%s/a/cgroup.procs", top);
	unlink(path);
	for (i = ARRAY_LEN(dirs); i-- > 0;) {
		snprintf(path, sizeof(path), "%s%s", top, dirs[i]);
		rmdir(path);
	}
	rmdir(top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
