/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every frame knows its rows (one for each of its lines) before any sample is
 * looked at. Samples are summed by stack, stacks into their parents, and one
 * walk down the tree adds each subtree to the rows that open at its top: the
 * work grows with the tree, not with samples times depth.
 */
#include "model/hotspot.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sum.h"
#include "base/text.h"
#include "model/select.h"

/* value: the ranked column; n: samples; var: of waits, the variance of their estimated time in us^2 */
struct sum {
	int64_t value, n, var;
};

struct row {
	uint32_t symbol, module; /* strings of the finder */
	uint32_t open;		 /* how often it is on the path from the root to here */
	struct sum self, total;
};

struct finder {
	const struct profile *p;
	const struct hotspot_query *q;
	const bool *keep; /* [nr_samples]; NULL: all */
	int value_column, count_column;
	const enum native_column *values; /* [nr_values]: what is added up */
	size_t nr_values;
	struct strtab names;
	struct index index; /* of rows by (symbol, module) */
	struct row *rows;
	size_t nr_rows, cap_rows;
	uint32_t *first_row; /* [nr_frames + 1], in frame_rows[] */
	uint32_t *frame_rows;
	struct sum *own, *subtree; /* [nr_stacks] */
};

static void add_sum(struct sum *sum, const struct sum *n)
{
	sum_add(&sum->value, n->value);
	sum_add(&sum->n, n->n);
	sum_add(&sum->var, n->var);
}

static bool equal_row(const void *owner, uint32_t id, const void *key)
{
	const struct row *a = &((const struct finder *)owner)->rows[id], *b = key;

	return a->symbol == b->symbol && a->module == b->module;
}

static uint32_t row_of(struct finder *f, const char *symbol, const char *module)
{
	struct row key = { .symbol = strtab_adds(&f->names, symbol),
			   .module = strtab_adds(&f->names, module) };
	uint64_t hash = hash_u64(key.symbol, key.module);
	uint32_t id = index_find(&f->index, hash, equal_row, f, &key);

	if (id != INDEX_NONE)
		return id;
	grow(&f->rows, &f->cap_rows, f->nr_rows + 1, sizeof(*f->rows));
	id = (uint32_t)f->nr_rows++;
	f->rows[id] = key;
	index_add(&f->index, hash, id);
	return id;
}

static bool is_special(const struct profile *p, uint32_t frame)
{
	return p->mappings[p->frames[frame].mapping].kind == MAPPING_SPECIAL;
}

/*
 * "samples" where there is one, else the count that belongs to the values: the
 * last one before them (inuse_objects, inuse_space), or any.
 */
static int find_count_column(const struct profile *p)
{
	int i, found = profile_column(p, "samples");

	if (found >= 0)
		return found;
	for (i = 0; i < (int)p->nr_columns; i++) {
		if (strcmp(profile_str(p, p->column[i].unit), "count"))
			continue;
		if (found < 0 || i < (int)p->default_column)
			found = i;
	}
	return found;
}

static uint32_t frame_row(struct finder *f, uint32_t frame, uint32_t line)
{
	const struct profile *p = f->p;
	const char *module = profile_module(p, p->frames[frame].mapping);
	char buf[512];

	if (f->q->by == BY_MODULE && !is_special(p, frame))
		return row_of(f, strcmp(module, "-") ? module : "[no module]", module);
	return row_of(f, profile_frame_name(p, frame, line, buf, sizeof(buf)), module);
}

/* A module is one row however many functions were inlined. */
static uint32_t nr_frame_rows(const struct finder *f, uint32_t frame)
{
	uint32_t nr = f->p->frames[frame].nr_lines;

	return nr && f->q->by == BY_FUNCTION ? nr : 1;
}

static void make_frame_rows(struct finder *f)
{
	size_t i, nr = f->p->nr_frames, sum = 0;
	uint32_t line;

	f->first_row = xcalloc(nr + 1, sizeof(*f->first_row));
	for (i = 0; i < nr; i++) {
		f->first_row[i] = (uint32_t)sum;
		sum += nr_frame_rows(f, (uint32_t)i);
	}
	if (sum > UINT32_MAX)
		abort();
	f->first_row[nr] = (uint32_t)sum;
	f->frame_rows = xcalloc(sum, sizeof(*f->frame_rows));
	for (i = 1; i < nr; i++) {
		for (line = 0; f->first_row[i] + line < f->first_row[i + 1]; line++)
			f->frame_rows[f->first_row[i] + line] = frame_row(f, (uint32_t)i, line);
	}
}

