/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded reads of a hostile file: by pread only (a mapped file that shrinks
 * kills with SIGBUS), inside its size, under a budget of bytes.
 */
#ifndef ELF_READER_H
#define ELF_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define READER_MAX_FILE (4ull << 30)   /* not reached */
#define READER_MAX_READ (256ull << 20) /* bytes read of one file, names included */

struct reader {
	int fd; /* the caller's */
	uint64_t size, left;
};

/* -EFBIG from READER_MAX_FILE on, -errno when fd cannot seek. */
int reader_init(struct reader *r, int fd) must_check;

/* Is [offset, offset + len) inside the file? */
static inline int reader_has(const struct reader *r, uint64_t offset, uint64_t len)
{
	return offset <= r->size && len <= r->size - offset;
}

/*
 * Reads exactly len bytes. -ENODATA ("truncated") when the file ends before, -EFBIG when the
 * budget is spent, else the errno of the read.
 */
int reader_get(struct reader *r, uint64_t offset, void *buf, size_t len) must_check;

#endif
