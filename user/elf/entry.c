/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/entry.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"

#define MAX_DYNAMIC 4096 /* entries */

#ifndef DF_1_PIE
#define DF_1_PIE 0x08000000
#endif

struct code {
	const uint8_t *at;
	size_t len;
};

static bool begins(const struct code *c, size_t at, const char *bytes, size_t len)
{
	return at <= c->len && len <= c->len - at && !memcmp(c->at + at, bytes, len);
}

#define BEGINS(c, at, bytes) begins(c, at, bytes, sizeof(bytes) - 1)

/* Instructions that only the first code of a process begins with. */
static bool looks_first(const struct code *c, uint16_t machine)
{
	size_t at;

	if (machine == EM_AARCH64) {
		at = BEGINS(c, 0, "\x5f\x24\x03\xd5") ? 4 : 0; /* bti c */
		return BEGINS(c, at, "\xe0\x03\x00\x91") ||    /* mov x0, sp */
		       BEGINS(c, at, "\x1d\x00\x80\xd2") ||    /* mov x29, #0 */
		       BEGINS(c, at, "\x1e\x00\x80\xd2");      /* mov x30, #0 */
	}
	at = BEGINS(c, 0, "\xf3\x0f\x1e\xfa") ? 4 : 0; /* endbr64 */
	return BEGINS(c, at, "\x31\xed") ||	       /* xor %ebp, %ebp */
	       BEGINS(c, at, "\x48\x31\xed") ||	       /* xor %rbp, %rbp */
	       BEGINS(c, at, "\x48\x89\xe7");	       /* mov %rsp, %rdi */
}

/* Cuts it behind an instruction that it ends with, where that can be seen. */
static size_t find_end(const struct code *c, uint16_t machine)
{
	/* musl's goes on in a function of its own right behind its only call */
	bool one_call = BEGINS(c, 0, "\x48\x31\xed");
	size_t i;

	if (machine == EM_AARCH64)
		return c->len;
	if (BEGINS(c, 0, "\xe9")) /* a jump is all there is */
		return c->len < 5 ? c->len : 5;
	for (i = 0; i < c->len; i++) {
		if (c->at[i] == 0xf4) /* hlt */
			return i + 1;
		if (BEGINS(c, i, "\x41\xff\xe4")) /* jmp *%r12 */
			return i + 3;
		if (BEGINS(c, i, "\xcc\xcc"))
			return i;
		if (one_call && c->at[i] == 0xe8 && i + 5 <= c->len)
			return i + 5;
	}
	return c->len;
}

/* Is it marked as a position-independent executable? */
static int is_pie(struct reader *r, const Elf64_Phdr *dynamic, bool *out)
{
	size_t nr = dynamic->p_filesz / sizeof(Elf64_Dyn), i;
	autofree Elf64_Dyn *d = NULL;
	int err;

	if (nr > MAX_DYNAMIC)
		nr = MAX_DYNAMIC;
	if (!reader_has(r, dynamic->p_offset, nr * sizeof(*d)))
		return 0;
	d = xcalloc(nr, sizeof(*d));
	err = reader_get(r, dynamic->p_offset, d, nr * sizeof(*d));
	if (err)
		return err;
	for (i = 0; i < nr && d[i].d_tag != DT_NULL; i++) {
		if (d[i].d_tag == DT_FLAGS_1)
			*out = d[i].d_un.d_val & DF_1_PIE;
	}
	return 0;
}

static int is_program(struct reader *r, const struct headers *h, bool *out)
{
	Elf64_Phdr p;
	uint32_t i;
	int err = 0;

	*out = h->type == ET_EXEC;
	for (i = 0; !err && !*out && i < h->phnum; i++) {
		err = headers_program(r, h, i, &p);
		if (err)
			return err;
		if (p.p_type == PT_INTERP)
			*out = true;
		else if (p.p_type == PT_DYNAMIC)
			err = is_pie(r, &p, out);
	}
	return err;
}

int entry_code(struct reader *r, const struct headers *h, uint64_t offset, uint64_t limit)
{
	uint8_t bytes[ENTRY_MAX_CODE];
	struct code c = { bytes, limit < sizeof(bytes) ? limit : sizeof(bytes) };
	bool program;
	int err;

	if (!reader_has(r, offset, c.len))
		return 0;
	err = is_program(r, h, &program);
	if (!err)
		err = reader_get(r, offset, bytes, c.len);
	if (err)
		return err;
	if (!program && !looks_first(&c, h->machine))
		return 0;
	return (int)find_end(&c, h->machine);
}
