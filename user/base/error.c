/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERROR_MAX 1024

static _Thread_local char kept[ERROR_MAX];

/*
 * Formats to a buffer of its own first: the arguments may point into the kept
 * text. What does not fit is cut.
 */
static void keep(const char *fmt, va_list ap, const char *sep, const char *tail)
{
	char text[ERROR_MAX];
	int saved = errno;
	int n = vsnprintf(text, sizeof(text), fmt, ap);

	if (n < 0)
		text[n = 0] = '\0';
	if (tail && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", sep, tail);
	memcpy(kept, text, sizeof(kept));
	errno = saved;
}

int fail(int err, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	keep(fmt, ap, ": ", strerror_r(-err, text, sizeof(text)));
	va_end(ap);
	return err;
}

int fail_plain(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep(fmt, ap, "", NULL);
	va_end(ap);
	return err;
}

int fail_in(int err, const char *fmt, ...)
{
	char former[ERROR_MAX];
	va_list ap;

	memcpy(former, kept, sizeof(former));
	va_start(ap, fmt);
	keep(fmt, ap, ": ", former[0] ? former : NULL);
	va_end(ap);
	return err;
}

const char *error_text(void)
{
	return kept;
}

void error_clear(void)
{
	kept[0] = '\0';
}
