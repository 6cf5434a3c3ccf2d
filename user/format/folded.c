/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks that differ only in addresses are one line, so samples meet in a tree
 * of names first. The lines come out in the order of their bytes: a node's
 * text goes on with ' ' (its count) or with ';' (its children), and whatever
 * follows a node is sorted by name and that byte.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sum.h"
#include "format/format.h"
#include "model/select.h"

#define UNKNOWN UINT32_MAX

struct node {
	uint32_t parent, name;
	int64_t count;
	bool has_children; /* that lead to a count */
};

/* One way on from `parent`: to the line's end at `node`, or to node's children. */
struct item {
	uint32_t parent, node;
	const char *name;
	uint32_t len;
	char next; /* ' ' or ';' */
};

struct folder {
	const struct profile *p;
	int column;
	enum hotspot_kind kind;	/* of a native profile; DEFAULT: the column alone */
	enum folded_unit unit;
	struct strtab names;
	uint32_t *frame_name; /* [nr_frames], of the innermost line; UNKNOWN: not made yet */
	struct buf text;      /* scratch */
	struct node *nodes;   /* [0] is the root of all */
	size_t nr_nodes, cap_nodes;
	struct index index; /* of nodes by (parent, name) */
	struct item *items; /* sorted by parent, then text */
	size_t nr_items;
};

int folded_column(const struct profile *p, enum folded_unit unit)
{
	const char *want = unit == FOLDED_NS ? "nanoseconds" : "count";
	int i, found = unit == FOLDED_SAMPLES ? profile_column(p, "samples") : -1;

	if (found < 0 && !strcmp(profile_str(p, p->column[p->default_column].unit), want))
		found = (int)p->default_column;
	for (i = 0; i < (int)p->nr_columns && found < 0; i++) {
		if (!strcmp(profile_str(p, p->column[i].unit), want))
			found = i;
	}
	return found;
}

static bool equal_node(const void *owner, uint32_t id, const void *key)
{
	const struct node *a = &((const struct folder *)owner)->nodes[id], *b = key;

	return a->parent == b->parent && a->name == b->name;
}

static uint32_t child_of(struct folder *f, uint32_t parent, uint32_t name)
{
	struct node key = { .parent = parent, .name = name };
	uint64_t hash = hash_u64(parent, name);
	uint32_t id = index_find(&f->index, hash, equal_node, f, &key);

	if (id != INDEX_NONE)
		return id;
	grow(&f->nodes, &f->cap_nodes, f->nr_nodes + 1, sizeof(key));
	id = (uint32_t)f->nr_nodes++;
	f->nodes[id] = key;
	index_add(&f->index, hash, id);
	return id;
}

/* The text as one frame: without the format's own separators. */
static uint32_t add_name(struct folder *f, const char *text, const char *suffix)
{
	buf_clear(&f->text);
	buf_puts(&f->text, text);
	for (size_t i = 0; i < f->text.len; i++) {
		if (f->text.data[i] == ';' || f->text.data[i] == '\n')
			f->text.data[i] = ':';
	}
	buf_puts(&f->text, suffix);
	return strtab_add(&f->names, buf_text(&f->text), f->text.len);
}

static uint32_t line_name(struct folder *f, uint32_t frame, uint32_t line)
{
	const struct profile *p = f->p;
	bool kernel = p->mappings[p->frames[frame].mapping].kind == MAPPING_KERNEL;
	char buf[512];

	return add_name(f, profile_frame_name(p, frame, line, buf, sizeof(buf)),
			kernel ? "_[k]" : "");
}

static uint32_t push_frame(struct folder *f, uint32_t node, uint32_t frame)
{
	for (uint32_t line = f->p->frames[frame].nr_lines; line > 1; line--)
		node = child_of(f, node, line_name(f, frame, line - 1));
	if (f->frame_name[frame] == UNKNOWN)
		f->frame_name[frame] = line_name(f, frame, 0);
	return child_of(f, node, f->frame_name[frame]);
}

static uint32_t push_process(struct folder *f, uint32_t labels)
{
	const struct label *l = profile_label(f->p, labels, "process");

	if (!l || !l->str)
		l = profile_label(f->p, labels, "comm");
	return l && l->str ? child_of(f, 0, add_name(f, profile_str(f->p, l->str), "")) : 0;
}

static int64_t count_of(const struct folder *f, size_t sample)
{
	if (f->kind == KIND_DEFAULT)
		return profile_values(f->p, sample)[f->column];
	return f->unit == FOLDED_NS ? hotspots_ns(f->p, f->kind, sample) : hotspots_count(f->p, f->kind, sample);
}

