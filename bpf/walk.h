/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The walk of a user stack: one walk_step() per frame. The same text is
 * compiled for BPF (sampler.bpf.c) and natively (user/unwind/replay.c, the unit
 * tests and a fuzzer): whoever includes it says how to reach the tables and the
 * stack:
 *
 *   walk_chunk(n)             chunk n of the unwind tables (bpf/rows.h), or NULL
 *   walk_rule(n)              rule n, or NULL
 *   walk_read(to, len, from)  copies len bytes of the stack; non-zero: not readable
 *
 * Searches are free of branches, and indexes are masked: the verifier then
 * looks at each step once. The stack is read in windows of 512 bytes, one read
 * per some ten frames, and never across a page, since the next need not be there.
 */
#ifndef BPF_WALK_H
#define BPF_WALK_H

#include "bpf/wire.h"

#ifdef __clang__
#define WALK_UNROLL _Pragma("unroll")
#else
#define WALK_UNROLL _Pragma("GCC unroll 12")
#endif

#define WINDOW_WORDS 64
#define WINDOW_BYTES (WINDOW_WORDS * 8)
#define PAGE_BYTES   4096
#define USER_MIN     4096ull
#define USER_MAX     0x00007ffffffff000ull
#define MAX_SWITCHES 8			/* of stacks: signals, coroutines */
#define MAX_FP_FRAME (1ull << 20)	/* a frame larger than this is none */

/* DWARF's numbers of the registers that rules use (x86-64). */
enum { REG_AX, REG_DX, REG_CX, REG_BX, REG_SI, REG_DI, REG_FP, REG_SP, REG_R8, WALK_REGS = 16 };

/* A called function puts these to its own use: bx, r12 .. r15. Where, a row does not say. */
#define REGS_OF_CALLEE (1u << REG_BX | 0xf000u)

/* No address, and no end of a chain either. */
#define FP_LOST 1ull

/*
 * Where the kernel puts the interrupted registers, from the stack pointer of a signal's frame on: uc_mcontext,
 * behind uc_flags, uc_link and uc_stack. r8 .. r15, di, si, bp, bx, dx, ax, cx, sp, ip.
 */
#define SIGNAL_REGS  40
#define SIGNAL_WORDS 17

struct walk {
	__u32 in_use;
	__u32 nr;		/* user frames so far */
	__u32 first;		/* index of the first of them in frame[] */
	__u32 status;		/* enum wire_user_status, once the walk has ended */
	__u32 return_address;	/* pc is one: the call is before it */
	__u32 switches;
	__u32 first_map, nr_maps;	/* of the process; nr_maps 0: not known */
	__u32 stamp, pad;		/* of maps that are a parent's; else 0 */
	__u64 pc;
	__u64 reg[WALK_REGS];	/* of the frame that pc is in; only fp and sp are kept up */
	__u64 map_start, map_size;	/* the mapping found last ... */
	__u32 map_pages, map_flags;	/* ... and its rows */
	__u64 window_start;	/* user address of window[0] */
	__u64 window_len;	/* bytes that are valid */
	__u64 window[WINDOW_WORDS];
	struct wire_sample sample;	/* the record under construction ... */
	__u64 frame[WIRE_FRAME_SLOTS];	/* ... and its frames right behind it */
};

/* One word of the stack. */
static __always_inline int walk_word(struct walk *w, __u64 at, __u64 *word)
{
	__u64 off = at - w->window_start;
	__u32 len;

	if (at & 7)
		return -1;
	if (off + 8 > w->window_len || off > WINDOW_BYTES - 8) {
		if (at < USER_MIN || at >= USER_MAX)
			return -1;
		len = PAGE_BYTES - (at & (PAGE_BYTES - 1));
		if (len > WINDOW_BYTES)
			len = WINDOW_BYTES;
		/* changes nothing, but 5.10's verifier loses the bound when it spills len */
		barrier_var(len);
		len &= 2 * WINDOW_BYTES - 1;
		w->window_len = 0;
		if (walk_read(w->window, len, at)) {
			len = 8;
			if (walk_read(w->window, len, at))
				return -1;
		}
		w->window_start = at;
		w->window_len = len;
		off = 0;
	}
	off >>= 3;
	/* the compiler would drop the mask for bounds that it knows and 6.12's verifier forgets */
	barrier_var(off);
	*word = w->window[off & (WINDOW_WORDS - 1)];
	return 0;
}

