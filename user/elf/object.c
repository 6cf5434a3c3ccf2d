/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/object.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "elf/headers.h"

/* The note that Go's linker leaves in all that it makes. */
#define GO_NOTE	     "Go\0"
#define GO_NOTE_TYPE 4

/* What the notes say: the GNU build id, the first one, and whether this is Go's. */
static void look_at_notes(struct object *o, const char *notes, uint64_t len, uint64_t step)
{
	uint64_t at = 0, name, desc;
	Elf64_Nhdr n; /* the same in both classes */

	while (at < len && len - at >= sizeof(n)) {
		memcpy(&n, notes + at, sizeof(n));
		name = at + sizeof(n);
		desc = name + ((n.n_namesz + step - 1) & ~(step - 1));
		if (desc > len || n.n_descsz > len - desc)
			return;
		o->is_go |= n.n_type == GO_NOTE_TYPE && n.n_namesz == sizeof(GO_NOTE) &&
			    !memcmp(notes + name, GO_NOTE, sizeof(GO_NOTE));
		if (!o->build_id_len && n.n_type == NT_GNU_BUILD_ID && n.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    !memcmp(notes + name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) && n.n_descsz &&
		    n.n_descsz <= sizeof(o->build_id)) {
			memcpy(o->build_id, notes + desc, n.n_descsz);
			o->build_id_len = n.n_descsz;
		}
		at = desc + ((n.n_descsz + step - 1) & ~(step - 1));
	}
}

/* A table of notes that lies outside of the file has none for us: it costs the id, not the names.
 */
static int read_notes(struct object *o, uint64_t offset, uint64_t size, uint64_t align)
{
	size_t len = size < OBJECT_MAX_NOTES ? (size_t)size : OBJECT_MAX_NOTES;
	autofree char *notes = NULL;
	int err;

	if ((o->build_id_len && o->is_go) || !reader_has(&o->reader, offset, len))
		return 0;
	notes = xmalloc(len + 1);
	err = reader_get(&o->reader, offset, notes, len);
	if (!err)
		look_at_notes(o, notes, len, align == 8 ? 8 : 4);
	return err;
}

/* [start, start + size), cut at 4 GiB less a byte and at the end of the address space. */
static struct elf_range make_range(uint64_t start, uint64_t size)
{
	if (size > UINT32_MAX)
		size = UINT32_MAX;
	if (size > UINT64_MAX - start)
		size = UINT64_MAX - start;
	return (struct elf_range){ start, start + size };
}

/* One that wraps around the end of the file's or of the memory's addresses is none. */
static void add_segment(struct object *o, const Elf64_Phdr *p)
{
	if (!p->p_memsz || o->nr_segments == OBJECT_MAX_SEGMENTS ||
	    p->p_filesz > UINT64_MAX - p->p_offset || p->p_filesz > UINT64_MAX - p->p_vaddr)
		return;
	o->loaded[o->nr_segments] = make_range(p->p_vaddr, p->p_memsz);
	o->segment[o->nr_segments++] = (struct elf_segment){ p->p_offset, p->p_filesz, p->p_vaddr };
}

static int read_programs(struct object *o, const struct headers *h)
{
	Elf64_Phdr p;
	uint32_t i;
	int err;

	for (i = 0; i < h->phnum; i++) {
		err = headers_program(&o->reader, h, i, &p);
		if (err)
			return err;
		if (p.p_type == PT_LOAD && p.p_flags & PF_X)
			add_segment(o, &p);
		err = p.p_type == PT_NOTE ? read_notes(o, p.p_offset, p.p_filesz, p.p_align) : 0;
		if (err)
			return err;
	}
	if (!o->nr_segments)
		return fail_plain(-ENOEXEC, "no code");
	o->symtab.loaded = o->loaded;
	o->symtab.nr_loaded = range_sort(o->loaded, o->nr_segments);
	return 0;
}

static int add_table(struct object *o, const struct headers *h, const Elf64_Shdr *s,
		     struct symbol_table *out)
{
	Elf64_Shdr strings;
	int err;

