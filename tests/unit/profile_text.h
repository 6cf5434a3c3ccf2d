/* SPDX-License-Identifier: BSD-2-Clause */
/* A profile that uses all there is, and all of a profile as text, to compare two. */
#ifndef UNIT_PROFILE_TEXT_H
#define UNIT_PROFILE_TEXT_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/profile.h"

static inline uint32_t a_mapping(struct profile *p, enum mapping_kind kind, const char *file,
				 uint64_t start)
{
	struct mapping m = {
		.kind = kind, .file = profile_strings(p, file), .start = start, .limit = start + 0x1000,
	};

	return profile_mapping(p, &m);
}

static inline uint32_t a_function(struct profile *p, const char *name, const char *file, int64_t line)
{
	char mangled[64];
	struct function f = { .name = profile_strings(p, name), .start_line = line };

	snprintf(mangled, sizeof(mangled), "_Z%s", name);
	f.system_name = profile_strings(p, mangled);
	f.file = profile_strings(p, file);
	return profile_function(p, &f);
}

static inline uint32_t a_frame(struct profile *p, uint32_t mapping, uint64_t address,
			       const char *name)
{
	struct line line = { .function = a_function(p, name, "a.c", 3), .line = 7 };

	p->mappings[mapping].has_functions = true;
	return profile_frame_lines(p, mapping, address, &line, 1);
}

static inline uint32_t a_label_set(struct profile *p, const char *process, int64_t pid)
{
	struct label l[] = {
		{ .key = profile_strings(p, "process"), .str = profile_strings(p, process) },
		{ .key = profile_strings(p, "pid"), .num = pid },
		{ .key = profile_strings(p, "size"), .num = -5, .num_unit = profile_strings(p, "bytes") },
	};

	return profile_labels(p, l, 3);
}

/* samples and cpu of one sample of the native columns */
static inline void a_sample(struct profile *p, uint32_t stack, uint32_t labels, int64_t samples)
{
	int64_t values[NATIVE_COLUMNS] = { samples, samples * 10000000, 3, 1ll << 40, 5, 6, -7 };

	profile_add(p, stack, labels, values);
}

static inline void describe_mapping(const struct profile *p, const struct mapping *m, struct buf *out)
{
	buf_printf(out, " %s kind %u %" PRIx64 "-%" PRIx64 "@%" PRIx64 " id %s unnamed '%s' %d%d%d%d",
		   profile_str(p, m->file), m->kind, m->start, m->limit, m->offset,
		   profile_str(p, m->build_id), profile_str(p, m->unnamed), m->has_functions,
		   m->has_filenames, m->has_line_numbers, m->has_inline_frames);
}

static inline void describe_frame(const struct profile *p, const struct frame *f, struct buf *out)
{
	buf_printf(out, "  %" PRIx64, f->address);
	if (f->mapping)
		describe_mapping(p, &p->mappings[f->mapping], out);
	for (uint32_t i = 0; i < f->nr_lines; i++) {
		const struct line *l = &p->lines[f->first_line + i];
		const struct function *fn = &p->functions[l->function];

		buf_printf(out, " | %s %s %s:%" PRId64 " line %" PRId64, profile_str(p, fn->name),
			   profile_str(p, fn->system_name), profile_str(p, fn->file), fn->start_line,
			   l->line);
	}
	buf_putc(out, '\n');
}

static inline void describe_sample(const struct profile *p, size_t i, struct buf *out)
{
	const struct label_set *set = &p->label_sets[p->samples[i].labels];

	buf_puts(out, "sample");
	for (uint32_t c = 0; c < p->nr_columns; c++)
		buf_printf(out, " %" PRId64, profile_values(p, i)[c]);
	for (uint32_t j = 0; j < set->nr; j++) {
		const struct label *l = &p->label_pool[set->first + j];

		buf_printf(out, " %s=%s/%" PRId64 "%s", profile_str(p, l->key), profile_str(p, l->str),
			   l->num, profile_str(p, l->num_unit));
	}
	buf_putc(out, '\n');
	for (uint32_t s = p->samples[i].stack; s; s = p->stacks[s].parent)
		describe_frame(p, &p->frames[p->stacks[s].frame], out);
}

static inline void describe_ledger(const struct ledger *l, struct buf *out)
{
	buf_printf(out, "ledger %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64,
		   l->present, l->ticks, l->counted, l->idle, l->filtered, l->self, l->missed);
	for (uint32_t i = 0; i < l->nr_lost; i++)
		buf_printf(out, " %s=%" PRIu64, l->lost[i].reason, l->lost[i].n);
	buf_putc(out, '\n');
}

/* Everything but the order of mappings, which a file may change. */
static inline void describe(const struct profile *p, struct buf *out)
{
	const struct meta *m = &p->meta;

	for (uint32_t i = 0; i < p->nr_columns; i++)
		buf_printf(out, "%s/%s ", profile_str(p, p->column[i].type),
			   profile_str(p, p->column[i].unit));
	buf_printf(out, "default %u period %" PRId64 " %s/%s time %" PRId64 "+%" PRId64 " doc %s\n",
		   p->default_column, p->period, profile_str(p, p->period_type.type),
		   profile_str(p, p->period_type.unit), p->time_ns, p->duration_ns,
		   profile_str(p, p->doc_url));
	for (size_t i = 0; i < p->nr_comments; i++)
		buf_printf(out, "comment %s\n", profile_str(p, p->comments[i]));
	buf_printf(out, "meta %s|%s|%s|%s|%s %u %u %u %u %" PRIu64 "\n", m->host, m->kernel, m->version,
		   m->command, m->event, m->cpus, m->freq_hz, m->processes, m->threads,
		   m->worker_deaths);
	describe_ledger(&p->ledger, out);
	buf_printf(out, "%zu mappings %zu functions %zu frames %zu lines %zu stacks\n", p->nr_mappings,
		   p->nr_functions, p->nr_frames, p->nr_lines, p->nr_stacks);
	for (size_t i = 0; i < p->nr_samples; i++)
		describe_sample(p, i, out);
}

#endif
