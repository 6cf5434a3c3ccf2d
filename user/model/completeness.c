/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/completeness.h"

#include <string.h>

#include "base/alloc.h"
#include "base/sum.h"

#define TRUNCATED "[truncated: "

/* What the root of a stack says of it. */
enum whole { NO_USER_PART, COMPLETE, GUESSED, BETWEEN, CUT };

struct count {
	const struct profile *p;
	struct completeness *c;
	uint32_t *root;			/* [stacks]: the stack of one frame that it stands on */
	uint32_t *stop;			/* [stacks]: the outermost frame that is code, 0: none */
	int64_t *through;		/* [mappings] */
	int64_t *stopped;		/* [mappings] */
	size_t *seen;			/* [mappings]: sample + 1 that counted there last */
};

static const char *root_name(const struct count *k, uint32_t stack)
{
	const struct profile *p = k->p;
	const struct frame *f = &p->frames[p->stacks[k->root[stack]].frame];

	if (p->mappings[f->mapping].kind != MAPPING_SPECIAL || !f->nr_lines)
		return NULL;
	return profile_str(p, p->functions[p->lines[f->first_line].function].name);
}

/*
 * "[truncated: REASON]" as dwell writes it: short, ASCII, closed. A file from elsewhere can hold
 * anything that begins so, and REASON becomes a key of JSON.
 */
