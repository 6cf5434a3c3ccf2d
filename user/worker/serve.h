/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's own side: answers requests until the socket ends. */
#ifndef WORKER_SERVE_H
#define WORKER_SERVE_H

#include "worker/answer.h"

/* Names what request asks of the file at fd and leaves the whole answer in *out (freed by the
 * caller). */
struct answer {
	struct answer_head head;
	char *body;
	size_t len;
};
void serve_request(const struct request_head *request, const uint64_t *offset, int fd,
		   struct answer *out);

/*
 * Serves the socket; returns when the other side is gone. With `refused` (an error text) all
 * requests are answered with that and no file is looked at.
 */
void serve(int sock, const char *refused);

#endif
