/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/symtab.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"

enum symbol_kind {
	SYMBOL_UNTYPED,
	SYMBOL_FUNCTION,
};

#define CHUNK	   65536 /* bytes of a table that are read at a time */
#define NAME_FIRST 128	 /* bytes of a name that are read first: nearly all are shorter */

const struct elf_range *range_find(const struct elf_range *range, uint32_t nr, uint64_t address)
{
	uint32_t lo = 0, hi = nr;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (range[mid].start <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo && address < range[lo - 1].end)
		return &range[lo - 1];
	return NULL;
}

/* By insertion: there are few, and they nearly always come in order. */
uint32_t range_sort(struct elf_range *range, uint32_t nr)
{
	uint32_t i, j, kept = 0;
	struct elf_range r;

	for (i = 1; i < nr; i++) {
		r = range[i];
		for (j = i; j && range[j - 1].start > r.start; j--)
			range[j] = range[j - 1];
		range[j] = r;
	}
	for (i = 0; i < nr; i++) {
		if (!kept || range[i].start >= range[kept - 1].end)
			range[kept++] = range[i];
		else if (range[i].end > range[kept - 1].end)
			range[kept - 1].end = range[i].end;
	}
	return kept;
}

/* The entry at p, widened where the file is a 32-bit one. */
static Elf64_Sym entry_at(const struct symtab *st, const char *p)
{
	Elf64_Sym sym;
	Elf32_Sym narrow;

	if (st->wide) {
		memcpy(&sym, p, sizeof(sym));
		return sym;
	}
	memcpy(&narrow, p, sizeof(narrow));
	return (Elf64_Sym){
		.st_name = narrow.st_name,
		.st_info = narrow.st_info,
		.st_shndx = narrow.st_shndx,
		.st_value = narrow.st_value,
		.st_size = narrow.st_size,
	};
}

/* Is it one that can name code? Then *out is filled in, but for .table and .outer. */
static bool symbol_from(const struct symtab *st, const Elf64_Sym *sym, struct elf_symbol *out)
{
	unsigned char type = ELF64_ST_TYPE(sym->st_info);
	const struct elf_range *in;

	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return false;
	if (sym->st_shndx == SHN_UNDEF || !sym->st_name)
		return false;
	in = range_find(st->loaded, st->nr_loaded, sym->st_value);
	if (!in)
		return false;
	if (type == STT_NOTYPE && !range_find(st->code, st->nr_code, sym->st_value))
		return false;
	out->start = sym->st_value;
	out->size = sym->st_size < in->end - sym->st_value ? (uint32_t)sym->st_size
							   : (uint32_t)(in->end - sym->st_value);
	out->name = sym->st_name;
	out->bind = ELF64_ST_BIND(sym->st_info);
	out->kind = type == STT_NOTYPE ? SYMBOL_UNTYPED : SYMBOL_FUNCTION;
	return true;
}

/* Appends what is of use in table t; st->symbol has room for all of it. */
static int read_table(struct symtab *st, struct reader *r, uint8_t t)
{
	const struct symbol_table *table = &st->table[t];
	size_t entry = st->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	size_t len, step = CHUNK / entry * entry;
	autofree char *chunk = xmalloc(CHUNK);
	uint64_t at, i;
	Elf64_Sym sym;
	int err;

	for (at = 0; table->size - at >= entry; at += len) {
		len = table->size - at < step ? (table->size - at) / entry * entry : step;
		err = reader_get(r, table->offset + at, chunk, len);
		if (err)
			return err;
		for (i = 0; i < len; i += entry) {
			sym = entry_at(st, chunk + i);
			if (sym.st_name >= table->strings_size ||
			    !symbol_from(st, &sym, &st->symbol[st->nr]))
				continue;
			st->symbol[st->nr++].table = t;
		}
	}
	return 0;
}

/* Appends Go's functions; their names are strings of table t. */
static void add_go(struct symtab *st, uint8_t t)
{
	const struct pclntab *go = &st->go->table;
	struct symbol_table *table = &st->table[t];
	const struct elf_range *in;
	struct pclntab_function f;
	uint32_t i;

	table->strings = st->go->offset + go->names;
	table->strings_size = go->len - go->names;
	for (i = 0; i < go->nr; i++) {
		if (!pclntab_function(go, i, &f) || f.name >= table->strings_size)
			continue;
		in = range_find(st->loaded, st->nr_loaded, go->text + f.start);
		if (!in)
			continue;
		st->symbol[st->nr++] = (struct elf_symbol){
			.start = go->text + f.start,
			.size = f.size < in->end - (go->text + f.start)
					? f.size
					: (uint32_t)(in->end - (go->text + f.start)),
			.name = f.name,
			.table = t,
			.bind = STB_GLOBAL,
			.kind = SYMBOL_FUNCTION,
		};
	}
}

