/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "proc/children.h"
#include "proc/open.h"

static void no_regular_file_is_not_opened(void **state)
{
	const char *reason = NULL;
	struct exec_map m = { .start = 1, .end = 2, .inode = 1, .path = "/dev/null" };

	assert_int_equal(open_mapped(getpid(), 0, &m, &reason), -1);
	assert_string_equal(reason, "no regular file");
	m.path = "/proc/self/exe";	/* a magic link: not followed */
	assert_int_equal(open_mapped(getpid(), 0, &m, &reason), -1);
	m.path = "/etc/passwd";		/* there, but not the file that is mapped */
	assert_int_equal(open_mapped(getpid(), 0, &m, &reason), -1);
	assert_string_equal(reason, "file replaced");
	m.path = "/no/such/file";
	assert_int_equal(open_mapped(getpid(), 0, &m, &reason), -1);
	assert_string_equal(reason, "file gone");
}

static void the_vdso_is_an_object_file(void **state)
{
	const char *reason = NULL;
	int fd = open_vdso(&reason);
	char magic[4];

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, magic, 4, 0), 4);
	assert_memory_equal(magic, "\177ELF", 4);
	close(fd);
}

static void children_have_their_parent(void **state)
{
	autofree struct proc_parent *list = NULL;
	int hold[2];
	size_t n, i, hits = 0;
	pid_t pid;

	assert_int_equal(pipe(hold), 0);
	pid = fork();
	if (!pid) {
		char c;

		close(hold[1]);
		(void)!read(hold[0], &c, 1);
		_exit(0);
	}
	assert_int_equal(children_scan(&list, &n), 0);
	for (i = 0; i < n; i++)
		hits += list[i].pid == pid && list[i].ppid == getpid();
	assert_int_equal(hits, 1);
	close(hold[0]);
	close(hold[1]);
	waitpid(pid, NULL, 0);
	assert_int_equal(children_tgid(getpid()), getpid());
	assert_int_equal(children_tgid(0x7ffffff0), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_regular_file_is_not_opened),
		cmocka_unit_test(the_vdso_is_an_object_file),
		cmocka_unit_test(children_have_their_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
