/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/tables.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/index.h"

#define MIN_BLOCK_SHIFT 3			/* 8 maps */
#define MAX_BLOCK_SHIFT 12			/* TABLES_MAX_MAPS */
#define BLOCK_SIZES	(MAX_BLOCK_SHIFT - MIN_BLOCK_SHIFT + 1)
#define PAGE_ROWS_MAX	4096

struct region {
	uint32_t first, end;			/* chunk numbers */
	uint64_t next;				/* first free element, counted from element 0 of chunk `first` */
	uint32_t per_chunk;
};

struct freed {
	uint32_t first;				/* map number */
	uint32_t size;				/* index of block sizes */
	uint64_t time;
};

struct tables {
	struct tables_memory m;
	void *chunk[WIRE_MAX_CHUNKS];
	uint64_t nr_chunks;
	struct region rows, pages, maps;
	uint32_t nr_rules;
	struct index rule_index;
	uint32_t *free_block[BLOCK_SIZES];
	size_t nr_free[BLOCK_SIZES], cap_free[BLOCK_SIZES];
	struct freed *grace;			/* a queue: oldest at grace[grace_head] */
	size_t grace_head, nr_grace, cap_grace;
	uint32_t stamp;
	struct tables_caps caps;
};

struct tables *tables_new(const struct tables_memory *m)
{
	struct tables *t = xcalloc(1, sizeof(*t));

	t->m = *m;
	t->rows = (struct region){ WIRE_CHUNK_ROWS0, WIRE_CHUNK_PAGES0, 0, WIRE_CHUNK_ROWS };
	t->pages = (struct region){ WIRE_CHUNK_PAGES0, WIRE_CHUNK_MAPS0, 0, WIRE_CHUNK_PAGES };
	t->maps = (struct region){ WIRE_CHUNK_MAPS0, WIRE_MAX_CHUNKS, 0, WIRE_CHUNK_MAPS };
	t->nr_rules = RULE_FIRST_FREE;
	return t;
}

void tables_free(struct tables *t)
{
	int i;

	if (!t)
		return;
	for (i = 0; i < BLOCK_SIZES; i++)
		free(t->free_block[i]);
	index_done(&t->rule_index);
	free(t->grace);
	free(t);
}

const struct tables_caps *tables_caps(const struct tables *t)
{
	return &t->caps;
}

uint64_t tables_bytes(const struct tables *t)
{
	return t->nr_chunks * WIRE_CHUNK_BYTES;
}

void *tables_chunk(const struct tables *t, uint32_t n)
{
	return n < WIRE_MAX_CHUNKS ? t->chunk[n] : NULL;
}

const struct wire_rule *tables_rule(const struct tables *t, uint32_t n)
{
	return n < t->nr_rules ? &t->m.rules[n] : NULL;
}

/* Makes sure of the chunk that holds element `at` of a region. */
static bool have_chunk(struct tables *t, const struct region *r, uint64_t at)
{
	uint64_t n = r->first + at / r->per_chunk;

	if (n >= r->end)
		return false;
	if (!t->chunk[n]) {
		t->chunk[n] = t->m.chunk(t->m.ctx, (uint32_t)n);
		t->nr_chunks += !!t->chunk[n];
	}
	return t->chunk[n];
}

/* Takes n elements in a row; whole: not across the end of a chunk. Their number, -1: no room. */
static int64_t take(struct tables *t, struct region *r, uint64_t n, bool whole)
{
	uint64_t at = r->next, left = r->per_chunk - at % r->per_chunk, i;

	if (whole && n > left)
		at += left;
	for (i = at; i < at + n; i = (i / r->per_chunk + 1) * r->per_chunk)
		if (!have_chunk(t, r, i))
			return -1;
	r->next = at + n;
	return (int64_t)((uint64_t)r->first * r->per_chunk + at);
}

static uint32_t *row_at(const struct tables *t, uint32_t n)
{
	return (uint32_t *)t->chunk[n / WIRE_CHUNK_ROWS] + n % WIRE_CHUNK_ROWS;
}

static struct wire_page *page_at(const struct tables *t, uint32_t n)
{
	return (struct wire_page *)t->chunk[n / WIRE_CHUNK_PAGES] + n % WIRE_CHUNK_PAGES;
}

static struct wire_map *map_at(const struct tables *t, uint32_t n)
{
	return (struct wire_map *)t->chunk[n / WIRE_CHUNK_MAPS] + n % WIRE_CHUNK_MAPS;
}

static bool rule_eq(const void *owner, uint32_t id, const void *key)
{
	return !memcmp(&((const struct tables *)owner)->m.rules[id], key, sizeof(struct wire_rule));
}

/* The number of this rule for all objects. */
static uint32_t intern_rule(struct tables *t, const struct wire_rule *r)
{
	uint64_t hash = hash_bytes(r, sizeof(*r));
	uint32_t id = index_find(&t->rule_index, hash, rule_eq, t, r);

	if (id != INDEX_NONE)
		return id;
	if (t->nr_rules == WIRE_MAX_RULES) {
		t->caps.rules++;
		return RULE_UNSUPPORTED;
	}
	id = t->nr_rules++;
	t->m.rules[id] = *r;
	index_add(&t->rule_index, hash, id);
	return id;
}