static const enum native_column all_time[] = { COL_CPU, COL_BLOCKED, COL_RUNQUEUE };

/* What is added up of a native profile, and what counts it. */
static const struct {
	const enum native_column *values;
	size_t nr;
	int count;
	const char *category;
} kinds[] = {
	[KIND_CPU] = { all_time, 1, COL_SAMPLES, "cpu" },
	[KIND_OFF] = { all_time + 1, 2, COL_WAITS, "off" },
	[KIND_ALL] = { all_time, 3, -1, "all" },
};

int64_t hotspots_ns(const struct profile *p, enum hotspot_kind kind, size_t sample)
{
	const int64_t *values = profile_values(p, sample);
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < kinds[kind].nr; i++)
		sum_add(&sum, values[kinds[kind].values[i]]);
	return sum;
}

int64_t hotspots_count(const struct profile *p, enum hotspot_kind kind, size_t sample)
{
	return kinds[kind].count < 0 ? 0 : profile_values(p, sample)[kinds[kind].count];
}

static struct sum sample_sum(const struct finder *f, size_t sample)
{
	const int64_t *values = profile_values(f->p, sample);

	struct sum s = { .n = f->count_column < 0 ? 0 : values[f->count_column] };
	size_t i;

	if (!f->nr_values)
		s.value = values[f->value_column];
	for (i = 0; i < f->nr_values; i++)
		sum_add(&s.value, values[f->values[i]]);
	if (f->nr_values && f->q->kind == KIND_OFF)
		s.var = values[COL_WAIT_VAR];
	return s;
}

static bool is_kernel(const struct profile *p, uint32_t stack)
{
	return p->mappings[p->frames[p->stacks[stack].frame].mapping].kind == MAPPING_KERNEL;
}

/*
 * Where a sample counts as its own: at its leaf. But all waits have the scheduler as their leaf, so theirs is the
 * innermost frame of the program, or of the kernel the innermost that is not about scheduling.
 */
static uint32_t place_of(const struct finder *f, size_t sample)
{
	const struct profile *p = f->p;
	uint32_t leaf = p->samples[sample].stack, s = leaf;
	char buf[512];

	if (!f->nr_values || f->q->kind == KIND_CPU || !profile_values(p, sample)[COL_KEPT])
		return leaf;
	while (s && is_kernel(p, s))
		s = p->stacks[s].parent;
	if (s && p->mappings[p->frames[p->stacks[s].frame].mapping].kind != MAPPING_SPECIAL)
		return s;
	for (s = leaf; p->stacks[s].parent && is_kernel(p, s); s = p->stacks[s].parent)
		if (!strstr(profile_frame_name(p, p->stacks[s].frame, 0, buf, sizeof(buf)), "schedule"))
			break;
	return s;
}

static void sum_stacks(struct finder *f)
{
	const struct profile *p = f->p;
	struct sum s;
	size_t i;

	f->own = xcalloc(p->nr_stacks, sizeof(*f->own));
	for (i = 0; i < p->nr_samples; i++) {
		s = sample_sum(f, i);
		if (!f->keep || f->keep[i])
			add_sum(&f->own[place_of(f, i)], &s);
	}
	f->subtree = xcalloc(p->nr_stacks, sizeof(*f->subtree));
	memcpy(f->subtree, f->own, p->nr_stacks * sizeof(*f->own));
	/* parents come before their children */
	for (i = p->nr_stacks - 1; i > 0; i--)
		add_sum(&f->subtree[p->stacks[i].parent], &f->subtree[i]);
}

/* Frames that stand for no code count where they are all there is to say: as the leaf. */
static void enter(struct finder *f, uint32_t stack)
{
	uint32_t frame = f->p->stacks[stack].frame;
	const struct sum *sum = is_special(f->p, frame) ? &f->own[stack] : &f->subtree[stack];
	uint32_t i;
	struct row *row;

	for (i = f->first_row[frame]; i < f->first_row[frame + 1]; i++) {
		row = &f->rows[f->frame_rows[i]];
		if (!row->open++)
			add_sum(&row->total, sum);
	}
	/* the innermost inlined function is where the instruction came from */
	add_sum(&f->rows[f->frame_rows[f->first_row[frame]]].self, &f->own[stack]);
}

