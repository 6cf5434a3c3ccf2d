/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory: allocation aborts with a message (there is no sane way on), so sizes
 * that come from a file, a socket or the kernel pass a limit before they get
 * here. autofree/autoclose clean up locals.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Makes room in array *p (of elements of `size` bytes, *cap of them) for at least `need`. */
void grow(void *p, size_t *cap, size_t need, size_t size);

static inline void autofree_cleanup(void *p)
{
	free(*(void **)p);
}

static inline void autoclose_cleanup(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void autofclose_cleanup(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define autofree __attribute__((cleanup(autofree_cleanup)))
#define autoclose __attribute__((cleanup(autoclose_cleanup)))
#define autofclose __attribute__((cleanup(autofclose_cleanup)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
