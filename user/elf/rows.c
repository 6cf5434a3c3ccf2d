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
#include "elf/trampoline.h"

#define CODE_ALIGN   16 /* of functions, by compilers' custom */
#define WINDOW_BYTES 65536
#define MIN_CLONE    9  /* bytes: the system call, a test, two short jumps, ret */
#define MAX_CLONE    32
#define LEAF	     (1u << ROW_CFA_SHIFT) /* the return address is at the stack pointer */
#define MAX_STEPS    (64u << 20) /* of Go's functions: many may share what is said of one */

/* The walk is made for one machine's rows. */
#ifdef __aarch64__
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_X86_64
#endif

/* Code whose row is known though nothing describes it. */
struct known {
	struct elf_range at;
	uint32_t word;
};

/* Bytes of the text, since functions are looked at one after the other. */
struct window {
	uint64_t offset; /* in the file */
	size_t len;
	uint8_t bytes[WINDOW_BYTES];
};

/* One object at work. */
struct build {
	struct frames frames;
	struct rules rules;
	struct pages pages;
	struct known known[2]; /* by address */
	uint32_t nr_known, next_known;
	uint64_t end; /* of what was put into pages */
	bool empty;   /* nothing was put there */
	struct reader *reader;
	struct window window;
	uint64_t steps; /* of Go's functions, so far */
};

static void put(struct build *b, const struct elf_range *r, uint32_t word)
{
	if (!b->empty && b->end < r->start)
		pages_put_gap(&b->pages, b->end);
	pages_put(&b->pages, r->start, word);
	b->end = r->end;
	b->empty = false;
}

/* What is known below an address, as far as nothing is there yet. */
static void put_known(struct build *b, uint64_t below)
{
	struct known *k;

	while (b->next_known < b->nr_known && b->known[b->next_known].at.start < below) {
		k = &b->known[b->next_known++];
		if (!b->empty && k->at.start < b->end)
			k->at.start = b->end;
		if (k->at.end > below)
			k->at.end = below;
		if (k->at.start < k->at.end)
			put(b, &k->at, k->word);
	}
}

/*
 * Where the first row of a function that starts at `start` goes: what is left of 16 bytes before
 * an aligned one is padding (or a leaf of a few bytes, of which the same is true). This saves a row
 * a function, or two where the one before ends as all begin.
 */
static uint64_t pad(const struct build *b, uint64_t start)
{
	if (!b->empty && b->end < start && start - b->end < CODE_ALIGN && start % CODE_ALIGN == 0)
		return b->end;
	return start;
}

/* `want` bytes of the text; how many there are: 0 where they cannot be read. */
static size_t read_text(struct build *b, uint64_t address, size_t want, const uint8_t **out)
{
	struct window *w = &b->window;
	uint64_t offset, rest;

	if (!frames_offset(&b->frames, address, &offset) || !reader_has(b->reader, offset, want))
		return 0;
	if (offset < w->offset || offset - w->offset > w->len ||
	    want > w->len - (offset - w->offset)) {
		rest = b->reader->size - offset;
		w->len = rest < WINDOW_BYTES ? rest : WINDOW_BYTES;
		w->offset = offset;
		if (reader_get(b->reader, offset, w->bytes, w->len)) {
			w->len = 0;
			return 0;
		}
	}
	*out = w->bytes + (offset - w->offset);
	return want;
}

/*
 * glibc's clone() and clone3() leave out of their call frame information where they return twice, between a leaf that
 * asks for it and where a thread begins: syscall; test %rax, %rax; and jumps.
 */
static bool is_clone(struct build *b, uint64_t end, uint32_t next)
{
	static const uint8_t begins[] = { 0x0f, 0x05, 0x48, 0x85, 0xc0 };
	const uint8_t *code;

	return next == rules_fixed(RULE_STOP) && b->pages.now.word == LEAF &&
	       end - b->end >= MIN_CLONE && end - b->end <= MAX_CLONE &&
	       b->frames.headers.machine == EM_X86_64 &&
	       read_text(b, b->end, sizeof(begins), &code) == sizeof(begins) &&
	       !memcmp(code, begins, sizeof(begins));
}

/* What is between the last function and the next, whose first row is `next`; returns where that goes. */
static uint64_t put_between(struct build *b, uint64_t start, uint32_t next)
{
	uint64_t from = pad(b, start);

	if (b->empty || b->end >= start)
		return from;
	if (is_clone(b, start, next)) {
		pages_put(&b->pages, b->end, rules_fixed(RULE_CLONE));
		return start;
	}
	if (b->end < from)
		pages_put_gap(&b->pages, b->end);
	return from;
}

/* All rows of a function, or none: a program that breaks off may have been wrong from the start. */
static void put_program(struct build *b, struct program *p)
{
	const struct pages_mark mark = b->pages.now;
	struct elf_range all = { p->from, p->end };
	uint64_t from = all.start;
	bool first = true;
	uint32_t word;
	int r;

	while ((r = program_next(p)) > 0) {
		word = rules_word(&b->rules, &p->state, p->cie->signal);
		if (first)
			from = put_between(b, from, word);
		first = false;
		pages_put(&b->pages, from, word);
		from = p->to;
	}
	if (!r) {
		if (first)
			(void)put_between(b, from, rules_fixed(RULE_NONE));
		b->end = all.end;
		b->empty = false;
		return;
	}
	b->frames.nr_malformed++;
	pages_rewind(&b->pages, &mark);
	put(b, &all, rules_fixed(RULE_UNSUPPORTED));
}

