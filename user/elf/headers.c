/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Headers by the System V ABI, chapters 4 and 5 (refspecs.linuxfoundation.org).
 * Read by hand and not by libelf: that loads whole tables into memory (16 MB for
 * a node binary, to name a dozen functions of it), and these are few structures.
 */
#include "elf/headers.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"

static int check_ident(const unsigned char *ident, uint64_t size)
{
	if (memcmp(ident, ELFMAG, SELFMAG))
		return fail_plain(-ENOEXEC, "not an ELF file");
	if (size < EI_NIDENT)
		return fail_plain(-ENODATA, "truncated");
	if (ident[EI_DATA] == ELFDATA2MSB)
		return fail_plain(-ENOEXEC, "big-endian ELF file");
	if (ident[EI_DATA] != ELFDATA2LSB || ident[EI_VERSION] != EV_CURRENT ||
	    (ident[EI_CLASS] != ELFCLASS64 && ident[EI_CLASS] != ELFCLASS32))
		return fail_plain(-ENOEXEC, "unknown kind of ELF file");
	return 0;
}

static int check_machine(uint16_t machine)
{
	if (machine == EM_X86_64 || machine == EM_AARCH64 || machine == EM_386)
		return 0;
	return fail_plain(-ENOEXEC, "ELF file of machine %u, not of x86 or aarch64", machine);
}

int headers_section(struct reader *r, const struct headers *h, uint32_t i, Elf64_Shdr *out)
{
	Elf32_Shdr s;
	int err;

	if (h->wide)
		return reader_get(r, h->shoff + (uint64_t)i * sizeof(*out), out, sizeof(*out));
	err = reader_get(r, h->shoff + (uint64_t)i * sizeof(s), &s, sizeof(s));
	if (err)
		return err;
	*out = (Elf64_Shdr){
		.sh_type = s.sh_type,
		.sh_flags = s.sh_flags,
		.sh_addr = s.sh_addr,
		.sh_offset = s.sh_offset,
		.sh_size = s.sh_size,
		.sh_link = s.sh_link,
		.sh_info = s.sh_info,
		.sh_addralign = s.sh_addralign,
		.sh_entsize = s.sh_entsize,
	};
	return 0;
}

int headers_program(struct reader *r, const struct headers *h, uint32_t i, Elf64_Phdr *out)
{
	Elf32_Phdr p;
	int err;

	if (h->wide)
		return reader_get(r, h->phoff + (uint64_t)i * sizeof(*out), out, sizeof(*out));
	err = reader_get(r, h->phoff + (uint64_t)i * sizeof(p), &p, sizeof(p));
	if (err)
		return err;
	*out = (Elf64_Phdr){
		.p_type = p.p_type,
		.p_flags = p.p_flags,
		.p_offset = p.p_offset,
		.p_vaddr = p.p_vaddr,
		.p_filesz = p.p_filesz,
		.p_memsz = p.p_memsz,
		.p_align = p.p_align,
	};
	return 0;
}

/* Where the headers' own numbers do not fit, section 0 has them. */
static int read_extended(struct reader *r, struct headers *h)
{
	Elf64_Shdr zero;
	int err;

	if (!h->shoff || (h->shnum && h->phnum != PN_XNUM && h->names != SHN_XINDEX))
		return 0;
	err = headers_section(r, h, 0, &zero);
	if (err)
		return err;
	if (!h->shnum)
		h->shnum = zero.sh_size > UINT32_MAX ? UINT32_MAX : (uint32_t)zero.sh_size;
	if (h->phnum == PN_XNUM)
		h->phnum = zero.sh_info;
	if (h->names == SHN_XINDEX)
		h->names = zero.sh_link;
	return 0;
}

static int check_headers(const struct reader *r, struct headers *h, size_t phsize, size_t shsize)
{
	if (!h->shoff)
		h->shnum = 0;
	if (h->phnum > HEADERS_MAX_PROGRAMS)
		return fail_plain(-EFBIG, "more than %d program headers", HEADERS_MAX_PROGRAMS);
	if (h->shnum > HEADERS_MAX_SECTIONS)
		return fail_plain(-EFBIG, "more than %d sections", HEADERS_MAX_SECTIONS);
	if (!reader_has(r, h->phoff, h->phnum * phsize) ||
	    !reader_has(r, h->shoff, h->shnum * shsize))
		return fail_plain(-ENODATA, "truncated");
	return 0;
}

int headers_read(struct reader *r, struct headers *h)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf64_Ehdr wide;
		Elf32_Ehdr narrow;
	} e = { 0 };
	size_t phsize, shsize;
	int err;

	err = reader_get(r, 0, e.ident, r->size < EI_NIDENT ? r->size : EI_NIDENT);
	if (!err)
		err = check_ident(e.ident, r->size);
	if (err)
		return err;
	h->wide = e.ident[EI_CLASS] == ELFCLASS64;
	err = reader_get(r, 0, &e, h->wide ? sizeof(e.wide) : sizeof(e.narrow));
	/* e_type and e_machine lie at the same place in both */
	if (!err)
		err = check_machine(e.wide.e_machine);
	if (err)
		return err;
	h->type = e.wide.e_type;
	h->machine = e.wide.e_machine;
	h->entry = h->wide ? e.wide.e_entry : e.narrow.e_entry;
	h->names = h->wide ? e.wide.e_shstrndx : e.narrow.e_shstrndx;
	h->phoff = h->wide ? e.wide.e_phoff : e.narrow.e_phoff;
	h->shoff = h->wide ? e.wide.e_shoff : e.narrow.e_shoff;
	h->phnum = h->wide ? e.wide.e_phnum : e.narrow.e_phnum;
	h->shnum = h->wide ? e.wide.e_shnum : e.narrow.e_shnum;
	phsize = h->wide ? e.wide.e_phentsize : e.narrow.e_phentsize;
	shsize = h->wide ? e.wide.e_shentsize : e.narrow.e_shentsize;
	if ((h->phnum && phsize != (h->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr))) ||
	    (h->shoff && shsize != (h->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr))))
		return fail_plain(-EBADMSG, "malformed headers");
	err = read_extended(r, h);
	return err ? err : check_headers(r, h, phsize, shsize);
}

int headers_named(struct reader *r, const struct headers *h,
		  void (*fn)(void *ctx, const Elf64_Shdr *s, const char *name), void *ctx)
{
	autofree char *names = NULL;
	Elf64_Shdr table, s;
	uint32_t i;
	int err;

	if (h->names >= h->shnum)
		return 0;
	err = headers_section(r, h, h->names, &table);
	if (err || table.sh_type != SHT_STRTAB || !table.sh_size ||
	    table.sh_size > HEADERS_MAX_NAMES)
		return err;
	names = xmalloc(table.sh_size + 1);
	err = reader_get(r, table.sh_offset, names, table.sh_size);
	if (err)
		return err == -ENODATA ? 0 : err;
	names[table.sh_size] = '\0';
	for (i = 1; i < h->shnum; i++) {
		err = headers_section(r, h, i, &s);
		if (err)
			return err;
		if (s.sh_name < table.sh_size)
			fn(ctx, &s, names + s.sh_name);
	}
	return 0;
}