/*
 * By start, stable. A radix sort, since it takes no longer on a hostile order, and since
 * qsort() asks the system for its memory size, which the sandbox does not allow.
 */
static void sort_symbols(struct symtab *st)
{
	autofree struct elf_symbol *spare = xmalloc((size_t)st->nr * sizeof(*spare) + 1);
	struct elf_symbol *from = st->symbol, *to = spare, *swap;
	uint32_t count[256], i, sum, n, digit, shift;

	for (shift = 0; shift < 64; shift += 8) {
		memset(count, 0, sizeof(count));
		for (i = 0; i < st->nr; i++)
			count[from[i].start >> shift & 0xff]++;
		if (st->nr && count[from[0].start >> shift & 0xff] == st->nr)
			continue;
		for (digit = sum = 0; digit < 256; digit++) {
			n = count[digit];
			count[digit] = sum;
			sum += n;
		}
		for (i = 0; i < st->nr; i++)
			to[count[from[i].start >> shift & 0xff]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	if (from != st->symbol)
		memcpy(st->symbol, from, (size_t)st->nr * sizeof(*from));
}

static bool is_better(const struct elf_symbol *a, const struct elf_symbol *b)
{
	return a->kind != b->kind ? a->kind > b->kind : a->size > b->size;
}

/* Of the symbols [from, to), all at one start: moves the best of a kind and size to *nr. */
static void keep_aliases(struct symtab *st, uint32_t from, uint32_t to,
			 const struct elf_symbol *best, uint32_t size)
{
	struct elf_symbol want = *best;
	uint32_t i, first = st->nr, outer = first ? first - 1 : SYMTAB_NONE;

	while (outer != SYMTAB_NONE &&
	       st->symbol[outer].start + st->symbol[outer].size <= want.start)
		outer = st->symbol[outer].outer;
	for (i = from; i < to && st->nr - first < SYMTAB_MAX_ALIASES; i++) {
		if (st->symbol[i].kind != want.kind || st->symbol[i].size != want.size)
			continue;
		st->symbol[st->nr] = st->symbol[i];
		st->symbol[st->nr].size = size;
		st->symbol[st->nr++].outer = outer;
	}
}

/*
 * Sorted symbols to what symtab_find() needs: at each start those of the best kind and size,
 * no symbol of a lesser kind under a sized function, no size 0. In place, from left to right:
 *
 *   outer        |----------- A -----------|   |-- D --|     "reach" is the end of A, then of D
 *   -> none         |-- B --|                                outer(B) = A
 *   -> A                       |- C -|                       outer(C) = A: B has ended
 */
static void settle(struct symtab *st)
{
	uint32_t i, j, best, nr = st->nr;
	const struct elf_range *code;
	uint64_t reach = 0, end;
	struct elf_symbol *s;

	st->nr = 0;
	for (i = 0; i < nr; i = j) {
		best = i;
		for (j = i + 1; j < nr && st->symbol[j].start == st->symbol[i].start; j++) {
			if (is_better(&st->symbol[j], &st->symbol[best]))
				best = j;
		}
		s = &st->symbol[best];
		end = s->start + s->size;
		if ((s->kind == SYMBOL_UNTYPED || !s->size) && s->start < reach)
			continue;
		if (!s->size) {
			code = range_find(st->code, st->nr_code, s->start);
			if (!code)
				continue;
			end = code->end;
			if (j < nr && st->symbol[j].start < end)
				end = st->symbol[j].start;
		} else if (s->kind == SYMBOL_FUNCTION && end > reach) {
			reach = end;
		}
		keep_aliases(st, i, j, s, (uint32_t)(end - s->start));
	}
}

int symtab_read(struct symtab *st, struct reader *r, uint32_t nr)
{
	size_t entry = st->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	uint64_t total = 0;
	bool with_go;
	uint32_t t;
	int err;

	for (t = 0; t < nr; t++) {
		if (!reader_has(r, st->table[t].offset, st->table[t].size) ||
		    !reader_has(r, st->table[t].strings, st->table[t].strings_size))
			return fail_plain(-ENODATA, "truncated");
		total += st->table[t].size / entry;
	}
	if (total > SYMTAB_MAX_SYMBOLS)
		return fail_plain(-EFBIG, "more than %u symbols", SYMTAB_MAX_SYMBOLS);
	with_go = st->go && st->go->table.nr <= SYMTAB_MAX_SYMBOLS - total;
	total += with_go ? st->go->table.nr : 0;
	st->symbol = xmalloc(total * sizeof(*st->symbol) + 1);
	for (t = 0; t < nr; t++) {
		err = read_table(st, r, (uint8_t)t);
		if (err)
			return err;
	}
	if (with_go)
		add_go(st, (uint8_t)nr);
	sort_symbols(st);
	settle(st);
	st->symbol = xreallocarray(st->symbol, st->nr + 1, sizeof(*st->symbol));
	return 0;
}

void symtab_done(struct symtab *st)
{
	free(st->symbol);
	free(st->code);
	memset(st, 0, sizeof(*st));
}

const struct elf_symbol *symtab_find(const struct symtab *st, uint64_t address)
{
	uint32_t lo = 0, hi = st->nr, hops;
	const struct elf_symbol *s;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (st->symbol[mid].start <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	lo = lo ? lo - 1 : SYMTAB_NONE;
	for (hops = 0; lo != SYMTAB_NONE && hops <= SYMTAB_MAX_NESTING; hops++) {
		s = &st->symbol[lo];
		if (address - s->start < s->size) {
			while (s > st->symbol && s[-1].start == s->start)
				s--;
			return s;
		}
		lo = s->outer;
	}
	return NULL;
}

/* The text of one symbol's name; cut at the end of its strings and at SYMTAB_MAX_NAME. */
static int read_name(const struct symtab *st, struct reader *r, const struct elf_symbol *s,
		     char name[SYMTAB_MAX_NAME])
{
	const struct symbol_table *table = &st->table[s->table];
	uint64_t left = table->strings_size - s->name;
	size_t len = left < NAME_FIRST ? (size_t)left : NAME_FIRST;
	int err = reader_get(r, table->strings + s->name, name, len);

	if (!err && len == NAME_FIRST && !memchr(name, '\0', len)) {
		len = left < SYMTAB_MAX_NAME - 1 ? (size_t)left : SYMTAB_MAX_NAME - 1;
		err = reader_get(r, table->strings + s->name, name, len);
	}
	name[err ? 0 : len] = '\0';
	return err;
}

static bool is_mangled(const char *name)
{
	if (name[0] != '_')
		return false;
	return name[1] == 'Z' || (name[1] == 'R' && name[2] != '_') ||
	       (name[1] == 'D' && name[2] >= '0' && name[2] <= '9');
}

static size_t underscores(const char *name)
{
	return is_mangled(name) ? 0 : strspn(name, "_");
}

/* No names, but marks of where code ("$x", "$x.foo") and data begin (ELF for the Arm
 * architectures). */
static bool is_mark(const char *name)
{
	return name[0] == '$' && name[1] && strchr("adtx", name[1]) &&
	       (name[2] == '\0' || name[2] == '.');
}

/* Does a come before b, by the rules in the header? */
static bool is_preferred(const struct elf_symbol *a, const char *a_name, const struct elf_symbol *b,
			 const char *b_name)
{
	size_t x = underscores(a_name), y = underscores(b_name);

	if ((a->bind == STB_LOCAL) != (b->bind == STB_LOCAL))
		return b->bind == STB_LOCAL;
	if (x != y)
		return x < y;
	if ((a->bind == STB_WEAK) != (b->bind == STB_WEAK))
		return b->bind == STB_WEAK;
	x = strlen(a_name);
	y = strlen(b_name);
	return x != y ? x < y : strcmp(a_name, b_name) < 0;
}

int symtab_name(const struct symtab *st, struct reader *r, const struct elf_symbol *first,
		char name[SYMTAB_MAX_NAME])
{
	const struct elf_symbol *s, *best = NULL, *end = st->symbol + st->nr;
	char other[SYMTAB_MAX_NAME];
	int err;

	for (s = first; s < end && s->start == first->start; s++) {
		err = read_name(st, r, s, other);
		if (err)
			return err;
		if (!other[0] || is_mark(other) || (best && !is_preferred(s, other, best, name)))
			continue;
		best = s;
		memcpy(name, other, strlen(other) + 1);
	}
	return best != NULL;
}
