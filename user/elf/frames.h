/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an object's call frame information lies, and which functions it describes.
 *
 * .eh_frame is found by the section headers, else by PT_GNU_EH_FRAME. Functions that only
 * .debug_frame describes are taken from there; those of Go from Go's own table, since its
 * .debug_frame does not say where stacks begin and are switched. Sandboxed worker only.
 */
#ifndef ELF_FRAMES_H
#define ELF_FRAMES_H

#include "base/index.h"
#include "elf/cfi.h"
#include "elf/go.h"
#include "elf/headers.h"
#include "elf/order.h"
#include "elf/reader.h"
#include "elf/symtab.h"

#define FRAMES_MAX_SECTIONS 8		/* .eh_frame and .debug_frame together */
#define FRAMES_MAX_BYTES    (64u << 20) /* of all of them */
#define FRAMES_MAX_FDES	    (2u << 20)
#define FRAMES_MAX_CIES	    65536
#define FRAMES_MAX_LOADS    64	       /* segments */
#define FRAMES_GO	    UINT32_MAX /* no CIE: frame.program is a function's number in go.table */

struct frames_load { /* a PT_LOAD */
	uint64_t offset, size, address;
};

struct frames {
	struct headers headers;
	const struct cfi_machine *machine;
	struct cfi_section section[FRAMES_MAX_SECTIONS];
	uint32_t nr_sections;
	struct cfi_cie *cie;
	size_t nr_cies, cie_cap;
	struct index index;  /* of cie[] */
	uint32_t last_cie;   /* most FDEs have their predecessor's */
	struct frame *frame; /* sorted, disjoint, inside of code[], never empty */
	size_t nr_frames, frame_cap;
	struct elf_range code[FRAMES_MAX_LOADS]; /* executable segments, sorted, disjoint */
	uint32_t nr_code;
	struct frames_load load[FRAMES_MAX_LOADS];
	uint32_t nr_loads;
	struct go go; /* table.nr 0: none */
	uint64_t bytes;			/* of the sections */
	uint64_t nr_fdes, nr_malformed; /* malformed: entries that were left out */
};

/*
 * Reads all of an ELF file's. -ENOENT: it has none (f holds headers and code nonetheless, and is
 * to be freed). Else a negative errno after fail_plain().
 */
int frames_read(struct frames *f, struct reader *r) must_check;
void frames_done(struct frames *f);

/* Where an address lies in the file: 1, or 0 when that has no byte of it. */
int frames_offset(const struct frames *f, uint64_t address, uint64_t *offset);

#endif
