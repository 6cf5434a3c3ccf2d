/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/serve.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/text.h"
#include "elf/demangle.h"
#include "elf/object.h"
#include "worker/rows.h"

/* One request at work. Symbols that were named are remembered by the last one only. */
struct naming {
	struct object object;
	struct buf text;
	const struct elf_symbol *last; /* whose name is last_name */
	struct answer_name last_name;
};

_Static_assert(OBJECT_MAX_SEGMENTS == ANSWER_MAX_SEGMENTS, "all segments fit an answer");
_Static_assert(OBJECT_MAX_BUILD_ID == ANSWER_MAX_BUILD_ID, "a build id fits an answer");

static uint32_t put_text(struct naming *n, const char *s)
{
	uint32_t at = (uint32_t)n->text.len;

	buf_put(&n->text, s, strlen(s) + 1);
	return at;
}

/*
 * Both names of a symbol. In .symtab a versioned one is "memcpy@@GLIBC_2.14": the version is
 * left away in the readable name.
 */
static int put_names(struct naming *n, const struct elf_symbol *s, struct answer_name *out)
{
	char name[SYMTAB_MAX_NAME], readable[DEMANGLE_MAX_OUT], *version;
	int named = symtab_name(&n->object.symtab, &n->object.reader, s, name);

	if (named < 0)
		return named;
	if (n->text.len + sizeof(name) + sizeof(readable) > ANSWER_MAX_TEXT)
		return fail_plain(-E2BIG, "names of more than %u MiB", ANSWER_MAX_TEXT >> 20);
	*out = (struct answer_name){ .start = s->start,
				     .name = ANSWER_NONE,
				     .system_name = ANSWER_NONE };
	if (!named)
		return 0;
	out->name = out->system_name = put_text(n, name);
	version = strchr(name + 1, '@');
	if (name[0] && version)
		*version = '\0';
	if (demangle(name, readable))
		out->name = put_text(n, readable);
	else if (name[0] && version)
		out->name = put_text(n, name);
	return 0;
}

static int name_offset(struct naming *n, uint64_t offset, struct answer_name *out)
{
	struct answer_name none = { offset, 0, ANSWER_NONE, ANSWER_NONE };
	const struct elf_symbol *s;
	uint64_t address;
	int err = 0;

	*out = none;
	if (!object_address(&n->object, offset, &address))
		return 0;
	out->address = address;
	s = symtab_find(&n->object.symtab, address);
	if (!s)
		return 0;
	if (s != n->last)
		err = put_names(n, s, &n->last_name);
	if (err)
		return err;
	n->last = s;
	*out = n->last_name;
	out->address = address;
	return 0;
}

static void put_segments(const struct object *o, struct answer_segment *out)
{
	uint32_t i;

	for (i = 0; i < o->nr_segments; i++)
		out[i] = (struct answer_segment){ o->segment[i].offset, o->segment[i].size,
						  o->segment[i].address };
}

/* The names go into the body at once, the text behind them when its length is known. */
static int name_all(struct naming *n, const struct request_head *request, const uint64_t *offset,
		    struct answer *out)
{
	size_t segments = n->object.nr_segments * sizeof(struct answer_segment);
	size_t names = request->nr * sizeof(struct answer_name);
	autofree char *body = xmalloc(segments + names);
	struct answer_name *name = (void *)(body + segments);
	uint64_t i;
	int err;

	put_segments(&n->object, (void *)body);
	for (i = 0; i < request->nr; i++) {
		err = name_offset(n, offset[i], &name[i]);
		if (err)
			return err;
	}
	body = xreallocarray(body, 1, segments + names + n->text.len);
	memcpy(body + segments + names, buf_text(&n->text), n->text.len);
	out->head.nr_symbols = n->object.symtab.nr;
	out->head.nr_segments = n->object.nr_segments;
	out->head.nr_names = (uint32_t)request->nr;
	out->head.text_len = (uint32_t)n->text.len;
	out->head.build_id_len = n->object.build_id_len;
	memcpy(out->head.build_id, n->object.build_id, n->object.build_id_len);
	out->len = segments + names + n->text.len;
	out->body = body;
	body = NULL;
	return 0;
}

static void put_error(struct answer *out, int err, const char *reason)
{
	out->head.err = err;
	out->head.text_len = (uint32_t)strnlen(reason, ANSWER_MAX_REASON - 1) + 1;
	out->len = out->head.text_len;
	out->body = xcalloc(1, out->len);
	memcpy(out->body, reason, out->len - 1);
}

void serve_request(const struct request_head *request, const uint64_t *offset, int fd,
		   struct answer *out)
{
	struct naming n = { 0 };
	int err;

	*out = (struct answer){ .head = { .magic = ANSWER_MAGIC, .seq = request->seq } };
	err = object_read(&n.object, fd);
	if (!err)
		err = name_all(&n, request, offset, out);
	if (err)
		put_error(out, err, error_text());
	buf_done(&n.text);
	object_done(&n.object);
}

static int send_all(int sock, const void *p, size_t len)
{
	const char *at = p;
	ssize_t n;

	while (len) {
		n = send(sock, at, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Exactly len bytes, and the descriptor that comes with them, if any. */
static int receive_all(int sock, void *p, size_t len, int *fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { p, len };
	struct cmsghdr *c;
	ssize_t n;

	while (iov.iov_len) {
		struct msghdr msg = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = control.buf,
				      .msg_controllen = sizeof(control.buf) };

		n = recvmsg(sock, &msg, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		c = CMSG_FIRSTHDR(&msg);
		if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(fd, CMSG_DATA(c), sizeof(*fd));
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
	}
	return 0;
}

static int answer_names(int sock, const struct request_head *request, const uint64_t *offset,
			int *fd, const char *refused)
{
	struct answer answer;
	autofree char *body = NULL;
	int err;

	if (refused) {
		answer = (struct answer){ .head = { .magic = ANSWER_MAGIC, .seq = request->seq } };
		put_error(&answer, -EPERM, refused);
	} else {
		serve_request(request, offset, *fd, &answer);
	}
	body = answer.body;
	/* who has the answer may take it that the file is let go */
	close(*fd);
	*fd = -1;
	err = send_all(sock, &answer.head, sizeof(answer.head));
	return err ? err : send_all(sock, answer.body, answer.len);
}

static int answer_rows(int sock, const struct request_head *request, int *fd, const char *refused)
{
	autofree char *body = NULL;
	struct rows_head head;
	size_t len;
	int err;

	rows_serve(request, *fd, refused, &(struct rows_out){ &head, &body, &len });
	close(*fd);
	*fd = -1;
	err = send_all(sock, &head, sizeof(head));
	return err ? err : send_all(sock, body, len);
}

/* One request and its answer; negative when the other side is gone or makes no sense. */
static int serve_one(int sock, const char *refused)
{
	struct request_head request;
	autofree uint64_t *offset = NULL;
	autoclose int fd = -1;
	int err;

	err = receive_all(sock, &request, sizeof(request), &fd);
	if (err || (request.magic != ANSWER_MAGIC && request.magic != ROWS_MAGIC) ||
	    request.nr > WORKER_MAX_OFFSETS || fd < 0)
		return -EPROTO;
	offset = xmalloc(request.nr * sizeof(*offset));
	err = receive_all(sock, offset, request.nr * sizeof(*offset), &fd);
	if (err)
		return err;
	if (request.magic == ROWS_MAGIC)
		return answer_rows(sock, &request, &fd, refused);
	return answer_names(sock, &request, offset, &fd, refused);
}

void serve(int sock, const char *refused)
{
	while (!serve_one(sock, refused))
		malloc_trim(0);
}