static void leave(struct finder *f, uint32_t stack)
{
	uint32_t i, frame = f->p->stacks[stack].frame;

	for (i = f->first_row[frame]; i < f->first_row[frame + 1]; i++)
		f->rows[f->frame_rows[i]].open--;
}

/* Visits every stack below the empty one, children between enter() and leave(). */
static void walk(struct finder *f)
{
	const struct stack *stacks = f->p->stacks;
	size_t nr = f->p->nr_stacks;
	autofree uint32_t *child = xcalloc(nr, sizeof(*child));
	autofree uint32_t *sibling = xcalloc(nr, sizeof(*sibling));
	uint32_t at;
	size_t i;

	for (i = nr - 1; i > 0; i--) {
		sibling[i] = child[stacks[i].parent];
		child[stacks[i].parent] = (uint32_t)i;
	}
	at = child[0];
	while (at) {
		enter(f, at);
		if (child[at]) {
			at = child[at];
			continue;
		}
		leave(f, at);
		while (!sibling[at] && stacks[at].parent) {
			at = stacks[at].parent;
			leave(f, at);
		}
		at = sibling[at];
	}
}

static void rows_by_stack(struct finder *f)
{
	struct row *row;
	uint32_t id;

	make_frame_rows(f);
	sum_stacks(f);
	walk(f);
	if (!f->own[0].value && !f->own[0].n)
		return;
	id = row_of(f, "[no stack]", "-");	/* may move the rows */
	row = &f->rows[id];
	add_sum(&row->self, &f->own[0]);
	add_sum(&row->total, &f->own[0]);
}

/* "name (number)", or the one that is there, or "[no KIND label]". */
static void label_text(const struct profile *p, const struct label *name,
		       const struct label *number, const char *kind, struct buf *out)
{
	buf_clear(out);
	if (name && name->str)
		buf_puts(out, profile_str(p, name->str));
	if (number && out->len)
		buf_puts(out, " (");
	if (number && !out->len)
		buf_puts(out, *kind == 'p' ? "pid " : "tid ");
	if (number && number->str)
		buf_puts(out, profile_str(p, number->str));
	else if (number)
		buf_printf(out, "%" PRId64, number->num);
	if (number && name && name->str)
		buf_putc(out, ')');
	if (!out->len)
		buf_printf(out, "[no %s label]", kind);
}

static uint32_t label_row(struct finder *f, uint32_t set, struct buf *text)
{
	const struct profile *p = f->p;
	const struct label *process = profile_label(p, set, "process");
	const char *module = "-";

	if (f->q->by == BY_PROCESS) {
		label_text(p, process, profile_label(p, set, "pid"), "process", text);
	} else {
		label_text(p, profile_label(p, set, "comm"), profile_label(p, set, "tid"), "thread",
			   text);
		if (process && process->str)
			module = profile_str(p, process->str);
	}
	return row_of(f, buf_text(text), module);
}

static void rows_by_label(struct finder *f)
{
	const struct profile *p = f->p;
	autofree uint32_t *of_set = xcalloc(p->nr_label_sets, sizeof(*of_set));
	struct buf text = { 0 };
	struct sum s;
	struct row *row;
	size_t i;

	for (i = 0; i < p->nr_label_sets; i++)
		of_set[i] = label_row(f, (uint32_t)i, &text);
	buf_done(&text);
	for (i = 0; i < p->nr_samples; i++) {
		if (f->keep && !f->keep[i])
			continue;
		s = sample_sum(f, i);
		row = &f->rows[of_set[p->samples[i].labels]];
		add_sum(&row->self, &s);
		add_sum(&row->total, &s);
	}
}

static int compare_value(int64_t a, int64_t b)
{
	return (a < b) - (a > b);
}

static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct hotspot *a = pa, *b = pb;
	int self = compare_value(a->self_ns, b->self_ns);
	int total = compare_value(a->total_ns, b->total_ns);
	int first = *(const enum hotspot_sort *)ctx == SORT_TOTAL ? total : self;
	int order = first ? first : self ? self : total;

	if (!order)
		order = strcmp(a->symbol, b->symbol);
	return order ? order : strcmp(a->module, b->module);
}

