/* SPDX-License-Identifier: BSD-2-Clause */
#include "format/pprof_note.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "format/pprof_times.h"

#define PREFIX "dwell: "

static const char *const kind_names[] = {
	[MAPPING_FILE] = "file", [MAPPING_KERNEL] = "kernel",	[MAPPING_VDSO] = "vdso",
	[MAPPING_ANON] = "anon", [MAPPING_SPECIAL] = "special",
};

static const struct {
	const char *key;
	size_t offset, cap;
} meta_texts[] = {
#define TEXT(name)                                                                   \
	{                                                                            \
#name, offsetof(struct meta, name), sizeof(((struct meta *)0)->name) \
	}
	TEXT(host), TEXT(kernel), TEXT(version), TEXT(command), TEXT(event),
#undef TEXT
};

static const struct {
	const char *key;
	size_t offset;
} unwind_numbers[] = {
#define NUMBER(name) { #name, offsetof(struct meta_unwind, name) }
	NUMBER(objects),    NUMBER(without_tables), NUMBER(failed),    NUMBER(rows),
	NUMBER(table_bytes), NUMBER(build_ns),	    NUMBER(processes), NUMBER(ready_ns),
	NUMBER(copied),	    NUMBER(not_copied),	    NUMBER(events_lost), NUMBER(full),
#undef NUMBER
};