/* The frame that pc is in, told by an address inside its current instruction. */
static __always_inline void walk_put(struct walk *w)
{
	w->frame[(w->first + w->nr) & (WIRE_FRAME_SLOTS - 1)] = w->pc - w->return_address;
	w->nr++;
}

/* 1 when a <= b, for numbers below 2^63; no branch. */
static __always_inline __u32 at_most(__u64 a, __u64 b)
{
	return 1 - (__u32)((b - a) >> 63);
}

/* Finds the mapping that holds addr; 0: none. */
static __always_inline int walk_map(struct walk *w, __u64 addr)
{
	const struct wire_map *maps, *m;
	__u32 n = w->nr_maps, base = w->first_map, half, i;

	if (addr - w->map_start < w->map_size)
		return 1;
	if (addr >= USER_MAX || !n)
		return 0;
	maps = walk_chunk(base / WIRE_CHUNK_MAPS);
	if (!maps)
		return 0;
	WALK_UNROLL
	for (i = 0; i < 12; i++) {
		half = n >> 1;
		base += half * at_most(maps[(base + half) & (WIRE_CHUNK_MAPS - 1)].start, addr);
		n -= half;
	}
	m = &maps[base & (WIRE_CHUNK_MAPS - 1)];
	if (addr < m->start || addr >= m->end)
		return 0;
	w->map_start = m->start;
	w->map_size = m->end - m->start;
	w->map_pages = m->pages;
	w->map_flags = m->flags;
	return 1;
}

/* The row for addr in the mapping found; RULE_NONE where there is none. */
static __always_inline __u32 walk_row(struct walk *w, __u64 addr)
{
	__u32 page_nr = w->map_pages + (__u32)((addr - w->map_start) >> 12);
	__u64 key = (__u64)(addr & ROW_PC_MASK) << ROW_PC_SHIFT | ROW_BELOW;
	const struct wire_page *pages, *page;
	__u32 n, base, half, i;
	const __u32 *rows;

	if (w->map_pages == WIRE_NO_PAGES)
		return ROW_ESCAPED | (w->map_flags & WIRE_MAP_PENDING ? RULE_PENDING : RULE_NONE);
	pages = walk_chunk(page_nr / WIRE_CHUNK_PAGES);
	if (!pages)
		return ROW_ESCAPED | RULE_NONE;
	page = &pages[page_nr & (WIRE_CHUNK_PAGES - 1)];
	n = page->count;
	base = page->first;
	if (!n)
		return ROW_ESCAPED | RULE_NONE;
	rows = walk_chunk(base / WIRE_CHUNK_ROWS);
	if (!rows)
		return ROW_ESCAPED | RULE_NONE;
	WALK_UNROLL
	for (i = 0; i < 12; i++) {
		half = n >> 1;
		base += half * at_most(rows[(base + half) & (WIRE_CHUNK_ROWS - 1)], key);
		n -= half;
	}
	return rows[base & (WIRE_CHUNK_ROWS - 1)];
}

static __always_inline int walk_end(struct walk *w, __u32 status)
{
	w->status = status;
	if (status != WIRE_USER_COMPLETE)
		w->sample.bad_pc = w->pc;
	return 1;
}

/* On to the caller, whose frame begins at cfa. */
static __always_inline int walk_caller(struct walk *w, __u64 cfa, __u64 fp, __u64 ra)
{
	if (ra < USER_MIN || ra >= USER_MAX)
		return walk_end(w, WIRE_USER_BAD_RA);
	w->reg[REG_SP] = cfa;
	w->reg[REG_FP] = fp;
	w->pc = ra;
	w->return_address = 1;
	walk_put(w);
	return 0;
}

/* A frame below the last one is another stack's: allowed a few times. */
static __always_inline int walk_grows(struct walk *w, __u64 cfa)
{
	if (cfa & 7)
		return 0;
	if (cfa > w->reg[REG_SP])
		return 1;
	return ++w->switches <= MAX_SWITCHES;
}

