/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/glob.h"

#include <errno.h>
#include <string.h>

#define STATES 64

/* "[a-z]" or "[!a-z]" at p: its bytes get `bit`. Returns what follows, NULL where it does not close. */
static const char *add_bracket(struct glob *g, const char *p, uint64_t bit)
{
	bool set[256] = { false }, not = p[1] == '!' || p[1] == '^';
	const char *first = p + 1 + not;
	unsigned int from, to, c;

	for (p = first; *p && (*p != ']' || p == first); p++) {
		if (*p == '\\' && p[1])
			p++;
		from = to = (unsigned char)*p;
		if (p[1] == '-' && p[2] && p[2] != ']') {
			p += 2;
			if (*p == '\\' && p[1])
				p++;
			to = (unsigned char)*p;
		}
		for (c = from; c <= to; c++)
			set[c] = true;
	}
	if (!*p)
		return NULL;
	for (c = 1; c < 256; c++)
		if (set[c] != not)
			g->accept[c] |= bit;
	return p + 1;
}

/* One letter of the pattern. */
static const char *add_letter(struct glob *g, const char *p, uint64_t bit)
{
	int c;

	if (*p == '[')
		return add_bracket(g, p, bit);
	if (*p == '?') {
		for (c = 1; c < 256; c++)
			g->accept[c] |= bit;
		return p + 1;
	}
	if (*p == '\\' && p[1])
		p++;
	g->accept[(unsigned char)*p] |= bit;
	return p + 1;
}

int glob_add(struct glob *g, const char *pattern, size_t max_len)
{
	uint32_t first = g->used, at = first;
	const char *p = pattern;

	if (!*p)
		return fail_plain(-EINVAL, "an empty pattern fits nothing");
	while (*p) {
		if (at >= STATES - 1)
			return fail_plain(-EINVAL, "'%s': all patterns together have more than %d letters", pattern, STATES - 1);
		if (*p == '*') {
			g->stay |= 1ull << at;
			p++;
			continue;
		}
		p = add_letter(g, p, 1ull << at++);
		if (!p)
			return fail_plain(-EINVAL, "'%s': a bracket that is not closed", pattern);
	}
	if (at - first > max_len)
		return fail_plain(-EINVAL, "'%s' fits nothing: the kernel keeps the first %zu bytes of a name", pattern, max_len);
	g->start |= 1ull << first;
	g->end |= 1ull << at;
	g->used = at + 1;
	return 0;
}

bool glob_fits(const struct glob *g, const char *name, size_t len)
{
	uint64_t state = g->start;

	for (size_t i = 0; i < len && name[i]; i++)
		state = (state & g->accept[(unsigned char)name[i]]) << 1 | (state & g->stay);
	return state & g->end;
}
