/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "worker/answer.h"
#include "worker/sandbox.h"
#include "worker/rows.h"
#include "worker/serve.h"

#define REAP_MS 200 /* a killed process is gone by then, unless it hangs in the kernel */

struct worker {
	pid_t pid; /* 0: none is running */
	int sock;
	uint32_t seq;
	uint64_t deaths;
	pid_t stuck[WORKER_MAX_STUCK]; /* killed and not gone yet; 0: free */
	void (*started)(void *ctx, pid_t pid);
	void *ctx;
};

/* How an attempt to be answered ended. */
enum outcome {
	ANSWERED, /* with names, or with a reason why not */
	DIED,
	GARBAGE,
	LATE,
};

/* What goes with a request. */
struct question {
	int fd;
	const uint64_t *offset;
};

/* The child's life. It has one thread, since dwell has. */
static _Noreturn void live(int sock, pid_t parent)
{
	int err = sandbox_enter(sock, parent);

	if (err)
		fail_in(err, "no sandbox");
	serve(err ? sock : SANDBOX_SOCKET, err ? error_text() : NULL);
	_exit(0);
}

static bool reap(pid_t pid)
{
	pid_t r;

	do
		r = waitpid(pid, NULL, WNOHANG);
	while (r < 0 && errno == EINTR);
	/* ECHILD: somebody ignores SIGCHLD, and the kernel reaps */
	return r == pid || (r < 0 && errno == ECHILD);
}

static void reap_stuck(struct worker *w)
{
	size_t i;

	for (i = 0; i < WORKER_MAX_STUCK; i++) {
		if (w->stuck[i] && reap(w->stuck[i]))
			w->stuck[i] = 0;
	}
}

static pid_t *free_place(struct worker *w)
{
	size_t i;

	reap_stuck(w);
	for (i = 0; i < WORKER_MAX_STUCK; i++) {
		if (!w->stuck[i])
			return &w->stuck[i];
	}
	return NULL;
}

static int start(struct worker *w)
{
	sigset_t all, former;
	pid_t parent = getpid(), pid;
	int sock[2], err;

	if (!free_place(w))
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
	w->pid = pid;
	w->sock = sock[0];
	if (w->started)
		w->started(w->ctx, pid);
	return 0;
}

/* Ends the process that runs. Waits for it, but not for one that hangs in the kernel. */
static void stop(struct worker *w)
{
	uint64_t end = clock_mono() + REAP_MS * NSEC_PER_MSEC;
	pid_t *place;

	if (!w->pid)
		return;
	close(w->sock);
	kill(w->pid, SIGKILL);
	while (!reap(w->pid)) {
		if (clock_mono() > end) {
			place = free_place(w);
			if (place)
				*place = w->pid;
			break;
		}
		poll(NULL, 0, 1);
	}
	w->pid = 0;
}

/* One that died without being asked to is counted and forgotten. */
static void notice_death(struct worker *w)
{
	siginfo_t info = { 0 };

	if (!w->pid)
		return;
	if (waitid(P_PID, (id_t)w->pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid != w->pid)
		return;
	w->deaths++;
	close(w->sock);
	w->pid = 0;
}

int worker_new(struct worker **out, void (*started)(void *ctx, pid_t pid), void *ctx)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	int err;

	w->started = started;
	w->ctx = ctx;
	err = start(w);
	if (err) {
		free(w);
		return err;
	}
	*out = w;
	return 0;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	stop(w);
	reap_stuck(w);
	free(w);
}

uint64_t worker_deaths(const struct worker *w)
{
	return w->deaths;
}

/* Waits for the socket: true, or false when the time is up. */
static bool wait_for(const struct worker *w, short events, uint64_t end)
{
	struct pollfd p = { .fd = w->sock, .events = events };
	uint64_t now;
	int r;

	do {
		now = clock_mono();
		r = poll(&p, 1, now < end ? (int)((end - now) / NSEC_PER_MSEC) + 1 : 0);
	} while (r < 0 && errno == EINTR);
	return r != 0;
}

/* Sends all of it; fd (>= 0) goes with the first bytes. */
static enum outcome transmit(struct worker *w, const void *p, size_t len, int fd, uint64_t end)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)p, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		control.align = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	while (iov.iov_len) {
		if (!wait_for(w, POLLOUT, end))
			return LATE;
		n = sendmsg(w->sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return DIED;
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
	}
	return ANSWERED;
}

