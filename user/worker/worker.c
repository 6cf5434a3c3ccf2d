/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "worker/answer.h"
#include "worker/process.h"
#include "worker/rows.h"

/* How an attempt to be answered ended. */
enum outcome {
	ANSWERED, /* with names, or with a reason why not */
	DIED,
	GARBAGE,
	LATE,
};

union head {
	struct answer_head names;
	struct rows_head rows;
};

/* One of the things to ask for. */
struct kind {
	size_t head_size;
	int64_t (*body_size)(const union head *h, const struct request_head *request);
	/* Takes the body of a whole answer, or its reason into *err: ANSWERED; or GARBAGE. */
	enum outcome (*take)(const union head *h, char **body, void *out, int *err);
};

/* What is asked, and how far its answer has come. */
struct question {
	const struct kind *kind; /* NULL: nothing is asked */
	struct request_head request;
	int fd; /* goes with it */
	const uint64_t *offset;
	int tries; /* processes that it cost */
	bool sent;
	uint64_t end; /* of the time that the worker has */
	union head head;
	size_t got_head;
	char *body;
	size_t size, got_body;
};

struct worker {
	struct process process;
	uint32_t seq;
	struct question rows; /* what worker_rows_ask() asked for; its fd is its own */
	uint64_t asked_ns;    /* when */
	bool early;	      /* their answer came while names were asked for: these two */
	int rows_err;
	struct worker_rows rows_out;
};

int worker_new(struct worker **out, void (*started)(void *ctx, pid_t pid), void *ctx)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	int err;

	w->process.started = started;
	w->process.ctx = ctx;
	err = process_start(&w->process);
	if (err) {
		free(w);
		return err;
	}
	*out = w;
	return 0;
}

/* The answer so far is worth nothing. */
static void forget_answer(struct question *q)
{
	free(q->body);
	q->body = NULL;
	q->got_head = q->got_body = 0;
	q->sent = false;
}

static void end_rows(struct worker *w)
{
	if (!w->rows.kind)
		return;
	forget_answer(&w->rows);
	close(w->rows.fd);
	w->rows.kind = NULL;
	if (w->early && !w->rows_err)
		worker_rows_done(&w->rows_out);
	w->early = false;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	end_rows(w);
	process_stop(&w->process);
	process_reap(&w->process);
	free(w);
}

void worker_tell_ends(struct worker *w, void (*ended)(void *ctx, pid_t pid))
{
	w->process.ended = ended;
}

uint64_t worker_deaths(const struct worker *w)
{
	return w->process.deaths;
}