/* A row of the object as a row of the tables: its rule by the common number. */
static uint32_t common_row(uint32_t row, const uint32_t *number)
{
	if (!(row & ROW_ESCAPED))
		return row;
	return (row & ~ROW_RULE_MASK) | number[row & ROW_RULE_MASK];
}

static bool is_sound_row(const struct table_rows *in, uint32_t row)
{
	uint32_t rule = row & ROW_RULE_MASK;

	return !(row & ROW_ESCAPED) || (rule < in->nr_rules && rule != RULE_PENDING);
}

/* Rows by offset, the first at the page's begin; behind those of the page before. */
static bool is_sound_page(const struct table_rows *in, const struct wire_page *p, size_t behind)
{
	const uint32_t *row;
	uint32_t i;

	if (p->count > PAGE_ROWS_MAX || p->first < behind || p->first > in->nr_rows ||
	    p->count > in->nr_rows - p->first)
		return false;
	row = in->row + p->first;
	if (p->count && row[0] >> ROW_PC_SHIFT)
		return false;
	for (i = 1; i < p->count; i++)
		if (row[i] >> ROW_PC_SHIFT < row[i - 1] >> ROW_PC_SHIFT)
			return false;
	return true;
}

/* Spans by address, their pages one behind the other. */
static bool are_sound_spans(const struct table_rows *in)
{
	uint64_t address = 0;
	size_t page = 0, i;

	for (i = 0; i < in->nr_spans; i++) {
		const struct table_span_in *s = &in->span[i];
		uint64_t bytes = (uint64_t)s->nr_pages << 12;

		if (s->first_page != page || s->nr_pages > in->nr_pages - page || s->address < address ||
		    s->address & 0xfff || s->address > UINT64_MAX - bytes)
			return false;
		page += s->nr_pages;
		address = s->address + bytes;
	}
	return true;
}

/* What is not as elf/rows.h says would make the walk go astray, or fill the tables. */
static bool is_sound(const struct table_rows *in)
{
	size_t behind = 0, i;

	if (in->nr_rules < RULE_FIRST_FREE || in->nr_rules > WIRE_MAX_RULES)
		return false;
	for (i = RULE_FIRST_FREE; i < in->nr_rules; i++) {
		const struct wire_rule *r = &in->rule[i];

		if (r->cfa == CFA_NONE || r->cfa > CFA_PLT || r->fp > FP_UNDEFINED || r->ra > RA_ABOVE_FP)
			return false;
	}
	for (i = 0; i < in->nr_rows; i++)
		if (!is_sound_row(in, in->row[i]))
			return false;
	for (i = 0; i < in->nr_pages; i++) {
		if (!is_sound_page(in, &in->page[i], behind))
			return false;
		behind = in->page[i].first + in->page[i].count;
	}
	return are_sound_spans(in);
}

/* Copies the rows of a run of pages, each page's within one chunk. */
static int add_pages(struct tables *t, const struct table_rows *in, const uint32_t *number,
		     const struct table_span_in *s, uint32_t page)
{
	uint32_t i, k;

	for (i = 0; i < s->nr_pages; i++) {
		const struct wire_page *from = &in->page[s->first_page + i];
		struct wire_page *to = page_at(t, page + i);
		int64_t first = 0;

		if (from->count) {
			first = take(t, &t->rows, from->count, true);
			if (first < 0) {
				t->caps.rows++;
				return -ENOSPC;
			}
		}
		for (k = 0; k < from->count; k++)
			*row_at(t, (uint32_t)first + k) = common_row(in->row[from->first + k], number);
		to->first = (uint32_t)first;
		to->count = from->count;
	}
	return 0;
}

int tables_add_rows(struct tables *t, const struct table_rows *in, struct table_span **spans)
{
	autofree struct table_span *out = NULL;
	autofree uint32_t *number = NULL;
	size_t i;
	int r;

	if (!is_sound(in))
		return fail_plain(-EBADMSG, "unwind rows that are not as they should be");
	out = xcalloc(in->nr_spans + 1, sizeof(*out));
	number = xcalloc(in->nr_rules, sizeof(*number));
	for (i = 0; i < in->nr_rules; i++)
		number[i] = i < RULE_FIRST_FREE ? (uint32_t)i : intern_rule(t, &in->rule[i]);
	for (i = 0; i < in->nr_spans; i++) {
		int64_t page = take(t, &t->pages, in->span[i].nr_pages, false);

		if (page < 0) {
			t->caps.pages++;
			return -ENOSPC;
		}
		out[i] = (struct table_span){ in->span[i].address, in->span[i].nr_pages,
					      (uint32_t)page };
		r = add_pages(t, in, number, &in->span[i], (uint32_t)page);
		if (r)
			return r;
	}
	*spans = out;
	out = NULL;
	return 0;
}

static uint32_t block_size(uint32_t nr)
{
	uint32_t size = 0;

	while ((1u << (MIN_BLOCK_SHIFT + size)) < nr)
		size++;
	return size;
}

