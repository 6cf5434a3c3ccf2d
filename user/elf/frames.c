/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/frames.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "elf/order.h"
#include "elf/rules.h"

#define EH_FRAME_HDR_VERSION 1
#define OMIT		     0xff
#define TERMINATOR_BYTES     4

/* What the section headers say. */
struct sections {
	Elf64_Shdr eh[FRAMES_MAX_SECTIONS], debug;
	uint32_t nr_eh;
	bool has_debug;
	bool go; /* was made by Go's linker */
};

/* A section's bytes that are being looked for by PT_GNU_EH_FRAME. */
struct extent {
	uint64_t address, len;
	bool open; /* len is only a limit: a zero terminator ends them */
};

static int read_loads(struct frames *f, struct reader *r, Elf64_Phdr *eh_hdr)
{
	Elf64_Phdr p;
	uint32_t i;
	int err;

	for (i = 0; i < f->headers.phnum; i++) {
		err = headers_program(r, &f->headers, i, &p);
		if (err)
			return err;
		if (p.p_type == PT_GNU_EH_FRAME)
			*eh_hdr = p;
		if (p.p_type != PT_LOAD || !p.p_memsz || p.p_memsz > UINT64_MAX - p.p_vaddr)
			continue;
		if (f->nr_loads == FRAMES_MAX_LOADS)
			return fail_plain(-EFBIG, "more than %d segments", FRAMES_MAX_LOADS);
		f->load[f->nr_loads++] = (struct frames_load){ p.p_offset, p.p_filesz, p.p_vaddr };
		if (p.p_flags & PF_X)
			f->code[f->nr_code++] = (struct elf_range){ p.p_vaddr,
								    p.p_vaddr + p.p_memsz };
	}
	if (!f->nr_code)
		return fail_plain(-ENOEXEC, "no code");
	f->nr_code = range_sort(f->code, f->nr_code);
	return 0;
}

static void note_section(void *ctx, const Elf64_Shdr *h, const char *name)
{
	struct sections *s = ctx;
	bool plain = h->sh_type != SHT_NOBITS && !(h->sh_flags & SHF_COMPRESSED) && h->sh_size;

	s->go |= go_is_mark(name);
	if (!plain)
		return;
	if (!strcmp(name, ".eh_frame") && s->nr_eh < FRAMES_MAX_SECTIONS - 1)
		s->eh[s->nr_eh++] = *h;
	if (!strcmp(name, ".debug_frame")) {
		s->debug = *h;
		s->has_debug = true;
	}
}

/* Reads bytes of the file as one more section. */
static int add_section(struct frames *f, struct reader *r, uint64_t offset, const struct extent *at)
{
	uint8_t *data;
	int err;

	if (at->len > FRAMES_MAX_BYTES - f->bytes)
		return fail_plain(-EFBIG, "call frame information above %u MiB",
				  FRAMES_MAX_BYTES >> 20);
	if (!reader_has(r, offset, at->len))
		return fail_plain(-ENODATA, "truncated");
	data = xmalloc(at->len);
	err = reader_get(r, offset, data, at->len);
	if (err) {
		free(data);
		return err;
	}
	f->section[f->nr_sections++] =
		(struct cfi_section){ .data = data, .len = at->len, .address = at->address };
	f->bytes += at->len;
	return 0;
}

/* Where an address lies in the file, and how much of its segment from there on. */
static bool in_file(const struct frames *f, uint64_t address, uint64_t *offset, uint64_t *len)
{
	uint32_t i;

	for (i = 0; i < f->nr_loads; i++) {
		const struct frames_load *l = &f->load[i];

		if (address < l->address || address - l->address >= l->size)
			continue;
		if (l->offset > UINT64_MAX - l->size)
			return false;
		*offset = l->offset + (address - l->address);
		*len = l->size - (address - l->address);
		return true;
	}
	return false;
}

static bool same_cie(const void *owner, uint32_t id, const void *key)
{
	const struct frames *f = owner;
	const struct cfi_cie *want = key;

	return f->cie[id].offset == want->offset && f->cie[id].section == want->section;
}

