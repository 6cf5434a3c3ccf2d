/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a file that may be gzipped, read front to back under the limits
 * of FORMAT_MAX_PACKED and FORMAT_MAX_INFLATED. Several gzip members are one
 * stream.
 */
#ifndef FORMAT_SOURCE_H
#define FORMAT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct source;

/* Looks at the first bytes of fd, which stays the caller's. `name`, for messages, is not copied. */
int source_new(struct source **out, int fd, const char *name) must_check;
void source_free(struct source *s);

/* Exactly len bytes; -ENODATA after fail_plain() when the stream ends before. */
int source_read(struct source *s, void *p, size_t len) must_check;

/* Drops len bytes. */
int source_skip(struct source *s, uint64_t len) must_check;

/* 1 when nothing follows, 0 when something does, negative when that cannot be read. */
int source_at_end(struct source *s) must_check;

/* A protocol buffers varint. */
int source_varint(struct source *s, uint64_t *value) must_check;

/* How many (inflated) bytes were taken so far. */
uint64_t source_offset(const struct source *s);

const char *source_name(const struct source *s);

#endif
