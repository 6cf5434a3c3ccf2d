/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/select.h"

#include "base/alloc.h"

enum { HIT_FOCUS = 1, HIT_IGNORE = 2, HIT_KNOWN = 4 };

struct search {
	const struct profile *p;
	const regex_t *focus, *ignore;
	uint8_t *of_function; /* [nr_functions]: a regex is dear, so each name is tried once */
};

static uint8_t hits(const struct search *s, const char *name)
{
	uint8_t found = 0;

	if (s->focus && !regexec(s->focus, name, 0, NULL, 0))
		found |= HIT_FOCUS;
	if (s->ignore && !regexec(s->ignore, name, 0, NULL, 0))
		found |= HIT_IGNORE;
	return found;
}

static uint8_t line_hits(const struct search *s, uint32_t frame, uint32_t i)
{
	const struct profile *p = s->p;
	const struct frame *f = &p->frames[frame];
	uint32_t id = i < f->nr_lines ? p->lines[f->first_line + i].function : 0;
	const struct function *fn = &p->functions[id];
	char buf[512];

	/* a name made of the address is this frame's alone */
	if (!fn->name && !fn->system_name)
		return hits(s, profile_frame_name(p, frame, i, buf, sizeof(buf)));
	if (!(s->of_function[id] & HIT_KNOWN))
		s->of_function[id] = HIT_KNOWN |
				     hits(s, profile_frame_name(p, frame, i, buf, sizeof(buf)));
	return s->of_function[id];
}

/* [nr_stacks]: what the stack's frames hit, each stack from its parent. */
static uint8_t *stack_hits(const struct search *s)
{
	const struct profile *p = s->p;
	uint8_t *of_frame = xcalloc(p->nr_frames, 1);
	uint8_t *of_stack = xcalloc(p->nr_stacks, 1);
	uint32_t i, j;

	for (i = 1; i < p->nr_frames; i++) {
		of_frame[i] = line_hits(s, i, 0);
		for (j = 1; j < p->frames[i].nr_lines; j++)
			of_frame[i] |= line_hits(s, i, j);
	}
	for (i = 1; i < p->nr_stacks; i++)
		of_stack[i] = of_stack[p->stacks[i].parent] | of_frame[p->stacks[i].frame];
	free(of_frame);
	return of_stack;
}

static uint8_t *label_hits(const struct search *s)
{
	const struct profile *p = s->p;
	uint8_t *of_set = xcalloc(p->nr_label_sets, 1);
	const struct label *process;
	uint32_t i;

	for (i = 1; i < p->nr_label_sets; i++) {
		process = profile_label(p, i, "process");
		if (process && process->str)
			of_set[i] = hits(s, profile_str(p, process->str));
	}
	return of_set;
}

bool *samples_select(const struct profile *p, const regex_t *focus, const regex_t *ignore)
{
	struct search s = { .p = p, .focus = focus, .ignore = ignore };
	autofree uint8_t *of_stack = NULL, *of_set = NULL;
	uint8_t found;
	bool *keep;
	size_t i;

	if (!focus && !ignore)
		return NULL;
	s.of_function = xcalloc(p->nr_functions, 1);
	of_stack = stack_hits(&s);
	of_set = label_hits(&s);
	keep = xcalloc(p->nr_samples, sizeof(*keep));
	for (i = 0; i < p->nr_samples; i++) {
		found = of_stack[p->samples[i].stack] | of_set[p->samples[i].labels];
		keep[i] = (!focus || (found & HIT_FOCUS)) && !(found & HIT_IGNORE);
	}
	free(s.of_function);
	return keep;
}
