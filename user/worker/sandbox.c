/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/file.h"

/* A terminal and timeout(1) signal the whole group; dwell itself still wants names then. */
static const int ignored[] = { SIGINT,	SIGTERM, SIGHUP,  SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU,
			       SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGWINCH };

static void reset_signals(void)
{
	sigset_t none;
	size_t i;
	int s;

	for (s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	for (i = 0; i < ARRAY_LEN(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Is this line of /proc/self/maps memory that others write to, or of a descriptor that is no file's? */
static bool is_shared(const char *line, uintptr_t *from, uintptr_t *to)
{
	char *at;

	*from = strtoul(line, &at, 16);
	if (*at != '-')
		return false;
	*to = strtoul(at + 1, &at, 16);
	/* " rwxs" */
	return strlen(at) > 4 && at[4] == 's' && (at[2] == 'w' || strstr(at, " anon_inode:"));
}

/* What the caller shares with the kernel: the samples of all, and the programs' own data. */
static int unmap_shared(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	uintptr_t from, to;
	size_t cap = 0;
	char *line = NULL;
	int err = 0;

	if (!f)
		return fail(-errno, "/proc/self/maps");
	while (!err && getline(&line, &cap, f) > 0)
		if (is_shared(line, &from, &to) && munmap((void *)from, to - from))
			err = fail(-errno, "unmap what is shared");
	if (!err && ferror(f))
		err = fail(-EIO, "/proc/self/maps");
	free(line);
	(void)fclose(f);
	return err;
}

/* close_range() came with 5.9 and glibc 2.34. */
static int keep_only(int sock)
{
	unsigned int from = SANDBOX_SOCKET + 1;

#ifdef DWELL_SANITIZED
	close(STDOUT_FILENO);
	from = STDERR_FILENO + 1; /* what the sanitizer finds is to be seen */
#endif
	if (sock != SANDBOX_SOCKET && dup2(sock, SANDBOX_SOCKET) < 0)
		return fail(-errno, "dup2");
	if (close_range(from, ~0u, 0) < 0)
		return fail(-errno, "close_range");
	return 0;
}

/* Another user than anybody's, and no capabilities; false where these rights do not allow that. */
static bool become_nobody(void)
{
	capng_flags_t flags = CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_AMBIENT;

	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) ||
	    !capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID))
		return false;
	/* without new privileges the bounding set is moot, so that it may stay */
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		flags |= CAPNG_CLEAR_BOUNDING;
	capng_clear(CAPNG_SELECT_ALL);
	return !capng_change_id(SANDBOX_NOBODY, SANDBOX_NOBODY, flags);
}

static int drop_rights(void)
{
	capng_get_caps_process();
	if (!become_nobody()) {
		capng_clear(CAPNG_SELECT_ALL);
		if (capng_apply(CAPNG_SELECT_ALL) && capng_apply(CAPNG_SELECT_CAPS))
			return fail_plain(-EPERM, "cannot drop capabilities");
	}
	if (capng_get_caps_process() || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
		return fail_plain(-EPERM, "capabilities are left");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return fail(-errno, "prctl");
	return 0;
}

/* The kernel forgets the death signal when ids or capabilities change, so this comes after. */
static int die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return fail(-errno, "PR_SET_PDEATHSIG");
	if (getppid() != parent)
		_exit(0);
	return 0;
}

static int limit(int resource, const char *name, uint64_t value)
{
	struct rlimit r = { value, value };

	return setrlimit(resource, &r) ? fail(-errno, "setrlimit %s", name) : 0;
}

/* The copy of a big parent is a big process: what counts is what it adds. */
static int limit_memory(uint64_t pages)
{
#ifdef DWELL_SANITIZED
	return 0; /* the shadow alone takes terabytes of address space */
#else
	return limit(RLIMIT_AS, "AS", pages * (uint64_t)sysconf(_SC_PAGESIZE) + SANDBOX_MAX_MEMORY);
#endif
}

static int set_limits(void)
{
	char statm[128];
	int err;

	err = read_line("/proc/self/statm", statm, sizeof(statm));
	if (err < 0)
		return err;
	err = limit_memory(strtoull(statm, NULL, 10));
	if (!err)
		err = limit(RLIMIT_FSIZE, "FSIZE", 0);
	if (!err)
		err = limit(RLIMIT_CORE, "CORE", 0);
	if (!err)
		err = limit(RLIMIT_CPU, "CPU", SANDBOX_MAX_CPU);
	return err ? err : limit(RLIMIT_NOFILE, "NOFILE", SANDBOX_MAX_FILES);
}

/*
 * No call that takes a path, makes a descriptor or a process, or maps a file or code. Sizes come
 * from lseek(), since fstat() is newfstatat() in newer C libraries, which takes a path.
 */
static const struct rule {
	int call;
	unsigned int nr;
	struct scmp_arg_cmp arg[2];
} rules[] = {
#define ARG(n, op, a, b)               \
	{                              \
		n, SCMP_CMP_##op, a, b \
	}
#define ON_SOCKET                             \
	1,                                    \
	{                                     \
		ARG(0, EQ, SANDBOX_SOCKET, 0) \
	}
	{ SCMP_SYS(recvmsg), ON_SOCKET },
	{ SCMP_SYS(sendto), 2, { ARG(0, EQ, SANDBOX_SOCKET, 0), ARG(4, EQ, 0, 0) } },
	{ SCMP_SYS(pread64), 0, {} },
	{ SCMP_SYS(lseek), 0, {} },
	{ SCMP_SYS(close), 0, {} },
	{ SCMP_SYS(mmap),
	  2,
	  { ARG(2, MASKED_EQ, PROT_EXEC, 0), ARG(3, MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS) } },
	{ SCMP_SYS(munmap), 0, {} },
	{ SCMP_SYS(mremap), 0, {} },
	{ SCMP_SYS(madvise), 0, {} },
	{ SCMP_SYS(brk), 0, {} },
	{ SCMP_SYS(futex), 0, {} },
	{ SCMP_SYS(getrandom), 0, {} },
	{ SCMP_SYS(clock_gettime), 0, {} },
	{ SCMP_SYS(rt_sigreturn), 0, {} },
	{ SCMP_SYS(restart_syscall), 0, {} },
	{ SCMP_SYS(exit_group), 0, {} },
	{ SCMP_SYS(exit), 0, {} },
#ifdef DWELL_SANITIZED
	{ SCMP_SYS(write), 1, { ARG(0, EQ, STDERR_FILENO, 0) } },
	{ SCMP_SYS(mprotect), 1, { ARG(2, MASKED_EQ, PROT_EXEC, 0) } },
	{ SCMP_SYS(sched_yield), 0, {} },
	{ SCMP_SYS(sigaltstack), 0, {} },
	{ SCMP_SYS(rt_sigprocmask), 0, {} },
	{ SCMP_SYS(getpid), 0, {} },
	{ SCMP_SYS(gettid), 0, {} },
#endif
};

static int allow_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	size_t i;
	int err;

	if (!ctx)
		return fail(-ENOMEM, "seccomp_init");
	err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (i = 0; !err && i < ARRAY_LEN(rules); i++)
		err = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rules[i].call, rules[i].nr,
					     rules[i].arg);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err ? fail(err, "seccomp") : 0;
}

int sandbox_enter(int sock, pid_t parent)
{
	int err;

	prctl(PR_SET_NAME, "dwell-worker", 0, 0, 0);
	reset_signals();
	err = keep_only(sock);
	if (!err)
		err = unmap_shared();
	if (!err)
		err = drop_rights();
	if (!err)
		err = die_with(parent);
	if (!err)
		err = set_limits();
	return err ? err : allow_calls();
}