/* Blocks whose grace is over are free again. */
static void end_grace(struct tables *t, uint64_t now_ns)
{
	while (t->nr_grace && now_ns >= t->grace[t->grace_head].time + TABLES_GRACE_NS) {
		struct freed *f = &t->grace[t->grace_head++];

		t->nr_grace--;
		grow(&t->free_block[f->size], &t->cap_free[f->size], t->nr_free[f->size] + 1,
		     sizeof(uint32_t));
		t->free_block[f->size][t->nr_free[f->size]++] = f->first;
	}
	if (!t->nr_grace)
		t->grace_head = 0;
}

static void free_block(struct tables *t, uint32_t first, uint32_t nr, uint64_t now_ns)
{
	if (!nr)
		return;
	if (t->grace_head > 1024 && t->grace_head > t->nr_grace) {
		memmove(t->grace, t->grace + t->grace_head, t->nr_grace * sizeof(*t->grace));
		t->grace_head = 0;
	}
	grow(&t->grace, &t->cap_grace, t->grace_head + t->nr_grace + 1, sizeof(*t->grace));
	t->grace[t->grace_head + t->nr_grace++] = (struct freed){ first, block_size(nr), now_ns };
}

static int64_t new_block(struct tables *t, uint32_t nr, uint64_t now_ns)
{
	uint32_t size = block_size(nr);

	end_grace(t, now_ns);
	if (t->nr_free[size])
		return t->free_block[size][--t->nr_free[size]];
	return take(t, &t->maps, 1u << (MIN_BLOCK_SHIFT + size), true);
}

/* The slot of this tgid; else, with make, a free one. NULL: none. */
static struct wire_process *find_slot(const struct tables *t, uint32_t tgid, bool make)
{
	uint32_t at = WIRE_PROCESS_HASH(tgid), i;
	struct wire_process *p, *vacant = NULL;

	for (i = 0; i < WIRE_PROCESS_PROBES; i++) {
		p = &t->m.processes[(at + i) & (WIRE_PROCESS_SLOTS - 1)];
		if (p->tgid == tgid)
			return p;
		if ((!p->tgid || p->tgid == WIRE_PROCESS_GONE) && !vacant)
			vacant = p;
		if (!p->tgid)
			break;
	}
	return make ? vacant : NULL;
}

const struct wire_process *tables_process(const struct tables *t, uint32_t tgid)
{
	return find_slot(t, tgid, false);
}

/* The walk looks at version before and after: odd or changed, and it knows nothing of the process. */
static void write_slot(struct wire_process *to, const struct wire_process *from)
{
	uint32_t version = to->version;

	__atomic_store_n(&to->version, version + 1, __ATOMIC_SEQ_CST);
	to->start_time = from->start_time;
	to->exec_id = from->exec_id;
	to->first = from->first;
	to->nr = from->nr;
	to->stamp = from->stamp;
	__atomic_store_n(&to->tgid, from->tgid, __ATOMIC_SEQ_CST);
	__atomic_store_n(&to->version, version + 2, __ATOMIC_SEQ_CST);
}

/*
 * A child may still have the block's last owner's maps: its stamp goes before the first of them is
 * overwritten, and comes when all are there.
 */
static void fill_block(struct tables *t, uint32_t first, const struct wire_map *map, uint32_t nr)
{
	struct wire_map *to = map_at(t, first);
	uint32_t i;

	__atomic_store_n(&to->stamp, 0, __ATOMIC_SEQ_CST);
	for (i = 0; i < nr; i++) {
		to[i].start = map[i].start;
		to[i].end = map[i].end;
		to[i].pages = map[i].pages;
		to[i].flags = map[i].flags;
		if (i)
			to[i].stamp = t->stamp;
	}
	__atomic_store_n(&to->stamp, t->stamp, __ATOMIC_SEQ_CST);
}

int tables_set_process(struct tables *t, const struct wire_process *identity, const struct wire_map *map,
		       uint32_t nr, uint64_t now_ns)
{
	struct wire_process fresh = *identity, old;
	struct wire_process *slot;
	int64_t first;

	if (!nr || nr > TABLES_MAX_MAPS) {
		t->caps.maps++;
		return -E2BIG;
	}
	slot = find_slot(t, identity->tgid, true);
	if (!slot) {
		t->caps.processes++;
		return -ENOSPC;
	}
	first = new_block(t, nr, now_ns);
	if (first < 0) {
		t->caps.maps++;
		return -ENOSPC;
	}
	fresh.first = (uint32_t)first;
	fresh.nr = nr;
	fresh.stamp = ++t->stamp;
	fill_block(t, fresh.first, map, nr);
	old = *slot;
	write_slot(slot, &fresh);
	if (old.tgid == identity->tgid)
		free_block(t, old.first, old.nr, now_ns);
	return 0;
}

void tables_drop_process(struct tables *t, uint32_t tgid, uint64_t now_ns)
{
	struct wire_process *slot = find_slot(t, tgid, false);
	struct wire_process gone = { .tgid = WIRE_PROCESS_GONE };

	if (!slot)
		return;
	free_block(t, slot->first, slot->nr, now_ns);
	write_slot(slot, &gone);
}
