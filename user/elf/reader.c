/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/reader.h"

#include <errno.h>
#include <unistd.h>

int reader_init(struct reader *r, int fd)
{
	/* not fstat(): the sandbox allows no call that takes a path, and newfstatat() does */
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0)
		return fail(-errno, "cannot seek");
	if ((uint64_t)size >= READER_MAX_FILE)
		return fail_plain(-EFBIG, "file of 4 GiB or more");
	r->fd = fd;
	r->size = (uint64_t)size;
	r->left = READER_MAX_READ;
	return 0;
}

int reader_get(struct reader *r, uint64_t offset, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	if (!reader_has(r, offset, len))
		return fail_plain(-ENODATA, "truncated");
	if (len > r->left)
		return fail_plain(-EFBIG, "tables above 256 MiB");
	r->left -= len;
	while (done < len) {
		n = pread(r->fd, (char *)buf + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(-errno, "cannot read");
		if (n == 0)
			return fail_plain(-ENODATA, "truncated");
		done += (size_t)n;
	}
	return 0;
}