/* The number of a section's CIE, which may be a bad one; INDEX_NONE when there are too many. */
static uint32_t get_cie(struct frames *f, const struct cfi_section *s, uint32_t offset)
{
	struct cfi_cie c = { .section = s, .machine = f->machine, .offset = offset };
	uint64_t hash;
	uint32_t id;

	if (f->last_cie < f->nr_cies && same_cie(f, f->last_cie, &c))
		return f->last_cie;
	hash = hash_u64(offset, (uint64_t)(s - f->section));
	id = index_find(&f->index, hash, same_cie, f, &c);
	if (id == INDEX_NONE) {
		if (f->nr_cies == FRAMES_MAX_CIES)
			return INDEX_NONE;
		if (cfi_cie_read(&c))
			c.bad = true;
		id = (uint32_t)f->nr_cies++;
		grow(&f->cie, &f->cie_cap, f->nr_cies, sizeof(*f->cie));
		f->cie[id] = c;
		index_add(&f->index, hash, id);
	}
	f->last_cie = id;
	return id;
}

/* Adds a function of these bytes, as far as it lies in code. */
static int add_frame(struct frames *f, struct frame frame, uint64_t size)
{
	const struct elf_range *code = range_find(f->code, f->nr_code, frame.start);

	/* functions that the linker has dropped are left at 0 */
	if (!code || !size)
		return 0;
	if (size > code->end - frame.start)
		size = code->end - frame.start;
	if (f->nr_frames == FRAMES_MAX_FDES)
		return fail_plain(-EFBIG, "more than %u functions", FRAMES_MAX_FDES);
	frame.size = (uint32_t)size;
	grow(&f->frame, &f->frame_cap, f->nr_frames + 1, sizeof(*f->frame));
	f->frame[f->nr_frames++] = frame;
	return 0;
}

static int read_fde(struct frames *f, const struct cfi_section *s, const struct cfi_entry *e)
{
	uint32_t cie = get_cie(f, s, e->cie);
	struct cfi_fde fde;

	if (cie == INDEX_NONE || f->cie[cie].bad || cfi_fde_read(&f->cie[cie], e, &fde)) {
		f->nr_malformed++;
		return 0;
	}
	f->nr_fdes++;
	return add_frame(f,
			 (struct frame){
				 .start = fde.start,
				 .program = (uint32_t)(fde.program.at - s->data),
				 .program_len = (uint32_t)(fde.program.end - fde.program.at),
				 .cie = cie,
			 },
			 fde.size);
}

/* Terminators are passed over: each object file that was linked may have brought one. */
static int read_entries(struct frames *f, const struct cfi_section *s, bool open)
{
	struct cfi_entry e = { 0 };
	uint32_t at;
	int r, err;

	for (at = 0; s->len - at >= TERMINATOR_BYTES; at = e.next) {
		r = cfi_entry(s, at, &e);
		if (r == 0 && open)
			break;
		if (r < 0) {
			/* where the next entry begins is not known any more */
			f->nr_malformed++;
			break;
		}
		if (r == 0 || e.common)
			continue;
		err = read_fde(f, s, &e);
		if (err)
			return err;
	}
	return 0;
}

/* The binary search table names all FDEs: the bytes end behind the last of them. */
static int read_table(struct frames *f, struct reader *r, const struct cfi_section *hdr,
		      struct cfi_bytes *b, struct extent *out)
{
	uint8_t count_encoding = hdr->data[2], encoding = hdr->data[3], length[4];
	uint64_t count, fde, last = 0, offset, rest;
	struct cfi_bytes size;
	int err;

	if (count_encoding == OMIT || encoding == OMIT)
		return 0;
	count = cfi_pointer(hdr, b, count_encoding);
	while (count-- && !b->bad) {
		cfi_pointer(hdr, b, encoding);
		fde = cfi_pointer(hdr, b, encoding);
		if (fde > last && !b->bad)
			last = fde;
	}
	if (b->bad || last < out->address || !in_file(f, last, &offset, &rest) || rest < 4)
		return 0;
	err = reader_get(r, offset, length, sizeof(length));
	if (err)
		return err;
	size = (struct cfi_bytes){ length, length + sizeof(length), false };
	rest = sizeof(length) + cfi_fixed(&size, sizeof(length));
	if (last - out->address + rest <= out->len) {
		out->len = last - out->address + rest;
		out->open = false;
	}
	return 0;
}