/* The first bytes of a function; how many there are: 0 where they cannot be read. */
static size_t read_code(struct build *b, const struct frame *f, const uint8_t **out)
{
	return read_text(b, f->start, f->size < PCLNTAB_MAX_CODE ? f->size : PCLNTAB_MAX_CODE, out);
}

/* Text behind the function's last row, and functions of which nothing can be said, have no rows. */
static void put_go(struct build *b, const struct frame *f)
{
	const struct pclntab *t = &b->frames.go.table;
	struct pclntab_function go;
	struct pclntab_rows rows;
	struct pages_mark mark;
	const uint8_t *code = NULL;
	struct frame body = *f;
	uint64_t end;
	bool empty;
	size_t len;
	int r = 0;

	put_known(b, f->start);
	mark = b->pages.now;
	end = b->end;
	empty = b->empty;
	if (!pclntab_function(t, f->program, &go))
		return;
	/* without the byte before what signal handlers return to */
	body.start = t->text + go.start;
	body.size -= (uint32_t)(body.start - f->start);
	go.size = body.size;
	len = read_code(b, &body, &code);
	if (!body.size || !pclntab_start(&rows, t, &go, code, len))
		return;
	while (b->steps++ < MAX_STEPS && !b->pages.full && (r = pclntab_next(&rows)) > 0) {
		struct elf_range at = { rows.from, rows.to };

		if (!b->empty && at.start < b->end)
			at.start = b->end;
		if (at.start < at.end)
			put(b, &at, rows.rule == RULE_FIRST_FREE
					    ? rules_word(&b->rules, &rows.state, false)
					    : rules_fixed(rows.rule));
	}
	if (!r)
		return;
	b->frames.nr_malformed++;
	pages_rewind(&b->pages, &mark);
	b->end = end;
	b->empty = empty;
}

static void put_frame(struct build *b, const struct frame *f, struct program *p)
{
	const struct cfi_cie *c = &b->frames.cie[f->cie];
	const uint8_t *program = c->section->data + f->program;
	struct cfi_fde fde = { .start = f->start, .size = f->size };

	put_known(b, f->start);
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
		b->known[b->nr_known++] = (struct known){ { at, at + (uint64_t)len },
							  rules_fixed(RULE_STOP) };
	return len < 0 ? len : 0;
}

static int find_trampoline(struct build *b, struct reader *r)
{
	struct known k = { .word = rules_fixed(RULE_SIGNAL) };
	int found = trampoline_find(&b->frames, r, &k.at);

	if (found <= 0)
		return found;
	b->known[b->nr_known++] = k;
	if (b->nr_known == 2 && k.at.start < b->known[0].at.start) {
		b->known[1] = b->known[0];
		b->known[0] = k;
	}
	return 1;
}

static int build(struct build *b, struct reader *r)
{
	struct program *program;
	size_t i;
	int found;

	found = find_entry(b, r);
	if (!found)
		found = find_trampoline(b, r);
	if (found < 0)
		return found;
	/* an entry point alone is not worth tables */
	if (!found && !b->frames.nr_frames)
		return -ENOENT;
	program = xmalloc(sizeof(*program));
	b->empty = true;
	for (i = 0; i < b->frames.nr_frames && !b->pages.full; i++) {
		if (b->frames.frame[i].cie == FRAMES_GO)
			put_go(b, &b->frames.frame[i]);
		else
			put_frame(b, &b->frames.frame[i], program);
	}
	free(program);
	put_known(b, UINT64_MAX);
	return b->pages.now.nr_spans ? 0 : fail_plain(-ENOENT, "no call frame information");
}

static int finish(struct build *b, struct rows *out)
{
	struct rows r = { .frame_bytes = b->frames.bytes,
			  .go = b->frames.go.table.nr != 0,
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

static int read_rows(struct rows *r, int fd, bool any)
{
	struct reader reader;
	struct build *b;
	int err;

	err = reader_init(&reader, fd);
	if (err)
		return err;
	b = xcalloc(1, sizeof(*b));
	b->reader = &reader;
	err = frames_read(&b->frames, &reader);
	if ((!err || err == -ENOENT) && !any && b->frames.headers.machine != OWN_MACHINE)
		err = fail_plain(-ENOEXEC, "ELF file of another machine");
	if (!err || err == -ENOENT) {
		rules_init(&b->rules, b->frames.machine);
		err = build(b, &reader);
	}
	if (!err)
		err = finish(b, r);
	pages_done(&b->pages);
	rules_done(&b->rules);
	frames_done(&b->frames);
	free(b);
	return err;
}

int rows_read(struct rows *r, int fd)
{
	return read_rows(r, fd, false);
}

int rows_read_any(struct rows *r, int fd)
{
	return read_rows(r, fd, true);
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
