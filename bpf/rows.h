/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Unwind tables as the walker reads them, made of .eh_frame in user space.
 *
 *   process --> maps: sorted [start, end) --> pages: one per 4 KiB of text --> rows
 *
 * A row says how to unwind from an address on, up to the next row; it stands
 * for itself (4 bytes) or, rarely, names a rule in the table of rules. Each
 * page begins with a row at its offset 0 (what holds from before), so that a
 * search never leaves its page. Everything lies in chunks of 256 KiB: rows,
 * pages and maps each by one number, chunk and place in it.
 */
#ifndef BPF_ROWS_H
#define BPF_ROWS_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif
#include "bpf/machine.h"

#define WIRE_CHUNK_BYTES 262144u
#define WIRE_MAX_CHUNKS	 4096u
#define WIRE_CHUNK_ROWS0  0u		/* chunk numbers: rows from here on, */
#define WIRE_CHUNK_PAGES0 2048u		/* pages, */
#define WIRE_CHUNK_MAPS0  3072u		/* maps */

/*
 * A row, from its high bits on, so that a search compares whole words:
 *   offset in its page:12  escaped:1  base:1  cfa:9  fp:7  ra:2
 *                          escaped:1  rule:19
 * cfa = base register + cfa; the caller's frame pointer is at cfa - fp (0: unchanged); both count units
 * of 8 bytes on x86-64, and of 16 on aarch64, whose stack pointer is a multiple of that.
 */
#define ROW_PC_SHIFT	 20
#define ROW_PC_MASK	 0xfffu
#define ROW_BELOW	 0xfffffu	/* all bits below the offset */
#define ROW_ESCAPED	 (1u << 19)
#define ROW_RULE_MASK	 0x7ffffu
#define ROW_BASE_FP	 (1u << 18)	/* else the stack pointer */
#define ROW_CFA_SHIFT	 9
#define ROW_CFA_MASK	 0x1ffu
#define ROW_FP_SHIFT	 2
#define ROW_FP_MASK	 0x7fu
#define ROW_RA_MASK	 3u
#define ROW_UNIT_X86_64	 8u
#define ROW_UNIT_AARCH64 16u

/* Where the return address is: x86-64 knows only the first, aarch64 only the others. */
enum row_ra {
	ROW_RA_CFA,		/* at cfa - 8 */
	ROW_RA_LINK,		/* in the link register: a leaf */
	ROW_RA_ABOVE_FP,	/* next to the saved frame pointer, above it */
	ROW_RA_ALONE,		/* at cfa - 8 * fp, in bytes; the frame pointer is unchanged */
};

/* Rules with a fixed number. Others follow, interned. */
enum rule_number {
	RULE_NONE,		/* no unwind information here: a gap */
	RULE_STOP,		/* the outermost frame */
	RULE_SIGNAL,		/* a signal's frame: all registers are in it */
	RULE_UNSUPPORTED,	/* there is information, but beyond what a rule can say */
	RULE_CLONE,		/* where clone() returns twice: in its caller, and in a thread that begins */
	RULE_PENDING,		/* never in a table: there may be information, not yet read */
	RULE_FIRST_FREE
};

#define WIRE_MAX_RULES 65536u

enum rule_cfa {
	CFA_NONE,		/* of RULE_NONE, RULE_STOP, RULE_SIGNAL, RULE_UNSUPPORTED */
	CFA_REG,		/* reg + off */
	CFA_DEREF,		/* *(reg + off) + add */
	CFA_INDEXED,		/* *(sp + off + 8 * reg) + add */
	CFA_PLT,		/* sp + 8 + ((pc & 15) >= off ? 8 : 0) */
};

enum rule_fp {
	FP_SAME,
	FP_CFA,			/* at cfa + off */
	FP_FP,			/* at fp + off */
	FP_UNDEFINED,		/* lost, or beyond what a rule can say */
};

enum rule_ra {
	RA_CFA,			/* at cfa + off */
	RA_REG,			/* in register `off` */
	RA_ABOVE_FP,		/* at cfa + fp_off + 8 (aarch64, a frame of 32 KiB and more) */
};

struct wire_rule {
	__u8 cfa;		/* enum rule_cfa */
	__u8 cfa_reg;		/* DWARF number */
	__u8 fp;		/* enum rule_fp */
	__u8 ra;		/* enum rule_ra */
	__s32 cfa_off, fp_off;
	__s16 ra_off, cfa_add;
};

struct wire_page {	/* 4 KiB of text */
	__u32 first;		/* row number: chunk * WIRE_CHUNK_ROWS + place */
	__u16 count;		/* 0: no rows at all. Never reaches into the next chunk */
	__u16 pad;
};

#define WIRE_CHUNK_ROWS	 (WIRE_CHUNK_BYTES / 4)
#define WIRE_CHUNK_PAGES (WIRE_CHUNK_BYTES / 8)
#define WIRE_CHUNK_MAPS	 (WIRE_CHUNK_BYTES / 32)
#define WIRE_NO_PAGES	 0xffffffffu

enum wire_map_flags {
	WIRE_MAP_FP = 1,	/* code without rows that keeps frame pointers (JIT, Go) */
	WIRE_MAP_PENDING = 2,	/* its rows are still being made */
};

/* An executable mapping of a process, or the part of one that has rows. */
struct wire_map {
	__u64 start, end;
	__u32 pages;		/* page number of start (4 KiB each from there); WIRE_NO_PAGES: none */
	__u32 flags;
	__u32 stamp;		/* of the block that it is in */
	__u32 pad;
};

/*
 * The maps of a process, in a hash table that user space fills: slot = hash of tgid, then the next
 * ones, WIRE_PROCESS_PROBES at most. version is odd while a slot is being written.
 */
struct wire_process {
	__u32 tgid;		/* 0: free */
	__u32 version;
	__u64 start_time;
	__u32 exec_id;
	__u32 first;		/* map number; all nr lie in one chunk */
	__u32 nr;
	__u32 stamp;		/* the block's: one that was freed and given to others has another */
};

#define WIRE_PROCESS_GONE   0xffffffffu	/* a tgid that is none: the slot was given up */
#define WIRE_PROCESS_SLOTS  65536u
#define WIRE_PROCESS_PROBES 128	/* 40,000 processes with numbers at random need some 70 */
#define WIRE_PROCESS_HASH(tgid) (((tgid) * 0x9E3779B1u) >> 16)

_Static_assert(sizeof(struct wire_rule) == 16, "wire_rule");
_Static_assert(sizeof(struct wire_page) == 8, "wire_page");
_Static_assert(sizeof(struct wire_map) == 32, "wire_map");
_Static_assert(sizeof(struct wire_process) == 32, "wire_process");

#endif