/*
 * Code without rows: the frame-pointer rule, if what it gives looks like a frame: aligned, above, not
 * far, with a return address that is code. Failing that, in code that has not called (the first frame, or
 * where a signal struck), the word at the stack pointer, if it is code: a leaf that has set up nothing.
 * Else the walk ends in a gap. A frame pointer of 0 ends the chain only behind a call: before that it may
 * be anything to a leaf.
 */
static __always_inline int walk_gap(struct walk *w)
{
	__u64 sp = w->reg[REG_SP], fp = w->reg[REG_FP], next, ra;

	if (!fp && w->map_flags & WIRE_MAP_FP && w->return_address)
		return walk_end(w, WIRE_USER_COMPLETE);
	if (!(fp & 7) && fp >= sp && fp - sp < MAX_FP_FRAME && !walk_word(w, fp, &next) &&
	    !walk_word(w, fp + 8, &ra) && ra >= USER_MIN && walk_map(w, ra - 1)) {
		w->sample.by_fp++;
		return walk_caller(w, fp + 16, next, ra);
	}
	if (!w->return_address && !walk_word(w, sp, &ra) && ra >= USER_MIN &&
	    walk_map(w, ra - 1)) {
		w->sample.by_guess++;
		return walk_caller(w, sp + 8, fp, ra);
	}
	return walk_end(w, WIRE_USER_GAP);
}

/*
 * A signal's frame. Nothing was called here: the kernel made it look so, and the frame's address is the
 * one behind the call that was none.
 */
static __always_inline int walk_signal(struct walk *w)
{
	__u64 at = w->reg[REG_SP] + SIGNAL_REGS, pc;
	int i;

	w->window_len = 0;
	if ((at & 7) || at < USER_MIN || at >= USER_MAX ||
	    walk_read(w->window, SIGNAL_WORDS * 8, at))
		return walk_end(w, WIRE_USER_FAULT);
	pc = w->window[16];
	if (pc < USER_MIN || pc >= USER_MAX)
		return walk_end(w, WIRE_USER_BAD_RA);
	if (!walk_grows(w, w->window[15]))
		return walk_end(w, WIRE_USER_BAD_CFA);
	w->frame[(w->first + w->nr - 1) & (WIRE_FRAME_SLOTS - 1)] = w->pc;
	WALK_UNROLL
	for (i = 0; i < 8; i++)
		w->reg[REG_R8 + i] = w->window[i];
	w->reg[REG_DI] = w->window[8];
	w->reg[REG_SI] = w->window[9];
	w->reg[REG_FP] = w->window[10];
	w->reg[REG_BX] = w->window[11];
	w->reg[REG_DX] = w->window[12];
	w->reg[REG_AX] = w->window[13];
	w->reg[REG_CX] = w->window[14];
	w->reg[REG_SP] = w->window[15];
	w->pc = pc;
	w->return_address = 0;
	walk_put(w);
	return 0;
}

/* Is what w->reg has of this register still true in the frame that pc is in? */
static __always_inline int walk_knows(const struct walk *w, __u32 reg)
{
	return reg < WALK_REGS && !(w->return_address && REGS_OF_CALLEE >> reg & 1);
}

/* Where the frame begins, by a rule. Non-zero: the walk has ended. */
static __always_inline int walk_cfa(struct walk *w, const struct wire_rule *r, __u64 *cfa)
{
	__u64 base = w->reg[r->cfa_reg & (WALK_REGS - 1)], sp = w->reg[REG_SP];

	if (r->cfa == CFA_PLT) {
		*cfa = sp + 8 + ((w->pc & 15) >= (__u32)r->cfa_off ? 8 : 0);
		return 0;
	}
	if (!walk_knows(w, r->cfa_reg))
		return walk_end(w, WIRE_USER_UNSUPPORTED);
	*cfa = (r->cfa == CFA_INDEXED ? sp + (base << 3) : base) + (__s64)r->cfa_off;
	if (r->cfa == CFA_REG)
		return 0;
	if (r->cfa != CFA_DEREF && r->cfa != CFA_INDEXED)
		return walk_end(w, WIRE_USER_UNSUPPORTED);
	if (walk_word(w, *cfa, cfa))
		return walk_end(w, WIRE_USER_FAULT);
	*cfa += (__s64)r->cfa_add;
	return 0;
}

