/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proc/children.h"
#include "proc/open.h"
#include "proc/pids.h"

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
	struct pid_stat s;
	pid_t pid;

	assert_int_equal(pipe(hold), 0);
	pid = fork();
	if (!pid) {
		char c;

		close(hold[1]);
		(void)!read(hold[0], &c, 1);
		_exit(0);
	}
	assert_int_equal(pid_stat(pid, &s), 0);
	assert_int_equal(s.parent, getpid());
	assert_true(pid_started_at(pid, s.start_ticks * (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK)) + 5));
	assert_int_equal(children_scan(&list, &n), 0);
	for (i = 0; i < n; i++)
		hits += list[i].pid == pid && list[i].ppid == getpid() && list[i].start_ticks == s.start_ticks;
	assert_int_equal(hits, 1);
	close(hold[0]);
	close(hold[1]);
	waitpid(pid, NULL, 0);
	assert_int_equal(children_tgid(getpid()), getpid());
	assert_int_equal(children_tgid(0x7ffffff0), -ESRCH);
}

/* Without a descriptor nothing is known of a process: not that it is gone, either. */
static void what_cannot_be_read_is_not_gone(void **state)
{
	bool ended, started;
	struct rlimit was, none;
	struct pid_stat s;
	int tgid, r;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	tgid = children_tgid(getpid());
	r = pid_stat(getpid(), &s);
	ended = pid_ended(getpid());
	started = pid_started_at(getpid(), 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(tgid, -EMFILE);
	assert_int_equal(r, -EMFILE);
	assert_false(ended);
	assert_true(started);
	assert_true(pid_ended(0x7ffffff0));
	assert_false(pid_started_at(0x7ffffff0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_regular_file_is_not_opened),
		cmocka_unit_test(the_vdso_is_an_object_file),
		cmocka_unit_test(children_have_their_parent),
		cmocka_unit_test(what_cannot_be_read_is_not_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