/* .eh_frame as PT_GNU_EH_FRAME knows it (LSB core specification, section .eh_frame_hdr). */
static int read_by_header(struct frames *f, struct reader *r, const Elf64_Phdr *p)
{
	struct extent at = { p->p_vaddr, p->p_filesz, false }, frames = { .open = true };
	struct cfi_section *hdr = &f->section[f->nr_sections];
	struct cfi_bytes b;
	uint64_t offset, bytes = f->bytes;
	uint8_t encoding;
	int err;

	if (p->p_type != PT_GNU_EH_FRAME || p->p_filesz < 4)
		return 0;
	err = add_section(f, r, p->p_offset, &at);
	if (err)
		return err;
	f->bytes = bytes; /* these hold no frames */
	hdr->data_base = p->p_vaddr;
	b = (struct cfi_bytes){ hdr->data + 4, hdr->data + hdr->len, false };
	encoding = hdr->data[1];
	frames.address = cfi_pointer(hdr, &b, encoding);
	if (hdr->data[0] != EH_FRAME_HDR_VERSION || b.bad ||
	    !in_file(f, frames.address, &offset, &frames.len))
		return 0;
	err = read_table(f, r, hdr, &b, &frames);
	if (err)
		return err;
	if (frames.open && frames.len > FRAMES_MAX_BYTES)
		frames.len = FRAMES_MAX_BYTES;
	err = add_section(f, r, offset, &frames);
	return err ? err : read_entries(f, hdr + 1, frames.open);
}

static int read_section(struct frames *f, struct reader *r, const Elf64_Shdr *h, bool debug)
{
	struct extent at = { debug ? 0 : h->sh_addr, h->sh_size, false };
	struct cfi_section *s = &f->section[f->nr_sections];
	int err;

	if (!reader_has(r, h->sh_offset, h->sh_size)) {
		f->nr_malformed++;
		return 0;
	}
	err = add_section(f, r, h->sh_offset, &at);
	if (err)
		return err;
	s->debug = debug;
	return read_entries(f, s, false);
}

/* What signal handlers return to begins a byte early. Of too many there are none. */
static void add_go_frames(struct frames *f)
{
	size_t before = f->nr_frames;
	struct pclntab_function go;
	uint64_t start, early;
	uint32_t i;

	for (i = 0; i < f->go.table.nr; i++) {
		if (!pclntab_function(&f->go.table, i, &go))
			continue;
		start = f->go.table.text + go.start;
		early = pclntab_is_handled(&f->go.table, &go);
		if (add_frame(f,
			      (struct frame){
				      .start = start - early, .program = i, .cie = FRAMES_GO },
			      go.size + early)) {
			f->nr_frames = before;
			return;
		}
	}
}

static int read_frames(struct frames *f, struct reader *r)
{
	struct sections sections = { 0 };
	Elf64_Phdr eh_hdr = { 0 };
	size_t nr_eh;
	uint32_t i;
	int err;

	err = read_loads(f, r, &eh_hdr);
	if (!err)
		err = headers_named(r, &f->headers, note_section, &sections);
	for (i = 0; !err && i < sections.nr_eh; i++)
		err = read_section(f, r, &sections.eh[i], false);
	if (!err && !sections.nr_eh)
		err = read_by_header(f, r, &eh_hdr);
	nr_eh = f->nr_frames;
	if (!err && sections.go && f->headers.machine == EM_X86_64)
		err = go_read(&f->go, r, &f->headers);
	if (!err)
		add_go_frames(f);
	if (!err && sections.has_debug && !sections.go)
		err = read_section(f, r, &sections.debug, true);
	if (err)
		return err;
	f->nr_frames = order_frames(f->frame, nr_eh, f->nr_frames);
	return f->nr_frames ? 0 : fail_plain(-ENOENT, "no call frame information");
}

int frames_read(struct frames *f, struct reader *r)
{
	int err;

	memset(f, 0, sizeof(*f));
	err = headers_read(r, &f->headers);
	if (err)
		return err;
	f->machine = rules_machine(f->headers.machine);
	if (!f->machine || !f->headers.wide)
		return fail_plain(-ENOEXEC, "32-bit ELF file");
	return read_frames(f, r);
}

int frames_offset(const struct frames *f, uint64_t address, uint64_t *offset)
{
	uint64_t len;

	return in_file(f, address, offset, &len);
}

void frames_done(struct frames *f)
{
	uint32_t i;

	for (i = 0; i < f->nr_sections; i++)
		free((void *)f->section[i].data);
	go_done(&f->go);
	index_done(&f->index);
	free(f->cie);
	free(f->frame);
	memset(f, 0, sizeof(*f));
}
