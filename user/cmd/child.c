/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(char **argv, int go, int error)
{
	char byte;
	int err;

	if (read(go, &byte, 1) == 1) {
		execvp(argv[0], argv);
		err = errno;
		(void)!write(error, &err, sizeof(err));
	}
	_exit(127);
}

int child_fork(struct child *c, char **argv)
{
	int go[2], error[2];

	if (pipe2(go, O_CLOEXEC))
		return fail(-errno, "pipe");
	if (pipe2(error, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return fail(-errno, "pipe");
	}
	c->pid = fork();
	if (!c->pid) {
		close(go[1]);
		close(error[0]);
		run(argv, go[0], error[1]);
	}
	close(go[0]);
	close(error[1]);
	c->go_fd = go[1];
	c->error_fd = error[0];
	c->reaped = false;
	c->pidfd = c->pid > 0 ? (int)syscall(SYS_pidfd_open, c->pid, 0) : -1;
	if (c->pid < 0)
		return fail(-errno, "fork");
	return c->pidfd < 0 ? fail(-errno, "pidfd_open") : 0;
}

int child_go(struct child *c)
{
	int err;

	(void)!write(c->go_fd, "", 1);
	if (read(c->error_fd, &err, sizeof(err)) != sizeof(err))
		return 0;
	child_wait(c);
	return -err;
}

int child_wait(struct child *c)
{
	if (!c->reaped) {
		while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
			;
		c->reaped = true;
	}
	return WIFSIGNALED(c->status) ? 128 + WTERMSIG(c->status) : WEXITSTATUS(c->status);
}

void child_done(struct child *c)
{
	if (!c->pid)
		return;
	close(c->go_fd);
	close(c->error_fd);
	if (c->pidfd >= 0)
		close(c->pidfd);
}
