/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile_check(): every id in its table, every tree without a cycle, the
 * ledger equal to the samples.
 */
#include <errno.h>
#include <inttypes.h>

#include "model/profile.h"

static int bad(const char *what, size_t i, const char *why)
{
	return fail_plain(-EINVAL, "profile: %s %zu: %s", what, i, why);
}

static bool is_string(const struct profile *p, uint32_t id)
{
	return id < p->strings.n;
}

static bool is_column(const struct profile *p, const struct column *c)
{
	return is_string(p, c->type) && is_string(p, c->unit);
}

static int check_columns(const struct profile *p)
{
	uint32_t i;

	if (!p->nr_columns || p->nr_columns > PROFILE_MAX_COLUMNS)
		return fail_plain(-EINVAL, "profile: %u value columns", p->nr_columns);
	if (p->default_column >= p->nr_columns)
		return bad("default column", p->default_column, "there is none");
	if (!is_column(p, &p->period_type) || !is_string(p, p->doc_url))
		return bad("header", 0, "a string that is not there");
	for (i = 0; i < p->nr_columns; i++) {
		if (!is_column(p, &p->column[i]))
			return bad("column", i, "a string that is not there");
	}
	for (i = 0; i < p->nr_comments; i++) {
		if (!is_string(p, p->comments[i]))
			return bad("comment", i, "a string that is not there");
	}
	return 0;
}

static int check_mappings(const struct profile *p)
{
	const struct mapping *m = p->mappings;
	size_t i;

	if (!p->nr_mappings)
		return bad("mapping", 0, "missing");
	for (i = 0; i < p->nr_mappings; i++, m++) {
		if (!is_string(p, m->file) || !is_string(p, m->build_id) ||
		    !is_string(p, m->unnamed))
			return bad("mapping", i, "a string that is not there");
		if (m->kind > MAPPING_SPECIAL)
			return bad("mapping", i, "unknown kind");
		if (m->limit && m->start > m->limit)
			return bad("mapping", i, "ends before it begins");
	}
	return 0;
}

static int check_functions(const struct profile *p)
{
	const struct function *f = p->functions;
	size_t i;

	if (!p->nr_functions)
		return bad("function", 0, "missing");
	for (i = 0; i < p->nr_functions; i++, f++) {
		if (!is_string(p, f->name) || !is_string(p, f->system_name) ||
		    !is_string(p, f->file))
			return bad("function", i, "a string that is not there");
	}
	return 0;
}

static int check_frames(const struct profile *p)
{
	const struct frame *f = p->frames;
	size_t i;

	if (!p->nr_frames)
		return bad("frame", 0, "missing");
	for (i = 0; i < p->nr_lines; i++) {
		if (!p->lines[i].function || p->lines[i].function >= p->nr_functions)
			return bad("line", i, "a function that is not there");
	}
	for (i = 0; i < p->nr_frames; i++, f++) {
		if (f->mapping >= p->nr_mappings)
			return bad("frame", i, "a mapping that is not there");
		if (f->first_line > p->nr_lines || f->nr_lines > p->nr_lines - f->first_line)
			return bad("frame", i, "lines that are not there");
	}
	return 0;
}

static int check_stacks(const struct profile *p)
{
	const struct stack *s = p->stacks;
	size_t i;

	if (!p->nr_stacks || s->parent || s->frame || s->depth)
		return bad("stack", 0, "not the empty one");
	for (i = 1; i < p->nr_stacks; i++) {
		s = &p->stacks[i];
		if (s->parent >= i)
			return bad("stack", i, "its parent comes after it");
		if (!s->frame || s->frame >= p->nr_frames)
			return bad("stack", i, "a frame that is not there");
		if (s->depth != p->stacks[s->parent].depth + 1 || s->depth > PROFILE_MAX_DEPTH)
			return bad("stack", i, "wrong depth");
	}
	return 0;
}

static int check_labels(const struct profile *p)
{
	const struct label *l = p->label_pool;
	const struct label_set *s = p->label_sets;
	size_t i;

	for (i = 0; i < p->nr_label_pool; i++, l++) {
		if (!is_string(p, l->key) || !is_string(p, l->str) || !is_string(p, l->num_unit))
			return bad("label", i, "a string that is not there");
	}
	if (!p->nr_label_sets || s->nr)
		return bad("label set", 0, "not the empty one");
	for (i = 1; i < p->nr_label_sets; i++) {
		s = &p->label_sets[i];
		if (s->first > p->nr_label_pool || s->nr > p->nr_label_pool - s->first)
			return bad("label set", i, "labels that are not there");
	}
	return 0;
}

static int check_samples(const struct profile *p)
{
	const struct sample *s = p->samples;
	size_t i;

	if (p->nr_samples > p->cap_values / p->nr_columns)
		return bad("samples", p->nr_samples, "more than values");
	for (i = 0; i < p->nr_samples; i++, s++) {
		if (s->stack >= p->nr_stacks)
			return bad("sample", i, "a stack that is not there");
		if (s->labels >= p->nr_label_sets)
			return bad("sample", i, "a label set that is not there");
	}
	return 0;
}

/* Negative counts are a diff's; a profile with a ledger has counted ticks. */
static int check_counted(const struct profile *p)
{
	int column = profile_column(p, "samples");
	__int128 sum = 0;
	int64_t n;
	size_t i;

	if (column < 0)
		return fail_plain(-EINVAL, "profile: a ledger, but no column of samples");
	for (i = 0; i < p->nr_samples; i++) {
		n = profile_values(p, i)[column];
		if (n < 0)
			return bad("sample", i, "a negative count");
		sum += n;
	}
	if (sum == (__int128)p->ledger.counted)
		return 0;
	return fail_plain(-EINVAL,
			  "profile: the ledger counted %" PRIu64 " ticks, the samples are %" PRId64,
			  p->ledger.counted, sum > INT64_MAX ? INT64_MAX : (int64_t)sum);
}

int profile_check(const struct profile *p)
{
	static int (*const checks[])(const struct profile *) = {
		check_columns, check_mappings, check_functions, check_frames,
		check_stacks,  check_labels,   check_samples,
	};
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(checks) / sizeof(checks[0]); i++)
		err = checks[i](p);
	if (!err && p->ledger.present)
		err = ledger_check(&p->ledger);
	if (!err && p->ledger.present)
		err = check_counted(p);
	if (!err)
		err = times_check(&p->times);
	if (!err)
		err = waits_check(&p->waits);
	return err;
}