static bool is_truncated(const char *name)
{
	size_t len = strlen(name), i;

	if (strncmp(name, TRUNCATED, strlen(TRUNCATED)) || len <= strlen(TRUNCATED) + 1 ||
	    len >= COMPLETENESS_MAX_NAME || strchr(name, ']') != name + len - 1)
		return false;
	for (i = 0; i < len; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return true;
}

static enum whole judge(const struct count *k, uint32_t stack)
{
	const struct profile *p = k->p;
	const char *name;

	if (!stack)
		return NO_USER_PART;
	name = root_name(k, stack);
	if (!name)
		return p->mappings[p->frames[p->stacks[k->root[stack]].frame].mapping].kind ==
				       MAPPING_KERNEL ?
			       NO_USER_PART :
			       COMPLETE;
	if (is_truncated(name) || !strcmp(name, PROFILE_OVERFLOW))
		return CUT;
	if (!strcmp(name, "[guessed]"))
		return GUESSED;
	return !strcmp(name, "[exec]") || !strcmp(name, "[exit]") ? BETWEEN : NO_USER_PART;
}

static void count_reason(struct completeness *c, const struct profile *p, const char *name, int64_t n)
{
	uint32_t id = strtab_find(&p->strings, name), i;

	for (i = 0; i < c->nr_reasons && c->reason[i].name != id; i++)
		;
	if (i == c->nr_reasons) {
		if (i == COMPLETENESS_MAX_REASONS)
			return;
		c->nr_reasons++;
		c->reason[i] = (struct completeness_reason){ .name = id };
	}
	sum_add(&c->reason[i].samples, n);
}

static bool is_user_code(const struct profile *p, uint32_t frame)
{
	uint8_t kind = p->mappings[p->frames[frame].mapping].kind;

	return kind == MAPPING_FILE || kind == MAPPING_VDSO || kind == MAPPING_ANON;
}

static void find_roots(struct count *k)
{
	const struct profile *p = k->p;
	size_t i;

	for (i = 1; i < p->nr_stacks; i++) {
		const struct stack *s = &p->stacks[i];

		k->root[i] = s->parent ? k->root[s->parent] : (uint32_t)i;
		k->stop[i] = s->parent ? k->stop[s->parent] : 0;
		if (!k->stop[i] && is_user_code(p, s->frame))
			k->stop[i] = s->frame;
	}
}

static void count_modules(struct count *k, size_t sample, int64_t n, bool cut)
{
	const struct profile *p = k->p;
	uint32_t s, stack = p->samples[sample].stack;

	for (s = stack; s; s = p->stacks[s].parent) {
		uint32_t m = p->frames[p->stacks[s].frame].mapping;

		if (!is_user_code(p, p->stacks[s].frame) || k->seen[m] == sample + 1)
			continue;
		k->seen[m] = sample + 1;
		sum_add(&k->through[m], n);
	}
	if (cut && k->stop[stack])
		sum_add(&k->stopped[p->frames[k->stop[stack]].mapping], n);
}

static void count_sample(struct count *k, size_t sample, int64_t n)
{
	uint32_t stack = k->p->samples[sample].stack;
	enum whole w = judge(k, stack);
	struct completeness *c = k->c;

	/* waits have stacks, and no samples */
	if (w == NO_USER_PART || !n)
		return;
	sum_add(&c->samples, n);
	sum_add(w == COMPLETE ? &c->complete :
		w == GUESSED  ? &c->guessed :
		w == BETWEEN  ? &c->between :
				&c->truncated,
		n);
	if (w == CUT)
		count_reason(c, k->p, root_name(k, stack), n);
	count_modules(k, sample, n, w == CUT);
}

static int by_samples(const void *a, const void *b)
{
	const struct completeness_reason *x = a, *y = b;

	return x->samples != y->samples ? (x->samples < y->samples) - (x->samples > y->samples) :
					  (x->name > y->name) - (x->name < y->name);
}

static int by_stopped(const void *a, const void *b)
{
	const struct completeness_module *x = a, *y = b;

	if (x->stopped != y->stopped)
		return (x->stopped < y->stopped) - (x->stopped > y->stopped);
	if (x->through != y->through)
		return (x->through < y->through) - (x->through > y->through);
	return (x->mapping > y->mapping) - (x->mapping < y->mapping);
}

static void list_modules(struct count *k)
{
	struct completeness *c = k->c;
	size_t m;

	c->module = xcalloc(k->p->nr_mappings + 1, sizeof(*c->module));
	for (m = 1; m < k->p->nr_mappings; m++)
		if (k->through[m] || k->stopped[m])
			c->module[c->nr_modules++] = (struct completeness_module){
				(uint32_t)m, k->through[m], k->stopped[m]
			};
	qsort(c->module, c->nr_modules, sizeof(*c->module), by_stopped);
	qsort(c->reason, c->nr_reasons, sizeof(*c->reason), by_samples);
}

void completeness_find(const struct profile *p, struct completeness *c)
{
	struct count k = { .p = p, .c = c };
	int column = profile_column(p, "samples");
	size_t i;

	memset(c, 0, sizeof(*c));
	if (column < 0)
		return;
	k.root = xcalloc(p->nr_stacks + 1, sizeof(*k.root));
	k.stop = xcalloc(p->nr_stacks + 1, sizeof(*k.stop));
	k.through = xcalloc(p->nr_mappings + 1, sizeof(*k.through));
	k.stopped = xcalloc(p->nr_mappings + 1, sizeof(*k.stopped));
	k.seen = xcalloc(p->nr_mappings + 1, sizeof(*k.seen));
	find_roots(&k);
	for (i = 0; i < p->nr_samples; i++)
		count_sample(&k, i, profile_values(p, i)[column]);
	list_modules(&k);
	free(k.root);
	free(k.stop);
	free(k.through);
	free(k.stopped);
	free(k.seen);
}

const char *completeness_reason_text(const struct profile *p, uint32_t name,
				     char buf[COMPLETENESS_MAX_NAME])
{
	const char *text = profile_str(p, name);

	snprintf(buf, COMPLETENESS_MAX_NAME, "%s", text + (is_truncated(text) ? strlen(TRUNCATED) : 1));
	buf[strcspn(buf, "]")] = 0;
	return buf;
}

void completeness_done(struct completeness *c)
{
	free(c->module);
	memset(c, 0, sizeof(*c));
}
