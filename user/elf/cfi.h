/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Call frame information: entries of .eh_frame (LSB core specification, chapter "Exception
 * Frames", refspecs.linuxfoundation.org) and .debug_frame (DWARF 5, section 6.4, dwarfstd.org) of
 * 64-bit little-endian objects. Kept of a frame's registers are only those that a walk needs:
 * where the frame is (the CFA), and the caller's frame pointer, return address, stack pointer.
 *
 *   CIE: what many functions have in common <-- FDE: a function, and its program of states
 */
#ifndef ELF_CFI_H
#define ELF_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

#define CFI_MAX_COMMON 4096	  /* bytes of a CIE's own program */
#define CFI_MAX_SIZE   UINT32_MAX /* bytes of a function */

/* Bytes being read. What does not fit sets `bad`, reads as 0, and ends all further reading. */
struct cfi_bytes {
	const uint8_t *at, *end;
	bool bad;
};

static inline void cfi_spoil(struct cfi_bytes *b)
{
	b->bad = true;
	b->at = b->end;
}

/* size: 1, 2, 4 or 8 */
static inline uint64_t cfi_fixed(struct cfi_bytes *b, size_t size)
{
	uint64_t v = 0;

	if ((size_t)(b->end - b->at) < size) {
		cfi_spoil(b);
		return 0;
	}
	memcpy(&v, b->at, size);
	b->at += size;
	return v;
}

uint64_t cfi_uleb_long(struct cfi_bytes *b);
int64_t cfi_sleb(struct cfi_bytes *b);

static inline uint64_t cfi_uleb(struct cfi_bytes *b)
{
	if (b->at < b->end && *b->at < 0x80)
		return *b->at++;
	return cfi_uleb_long(b);
}

struct cfi_section {
	const uint8_t *data;
	size_t len;
	uint64_t address;   /* of data[0] */
	uint64_t data_base; /* what DW_EH_PE_datarel is relative to; 0: unknown */
	bool debug;	    /* .debug_frame */
};

/* An encoded pointer (DW_EH_PE_*) of the section; bad for what it cannot resolve. */
uint64_t cfi_pointer(const struct cfi_section *s, struct cfi_bytes *b, uint8_t encoding);

/* The machine's registers, by their DWARF numbers; which has the return address, a CIE says. */
struct cfi_machine {
	uint8_t sp, fp;
	uint8_t unit; /* of a row's offsets, bytes */
};

enum cfi_how {
	CFI_SAME, /* unchanged (the stack pointer: is the CFA); not of the return address */
	CFI_UNDEFINED,
	CFI_OFFSET,	/* saved at cfa + value */
	CFI_VALUE,	/* is cfa + value */
	CFI_REG,	/* in a register; the CFA: is reg + value */
	CFI_EXPRESSION, /* saved at the address which that gives; the CFA: is it */
	CFI_BEYOND,	/* none of these */
};

struct cfi_rule {
	uint8_t how; /* enum cfi_how */
	uint8_t reg;
	uint32_t len; /* of the expression, which lies in the section */
	union {
		int64_t value;
		const uint8_t *expression;
	};
};

struct cfi_state {
	struct cfi_rule cfa, fp, ra, sp;
};

struct cfi_cie {
	const struct cfi_section *section;
	const struct cfi_machine *machine;
	uint64_t code_align;
	int64_t data_align;
	uint32_t offset;
	uint8_t encoding; /* of its FDEs' addresses */
	uint8_t ra;	  /* the register that the return address is in when nothing is said */
	bool sized;	  /* its FDEs have augmentation data */
	bool signal;	  /* code that a signal handler returns to */
	bool bad;	  /* malformed: nothing but section and offset is of use */
	struct cfi_state initial;
};

/* An entry's bounds. */
struct cfi_entry {
	uint32_t body; /* behind length and id */
	uint32_t next; /* behind the entry; at or before the section's end */
	uint32_t cie;  /* the offset of an FDE's CIE */
	bool common;   /* is a CIE itself */
};

/*
 * The entry at offset: 1; 0 for a zero terminator (only next is set; further entries may follow);
 * -EBADMSG when it is none.
 */
int cfi_entry(const struct cfi_section *s, uint32_t offset, struct cfi_entry *out) must_check;

/* The CIE at c->offset of c->section for c->machine, which the caller has set. -EBADMSG. */
int cfi_cie_read(struct cfi_cie *c) must_check;

struct cfi_fde {
	uint64_t start, size;
	struct cfi_bytes program;
};
int cfi_fde_read(const struct cfi_cie *c, const struct cfi_entry *e,
		 struct cfi_fde *out) must_check;

#endif
