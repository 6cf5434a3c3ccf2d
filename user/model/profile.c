/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sum.h"
#include "base/text.h"

static const struct {
	const char *type, *unit;
} native[NATIVE_COLUMNS] = {
	[COL_SAMPLES] = { "samples", "count" },
	[COL_CPU] = { "cpu", "nanoseconds" },
	[COL_WAITS] = { "waits", "count" },
	[COL_BLOCKED] = { "blocked", "nanoseconds" },
	[COL_RUNQUEUE] = { "runqueue", "nanoseconds" },
	[COL_KEPT] = { "kept", "count" },
	[COL_WAIT_VAR] = { "wait_var", "microseconds^2" },
};

/* Appends a zeroed element to an array of the profile; index_add() refuses ids beyond 32 bits. */
#define APPEND(p, what)                                                              \
	(grow(&(p)->what, &(p)->cap_##what, (p)->nr_##what + 1, sizeof(*(p)->what)), \
	 memset(&(p)->what[(p)->nr_##what], 0, sizeof(*(p)->what)), (uint32_t)(p)->nr_##what++)

struct profile *profile_new(void)
{
	struct profile *p = xcalloc(1, sizeof(*p));

	strtab_init(&p->strings);
	APPEND(p, mappings);
	APPEND(p, functions);
	APPEND(p, frames);
	APPEND(p, stacks);
	APPEND(p, label_sets);
	return p;
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	strtab_done(&p->strings);
	index_done(&p->mapping_index);
	index_done(&p->function_index);
	index_done(&p->frame_index);
	index_done(&p->stack_index);
	index_done(&p->label_set_index);
	index_done(&p->sample_index);
	free(p->mappings);
	free(p->functions);
	free(p->lines);
	free(p->frames);
	free(p->stacks);
	free(p->label_pool);
	free(p->label_sets);
	free(p->samples);
	free(p->values);
	free(p->comments);
	times_done(&p->times);
	free(p);
}

int profile_add_column(struct profile *p, const char *type, const char *unit)
{
	struct column *c = &p->column[p->nr_columns];

	if (p->nr_samples)
		return fail_plain(-EBUSY, "column %s comes after samples", type);
	if (p->nr_columns == PROFILE_MAX_COLUMNS)
		return fail_plain(-E2BIG, "more than %d value columns", PROFILE_MAX_COLUMNS);
	c->type = profile_strings(p, type);
	c->unit = profile_strings(p, unit);
	p->nr_columns++;
	return 0;
}

void profile_native(struct profile *p, int64_t period_ns)
{
	uint32_t i;

	for (i = 0; i < NATIVE_COLUMNS; i++) {
		p->column[i].type = strtab_adds(&p->strings, native[i].type);
		p->column[i].unit = strtab_adds(&p->strings, native[i].unit);
	}
	p->nr_columns = NATIVE_COLUMNS;
	p->default_column = COL_CPU;
	p->period_type = p->column[COL_CPU];
	p->period = period_ns;
}

void profile_limit(struct profile *p, size_t limit)
{
	p->overflow_frame = profile_special_frame(p, PROFILE_OVERFLOW);
	p->overflow = profile_push(p, 0, p->overflow_frame);
	p->limit = limit;
}

static bool is_full(const struct profile *p, size_t nr)
{
	return p->limit && nr >= p->limit;
}

bool profile_is_native(const struct profile *p)
{
	uint32_t i;

	if (p->nr_columns != NATIVE_COLUMNS)
		return false;
	for (i = 0; i < NATIVE_COLUMNS; i++) {
		if (strcmp(profile_str(p, p->column[i].type), native[i].type) ||
		    strcmp(profile_str(p, p->column[i].unit), native[i].unit))
			return false;
	}
	return true;
}

int profile_column(const struct profile *p, const char *type)
{
	uint32_t i;

	for (i = 0; i < p->nr_columns; i++) {
		if (!strcmp(profile_str(p, p->column[i].type), type))
			return (int)i;
	}
	return -1;
}

/* Names are nearly always plain ASCII, which sanitize() would only copy. */
static bool is_plain(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	}
	return true;
}

uint32_t profile_string(struct profile *p, const char *s, size_t len)
{
	autofree char *heap = NULL;
	char small[512], *clean = small;
	size_t cap = sizeof(small);

	if (is_plain(s, len))
		return strtab_add(&p->strings, s, len);
	/* a byte becomes three at most */
	if (len > (cap - 1) / 3) {
		cap = len * 3 + 1;
		clean = heap = xmalloc(cap);
	}
	return strtab_add(&p->strings, clean, sanitize(clean, cap, s, len));
}

uint32_t profile_strings(struct profile *p, const char *s)
{
	return profile_string(p, s, strlen(s));
}

static bool equal_function(const void *owner, uint32_t id, const void *key)
{
	const struct function *a = &((const struct profile *)owner)->functions[id], *b = key;

	return a->name == b->name && a->system_name == b->system_name && a->file == b->file &&
	       a->start_line == b->start_line;
}

uint32_t profile_function(struct profile *p, const struct function *f)
{
	uint64_t hash = hash_u64((uint64_t)f->name << 32 | f->system_name,
				 hash_u64(f->file, (uint64_t)f->start_line));
	uint32_t id = index_find(&p->function_index, hash, equal_function, p, f);

	if (id != INDEX_NONE)
		return id;
	id = APPEND(p, functions);
	p->functions[id] = *f;
	index_add(&p->function_index, hash, id);
	return id;
}

struct stack_key {
	uint32_t parent, frame;
};

static bool equal_stack(const void *owner, uint32_t id, const void *key)
{
	const struct stack *a = &((const struct profile *)owner)->stacks[id];
	const struct stack_key *b = key;

	return a->parent == b->parent && a->frame == b->frame;
}

uint32_t profile_push(struct profile *p, uint32_t parent, uint32_t frame)
{
	struct stack_key key = { parent, frame };
	uint64_t hash = hash_u64(parent, frame);
	uint32_t id;

	if (p->limit && (parent == p->overflow || frame == p->overflow_frame))
		return p->overflow;
	id = index_find(&p->stack_index, hash, equal_stack, p, &key);
	if (id != INDEX_NONE)
		return id;
	if (is_full(p, p->nr_stacks))
		return p->overflow;
	id = APPEND(p, stacks);
	p->stacks[id].parent = parent;
	p->stacks[id].frame = frame;
	p->stacks[id].depth = p->stacks[parent].depth + 1;
	index_add(&p->stack_index, hash, id);
	return id;
}

struct label_key {
	const struct label *labels;
	uint32_t nr;
};

static bool equal_label(const struct label *a, const struct label *b)
{
	return a->key == b->key && a->str == b->str && a->num == b->num &&
	       a->num_unit == b->num_unit;
}

static bool equal_label_set(const void *owner, uint32_t id, const void *key)
{
	const struct profile *p = owner;
	const struct label_set *a = &p->label_sets[id];
	const struct label_key *b = key;
	uint32_t i;

	if (a->nr != b->nr)
		return false;
	for (i = 0; i < a->nr; i++) {
		if (!equal_label(&p->label_pool[a->first + i], &b->labels[i]))
			return false;
	}
	return true;
}

uint32_t profile_labels(struct profile *p, const struct label *labels, uint32_t nr)
{
	struct label_key key = { labels, nr };
	uint64_t hash = nr;
	uint32_t i, id;

	if (!nr)
		return 0;
	for (i = 0; i < nr; i++) {
		hash = hash_u64(hash ^ (uint64_t)labels[i].num,
				(uint64_t)labels[i].key << 32 | labels[i].str);
		hash = hash_u64(hash, labels[i].num_unit);
	}
	id = index_find(&p->label_set_index, hash, equal_label_set, p, &key);
	if (id != INDEX_NONE)
		return id;
	if (is_full(p, p->nr_label_sets))
		return 0;
	if (p->nr_label_pool + nr > UINT32_MAX)
		abort();
	grow(&p->label_pool, &p->cap_label_pool, p->nr_label_pool + nr, sizeof(*p->label_pool));
	memcpy(p->label_pool + p->nr_label_pool, labels, nr * sizeof(*labels));
	id = APPEND(p, label_sets);
	p->label_sets[id].first = (uint32_t)p->nr_label_pool;
	p->label_sets[id].nr = nr;
	p->nr_label_pool += nr;
	index_add(&p->label_set_index, hash, id);
	return id;
}

static bool equal_sample(const void *owner, uint32_t id, const void *key)
{
	const struct sample *a = &((const struct profile *)owner)->samples[id], *b = key;

	return a->stack == b->stack && a->labels == b->labels;
}

void profile_add(struct profile *p, uint32_t stack, uint32_t labels, const int64_t *values)
{
	struct sample key = { stack, labels };
	uint64_t hash = hash_u64(stack, labels);
	uint32_t i, id = index_find(&p->sample_index, hash, equal_sample, p, &key);
	int64_t *sum;

	if (id == INDEX_NONE && is_full(p, p->nr_samples) && (stack != p->overflow || labels)) {
		profile_add(p, p->overflow, 0, values);
		return;
	}
	if (id == INDEX_NONE) {
		grow(&p->values, &p->cap_values, (p->nr_samples + 1) * p->nr_columns,
		     sizeof(*p->values));
		id = APPEND(p, samples);
		p->samples[id] = key;
		if (p->nr_columns)
			memset(profile_values(p, id), 0, p->nr_columns * sizeof(*values));
		index_add(&p->sample_index, hash, id);
	}
	sum = profile_values(p, id);
	for (i = 0; i < p->nr_columns; i++)
		sum_add(&sum[i], values[i]);
}

const struct label *profile_label(const struct profile *p, uint32_t label_set, const char *key)
{
	const struct label_set *set = &p->label_sets[label_set];
	uint32_t i, id = strtab_find(&p->strings, key);

	for (i = 0; id != INDEX_NONE && i < set->nr; i++) {
		if (p->label_pool[set->first + i].key == id)
			return &p->label_pool[set->first + i];
	}
	return NULL;
}