static enum outcome receive(struct worker *w, void *p, size_t len, uint64_t end)
{
	char *at = p;
	ssize_t n;

	while (len) {
		if (!wait_for(w, POLLIN, end))
			return LATE;
		n = recv(w->sock, at, len, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return DIED;
		at += n;
		len -= (size_t)n;
	}
	return ANSWERED;
}

/* Takes one answer from the socket; *err is 0 and *out filled in, or the worker's reason is kept.
 */
static enum outcome take_answer(struct worker *w, const struct request_head *request, uint64_t end,
				void *out, int *err)
{
	autofree char *body = NULL;
	struct answer_head head;
	enum outcome o;
	int64_t size;

	o = receive(w, &head, sizeof(head), end);
	if (o != ANSWERED)
		return o;
	size = answer_body_size(&head, request);
	if (size < 0)
		return GARBAGE;
	body = xmalloc((size_t)size + 1);
	o = receive(w, body, (size_t)size, end);
	if (o != ANSWERED)
		return o;
	if (head.err) {
		*err = fail_plain(head.err, "%s", answer_reason(&head, body));
		return ANSWERED;
	}
	*err = 0;
	if (answer_decode(&head, body, out))
		return GARBAGE;
	body = NULL;
	return ANSWERED;
}

static enum outcome take_rows(struct worker *w, const struct request_head *request, uint64_t end,
			      void *out, int *err)
{
	autofree char *body = NULL;
	struct rows_head head;
	enum outcome o;
	int64_t size;

	o = receive(w, &head, sizeof(head), end);
	if (o != ANSWERED)
		return o;
	size = rows_body_size(&head, request);
	if (size < 0)
		return GARBAGE;
	body = xmalloc((size_t)size + 1);
	o = receive(w, body, (size_t)size, end);
	if (o != ANSWERED)
		return o;
	if (head.err) {
		body[size] = '\0';
		*err = fail_plain(head.err, "%s", body);
		return ANSWERED;
	}
	*err = 0;
	rows_decode(&head, body, out);
	body = NULL;
	return ANSWERED;
}

typedef enum outcome (*take_fn)(struct worker *w, const struct request_head *request, uint64_t end,
				void *out, int *err);

/* Asks until a worker has answered; out is as take() wants it. */
static int ask(struct worker *w, struct request_head *request, const struct question *q, take_fn take,
	       void *out)
{
	uint64_t end;
	enum outcome o;
	int tries, err = 0;

	for (tries = 0; tries < WORKER_TRIES; tries++) {
		notice_death(w);
		if (!w->pid)
			err = start(w);
		if (err)
			return err;
		request->seq = ++w->seq;
		end = clock_mono() + WORKER_DEADLINE_MS * NSEC_PER_MSEC;
		o = transmit(w, request, sizeof(*request), q->fd, end);
		if (o == ANSWERED)
			o = transmit(w, q->offset, request->nr * sizeof(*q->offset), -1, end);
		if (o == ANSWERED)
			o = take(w, request, end, out, &err);
		if (o == ANSWERED)
			return err;
		if (o == DIED)
			w->deaths++;
		stop(w);
		if (o == LATE)
			return fail_plain(-ETIMEDOUT, "worker timed out");
	}
	/* the garbage has its text already */
	return o == GARBAGE ? -EPROTO : fail_plain(-EPIPE, "worker died");
}

int worker_name(struct worker *w, int fd, const uint64_t *offset, size_t n,
		struct object_names *out)
{
	struct request_head request = { .magic = ANSWER_MAGIC, .nr = n };

	if (n > WORKER_MAX_OFFSETS)
		return fail_plain(-E2BIG, "more than %u addresses", WORKER_MAX_OFFSETS);
	return ask(w, &request, &(struct question){ fd, offset }, take_answer, out);
}

int worker_rows(struct worker *w, int fd, struct worker_rows *out)
{
	struct request_head request = { .magic = ROWS_MAGIC };

	return ask(w, &request, &(struct question){ fd, NULL }, take_rows, out);
}
