/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

/* No formatting here: that could want memory again. */
static _Noreturn void out_of_memory(void)
{
	static const char text[] = "dwell: out of memory\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)n;
	abort();
}

static void *checked(void *p)
{
	if (!p)
		out_of_memory();
	return p;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return checked(n && size ? calloc(n, size) : calloc(1, 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	return checked(n && size ? reallocarray(p, n, size) : realloc(p, 1));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xasprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	return s;
}

void grow(void *p, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap;
	void *array;

	if (need <= n)
		return;
	if (need > SIZE_MAX / 2)
		out_of_memory();
	if (n < 8)
		n = 8;
	while (n < need)
		n *= 2;
	/* the caller's pointer is of its own type, which a void * must not alias */
	memcpy(&array, p, sizeof(array));
	array = xreallocarray(array, n, size);
	memcpy(p, &array, sizeof(array));
	*cap = n;
}
