/* SPDX-License-Identifier: BSD-2-Clause */
/* pprof files written by hand, right and wrong, and files that live in memory. */
#ifndef UNIT_PPROF_BYTES_H
#define UNIT_PPROF_BYTES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "unit.h"

#include "base/file.h"
#include "base/text.h"
#include "format/format.h"

static inline void pb_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(b, (char)(v | 0x80));
	buf_putc(b, (char)v);
}

static inline void pb_number(struct buf *b, uint32_t field, uint64_t v)
{
	pb_varint(b, (uint64_t)field << 3);
	pb_varint(b, v);
}

static inline void pb_bytes(struct buf *b, uint32_t field, const void *p, size_t len)
{
	pb_varint(b, (uint64_t)field << 3 | 2);
	pb_varint(b, len);
	buf_put(b, p, len);
}

static inline void pb_text(struct buf *b, uint32_t field, const char *s)
{
	pb_bytes(b, field, s, strlen(s));
}

/* A sub-message of numbers: pairs of field and value, ended by field 0. */
static inline void pb_message(struct buf *b, uint32_t field, const uint64_t *pairs)
{
	struct buf m = { 0 };

	for (; *pairs; pairs += 2)
		pb_number(&m, (uint32_t)pairs[0], pairs[1]);
	pb_bytes(b, field, buf_text(&m), m.len);
	buf_done(&m);
}

#define PB_MESSAGE(b, field, ...) pb_message(b, field, (const uint64_t[]){ __VA_ARGS__, 0 })

/* Strings 1 to 5 of every file made here. */
enum { S_CPU = 1, S_NS, S_MAIN, S_LEAF, S_FILE };

static inline void pb_strings(struct buf *b)
{
	static const char *const strings[] = { "", "cpu", "nanoseconds", "main", "leaf", "/bin/x" };

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		pb_text(b, 6, strings[i]);
}

static inline int file_of(const void *p, size_t len)
{
	int fd = memfd_create("profile", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Appends a gzip member. */
static inline void gzip_member(struct buf *out, const void *p, size_t len)
{
	z_stream z = { .next_in = (void *)p, .avail_in = (uInt)len };
	size_t cap = len + len / 100 + 64;
	char *to = malloc(cap);

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_put(out, to, cap - z.avail_out);
	deflateEnd(&z);
	free(to);
}

static inline int read_bytes(const void *p, size_t len, struct profile **out)
{
	int fd = file_of(p, len), err = pprof_read(fd, "x.pb.gz", out);

	close(fd);
	return err;
}

static inline int read_buf(const struct buf *b, struct profile **out)
{
	return read_bytes(buf_text(b), b->len, out);
}

/* The bytes that pprof_write() makes of p. */
static inline void write_profile(const struct profile *p, char **data, size_t *len)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct outfile *of;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(outfile_open(&of, path), 0);
	assert_int_equal(pprof_write(p, of), 0);
	assert_int_equal(outfile_commit(of, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(read_all(fd, 1 << 28, data, len), 0);
	close(fd);
}

#endif
