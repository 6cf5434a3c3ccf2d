/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/sandbox.h"
#include "worker/serve.h"

#define REAP_MS 200 /* a killed process is gone by then, unless it hangs in the kernel */

/* The child's life. It has one thread, since dwell has. */
static _Noreturn void live(int sock, pid_t parent)
{
	int err = sandbox_enter(sock, parent);

	if (err)
		fail_in(err, "no sandbox");
	serve(err ? sock : SANDBOX_SOCKET, err ? error_text() : NULL);
	_exit(0);
}

static void tell_end(const struct process *p, pid_t pid)
{
	if (p->ended)
		p->ended(p->ctx, pid);
}

static bool reap(const struct process *p, pid_t pid)
{
	pid_t r;

	do
		r = waitpid(pid, NULL, WNOHANG);
	while (r < 0 && errno == EINTR);
	/* ECHILD: somebody ignores SIGCHLD, and the kernel reaps */
	if (r != pid && (r >= 0 || errno != ECHILD))
		return false;
	tell_end(p, pid);
	return true;
}

void process_reap(struct process *p)
{
	size_t i;

	for (i = 0; i < WORKER_MAX_STUCK; i++) {
		if (p->stuck[i] && reap(p, p->stuck[i]))
			p->stuck[i] = 0;
	}
}

static pid_t *free_place(struct process *p)
{
	size_t i;

	process_reap(p);
	for (i = 0; i < WORKER_MAX_STUCK; i++) {
		if (!p->stuck[i])
			return &p->stuck[i];
	}
	return NULL;
}

int process_start(struct process *p)
{
	sigset_t all, former;
	pid_t parent = getpid(), pid;
	int sock[2], err;

	if (!free_place(p))
		return fail_plain(-EBUSY, "%d workers hang", WORKER_MAX_STUCK);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
		return fail(-errno, "socketpair");
	/* no handler of the parent's may run in the child */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &former);
	pid = fork();
	err = -errno;
	if (pid == 0)
		live(sock[1], parent);
	sigprocmask(SIG_SETMASK, &former, NULL);
	close(sock[1]);
	if (pid < 0) {
		close(sock[0]);
		return fail(err, "fork");
	}
	p->pid = pid;
	p->sock = sock[0];
	if (p->started)
		p->started(p->ctx, pid);
	return 0;
}

void process_stop(struct process *p)
{
	uint64_t end = clock_mono() + REAP_MS * NSEC_PER_MSEC;
	pid_t *place;

	if (!p->pid)
		return;
	close(p->sock);
	kill(p->pid, SIGKILL);
	while (!reap(p, p->pid)) {
		if (clock_mono() > end) {
			place = free_place(p);
			if (place)
				*place = p->pid;
			break;
		}
		poll(NULL, 0, 1);
	}
	p->pid = 0;
}

void process_notice_death(struct process *p)
{
	siginfo_t info = { 0 };

	if (!p->pid)
		return;
	if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid != p->pid)
		return;
	p->deaths++;
	close(p->sock);
	tell_end(p, p->pid);
	p->pid = 0;
}