static uint64_t *unwind_number(struct meta_unwind *u, size_t i)
{
	return (uint64_t *)((char *)u + unwind_numbers[i].offset);
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

enum mapping_kind pprof_kind(const char *file)
{
	static const char *const anon[] = { "//anon", "[anon", "[heap]", "[stack", "[jit" };

	for (size_t i = 0; i < ARRAY_LEN(anon); i++) {
		if (begins(file, anon[i]))
			return MAPPING_ANON;
	}
	if (!strcmp(file, "[vdso]"))
		return MAPPING_VDSO;
	return file[0] == '[' ? MAPPING_KERNEL : MAPPING_FILE;
}

static void put_line(struct strtab *lines, struct buf *line)
{
	strtab_add(lines, buf_text(line), line->len);
	buf_clear(line);
}

static void write_meta(const struct meta *m, struct strtab *lines, struct buf *line)
{
	for (size_t i = 0; i < ARRAY_LEN(meta_texts); i++) {
		const char *text = (const char *)m + meta_texts[i].offset;

		if (!*text)
			continue;
		buf_printf(line, PREFIX "%s=%s", meta_texts[i].key, text);
		put_line(lines, line);
	}
	if (m->cpu_changes || m->cpus_missing || m->suspended_ns || m->throttled_hz) {
		buf_printf(line, PREFIX "cpu_changes=%llu cpus_missing=%llu suspended_ns=%llu throttled_hz=%llu",
			   (unsigned long long)m->cpu_changes, (unsigned long long)m->cpus_missing, (unsigned long long)m->suspended_ns,
			   (unsigned long long)m->throttled_hz);
		put_line(lines, line);
	}
	if (!m->cpus && !m->freq_hz && !m->processes && !m->threads && !m->worker_deaths)
		return;
	buf_printf(line, PREFIX "cpus=%u freq=%u processes=%u threads=%u worker_deaths=%llu",
		   m->cpus, m->freq_hz, m->processes, m->threads,
		   (unsigned long long)m->worker_deaths);
	put_line(lines, line);
}

static void write_unwind(struct meta_unwind u, struct strtab *lines, struct buf *line)
{
	if (!u.present)
		return;
	buf_puts(line, PREFIX "unwind");
	for (size_t i = 0; i < ARRAY_LEN(unwind_numbers); i++)
		buf_printf(line, " %s=%llu", unwind_numbers[i].key,
			   (unsigned long long)*unwind_number(&u, i));
	put_line(lines, line);
}

static void write_ledger(const struct ledger *l, struct strtab *lines, struct buf *line)
{
	if (!l->present)
		return;
	buf_printf(line, PREFIX "ledger ticks=%llu counted=%llu idle=%llu filtered=%llu",
		   (unsigned long long)l->ticks, (unsigned long long)l->counted,
		   (unsigned long long)l->idle, (unsigned long long)l->filtered);
	buf_printf(line, " self=%llu missed=%lld", (unsigned long long)l->self,
		   (long long)l->missed);
	for (uint32_t i = 0; i < l->nr_lost; i++)
		buf_printf(line, " lost.%s=%llu", l->lost[i].reason,
			   (unsigned long long)l->lost[i].n);
	put_line(lines, line);
}

static void write_mapping(const struct profile *p, const struct mapping *m, struct strtab *lines,
			  struct buf *line)
{
	const char *file = profile_str(p, m->file);

	if (m->kind == MAPPING_SPECIAL || (!m->unnamed && m->kind == pprof_kind(file)))
		return;
	buf_printf(line, PREFIX "mapping kind=%s unnamed=%s build_id=%s file=%s",
		   kind_names[m->kind], profile_str(p, m->unnamed), profile_str(p, m->build_id),
		   file);
	put_line(lines, line);
}

void pprof_notes_write(const struct profile *p, struct strtab *lines)
{
	struct buf line = { 0 };

	write_meta(&p->meta, lines, &line);
	write_unwind(p->meta.unwind, lines, &line);
	write_ledger(&p->ledger, lines, &line);
	pprof_times_write(p, lines);
	for (size_t i = 1; i < p->nr_mappings; i++)
		write_mapping(p, &p->mappings[i], lines, &line);
	buf_done(&line);
}

/* Takes the next "key=value" of *at, cutting it in place. False: no such word. */
static bool next_pair(char **at, char **key, char **value)
{
	char *word = strsep(at, " ");
	char *eq = word ? strchr(word, '=') : NULL;

	if (!eq)
		return false;
	*eq = '\0';
	*key = word;
	*value = eq + 1;
	return true;
}

static bool parse_signed(const char *s, int64_t *value)
{
	bool minus = *s == '-';
	uint64_t u;

	if (parse_u64(s + minus, &u) < 0 || u > INT64_MAX)
		return false;
	*value = minus ? -(int64_t)u : (int64_t)u;
	return true;
}

static bool ledger_pair(struct ledger *l, const char *key, const char *value)
{
	const struct {
		const char *key;
		uint64_t *value;
	} counts[] = {
		{ "ticks", &l->ticks },	      { "counted", &l->counted }, { "idle", &l->idle },
		{ "filtered", &l->filtered }, { "self", &l->self },
	};
	uint64_t n;

	if (!strcmp(key, "missed"))
		return parse_signed(value, &l->missed);
	if (parse_u64(value, &n) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		if (!strcmp(key, counts[i].key)) {
			*counts[i].value = n;
			return true;
		}
	}
	if (!begins(key, "lost."))
		return false;
	key += strlen("lost.");
	if (!*key)
		return false;
	ledger_lost(l, key, n);
	return true;
}

static bool read_ledger(struct ledger *out, char *pairs)
{
	struct ledger l = { .present = true };
	char *key, *value;

	while (pairs) {
		if (!next_pair(&pairs, &key, &value) || !ledger_pair(&l, key, value))
			return false;
	}
	*out = l;
	return true;
}

static bool read_unwind(struct meta_unwind *out, char *pairs)
{
	struct meta_unwind u = { .present = true };
	char *key, *value;
	size_t i;

	while (pairs) {
		if (!next_pair(&pairs, &key, &value))
			return false;
		for (i = 0; i < ARRAY_LEN(unwind_numbers) && strcmp(key, unwind_numbers[i].key); i++)
			;
		if (i == ARRAY_LEN(unwind_numbers) || parse_u64(value, unwind_number(&u, i)) < 0)
			return false;
	}
	*out = u;
	return true;
}

static bool read_numbers(struct meta *out, char *pairs)
{
	struct meta m = *out;
	char *key, *value;
	uint64_t n;

	while (pairs) {
		if (!next_pair(&pairs, &key, &value) || parse_u64(value, &n) < 0)
			return false;
		if (!strcmp(key, "worker_deaths"))
			m.worker_deaths = n;
		else if (!strcmp(key, "cpu_changes"))
			m.cpu_changes = n;
		else if (!strcmp(key, "cpus_missing"))
			m.cpus_missing = n;
		else if (!strcmp(key, "suspended_ns"))
			m.suspended_ns = n;
		else if (!strcmp(key, "throttled_hz"))
			m.throttled_hz = n;
		else if (n > UINT32_MAX)
			return false;
		else if (!strcmp(key, "cpus"))
			m.cpus = (uint32_t)n;
		else if (!strcmp(key, "freq"))
			m.freq_hz = (uint32_t)n;
		else if (!strcmp(key, "processes"))
			m.processes = (uint32_t)n;
		else if (!strcmp(key, "threads"))
			m.threads = (uint32_t)n;
		else
			return false;
	}
	*out = m;
	return true;
}

static bool read_text(struct meta *m, const char *pair)
{
	for (size_t i = 0; i < ARRAY_LEN(meta_texts); i++) {
		size_t len = strlen(meta_texts[i].key);

		if (strncmp(pair, meta_texts[i].key, len) || pair[len] != '=')
			continue;
		pair += len + 1;
		sanitize((char *)m + meta_texts[i].offset, meta_texts[i].cap, pair, strlen(pair));
		return true;
	}
	return false;
}

/* Cuts *at before `key`, which begins the next field, and moves *at behind it; the field that ends.
 */
static char *cut_at(char **at, const char *key)
{
	char *field = *at, *end = strstr(field, key);

	if (!end)
		return NULL;
	*end = '\0';
	*at = end + strlen(key);
	return field;
}

static bool read_mapping(struct profile *p, struct pprof_notes *notes, char *at)
{
	char *kind, *unnamed, *build_id;
	struct mapping_note n = { 0 };

	kind = cut_at(&at, " unnamed=");
	unnamed = kind ? cut_at(&at, " build_id=") : NULL;
	build_id = unnamed ? cut_at(&at, " file=") : NULL;
	if (!build_id)
		return false;
	while (n.kind < MAPPING_SPECIAL && strcmp(kind, kind_names[n.kind]))
		n.kind++;
	if (n.kind == MAPPING_SPECIAL)
		return false;
	n.file = profile_strings(p, at);
	n.build_id = profile_strings(p, build_id);
	n.unnamed = profile_strings(p, unnamed);
	grow(&notes->mapping, &notes->cap_mapping, notes->nr_mapping + 1, sizeof(n));
	notes->mapping[notes->nr_mapping++] = n;
	return true;
}

bool pprof_note_read(struct profile *p, struct pprof_notes *notes, const char *line)
{
	autofree char *copy = NULL;

	if (begins(line, PPROF_THREAD))
		return pprof_thread_read(p, notes, line + strlen(PPROF_THREAD));
	if (!begins(line, PREFIX))
		return false;
	line += strlen(PREFIX);
	if (read_text(&p->meta, line))
		return true;
	copy = xstrdup(line);
	if (begins(line, "ledger "))
		return read_ledger(&p->ledger, copy + strlen("ledger "));
	if (begins(line, "waits "))
		return pprof_waits_read(p, notes, copy + strlen("waits "));
	if (begins(line, "times "))
		return pprof_times_read(p, notes, copy + strlen("times "));
	if (begins(line, "unwind "))
		return read_unwind(&p->meta.unwind, copy + strlen("unwind "));
	if (begins(line, "mapping kind="))
		return read_mapping(p, notes, copy + strlen("mapping kind="));
	return read_numbers(&p->meta, copy);
}

static int compare_notes(const void *pa, const void *pb)
{
	const struct mapping_note *a = pa, *b = pb;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->build_id > b->build_id) - (a->build_id < b->build_id);
}

void pprof_notes_sort(struct pprof_notes *notes)
{
	if (notes->nr_mapping)
		qsort(notes->mapping, notes->nr_mapping, sizeof(*notes->mapping), compare_notes);
}

const struct mapping_note *pprof_notes_find(const struct pprof_notes *notes, uint32_t file,
					    uint32_t build_id)
{
	struct mapping_note key = { .file = file, .build_id = build_id };

	if (!notes->nr_mapping)
		return NULL;
	return bsearch(&key, notes->mapping, notes->nr_mapping, sizeof(key), compare_notes);
}

void pprof_notes_done(struct pprof_notes *notes)
{
	free(notes->mapping);
	*notes = (struct pprof_notes){ 0 };
}
