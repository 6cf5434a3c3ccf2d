/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects around call frame information, made in memory:
 *
 *   address = IMAGE_BASE + offset in the file; text may lie anywhere in IMAGE_TEXT bytes from there
 *   offset 0  headers   0x400 code at the entry point, .text   0x800 .eh_frame_hdr, .eh_frame,
 *   .debug_frame, .gopclntab, names, section headers
 */
#ifndef TESTS_UNIT_FRAME_IMAGE_H
#define TESTS_UNIT_FRAME_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frame_bytes.h"

#define IMAGE_BASE  0x400000u
#define IMAGE_TEXT  0x8000000u
#define IMAGE_ENTRY 0x400u
#define IMAGE_SPACE 0x10000u

struct frame_image {
	uint16_t type, machine;
	uint32_t text; /* bytes of code; 0: IMAGE_TEXT, of which few are in the file */
	uint64_t entry;
	struct code code;	      /* at IMAGE_ENTRY */
	struct frame_bytes eh, debug, go; /* lie in the file where len is not 0 */
	uint32_t fde[16], nr_fdes;    /* in the search table of .eh_frame_hdr */
	bool sections, header, interpreter, narrow;
};

struct image_writer {
	uint8_t *data;
	size_t len;
	Elf64_Shdr section[8];
	uint32_t nr_sections;
	Elf64_Phdr program[4];
	uint32_t nr_programs;
};

static inline void image_section_add(struct image_writer *w, uint32_t name, uint32_t type,
				     const void *p, size_t len)
{
	memcpy(w->data + w->len, p, len);
	w->section[w->nr_sections++] = (Elf64_Shdr){ .sh_name = name,
						     .sh_type = type,
						     .sh_addr = IMAGE_BASE + w->len,
						     .sh_offset = w->len,
						     .sh_size = len };
	w->len = (w->len + len + 15) & ~(size_t)15;
}

static inline void image_search_table(struct image_writer *w, const struct frame_image *im)
{
	struct frame_bytes b = { .len = 0 };
	size_t size = 8 + (im->nr_fdes ? 4 + im->nr_fdes * 8 : 0), at = w->len;
	uint64_t eh = (at + size + 15) & ~(size_t)15;
	uint32_t i;

	/* version, then sdata4: relative to the pc, udata4, relative to the header; or none */
	put_bytes(&b, im->nr_fdes ? "\x01\x1b\x03\x3b" : "\x01\x1b\xff\xff", 4);
	put_int(&b, eh - (at + 4), 4);
	if (im->nr_fdes)
		put_int(&b, im->nr_fdes, 4);
	for (i = 0; i < im->nr_fdes; i++) {
		put_int(&b, 0, 4);
		put_int(&b, eh + im->fde[i] - at, 4);
	}
	w->program[w->nr_programs++] = (Elf64_Phdr){ .p_type = PT_GNU_EH_FRAME,
						     .p_offset = at,
						     .p_vaddr = IMAGE_BASE + at,
						     .p_filesz = b.len };
	image_section_add(w, 31, SHT_PROGBITS, b.at, b.len);
}

static inline void image_headers(struct image_writer *w, const struct frame_image *im)
{
	Elf64_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', im->narrow ? ELFCLASS32 : ELFCLASS64,
				      ELFDATA2LSB, EV_CURRENT },
			 .e_type = im->type,
			 .e_machine = im->machine,
			 .e_entry = im->entry,
			 .e_phoff = sizeof(h),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_shentsize = sizeof(Elf64_Shdr) };

	w->program[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
				      .p_flags = PF_R | PF_X,
				      .p_vaddr = IMAGE_BASE,
				      .p_filesz = w->len,
				      .p_memsz = im->text ? im->text : IMAGE_TEXT };
	h.e_phnum = (uint16_t)w->nr_programs;
	if (im->sections) {
		h.e_shoff = w->len;
		h.e_shnum = (uint16_t)w->nr_sections;
		h.e_shstrndx = h.e_shnum - 1;
		memcpy(w->data + w->len, w->section, w->nr_sections * sizeof(*w->section));
		w->len += w->nr_sections * sizeof(*w->section);
	}
	memcpy(w->data, &h, sizeof(h));
	memcpy(w->data + sizeof(h), w->program, w->nr_programs * sizeof(*w->program));
}

/* The object's bytes, malloc()ed. */
static inline uint8_t *image_bytes(const struct frame_image *im, size_t *len)
{
	static const char names[] = "\0.eh_frame\0.debug_frame\0.names\0.eh_frame_hdr\0.gopclntab\0.text";
	struct image_writer w = {
		.data = calloc(1, IMAGE_SPACE), .len = 0x800, .nr_sections = 1, .nr_programs = 1
	};

	if (im->code.len)
		memcpy(w.data + IMAGE_ENTRY, im->code.at, im->code.len);
	if (im->interpreter)
		w.program[w.nr_programs++] = (Elf64_Phdr){ .p_type = PT_INTERP };
	if (im->header)
		image_search_table(&w, im);
	if (im->eh.len)
		image_section_add(&w, 1, SHT_PROGBITS, im->eh.at, im->eh.len);
	if (im->debug.len)
		image_section_add(&w, 11, SHT_PROGBITS, im->debug.at, im->debug.len);
	if (im->go.len) {
		image_section_add(&w, 45, SHT_PROGBITS, im->go.at, im->go.len);
		w.section[w.nr_sections++] = (Elf64_Shdr){ .sh_name = 56,
							   .sh_type = SHT_PROGBITS,
							   .sh_addr = IMAGE_BASE + IMAGE_ENTRY,
							   .sh_offset = IMAGE_ENTRY,
							   .sh_size = im->code.len };
	}
	image_section_add(&w, 24, SHT_STRTAB, names, sizeof(names));
	image_headers(&w, im);
	*len = w.len;
	return w.data;
}

/* The object as a file. */
static inline int frame_file(const struct frame_image *im)
{
	int fd = memfd_create("object", MFD_CLOEXEC);
	size_t len;
	uint8_t *data = image_bytes(im, &len);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	free(data);
	return fd;
}

#endif
