/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <string.h>

#include "base/alloc.h"

#define OPTIONS (DMGL_PARAMS | DMGL_ANSI)

/*
 * The C++ and Rust demanglers hand out their text piece by piece and keep nothing on the heap
 * that way. A name of 100 bytes can be made to print gigabytes, so the walk is left by a jump
 * when the buffer is full.
 */
struct sink {
	char *out;
	size_t len;
	jmp_buf full;
};

static void take(const char *text, size_t len, void *ctx)
{
	struct sink *sink = ctx;

	if (len > DEMANGLE_MAX_OUT - 1 - sink->len)
		longjmp(sink->full, 1);
	memcpy(sink->out + sink->len, text, len);
	sink->len += len;
}

/*
 * libiberty's D demangler wants xmalloc() and xrealloc(). The first is base/alloc.h's; with the
 * second here, libiberty's own pair, which would clash with it, stays out of the link.
 */
void *xrealloc(void *p, size_t size)
{
	return xreallocarray(p, size, 1);
}

typedef int (*demangle_fn)(const char *name, int options, demangle_callbackref fn, void *ctx);

static int by_pieces(demangle_fn fn, const char *name, char *out)
{
	struct sink sink = { .out = out };

	if (setjmp(sink.full))
		return 0;
	if (!fn(name, OPTIONS, take, &sink) || !sink.len)
		return 0;
	out[sink.len] = '\0';
	return 1;
}

static int dlang(const char *name, char *out)
{
	autofree char *text = dlang_demangle(name, 0);
	size_t len = text ? strlen(text) : 0;

	if (!len || len >= DEMANGLE_MAX_OUT)
		return 0;
	memcpy(out, text, len + 1);
	return 1;
}

int demangle(const char *name, char out[DEMANGLE_MAX_OUT])
{
	if (name[0] != '_')
		return 0;
	if (name[1] == 'D')
		return dlang(name, out);
	/* Rust's older form looks like C++, but for its hash: ask it first */
	if (name[1] == 'R' || name[1] == 'Z') {
		if (by_pieces(rust_demangle_callback, name, out))
			return 1;
	}
	return name[1] == 'Z' && by_pieces(cplus_demangle_v3_callback, name, out);
}
