/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "worker/sandbox.h"

static int outside = -1; /* a descriptor that the sandbox closes */
static volatile char *shared; /* memory that it lets go of */

/* Runs fn in a sandboxed process; its wait status. */
static int run(int (*fn)(void))
{
	pid_t parent = getpid(), pid;
	int sock[2], status;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	pid = fork();
	if (pid == 0) {
		if (sandbox_enter(sock[1], parent))
			_exit(100);
		_exit(fn());
	}
	close(sock[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(sock[0]);
	return status;
}

static void assert_killed(int (*fn)(void))
{
	int status = run(fn);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void assert_exits(int (*fn)(void), int code)
{
	int status = run(fn);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

#define FORBIDDEN(name, expression)                      \
	static int name(void)                            \
	{                                                \
		return (int)(long)(expression) == 12345; \
	}

static struct stat st;
static char *const no_args[] = { NULL };

FORBIDDEN(do_open, syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY))
FORBIDDEN(do_stat, stat("/", &st))
FORBIDDEN(do_socket, socket(AF_INET, SOCK_STREAM, 0))
FORBIDDEN(do_fork, fork())
FORBIDDEN(do_exec, execve("/bin/true", no_args, no_args))
FORBIDDEN(do_ptrace, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL))
FORBIDDEN(do_kill, kill(1, 0))
FORBIDDEN(do_write, write(STDOUT_FILENO, "x", 1))
FORBIDDEN(do_unshare, unshare(CLONE_NEWUSER))
FORBIDDEN(do_setrlimit, setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 9, 9 }))
FORBIDDEN(do_prctl, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
FORBIDDEN(do_code, mmap(NULL, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
FORBIDDEN(do_map_file, mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, SANDBOX_SOCKET, 0))
FORBIDDEN(do_send_to, sendto(SANDBOX_SOCKET, "x", 1, 0, (struct sockaddr *)&st, 16))
FORBIDDEN(do_send_other, sendto(SANDBOX_SOCKET + 1, "x", 1, 0, NULL, 0))

static void test_forbidden(void **state)
{
	static int (*const all[])(void) = {
		do_open,   do_stat, do_socket,	 do_fork,    do_exec,
		do_ptrace, do_kill, do_write,	 do_unshare, do_setrlimit,
		do_prctl,  do_code, do_map_file, do_send_to, do_send_other,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++)
		assert_killed(all[i]);
}

static int work(void)
{
	char buf[64], *p = malloc(10u << 20);

	if (!p)
		return 1;
	memset(p, 1, 10u << 20);
	free(p);
	if (lseek(SANDBOX_SOCKET, 0, SEEK_END) >= 0 || errno != ESPIPE)
		return 2;
	if (pread(SANDBOX_SOCKET, buf, sizeof(buf), 0) >= 0 || errno != ESPIPE)
		return 3;
	if (send(SANDBOX_SOCKET, "hello", 5, MSG_NOSIGNAL) != 5)
		return 4;
	return 0;
}

static void test_allowed(void **state)
{
	assert_exits(work, 0);
}

static int use_outside(void)
{
	char c;

	return pread(outside, &c, 1, 0) < 0 && errno == EBADF ? 0 : 1;
}

static void test_descriptors(void **state)
{
	outside = fcntl(open("/proc/self/exe", O_RDONLY), F_DUPFD, 40);
	assert_true(outside >= 40);
	assert_exits(use_outside, 0);
	close(outside);
}

static int read_shared(void)
{
	return *shared;
}

static void test_shared_memory(void **state)
{
	int status;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal((void *)shared, MAP_FAILED);
	status = run(read_shared);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	assert_int_equal(*shared, 0);
	munmap((void *)shared, 4096);
}

static int use_memory(void)
{
	size_t size = SANDBOX_MAX_MEMORY + (64u << 20);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 0 : 1;
}

static void test_memory(void **state)
{
#ifdef DWELL_SANITIZED
	skip();
#endif
	assert_exits(use_memory, 0);
}

/* What a terminal and timeout(1) send to all of a group. */
static int wait_for_word(void)
{
	struct iovec iov = { (char[1]){ 0 }, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (send(SANDBOX_SOCKET, "r", 1, MSG_NOSIGNAL) != 1)
		return 1;
	return recvmsg(SANDBOX_SOCKET, &msg, 0) == 1 ? 0 : 2;
}

static void test_signals(void **state)
{
	static const int sent[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	pid_t parent = getpid(), pid;
	int sock[2], status;
	char c;
	size_t i;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	pid = fork();
	if (pid == 0)
		_exit(sandbox_enter(sock[1], parent) ? 100 : wait_for_word());
	assert_int_equal(recv(sock[0], &c, 1, 0), 1);
	for (i = 0; i < ARRAY_LEN(sent); i++)
		assert_int_equal(kill(pid, sent[i]), 0);
	assert_int_equal(send(sock[0], "g", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(sock[0]);
	close(sock[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forbidden),   cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_descriptors), cmocka_unit_test(test_memory),
		cmocka_unit_test(test_signals),	    cmocka_unit_test(test_shared_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