/* The caller's frame pointer by a rule; non-zero: not readable. */
static __always_inline int walk_fp(struct walk *w, const struct wire_rule *r, __u64 cfa, __u64 *fp)
{
	*fp = w->reg[REG_FP];
	if (r->fp == FP_CFA)
		return walk_word(w, cfa + (__s64)r->fp_off, fp);
	if (r->fp == FP_FP)
		return walk_word(w, *fp + (__s64)r->fp_off, fp);
	if (r->fp != FP_SAME)
		*fp = FP_LOST;
	return 0;
}

/* What a row cannot say: one of the rules. */
static __always_inline int walk_by_rule(struct walk *w, __u32 number)
{
	const struct wire_rule *r;
	__u64 cfa, fp, ra;

	if (number == RULE_NONE)
		return walk_gap(w);
	if (number == RULE_PENDING)
		return walk_end(w, WIRE_USER_NO_MAP);
	if (number == RULE_STOP)
		return walk_end(w, WIRE_USER_COMPLETE);
	if (number == RULE_SIGNAL)
		return walk_signal(w);
	r = walk_rule(number);
	if (!r || number == RULE_UNSUPPORTED)
		return walk_end(w, WIRE_USER_UNSUPPORTED);
	if (walk_cfa(w, r, &cfa))
		return 1;
	if (!walk_grows(w, cfa))
		return walk_end(w, WIRE_USER_BAD_CFA);
	if (walk_fp(w, r, cfa, &fp))
		return walk_end(w, WIRE_USER_FAULT);
	if (r->ra == RA_REG) {
		if (!walk_knows(w, (__u16)r->ra_off))
			return walk_end(w, WIRE_USER_UNSUPPORTED);
		ra = w->reg[r->ra_off & (WALK_REGS - 1)];
	} else if (walk_word(w, cfa + (__s64)r->ra_off, &ra)) {
		return walk_end(w, WIRE_USER_FAULT);
	}
	return walk_caller(w, cfa, fp, ra);
}

/* One frame. Non-zero: the walk has ended, w->status says how. */
static __always_inline int walk_step(struct walk *w)
{
	__u64 addr = w->pc - w->return_address, cfa, fp, ra;
	__u32 row, saved;

	if (!walk_map(w, addr))
		return walk_end(w, w->nr_maps ? WIRE_USER_NO_MAP : WIRE_USER_NO_PROCESS);
	row = walk_row(w, addr);
	if (row & ROW_ESCAPED)
		return walk_by_rule(w, row & ROW_RULE_MASK);
	cfa = row & ROW_BASE_FP ? w->reg[REG_FP] : w->reg[REG_SP];
	cfa += (__u64)(row >> ROW_CFA_SHIFT & ROW_CFA_MASK) << 3;
	if (!walk_grows(w, cfa))
		return walk_end(w, WIRE_USER_BAD_CFA);
	fp = w->reg[REG_FP];
	saved = row >> ROW_FP_SHIFT & ROW_FP_MASK;
	if (saved && walk_word(w, cfa - ((__u64)saved << 3), &fp))
		return walk_end(w, WIRE_USER_FAULT);
	if (walk_word(w, cfa - 8, &ra))
		return walk_end(w, WIRE_USER_FAULT);
	return walk_caller(w, cfa, fp, ra);
}

/* Begins a walk at w->pc, w->reg and w->return_address (is pc behind a call, of the system's too). */
static __always_inline void walk_begin(struct walk *w)
{
	w->nr = 0;
	w->status = WIRE_USER_DEPTH;
	w->switches = 0;
	w->map_size = 0;
	w->window_len = 0;
	w->sample.by_fp = 0;
	w->sample.by_guess = 0;
	w->sample.bad_pc = 0;
	walk_put(w);
}

#endif
