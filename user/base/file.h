/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that are written whole or not at all: bytes go to a temporary file in
 * the target's folder (mode 0600, O_EXCL, O_NOFOLLOW), and outfile_commit()
 * flushes it, keeps a former target as PATH.old and renames. Anything else
 * removes the temporary file. Targets that are no regular files (/dev/stdout,
 * a pipe) are written to directly. A symbolic link (outside /dev and /proc) is
 * replaced, never followed.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct outfile;

/* Creates the temporary file now, so that a bad path fails before any work. */
int outfile_open(struct outfile **out, const char *path) must_check;

/* The error is sticky: the first failure is returned by this and all later calls. */
int outfile_write(struct outfile *of, const void *p, size_t len) must_check;

/* Gives the file to this user and group when it is committed (sudo's caller). */
void outfile_set_owner(struct outfile *of, uid_t uid, gid_t gid);

/* Puts the file in place and frees of, on failure too. keep_old: a former file becomes PATH.old. */
int outfile_commit(struct outfile *of, int keep_old) must_check;

/* Removes the temporary file and frees of; NULL is fine. Async-signal-unsafe. */
void outfile_abort(struct outfile *of);

/* Removes just the temporary file: for a signal handler that is about to end the process. */
void outfile_unlink(const struct outfile *of);

/*
 * Reads all of fd (from its offset), at most `limit` bytes: -EFBIG beyond. *data is the caller's
 * to free, with a NUL behind it.
 */
int read_all(int fd, size_t limit, char **data, size_t *len) must_check;

/* The same by path. */
int read_file(const char *path, size_t limit, char **data, size_t *len) must_check;

/* A small (sysctl-like) file without its last newline; buf is "" on failure, -EFBIG among them. */
int read_line(const char *path, char *buf, size_t cap) must_check;

#endif
