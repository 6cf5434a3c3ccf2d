/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small object files for tests, made in memory:
 *
 *   offset 0x000  headers       0x400 notes      0x800  .text  (at CODE_ADDRESS)
 *          0xc00  .text.b       0x1000 tables of symbols and strings, section headers
 */
#ifndef TESTS_UNIT_ELF_IMAGE_H
#define TESTS_UNIT_ELF_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CODE_OFFSET  0x800u
#define CODE_ADDRESS 0x401800u
#define CODE_SIZE    0x800u /* two sections of the same size */
#define NOTES_OFFSET 0x400u

struct image_symbol {
	const char *name;
	uint64_t start, size;
	unsigned char type, bind;
	bool dynamic; /* in .dynsym instead of .symtab */
};

#define FUNC(name, start, size)                                                 \
	{                                                                       \
		name, CODE_ADDRESS + (start), size, STT_FUNC, STB_GLOBAL, false \
	}
#define LOCAL(name, start, size)                                               \
	{                                                                      \
		name, CODE_ADDRESS + (start), size, STT_FUNC, STB_LOCAL, false \
	}
#define WEAK(name, start, size)                                               \
	{                                                                     \
		name, CODE_ADDRESS + (start), size, STT_FUNC, STB_WEAK, false \
	}
#define LABEL(name, start, size)                                                 \
	{                                                                        \
		name, CODE_ADDRESS + (start), size, STT_NOTYPE, STB_LOCAL, false \
	}
#define DYN(name, start, size)                                                 \
	{                                                                      \
		name, CODE_ADDRESS + (start), size, STT_FUNC, STB_GLOBAL, true \
	}

struct image {
	unsigned char *data;
	size_t len, cap;
	bool wide;
};

static inline uint64_t image_put(struct image *im, const void *p, size_t len)
{
	uint64_t at = (im->len + 7) & ~7ull;

	if (at + len > im->cap) {
		im->cap = (at + len) * 2;
		im->data = realloc(im->data, im->cap);
	}
	memset(im->data + im->len, 0, at - im->len);
	if (len)
		memcpy(im->data + at, p, len);
	im->len = at + len;
	return at;
}

static inline void image_put_at(struct image *im, uint64_t at, const void *p, size_t len)
{
	if (im->len < at + len) {
		im->len = at;
		image_put(im, p, len);
	} else {
		memcpy(im->data + at, p, len);
	}
}

static inline void image_section(struct image *im, const Elf64_Shdr *s)
{
	Elf32_Shdr n = { .sh_type = s->sh_type,
			 .sh_flags = (Elf32_Word)s->sh_flags,
			 .sh_addr = (Elf32_Addr)s->sh_addr,
			 .sh_offset = (Elf32_Off)s->sh_offset,
			 .sh_size = (Elf32_Word)s->sh_size,
			 .sh_link = s->sh_link,
			 .sh_entsize = (Elf32_Word)s->sh_entsize };

	/* a 32-bit header is 40 bytes: 8-aligned too */
	if (im->wide)
		image_put(im, s, sizeof(*s));
	else
		image_put(im, &n, sizeof(n));
}

static inline void image_program(struct image *im, uint32_t i, const Elf64_Phdr *p)
{
	Elf32_Phdr n = { .p_type = p->p_type,
			 .p_flags = p->p_flags,
			 .p_offset = (Elf32_Off)p->p_offset,
			 .p_vaddr = (Elf32_Addr)p->p_vaddr,
			 .p_filesz = (Elf32_Word)p->p_filesz,
			 .p_memsz = (Elf32_Word)p->p_memsz,
			 .p_align = (Elf32_Word)p->p_align };

	if (im->wide)
		memcpy(im->data + 64 + i * sizeof(*p), p, sizeof(*p));
	else
		memcpy(im->data + 64 + i * sizeof(n), &n, sizeof(n));
}

static inline void image_header(struct image *im, uint64_t shoff, uint16_t shnum, uint16_t phnum)
{
	Elf64_Ehdr w = { .e_type = ET_DYN,
			 .e_machine = EM_X86_64,
			 .e_version = EV_CURRENT,
			 .e_phoff = 64,
			 .e_shoff = shoff,
			 .e_ehsize = sizeof(w),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = phnum,
			 .e_shentsize = sizeof(Elf64_Shdr),
			 .e_shnum = shnum };
	Elf32_Ehdr n = { .e_type = ET_DYN,
			 .e_machine = EM_386,
			 .e_version = EV_CURRENT,
			 .e_phoff = 64,
			 .e_shoff = (Elf32_Off)shoff,
			 .e_ehsize = sizeof(n),
			 .e_phentsize = sizeof(Elf32_Phdr),
			 .e_phnum = phnum,
			 .e_shentsize = sizeof(Elf32_Shdr),
			 .e_shnum = shnum };
	unsigned char ident[EI_NIDENT] = {
		0x7f, 'E', 'L', 'F', im->wide ? ELFCLASS64 : ELFCLASS32, ELFDATA2LSB, EV_CURRENT
	};

	memcpy(im->data, im->wide ? (void *)&w : (void *)&n, im->wide ? sizeof(w) : sizeof(n));
	memcpy(im->data, ident, sizeof(ident));
}