static void add_sample(struct folder *f, size_t sample)
{
	const struct profile *p = f->p;
	int64_t count = count_of(f, sample), *sum;
	uint32_t path[PROFILE_MAX_DEPTH], depth = 0, node;

	if (!count)
		return;
	node = push_process(f, p->samples[sample].labels);
	for (uint32_t s = p->samples[sample].stack; s; s = p->stacks[s].parent)
		path[depth++] = p->stacks[s].frame;
	while (depth)
		node = push_frame(f, node, path[--depth]);
	if (!node)
		node = child_of(f, 0, add_name(f, "[no stack]", ""));
	sum = &f->nodes[node].count;
	sum_add(sum, count);
}

static int compare_items(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	uint32_t len = a->len < b->len ? a->len : b->len;
	unsigned char next_a, next_b;
	int order;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	order = memcmp(a->name, b->name, len);
	if (order)
		return order;
	next_a = (unsigned char)(a->len > len ? a->name[len] : a->next);
	next_b = (unsigned char)(b->len > len ? b->name[len] : b->next);
	return next_a - next_b;
}

static void add_item(struct folder *f, uint32_t id, char next)
{
	const struct node *n = &f->nodes[id];

	f->items[f->nr_items++] = (struct item){
		.parent = n->parent,
		.node = id,
		.name = strtab_get(&f->names, n->name),
		.len = f->names.len[n->name],
		.next = next,
	};
}

static void sort_items(struct folder *f)
{
	/* counts of opposite signs may have met in a node and left nothing */
	for (size_t i = f->nr_nodes - 1; i > 0; i--) {
		if (f->nodes[i].count || f->nodes[i].has_children)
			f->nodes[f->nodes[i].parent].has_children = true;
	}
	f->items = xcalloc(2 * f->nr_nodes, sizeof(*f->items));
	for (uint32_t i = 1; i < f->nr_nodes; i++) {
		if (f->nodes[i].count)
			add_item(f, i, ' ');
		if (f->nodes[i].has_children)
			add_item(f, i, ';');
	}
	if (f->nr_items)
		qsort(f->items, f->nr_items, sizeof(*f->items), compare_items);
}

/* A place on the way down: the next item to print, and how much text came before it. */
struct step {
	size_t item, prefix;
};

/* [nr_nodes]: where the items of each parent begin. */
static size_t *first_items(const struct folder *f)
{
	size_t *first = xcalloc(f->nr_nodes, sizeof(*first));

	for (size_t i = f->nr_items; i-- > 0;)
		first[f->items[i].parent] = i;
	return first;
}

static void print_items(struct folder *f, struct buf *out)
{
	autofree size_t *first = first_items(f);
	autofree struct step *steps = NULL;
	struct buf *line = &f->text;
	size_t cap = 0, depth = 1;

	grow(&steps, &cap, 1, sizeof(*steps));
	steps[0] = (struct step){ 0 };
	while (depth) {
		struct step *at = &steps[depth - 1];
		const struct item *item = &f->items[at->item];
		size_t next = at->item + 1;
		bool last = next >= f->nr_items || f->items[next].parent != item->parent;

		line->len = at->prefix;
		buf_put(line, item->name, item->len);
		buf_putc(line, item->next);
		at->item = next;
		depth -= last;
		if (item->next == ';') {
			grow(&steps, &cap, depth + 1, sizeof(*steps));
			steps[depth++] = (struct step){ first[item->node], line->len };
			continue;
		}
		buf_put(out, line->data, line->len);
		buf_printf(out, "%" PRId64 "\n", f->nodes[item->node].count);
	}
}

void folded_print(const struct profile *p, const struct hotspot_query *q, enum folded_unit unit,
		  struct buf *out)
{
	autofree bool *keep = samples_select(p, q->focus, q->ignore);
	struct folder f = { .p = p, .column = folded_column(p, unit), .unit = unit };
	size_t i;

	if (f.column < 0)
		return;
	f.kind = profile_is_native(p) ? q->kind : KIND_DEFAULT;
	strtab_init(&f.names);
	grow(&f.nodes, &f.cap_nodes, 1, sizeof(*f.nodes));
	f.nodes[f.nr_nodes++] = (struct node){ 0 };
	f.frame_name = xmalloc(p->nr_frames * sizeof(*f.frame_name));
	for (i = 0; i < p->nr_frames; i++)
		f.frame_name[i] = UNKNOWN;
	for (i = 0; i < p->nr_samples; i++) {
		if (!keep || keep[i])
			add_sample(&f, i);
	}
	sort_items(&f);
	if (f.nr_items)
		print_items(&f, out);
	strtab_done(&f.names);
	index_done(&f.index);
	buf_done(&f.text);
	free(f.frame_name);
	free(f.nodes);
	free(f.items);
}
