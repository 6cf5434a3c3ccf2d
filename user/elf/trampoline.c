/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/trampoline.h"

#include <string.h>

#include "base/alloc.h"

#define INSTRUCTION 4u

/* mov x8, #139 (rt_sigreturn); svc #0 */
static const uint8_t calls_sigreturn[] = { 0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4 };

static bool is_described(const struct frames *f, uint64_t address)
{
	size_t i;

	for (i = 0; i < f->nr_frames; i++)
		if (address - f->frame[i].start < f->frame[i].size)
			return true;
	return false;
}

static int search(const struct frames *f, struct reader *r, const struct elf_range *code,
		  struct elf_range *out)
{
	size_t len = (size_t)(code->end - code->start), i;
	autofree uint8_t *text = NULL;
	uint64_t offset, at;
	int err;

	if (!frames_offset(f, code->start, &offset) || !reader_has(r, offset, len))
		return 0;
	text = xmalloc(len);
	err = reader_get(r, offset, text, len);
	if (err)
		return err;
	for (i = 0; i + sizeof(calls_sigreturn) <= len; i += INSTRUCTION) {
		at = code->start + i;
		if (memcmp(text + i, calls_sigreturn, sizeof(calls_sigreturn)) ||
		    is_described(f, at))
			continue;
		*out = (struct elf_range){ i ? at - INSTRUCTION : at,
					   at + sizeof(calls_sigreturn) };
		return 1;
	}
	return 0;
}

int trampoline_find(const struct frames *f, struct reader *r, struct elf_range *out)
{
	uint32_t i;
	int found = 0;

	if (f->headers.machine != EM_AARCH64 || f->nr_frames > TRAMPOLINE_MAX_FRAMES)
		return 0;
	for (i = 0; !found && i < f->nr_code; i++)
		if (f->code[i].end - f->code[i].start <= TRAMPOLINE_MAX_TEXT)
			found = search(f, r, &f->code[i], out);
	return found;
}