/* Where a table and its strings came to lie, and their sizes. */
struct image_place {
	uint64_t table, table_size, strings, strings_size;
};

/* Symbols (of .dynsym or of .symtab) and their strings. */
static inline struct image_place image_table(struct image *im, const struct image_symbol *sym,
					     size_t nr, bool dynamic)
{
	struct image table = { 0 }, text = { 0 };
	size_t entry = im->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym), i, len;
	struct image_place place;

	table.data = calloc(nr + 1, entry);
	text.cap = 16;
	for (i = 0; i < nr; i++)
		text.cap += strlen(sym[i].name) + 1;
	text.data = calloc(1, text.cap);
	text.len = 1;
	table.len = entry; /* symbol 0 is none */
	for (i = 0; i < nr; i++) {
		Elf64_Sym w = { .st_name = (Elf64_Word)text.len,
				.st_info = ELF64_ST_INFO(sym[i].bind, sym[i].type),
				.st_shndx = sym[i].start < CODE_ADDRESS + CODE_SIZE / 2 ? 1 : 2,
				.st_value = sym[i].start,
				.st_size = sym[i].size };
		Elf32_Sym n = { .st_name = w.st_name,
				.st_info = w.st_info,
				.st_shndx = w.st_shndx,
				.st_value = (Elf32_Addr)w.st_value,
				.st_size = (Elf32_Word)w.st_size };

		if (sym[i].dynamic != dynamic)
			continue;
		len = strlen(sym[i].name) + 1;
		memcpy(text.data + text.len, sym[i].name, len);
		text.len += len;
		memcpy(table.data + table.len, im->wide ? (void *)&w : (void *)&n, entry);
		table.len += entry;
	}
	place.table_size = table.len;
	place.strings_size = text.len;
	place.table = image_put(im, table.data, table.len);
	place.strings = image_put(im, text.data, text.len);
	free(table.data);
	free(text.data);
	return place;
}

/* A build id, as a note. */
static const struct {
	Elf64_Nhdr head;
	char name[4];
	unsigned char id[20];
} image_note = { { 4, 20, NT_GNU_BUILD_ID },
		 "GNU",
		 { 0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 0xcd } };

/* Tables for which there are no symbols are left out. */
static inline struct image image_make(bool wide, const struct image_symbol *sym, size_t nr)
{
	struct image im = { calloc(1, 0x1000), 0x1000, 0x1000, wide };
	Elf64_Phdr load = { .p_type = PT_LOAD,
			    .p_flags = PF_R | PF_X,
			    .p_offset = CODE_OFFSET,
			    .p_vaddr = CODE_ADDRESS,
			    .p_filesz = CODE_SIZE,
			    .p_memsz = CODE_SIZE };
	Elf64_Phdr notes = { .p_type = PT_NOTE,
			     .p_offset = NOTES_OFFSET,
			     .p_vaddr = 0x400400,
			     .p_filesz = sizeof(image_note),
			     .p_memsz = sizeof(image_note),
			     .p_align = 4 };
	Elf64_Shdr s[8] = { 0 };
	struct image_place place;
	uint64_t at;
	uint16_t n = 3, d;
	size_t i, has[2] = { 0, 0 };

	for (i = 0; i < nr; i++)
		has[sym[i].dynamic]++;
	image_put_at(&im, NOTES_OFFSET, &image_note, sizeof(image_note));
	s[1] = (Elf64_Shdr){ .sh_type = SHT_PROGBITS,
			     .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
			     .sh_addr = CODE_ADDRESS,
			     .sh_offset = CODE_OFFSET,
			     .sh_size = CODE_SIZE / 2 };
	s[2] = s[1];
	s[2].sh_addr += CODE_SIZE / 2;
	s[2].sh_offset += CODE_SIZE / 2;
	for (d = 0; d < 2; d++) {
		if (!has[d])
			continue;
		place = image_table(&im, sym, nr, d);
		s[n] = (Elf64_Shdr){ .sh_type = d ? SHT_DYNSYM : SHT_SYMTAB,
				     .sh_offset = place.table,
				     .sh_size = place.table_size,
				     .sh_link = n + 1u,
				     .sh_entsize = wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym) };
		s[n + 1] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
					 .sh_offset = place.strings,
					 .sh_size = place.strings_size };
		n += 2;
	}
	at = image_put(&im, NULL, 0);
	for (d = 0; d < n; d++)
		image_section(&im, &s[d]);
	image_header(&im, at, n, 2);
	image_program(&im, 0, &load);
	image_program(&im, 1, &notes);
	return im;
}

/* The image as an open file. */
static inline int image_file(const struct image *im, size_t len)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	if (fd >= 0 && pwrite(fd, im->data, len, 0) != (ssize_t)len) {
		close(fd);
		return -1;
	}
	return fd;
}

#endif