/* Waits for the socket: true, or false when the time is up. */
static bool wait_for(const struct worker *w, short events, uint64_t end)
{
	struct pollfd p = { .fd = w->process.sock, .events = events };
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
		n = sendmsg(w->process.sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
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

/* Up to len bytes of them, *got of which are here. */
static enum outcome receive(struct worker *w, void *p, size_t len, size_t *got, uint64_t end)
{
	ssize_t n;

	while (*got < len) {
		if (!wait_for(w, POLLIN, end))
			return LATE;
		n = recv(w->process.sock, (char *)p + *got, len - *got, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return DIED;
		*got += (size_t)n;
	}
	return ANSWERED;
}

static int64_t names_size(const union head *h, const struct request_head *request)
{
	return answer_body_size(&h->names, request);
}

static enum outcome take_names(const union head *h, char **body, void *out, int *err)
{
	*err = h->names.err;
	if (*err)
		*err = fail_plain(*err, "%s", answer_reason(&h->names, *body));
	else if (answer_decode(&h->names, *body, out))
		return GARBAGE;
	else
		*body = NULL;
	return ANSWERED;
}

static int64_t rows_size(const union head *h, const struct request_head *request)
{
	return rows_body_size(&h->rows, request);
}

static enum outcome take_rows(const union head *h, char **body, void *out, int *err)
{
	*err = h->rows.err;
	if (*err) {
		*err = fail_plain(*err, "%s", *body);
	} else {
		rows_decode(&h->rows, *body, out);
		*body = NULL;
	}
	return ANSWERED;
}

static const struct kind names_kind = { sizeof(struct answer_head), names_size, take_names };
static const struct kind rows_kind = { sizeof(struct rows_head), rows_size, take_rows };

/* Starts a worker where none runs, and asks it. A negative errno: there is none. */
static int send_question(struct worker *w, struct question *q, enum outcome *o)
{
	int err;

	process_notice_death(&w->process);
	if (!w->process.pid) {
		err = process_start(&w->process);
		if (err)
			return err;
	}
	q->request.seq = ++w->seq;
	q->end = clock_mono() + WORKER_DEADLINE_MS * NSEC_PER_MSEC;
	q->sent = true;
	*o = transmit(w, &q->request, sizeof(q->request), q->fd, q->end);
	if (*o == ANSWERED)
		*o = transmit(w, q->offset, q->request.nr * sizeof(*q->offset), -1, q->end);
	return 0;
}

/* More of the answer; ANSWERED: all of it. */
static enum outcome take_more(struct worker *w, struct question *q, uint64_t end)
{
	enum outcome o = receive(w, &q->head, q->kind->head_size, &q->got_head, end);
	int64_t size;

	if (o != ANSWERED)
		return o;
	if (!q->body) {
		size = q->kind->body_size(&q->head, &q->request);
		if (size < 0)
			return GARBAGE;
		q->size = (size_t)size;
		q->body = xmalloc(q->size + 1);
		q->body[q->size] = '\0';
	}
	return receive(w, q->body, q->size, &q->got_body, end);
}

/* Asks until a worker has answered, but not after `until`: -EAGAIN, and the same call goes on. */
static int answer(struct worker *w, struct question *q, uint64_t until, void *out)
{
	enum outcome o;
	int err;

	for (;;) {
		o = ANSWERED;
		err = q->sent ? 0 : send_question(w, q, &o);
		if (err)
			return err;
		if (o == ANSWERED)
			o = take_more(w, q, until < q->end ? until : q->end);
		if (o == ANSWERED)
			o = q->kind->take(&q->head, &q->body, out, &err);
		if (o == ANSWERED)
			/* that one has another meaning here */
			return err == -EAGAIN ? -EIO : err;
		if (o == LATE && clock_mono() < q->end)
			return -EAGAIN;
		if (o == DIED)
			w->process.deaths++;
		process_stop(&w->process);
		forget_answer(q);
		if (o == LATE)
			return fail_plain(-ETIMEDOUT, "worker timed out");
		if (++q->tries == WORKER_TRIES)
			break;
	}
	/* the garbage has its text already */
	return o == GARBAGE ? -EPROTO : fail_plain(-EPIPE, "worker died");
}

int worker_name(struct worker *w, int fd, const uint64_t *offset, size_t n,
		struct object_names *out)
{
	struct question q = { .kind = &names_kind,
			      .request = { .magic = ANSWER_MAGIC, .nr = n },
			      .fd = fd,
			      .offset = offset };
	int err;

	if (n > WORKER_MAX_OFFSETS)
		return fail_plain(-E2BIG, "more than %u addresses", WORKER_MAX_OFFSETS);
	if (w->rows.kind && !w->early) {
		/* whose answer comes first */
		w->rows_err = answer(w, &w->rows, UINT64_MAX, &w->rows_out);
		w->early = true;
	}
	err = answer(w, &q, UINT64_MAX, out);
	forget_answer(&q);
	return err;
}

int worker_rows_ask(struct worker *w, int fd)
{
	int own;

	if (w->rows.kind)
		return fail_plain(-EBUSY, "one at a time");
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return fail(-errno, "dup");
	w->rows = (struct question){ .kind = &rows_kind,
				     .request = { .magic = ROWS_MAGIC },
				     .fd = own };
	w->asked_ns = clock_mono();
	return 0;
}

int worker_rows_wait(struct worker *w, uint64_t budget_ns, struct worker_rows *out)
{
	uint64_t now = clock_mono();
	int err;

	if (!w->rows.kind)
		return fail_plain(-ECANCELED, "nothing is asked");
	if (w->early) {
		*out = w->rows_out;
		err = w->rows_err ? fail_plain(w->rows_err, "no unwind rows") : 0;
		w->early = false;
	} else {
		err = answer(w, &w->rows, budget_ns < UINT64_MAX - now ? now + budget_ns : UINT64_MAX, out);
	}
	if (err == -EAGAIN)
		return err;
	end_rows(w);
	/* it cannot have taken longer than it was waited for */
	if (!err && out->took_ns > clock_mono() - w->asked_ns)
		out->took_ns = clock_mono() - w->asked_ns;
	return err;
}

void worker_rows_give_up(struct worker *w)
{
	if (!w->rows.kind)
		return;
	if (!w->early)
		process_stop(&w->process);
	end_rows(w);
}

int worker_rows(struct worker *w, int fd, struct worker_rows *out)
{
	int err = worker_rows_ask(w, fd);

	return err ? err : worker_rows_wait(w, UINT64_MAX, out);
}
