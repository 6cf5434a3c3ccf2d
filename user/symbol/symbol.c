/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/symbol.h"

#include "base/alloc.h"

/* An unnamed frame of the mapping at work, and where it lay in the file. */
struct place {
	uint64_t offset;
	uint32_t frame;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->frame < y->frame ? -1 : x->frame > y->frame;
}

/* The mapping's unnamed frames, sorted. */
static struct place *find_places(const struct profile *p, uint32_t mapping, size_t *nr)
{
	struct place *list = NULL;
	size_t n = 0, cap = 0;
	uint32_t i;

	for (i = 1; i < p->nr_frames; i++) {
		if (p->frames[i].mapping != mapping || p->frames[i].nr_lines)
			continue;
		grow(&list, &cap, n + 1, sizeof(*list));
		list[n++] = (struct place){ p->frames[i].address, i };
	}
	if (n)
		qsort(list, n, sizeof(*list), compare_places);
	*nr = n;
	return list;
}

static void name_frame(struct profile *p, uint32_t frame, const char *name, const char *system_name)
{
	struct function f = { .name = profile_strings(p, name),
			      .system_name = profile_strings(p, system_name) };
	struct line line = { .function = profile_function(p, &f) };

	profile_name_frame(p, frame, &line, 1);
	p->mappings[p->frames[frame].mapping].has_functions = true;
}

static void set_unnamed(struct profile *p, uint32_t mapping, const char *reason)
{
	p->mappings[mapping].unnamed = profile_strings(p, reason);
}

/* The build id first: profile_move_mapping() puts the mapping back into its index as it then is. */
static void place_mapping(struct profile *p, uint32_t mapping, const struct object_names *o)
{
	autofree struct segment *seg = xcalloc(o->nr_segments, sizeof(*seg));
	size_t i;

	for (i = 0; i < o->nr_segments; i++)
		seg[i] = (struct segment){ o->segment[i].offset, o->segment[i].size,
					   o->segment[i].address };
	if (o->build_id[0])
		p->mappings[mapping].build_id = profile_strings(p, o->build_id);
	profile_move_mapping(p, mapping, seg, (uint32_t)o->nr_segments);
}

/* list[nr] is sorted; its distinct offsets in order. */
static uint64_t *distinct(const struct place *list, size_t nr, size_t *nr_offsets)
{
	uint64_t *offset = xcalloc(nr, sizeof(*offset));
	size_t i, n = 0;

	for (i = 0; i < nr; i++) {
		if (!n || offset[n - 1] != list[i].offset)
			offset[n++] = list[i].offset;
	}
	*nr_offsets = n;
	return offset;
}

static void name_places(struct profile *p, const struct place *list, size_t nr,
			const struct object_names *o)
{
	const struct object_name *name = o->name;
	size_t i;

	for (i = 0; i < nr; i++) {
		name += i && list[i].offset != list[i - 1].offset;
		if (name->name)
			name_frame(p, list[i].frame, name->name, name->system_name);
	}
}

void symbol_name_object(struct profile *p, struct worker *w, const struct symbol_object *obj)
{
	struct mapping *m = &p->mappings[obj->mapping];
	autofree struct place *list = NULL;
	autofree uint64_t *offset = NULL;
	struct object_names o;
	size_t nr, nr_offsets;

	if (m->kind != MAPPING_FILE && m->kind != MAPPING_VDSO)
		return;
	if (obj->fd < 0) {
		set_unnamed(p, obj->mapping, obj->reason ? obj->reason : "not opened");
		return;
	}
	list = find_places(p, obj->mapping, &nr);
	if (!nr)
		return;
	offset = distinct(list, nr, &nr_offsets);
	if (worker_name(w, obj->fd, offset, nr_offsets, &o) < 0) {
		set_unnamed(p, obj->mapping, error_text());
		return;
	}
	place_mapping(p, obj->mapping, &o);
	name_places(p, list, nr, &o);
	if (m->has_functions)
		m->unnamed = 0;
	else
		set_unnamed(p, obj->mapping, o.nr_symbols ? "no symbol there" : "no symbols");
	object_names_done(&o);
}

static void name_kernel_frame(struct profile *p, const struct kallsyms *k, uint32_t frame)
{
	uint32_t mapping = p->frames[frame].mapping;
	struct kernel_symbol sym;

	if (!k)
		set_unnamed(p, mapping, "no kernel symbols");
	else if (kallsyms_find(k, p->frames[frame].address, &sym))
		name_frame(p, frame, sym.name, sym.name);
}

void symbol_name_kernel(struct profile *p, const struct kallsyms *k)
{
	uint32_t i;

	for (i = 1; i < p->nr_frames; i++) {
		if (p->mappings[p->frames[i].mapping].kind == MAPPING_KERNEL &&
		    !p->frames[i].nr_lines)
			name_kernel_frame(p, k, i);
	}
	for (i = 1; i < p->nr_mappings; i++) {
		if (p->mappings[i].kind == MAPPING_KERNEL && !p->mappings[i].has_functions &&
		    !p->mappings[i].unnamed)
			set_unnamed(p, i, "no symbol there");
	}
}

void symbol_name_profile(struct profile *p, struct worker *w, const struct kallsyms *k,
			 const struct symbol_object *obj, size_t nr)
{
	size_t i;

	symbol_name_kernel(p, k);
	for (i = 0; i < nr; i++)
		symbol_name_object(p, w, &obj[i]);
}