	if (out->size || s->sh_flags & SHF_COMPRESSED)
		return 0;
	if (s->sh_entsize != (h->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym)) ||
	    s->sh_link >= h->shnum)
		return fail_plain(-EBADMSG, "malformed symbol table");
	err = headers_section(&o->reader, h, s->sh_link, &strings);
	if (err)
		return err;
	if (strings.sh_type != SHT_STRTAB || strings.sh_flags & SHF_COMPRESSED)
		return fail_plain(-EBADMSG, "malformed symbol table");
	*out = (struct symbol_table){ s->sh_offset, s->sh_size, strings.sh_offset,
				      strings.sh_size };
	return 0;
}

static void add_code(struct symtab *st, const Elf64_Shdr *s)
{
	if (st->nr_code < SYMTAB_MAX_CODE && s->sh_size)
		st->code[st->nr_code++] = make_range(s->sh_addr, s->sh_size);
}

/* Code sections into the symbol table's, and both kinds of table: full[0] .symtab, [1] .dynsym */
static int read_sections(struct object *o, const struct headers *h, struct symbol_table full[2])
{
	struct symtab *st = &o->symtab;
	Elf64_Shdr s;
	uint32_t i;
	int err = 0;

	st->code = xmalloc(SYMTAB_MAX_CODE * sizeof(*st->code));
	for (i = 1; !err && i < h->shnum; i++) {
		err = headers_section(&o->reader, h, i, &s);
		if (err)
			return err;
		if (s.sh_type == SHT_SYMTAB)
			err = add_table(o, h, &s, &full[0]);
		else if (s.sh_type == SHT_DYNSYM)
			err = add_table(o, h, &s, &full[1]);
		else if (s.sh_type == SHT_NOTE)
			err = read_notes(o, s.sh_offset, s.sh_size, s.sh_addralign);
		else if ((s.sh_flags & (SHF_ALLOC | SHF_EXECINSTR)) == (SHF_ALLOC | SHF_EXECINSTR))
			add_code(st, &s);
	}
	st->nr_code = range_sort(st->code, st->nr_code);
	return err;
}

/* A program of Go has its functions' names even when it is stripped. */
static int read_symbols(struct object *o, const struct headers *h, uint32_t nr, bool stripped)
{
	struct go go = { .data = NULL };
	int err;

	/* what cannot be read of it costs its names only */
	if (stripped && !go_read(&go, &o->reader, h))
		o->symtab.go = &go;
	err = symtab_read(&o->symtab, &o->reader, nr);
	o->symtab.go = NULL;
	go_done(&go);
	return err;
}

static int read_object(struct object *o, int fd)
{
	struct symbol_table full[2] = { 0 };
	struct headers h = { 0 };
	uint32_t i, nr = 0;
	int err;

	err = reader_init(&o->reader, fd);
	if (!err)
		err = headers_read(&o->reader, &h);
	if (!err)
		err = read_programs(o, &h);
	if (!err)
		err = read_sections(o, &h, full);
	if (err)
		return err;
	o->symtab.wide = h.wide;
	/* the linker puts all of .dynsym into .symtab too, unless somebody thinned that out */
	if (full[0].size >= full[1].size)
		full[1].size = 0;
	for (i = 0; i < ARRAY_LEN(full); i++) {
		if (full[i].size)
			o->symtab.table[nr++] = full[i];
	}
	return read_symbols(o, &h, nr, !full[0].size);
}

int object_read_layout(struct object *o, int fd)
{
	struct headers h = { 0 };
	int err;

	memset(o, 0, sizeof(*o));
	err = reader_init(&o->reader, fd);
	if (!err)
		err = headers_read(&o->reader, &h);
	if (!err)
		err = read_programs(o, &h);
	if (err)
		object_done(o);
	return err;
}

int object_read(struct object *o, int fd)
{
	int err;

	memset(o, 0, sizeof(*o));
	err = read_object(o, fd);
	if (err)
		object_done(o);
	return err;
}

void object_done(struct object *o)
{
	symtab_done(&o->symtab);
	memset(o, 0, sizeof(*o));
}

int object_address(const struct object *o, uint64_t offset, uint64_t *address)
{
	uint32_t i;

	for (i = 0; i < o->nr_segments; i++) {
		if (offset >= o->segment[i].offset &&
		    offset - o->segment[i].offset < o->segment[i].size) {
			*address = o->segment[i].address + (offset - o->segment[i].offset);
			return 1;
		}
	}
	return 0;
}
