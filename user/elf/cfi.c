/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/cfi.h"

#include <errno.h>
#include <string.h>

#include "elf/program.h"

#define ID_COMMON	UINT32_MAX /* a CIE's id in .debug_frame; UINT64_MAX in the 64-bit form */
#define LENGTH_IS_64BIT 0xffffffffu
#define ADDRESS_BYTES	8

enum { /* DW_EH_PE_*: a format, what it is relative to, and a flag */
       FORMAT_ABSPTR = 0x00,
       FORMAT_ULEB = 0x01,
       FORMAT_UDATA2 = 0x02,
       FORMAT_UDATA4 = 0x03,
       FORMAT_UDATA8 = 0x04,
       FORMAT_SLEB = 0x09,
       FORMAT_SDATA2 = 0x0a,
       FORMAT_SDATA4 = 0x0b,
       FORMAT_SDATA8 = 0x0c,
       FORMAT_MASK = 0x0f,
       RELATIVE_PC = 0x10,
       RELATIVE_DATA = 0x30,
       ALIGNED = 0x50,
       RELATIVE_MASK = 0x70,
       INDIRECT = 0x80,
       OMIT = 0xff,
};

uint64_t cfi_uleb_long(struct cfi_bytes *b)
{
	unsigned int shift;
	uint64_t v = 0;
	uint8_t byte;

	for (shift = 0; b->at < b->end; shift += 7) {
		byte = *b->at++;
		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	cfi_spoil(b);
	return 0;
}

int64_t cfi_sleb(struct cfi_bytes *b)
{
	unsigned int shift;
	uint64_t v = 0;
	uint8_t byte;

	for (shift = 0; b->at < b->end; shift += 7) {
		byte = *b->at++;
		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte & 0x40 && shift + 7 < 64)
			v |= UINT64_MAX << (shift + 7);
		return (int64_t)v;
	}
	cfi_spoil(b);
	return 0;
}

static uint64_t read_format(struct cfi_bytes *b, uint8_t format)
{
	switch (format) {
	case FORMAT_ULEB:
		return cfi_uleb(b);
	case FORMAT_SLEB:
		return (uint64_t)cfi_sleb(b);
	case FORMAT_UDATA2:
		return cfi_fixed(b, 2);
	case FORMAT_SDATA2:
		return (uint64_t)(int16_t)cfi_fixed(b, 2);
	case FORMAT_UDATA4:
		return cfi_fixed(b, 4);
	case FORMAT_SDATA4:
		return (uint64_t)(int32_t)cfi_fixed(b, 4);
	case FORMAT_ABSPTR:
	case FORMAT_UDATA8:
	case FORMAT_SDATA8:
		return cfi_fixed(b, ADDRESS_BYTES);
	default:
		cfi_spoil(b);
		return 0;
	}
}

uint64_t cfi_pointer(const struct cfi_section *s, struct cfi_bytes *b, uint8_t encoding)
{
	uint64_t pc = s->address + (uint64_t)(b->at - s->data);
	uint64_t v;

	if (encoding & INDIRECT) { /* OMIT too */
		cfi_spoil(b);
		return 0;
	}
	v = read_format(b, encoding & FORMAT_MASK);
	switch (encoding & RELATIVE_MASK) {
	case 0:
		return v;
	case RELATIVE_PC:
		return v + pc;
	case RELATIVE_DATA:
		if (s->data_base)
			return v + s->data_base;
		break;
	}
	cfi_spoil(b);
	return 0;
}

/* The CIE that an FDE with this id (read at id_at) means. */
static bool find_cie(const struct cfi_section *s, uint64_t id, uint32_t id_at, uint32_t *cie)
{
	if (s->debug) {
		*cie = (uint32_t)id;
		return id < s->len;
	}
	*cie = id_at - (uint32_t)id;
	return id <= id_at;
}

int cfi_entry(const struct cfi_section *s, uint32_t offset, struct cfi_entry *out)
{
	struct cfi_bytes b = { s->data + offset, s->data + s->len, false };
	uint64_t length = cfi_fixed(&b, 4), id;
	unsigned int id_size = 4;
	uint32_t id_at;

	if (length == LENGTH_IS_64BIT) {
		length = cfi_fixed(&b, 8);
		id_size = 8;
	}
	if (b.bad || length > (size_t)(b.end - b.at))
		return -EBADMSG;
	id_at = (uint32_t)(b.at - s->data);
	out->next = id_at + (uint32_t)length;
	if (!length)
		return 0;
	b.end = b.at + length;
	id = cfi_fixed(&b, id_size);
	if (b.bad)
		return -EBADMSG;
	out->body = (uint32_t)(b.at - s->data);
	if (s->debug)
		out->common = id == (id_size == 8 ? UINT64_MAX : ID_COMMON);
	else
		out->common = id == 0;
	if (!out->common && !find_cie(s, id, id_at, &out->cie))
		return -EBADMSG;
	return 1;
}

