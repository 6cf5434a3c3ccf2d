/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as an object file: refused with a reason, or named to an answer
 * that the other side of the worker's socket accepts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "elf/object.h"
#include "worker/serve.h"

#define NR 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Offsets all over the executable segments, and over the file. */
static void spread(int fd, size_t size, uint64_t offset[NR])
{
	struct object o;
	uint32_t i;

	for (i = 0; i < NR; i++)
		offset[i] = size * i / NR;
	if (object_read(&o, fd))
		return;
	for (i = 0; i < NR / 2; i++) {
		const struct elf_segment *s = &o.segment[i % o.nr_segments];

		offset[i] = s->offset + s->size / NR * i + i % 7;
	}
	object_done(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	uint64_t offset[NR];
	struct request_head request = { ANSWER_MAGIC, 1, NR };
	struct object_names names;
	struct answer answer;

	if (fd < 0)
		fd = memfd_create("object", MFD_CLOEXEC);
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	spread(fd, size, offset);
	serve_request(&request, offset, fd, &answer);
	if (answer_body_size(&answer.head, &request) != (int64_t)answer.len)
		abort();
	if (answer.head.err) {
		if (!strcmp(answer_reason(&answer.head, answer.body), "worker gave no reason"))
			abort();
		free(answer.body);
		return 0;
	}
	if (answer_decode(&answer.head, answer.body, &names))
		abort();
	object_names_done(&names);
	return 0;
}
