/* SPDX-License-Identifier: BSD-2-Clause */
#include "format/pprof_times.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

struct number {
	const char *key;
	size_t offset;
};

#define NUMBER(type, name) { #name, offsetof(struct type, name) }

static const struct number times_numbers[] = {
	NUMBER(times, window), NUMBER(times, idle),    NUMBER(times, other),	NUMBER(times, switches),
	NUMBER(times, full),   NUMBER(times, full_ns), NUMBER(times, repaired), NUMBER(times, negative),
};

static const struct number thread_numbers[] = {
	NUMBER(thread_time, pid),      NUMBER(thread_time, tid),     NUMBER(thread_time, task),
	NUMBER(thread_time, stolen),   NUMBER(thread_time, runqueue), NUMBER(thread_time, blocked),
	NUMBER(thread_time, alive),
};

static const struct number waits_numbers[] = {
	NUMBER(waits_ledger, period),	   NUMBER(waits_ledger, seen.n),   NUMBER(waits_ledger, seen.ns),
	NUMBER(waits_ledger, below.n),	   NUMBER(waits_ledger, below.ns), NUMBER(waits_ledger, under.n),
	NUMBER(waits_ledger, under.ns),	   NUMBER(waits_ledger, self.n),
	NUMBER(waits_ledger, self.ns),	   NUMBER(waits_ledger, filtered.n), NUMBER(waits_ledger, filtered.ns),
	NUMBER(waits_ledger, kept.n),	   NUMBER(waits_ledger, kept.ns),  NUMBER(waits_ledger, walked),
	NUMBER(waits_ledger, stackless),   NUMBER(waits_ledger, open.n),   NUMBER(waits_ledger, open.ns),
};

static int64_t *number_at(void *in, const struct number *n)
{
	return (int64_t *)((char *)in + n->offset);
}

static void put_numbers(struct buf *line, void *from, const struct number *n, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		buf_printf(line, "%s%s=%lld", i ? " " : "", n[i].key, (long long)*number_at(from, &n[i]));
}

void pprof_times_write(const struct profile *p, struct strtab *lines)
{
	struct waits_ledger w = p->waits;
	struct times t = p->times;
	struct buf line = { 0 };

	if (w.present) {
		buf_puts(&line, "dwell: waits ");
		put_numbers(&line, &w, waits_numbers, ARRAY_LEN(waits_numbers));
		strtab_add(lines, buf_text(&line), line.len);
		buf_clear(&line);
	}
	if (!t.present) {
		buf_done(&line);
		return;
	}
	buf_puts(&line, "dwell: times ");
	put_numbers(&line, &t, times_numbers, ARRAY_LEN(times_numbers));
	strtab_add(lines, buf_text(&line), line.len);
	for (size_t i = 0; i < t.nr; i++) {
		buf_clear(&line);
		buf_puts(&line, PPROF_THREAD);
		put_numbers(&line, &t.row[i], thread_numbers, ARRAY_LEN(thread_numbers));
		/* the last, for it may have spaces */
		buf_printf(&line, " comm=%s", profile_str(p, t.row[i].comm));
		strtab_add(lines, buf_text(&line), line.len);
	}
	buf_done(&line);
}

static bool read_number(const char *s, int64_t *value)
{
	bool minus = *s == '-';
	uint64_t u;

	if (parse_u64(s + minus, &u) < 0 || u > INT64_MAX)
		return false;
	*value = minus ? -(int64_t)u : (int64_t)u;
	return true;
}

/* "a=1 b=-2 ...": these keys in this order. Returns what follows, NULL when it is not so. */
static const char *read_numbers(const char *s, void *to, const struct number *n, size_t nr)
{
	char digits[24];

	for (size_t i = 0; i < nr; i++) {
		size_t key = strlen(n[i].key), len;

		if (i && *s++ != ' ')
			return NULL;
		if (strncmp(s, n[i].key, key) || s[key] != '=')
			return NULL;
		s += key + 1;
		len = strcspn(s, " ");
		if (len >= sizeof(digits))
			return NULL;
		memcpy(digits, s, len);
		digits[len] = '\0';
		if (!read_number(digits, number_at(to, &n[i])))
			return NULL;
		s += len;
	}
	return s;
}

bool pprof_times_read(struct profile *p, struct pprof_notes *notes, const char *pairs)
{
	struct times t = { .present = true };
	const char *rest = read_numbers(pairs, &t, times_numbers, ARRAY_LEN(times_numbers));

	if (!rest || *rest)
		return false;
	if (p->times.present)
		notes->several_times = true;
	if (notes->several_times) {
		times_done(&p->times);
		return true;
	}
	p->times = t;
	return true;
}

bool pprof_waits_read(struct profile *p, struct pprof_notes *notes, const char *pairs)
{
	struct waits_ledger w = { 0 };
	const char *rest = read_numbers(pairs, &w, waits_numbers, ARRAY_LEN(waits_numbers));

	if (!rest || *rest || waits_check(&w))
		return false;
	if (p->waits.present)
		notes->several_waits = true;
	w.present = !notes->several_waits;
	p->waits = w.present ? w : (struct waits_ledger){ 0 };
	return true;
}

bool pprof_thread_read(struct profile *p, struct pprof_notes *notes, const char *pairs)
{
	static const char name[] = " comm=";
	struct thread_time row = { 0 };
	const char *rest = read_numbers(pairs, &row, thread_numbers, ARRAY_LEN(thread_numbers));

	if (!rest || strncmp(rest, name, strlen(name)))
		return false;
	if (!p->times.present)
		return notes->several_times;
	row.comm = profile_strings(p, rest + strlen(name));
	times_add(&p->times, &row);
	return true;
}