/* The personality routine: where it lies is of no interest, but how long the pointer is. */
static void skip_pointer(struct cfi_bytes *b)
{
	uint8_t encoding = (uint8_t)cfi_fixed(b, 1);

	if ((encoding & RELATIVE_MASK) == ALIGNED)
		cfi_spoil(b);
	else if (encoding != OMIT)
		read_format(b, encoding & FORMAT_MASK);
}

/* Augmentation data: only what the letters announce is known; the length covers the rest. */
static void read_augmentation(struct cfi_cie *c, struct cfi_bytes *b, const char *letter)
{
	uint64_t len = cfi_uleb(b);
	struct cfi_bytes data = *b;

	if (b->bad || len > (size_t)(b->end - b->at)) {
		cfi_spoil(b);
		return;
	}
	b->at += len;
	data.end = b->at;
	c->sized = true;
	for (letter++; *letter; letter++) {
		if (*letter == 'R')
			c->encoding = (uint8_t)cfi_fixed(&data, 1);
		else if (*letter == 'L')
			cfi_fixed(&data, 1);
		else if (*letter == 'P')
			skip_pointer(&data);
		else if (*letter == 'S')
			c->signal = true;
		else if (*letter != 'B' && *letter != 'G') /* signed addresses, tagged memory */
			cfi_spoil(b);
	}
	if (data.bad)
		cfi_spoil(b);
}

static const char *read_string(struct cfi_bytes *b)
{
	const uint8_t *s = b->at, *nul = memchr(s, '\0', (size_t)(b->end - b->at));

	if (!nul) {
		cfi_spoil(b);
		return "";
	}
	b->at = nul + 1;
	return (const char *)s;
}

static void read_common(struct cfi_cie *c, struct cfi_bytes *b)
{
	uint8_t version = (uint8_t)cfi_fixed(b, 1);
	const char *augmentation = read_string(b);
	uint64_t ra;

	if (version != 1 && version != 3 && version != 4)
		cfi_spoil(b);
	if (version == 4) {
		/* sizes of an address and of a segment selector */
		if (cfi_fixed(b, 1) != ADDRESS_BYTES || cfi_fixed(b, 1) != 0)
			cfi_spoil(b);
	}
	c->code_align = cfi_uleb(b);
	c->data_align = cfi_sleb(b);
	ra = version == 1 ? cfi_fixed(b, 1) : cfi_uleb(b);
	if (ra > UINT8_MAX)
		cfi_spoil(b);
	c->ra = (uint8_t)ra;
	if (*augmentation == 'z')
		read_augmentation(c, b, augmentation);
	else if (*augmentation)
		cfi_spoil(b);
}

int cfi_cie_read(struct cfi_cie *c)
{
	struct cfi_bytes b = { .bad = false };
	struct cfi_entry e;

	c->encoding = FORMAT_ABSPTR;
	c->sized = c->signal = false;
	c->bad = true;
	if (cfi_entry(c->section, c->offset, &e) != 1 || !e.common)
		return -EBADMSG;
	b.at = c->section->data + e.body;
	b.end = c->section->data + e.next;
	read_common(c, &b);
	if (b.bad || b.end - b.at > CFI_MAX_COMMON)
		return -EBADMSG;
	c->bad = program_common(c, b) < 0;
	return c->bad ? -EBADMSG : 0;
}

int cfi_fde_read(const struct cfi_cie *c, const struct cfi_entry *e, struct cfi_fde *out)
{
	const struct cfi_section *s = c->section;
	struct cfi_bytes b = { s->data + e->body, s->data + e->next, false };
	struct cfi_fde f;
	uint64_t len;

	f.start = cfi_pointer(s, &b, c->encoding);
	f.size = read_format(&b, c->encoding & FORMAT_MASK);
	if (c->sized) {
		len = cfi_uleb(&b);
		if (len > (size_t)(b.end - b.at))
			cfi_spoil(&b);
		else
			b.at += len;
	}
	if (b.bad || f.size > CFI_MAX_SIZE || f.size > UINT64_MAX - f.start)
		return -EBADMSG;
	f.program = b;
	*out = f;
	return 0;
}
