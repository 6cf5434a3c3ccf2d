/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "proc/children.h"
#include "proc/open.h"
#include "proc/process.h"

#define SECOND 1000000000ull

static void code_of_a_living_process(void **state)
{
	struct processes *ps = processes_new();
	struct process *p = processes_get(ps, getpid(), 5, 1, SECOND);
	const struct process_map *m = processes_map(ps, p, (uintptr_t)code_of_a_living_process, true,
						  SECOND);
	const struct object_file *o;
	struct stat exe, st;

	assert_non_null(m);
	assert_false(p->gone);
	o = processes_object(ps, m->object);
	assert_int_equal(o->kind, OBJECT_FILE);
	assert_true(o->fd >= 0);
	assert_int_equal(stat("/proc/self/exe", &exe), 0);
	assert_int_equal(fstat(o->fd, &st), 0);
	assert_int_equal(exe.st_ino, st.st_ino);
	assert_null(processes_map(ps, p, 16, true, SECOND));
	processes_free(ps);
}

static void equal_objects_are_one(void **state)
{
	struct processes *ps = processes_new();
	size_t n;

	processes_get(ps, getpid(), 5, 1, SECOND);
	n = processes_nr_objects(ps);
	assert_true(n > 0);
	processes_get(ps, getpid(), 5, 2, SECOND);	/* as after an execve() */
	assert_int_equal(processes_nr_objects(ps), n);
	processes_free(ps);
}

/* New code is found by reading the mappings anew, but not more often than each 100 ms. */
static void mappings_are_read_again(void **state)
{
	struct processes *ps = processes_new();
	struct process *p = processes_get(ps, getpid(), 5, 1, SECOND);
	const struct process_map *m;
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(code, MAP_FAILED);
	assert_null(processes_map(ps, p, (uintptr_t)code, true, SECOND + SECOND / 20));
	m = processes_map(ps, p, (uintptr_t)code, true, SECOND + SECOND / 5);
	assert_non_null(m);
	assert_int_equal(processes_object(ps, m->object)->kind, OBJECT_ANON);
	assert_int_equal(processes_object(ps, m->object)->pid, getpid());
	munmap(code, 4096);
	processes_free(ps);
}

/* What may be no code at all does not make the mappings be read over and over. */
static void doubtful_addresses_are_asked_less_and_less(void **state)
{
	struct processes *ps = processes_new();
	struct process *p = processes_get(ps, getpid(), 5, 1, SECOND);
	uint64_t t, reads = 0, last = p->read_ns;

	for (t = SECOND; t < 11 * SECOND; t += SECOND / 100) {
		assert_null(processes_map(ps, p, 16, false, t));
		reads += p->read_ns != last;
		last = p->read_ns;
	}
	assert_in_range(reads, 4, 8);
	processes_free(ps);
}

static void an_ended_process_is_gone(void **state)
{
	struct processes *ps = processes_new();
	pid_t pid = fork();
	struct process *p;

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	p = processes_get(ps, pid, 5, 1, SECOND);
	assert_true(p->gone);
	assert_null(processes_map(ps, p, 0x1000, true, 2 * SECOND));
	processes_free(ps);
}

static void ten_thousand_processes_do_not_pile_up(void **state)
{
	struct processes *ps = processes_new();
	int i;

	/* ids that cannot exist; one every 10 ms */
	for (i = 0; i < 10000; i++)
		processes_get(ps, 0x40000000 + i, (uint64_t)i, 1, SECOND + (uint64_t)i * SECOND / 100);
	/* the first was forgotten and is found again as a new one, the last is still there */
	assert_true(processes_get(ps, 0x40000000, 0, 1, 200 * SECOND)->gone);
	assert_int_equal(processes_get(ps, 0x40000000 + 9999, 9999, 1, 200 * SECOND)->tgid,
			 0x40000000 + 9999);
	processes_free(ps);
}

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
		cmocka_unit_test(code_of_a_living_process),
		cmocka_unit_test(equal_objects_are_one),
		cmocka_unit_test(mappings_are_read_again),
		cmocka_unit_test(doubtful_addresses_are_asked_less_and_less),
		cmocka_unit_test(an_ended_process_is_gone),
		cmocka_unit_test(ten_thousand_processes_do_not_pile_up),
		cmocka_unit_test(no_regular_file_is_not_opened),
		cmocka_unit_test(the_vdso_is_an_object_file),
		cmocka_unit_test(children_have_their_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
