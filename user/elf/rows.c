/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/rows.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "elf/entry.h"
#include "elf/frames.h"
#include "elf/pages.h"
#include "elf/program.h"
#include "elf/rules.h"

#define CODE_ALIGN 16 /* of functions, by compilers' custom */

/* One object at work. */
struct build {
	struct frames frames;
	struct rules rules;
	struct pages pages;
	struct elf_range entry; /* code that is RULE_STOP; empty: none */
	uint64_t end;		/* of what was put into pages */
};

static void put(struct build *b, const struct elf_range *r, uint32_t word)
{
	if (b->end < r->start)
		pages_put_gap(&b->pages, b->end);
	pages_put(&b->pages, r->start, word);
	b->end = r->end;
}

/*
 * Where the first row of a function that starts at `start` goes: what is left of 16 bytes before
 * an aligned one is padding (or a leaf of a few bytes, of which the same is true). This saves a row
 * a function, or two where the one before ends as all begin.
 */
static uint64_t pad(const struct build *b, uint64_t start)
{
	if (b->end < start && start - b->end < CODE_ALIGN && start % CODE_ALIGN == 0)
		return b->end;
	return start;
}

/* All rows of a function, or none: a program that breaks off may have been wrong from the start. */
static void put_program(struct build *b, struct program *p)
{
	const struct pages_mark mark = b->pages.now;
	struct elf_range all = { p->from, p->end };
	uint64_t from = pad(b, all.start);
	int r;

	if (b->end < from)
		pages_put_gap(&b->pages, b->end);
	while ((r = program_next(p)) > 0) {
		pages_put(&b->pages, from, rules_word(&b->rules, &p->state, p->cie->signal));
		from = p->to;
	}
	if (!r) {
		b->end = all.end;
		return;
	}
	b->frames.nr_malformed++;
	pages_rewind(&b->pages, &mark);
	put(b, &all, rules_fixed(RULE_UNSUPPORTED));
}

static void put_frame(struct build *b, const struct frame *f, struct program *p)
{
	const struct cfi_cie *c = &b->frames.cie[f->cie];
	const uint8_t *program = c->section->data + f->program;
	struct cfi_fde fde = { .start = f->start, .size = f->size };

	if (b->entry.start < f->start && b->entry.end > b->entry.start) {
		put(b, &b->entry, rules_fixed(RULE_STOP));
		b->entry.end = 0;
	}
	fde.program = (struct cfi_bytes){ program, program + f->program_len, false };
	program_start(p, c, &fde);
	put_program(b, p);
}

/* The first function behind an address; nr_frames when there is none. */
static size_t frame_behind(const struct frames *f, uint64_t address)
{
	size_t low = 0, high = f->nr_frames, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (f->frame[mid].start > address)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* The code at the entry point, up to the next function that is described. */
static int find_entry(struct build *b, struct reader *r)
{
	const struct frames *f = &b->frames;
	uint64_t at = f->headers.entry, end, offset;
	const struct elf_range *code = range_find(f->code, f->nr_code, at);
	size_t next = frame_behind(f, at);
	int len;

	if (!code || !frames_offset(f, at, &offset))
		return 0;
	if (next && at - f->frame[next - 1].start < f->frame[next - 1].size)
		return 0;
	end = next < f->nr_frames && f->frame[next].start < code->end ? f->frame[next].start
								      : code->end;
	len = entry_code(r, &f->headers, offset, end - at);
	if (len > 0)
		b->entry = (struct elf_range){ at, at + (uint64_t)len };
	return len < 0 ? len : 0;
}

static int build(struct build *b, struct reader *r)
{
	struct program *program;
	size_t i;
	int err;

	err = find_entry(b, r);
	if (err)
		return err;
	program = xmalloc(sizeof(*program));
	b->end = UINT64_MAX; /* nothing yet */
	for (i = 0; i < b->frames.nr_frames && !b->pages.full; i++)
		put_frame(b, &b->frames.frame[i], program);
	free(program);
	if (b->entry.end > b->entry.start)
		put(b, &b->entry, rules_fixed(RULE_STOP));
	return 0;
}

static int finish(struct build *b, struct rows *out)
{
	struct rows r = { .frame_bytes = b->frames.bytes,
			  .nr_fdes = b->frames.nr_fdes,
			  .nr_malformed = b->frames.nr_malformed };
	int err;

	err = pages_finish(&b->pages, b->end, &r);
	if (err)
		return err;
	memcpy(r.nr_beyond, b->rules.nr_beyond, sizeof(r.nr_beyond));
	r.rule = b->rules.rule;
	r.nr_rules = b->rules.nr;
	b->rules.rule = NULL;
	*out = r;
	return 0;
}

int rows_read(struct rows *r, int fd)
{
	struct build b = { 0 };
	struct reader reader;
	int err;

	err = reader_init(&reader, fd);
	if (err)
		return err;
	err = frames_read(&b.frames, &reader);
	if (!err) {
		rules_init(&b.rules, b.frames.machine);
		err = build(&b, &reader);
	}
	if (!err)
		err = finish(&b, r);
	pages_done(&b.pages);
	rules_done(&b.rules);
	frames_done(&b.frames);
	return err;
}

void rows_done(struct rows *r)
{
	free(r->row);
	free(r->page);
	free(r->rule);
	free(r->span);
	memset(r, 0, sizeof(*r));
}

static const struct wire_page *find_page(const struct rows *r, uint64_t address)
{
	size_t low = 0, high = r->nr_spans, mid;
	uint64_t page;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (r->span[mid].address > address)
			high = mid;
		else
			low = mid + 1;
	}
	if (!low)
		return NULL;
	page = (address - r->span[low - 1].address) / ROWS_PAGE_BYTES;
	return page < r->span[low - 1].nr_pages ? &r->page[r->span[low - 1].first_page + page]
						: NULL;
}

uint32_t rows_find(const struct rows *r, uint64_t address)
{
	const struct wire_page *p = find_page(r, address);
	uint32_t key = (uint32_t)(address % ROWS_PAGE_BYTES) << ROW_PC_SHIFT | ROW_BELOW;
	size_t low = 0, high = p ? p->count : 0, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (r->row[p->first + mid] > key)
			high = mid;
		else
			low = mid + 1;
	}
	return low ? r->row[p->first + low - 1] : rules_fixed(RULE_NONE);
}