static void cut(struct hotspots *out, uint32_t limit)
{
	struct hotspot *h;

	if (!limit || out->nr <= limit)
		return;
	for (h = out->row + limit; h < out->row + out->nr; h++) {
		sum_add(&out->hidden_self, h->self_ns);
		sum_add(&out->hidden_self_samples, h->self_samples);
		free(h->symbol);
		free(h->module);
	}
	out->nr_hidden = out->nr - limit;
	out->nr = limit;
}

/* One standard error, ns. */
static int64_t error_of(const struct sum *s)
{
	return s->var > 0 ? (int64_t)(sqrt((double)s->var) * 1e3 + 0.5) : 0;
}

static void rank(const struct finder *f, struct hotspots *out)
{
	const struct profile *p = f->p;
	const char *category = f->nr_values ? kinds[f->q->kind].category
			       : profile_is_native(p)
				       ? "cpu"
				       : profile_str(p, p->column[f->value_column].type);
	enum hotspot_sort sort = f->q->sort;
	const struct row *r;
	size_t i;

	out->row = xcalloc(f->nr_rows, sizeof(*out->row));
	for (i = 0; i < f->nr_rows; i++) {
		r = &f->rows[i];
		if (!r->self.value && !r->total.value && !r->self.n && !r->total.n)
			continue;
		out->row[out->nr++] = (struct hotspot){
			.symbol = xstrdup(strtab_get(&f->names, r->symbol)),
			.module = xstrdup(strtab_get(&f->names, r->module)),
			.category = category,
			.self_ns = r->self.value,
			.total_ns = r->total.value,
			.self_error_ns = error_of(&r->self),
			.total_error_ns = error_of(&r->total),
			.self_samples = r->self.n,
			.total_samples = r->total.n,
		};
	}
	qsort_r(out->row, out->nr, sizeof(*out->row), compare, &sort);
	cut(out, f->q->limit);
}

static void sum_profile(const struct finder *f, struct hotspots *out)
{
	struct sum s, all = { 0 }, base = { 0 };
	size_t i;

	for (i = 0; i < f->p->nr_samples; i++) {
		s = sample_sum(f, i);
		add_sum(&all, &s);
		if (!f->keep || f->keep[i])
			add_sum(&base, &s);
	}
	out->all = all.value;
	out->all_samples = all.n;
	out->base = base.value;
	out->base_error_ns = error_of(&base);
	out->base_samples = base.n;
}

enum hotspot_kind hotspots_kind(const struct profile *p)
{
	return profile_is_native(p) && p->waits.present && !p->ledger.present ? KIND_OFF : KIND_DEFAULT;
}

void hotspots_find(const struct profile *p, const struct hotspot_query *q, struct hotspots *out)
{
	autofree bool *keep = samples_select(p, q->focus, q->ignore);
	struct finder f = { .p = p, .q = q, .keep = keep };

	f.value_column = (int)p->default_column;
	f.count_column = find_count_column(p);
	if (q->kind != KIND_DEFAULT && profile_is_native(p)) {
		f.values = kinds[q->kind].values;
		f.nr_values = kinds[q->kind].nr;
		f.value_column = (int)f.values[0];
		f.count_column = kinds[q->kind].count;
	}
	strtab_init(&f.names);
	memset(out, 0, sizeof(*out));
	out->value_column = f.value_column;
	out->count_column = f.count_column;
	out->filtered = keep != NULL;
	out->off = f.nr_values && q->kind == KIND_OFF;
	sum_profile(&f, out);
	if (q->by == BY_FUNCTION || q->by == BY_MODULE)
		rows_by_stack(&f);
	else
		rows_by_label(&f);
	rank(&f, out);
	strtab_done(&f.names);
	index_done(&f.index);
	free(f.rows);
	free(f.first_row);
	free(f.frame_rows);
	free(f.own);
	free(f.subtree);
}

void hotspots_done(struct hotspots *h)
{
	size_t i;

	for (i = 0; i < h->nr; i++) {
		free(h->row[i].symbol);
		free(h->row[i].module);
	}
	free(h->row);
	memset(h, 0, sizeof(*h));
}
