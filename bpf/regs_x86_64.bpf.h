/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where an interrupted program's registers are, on x86-64. */
#ifndef BPF_REGS_X86_64_BPF_H
#define BPF_REGS_X86_64_BPF_H

#include "bpf/unwind.bpf.h"

#define THREAD_SIZE 16384
#define TIF_32BIT   (1ul << 29)		/* TIF_ADDR32 */
#define USER32_CS   0x23

static __always_inline bool is_user_mode(const struct bpf_user_pt_regs *regs)
{
	return regs->cs & 3;
}

static __always_inline bool is_32bit(const struct bpf_user_pt_regs *regs)
{
	return regs->cs == USER32_CS;
}

/* The user part from registers that the kernel saved, or that the tick found. */
#define WALK_FROM(w, regs)                                                                         \
	do {                                                                                       \
		(w)->pc = (regs)->ip;                                                              \
		(w)->reg[0] = (regs)->ax;                                                          \
		(w)->reg[1] = (regs)->dx;                                                          \
		(w)->reg[2] = (regs)->cx;                                                          \
		(w)->reg[3] = (regs)->bx;                                                          \
		(w)->reg[4] = (regs)->si;                                                          \
		(w)->reg[5] = (regs)->di;                                                          \
		(w)->reg[6] = (regs)->bp;                                                          \
		(w)->reg[7] = (regs)->sp;                                                          \
		(w)->reg[8] = (regs)->r8;                                                          \
		(w)->reg[9] = (regs)->r9;                                                          \
		(w)->reg[10] = (regs)->r10;                                                        \
		(w)->reg[11] = (regs)->r11;                                                        \
		(w)->reg[12] = (regs)->r12;                                                        \
		(w)->reg[13] = (regs)->r13;                                                        \
		(w)->reg[14] = (regs)->r14;                                                        \
		(w)->reg[15] = (regs)->r15;                                                        \
	} while (0)

/*
 * Is ip behind an instruction that made a system call? SYSCALL leaves it in cx, too, or with FRED its type of event
 * above ss. What begins while a call ends has neither: an executed program, a signal's handler (which keeps the latter).
 */
#define EVENT_TYPE_OTHER 7
static __always_inline bool behind_call(__u64 orig_ax, __u64 ip, __u64 cx, __u64 ss)
{
	return orig_ax != -1ull && (cx == ip || (ss >> 48 & 0xf) == EVENT_TYPE_OTHER);
}

/* Those that the kernel saved on entry. false: it was never entered. */
static __always_inline bool regs_saved(struct walk *w, const struct pt_regs *regs)
{
	if (!regs->ip && !regs->sp)
		return false;
	WALK_FROM(w, regs);
	/* the upper 16 of 64 bits: the lower have a name of their own where FRED's are in a union with them */
	w->return_address = behind_call(regs->orig_ax, regs->ip, regs->cx, (__u64)(&regs->ss)[3] << 48);
	return true;
}

/* The same, of a task whose kernel stack begins there, by reading the kernel's memory. */
static __always_inline bool regs_on_stack(struct walk *w, __u64 stack)
{
	struct bpf_user_pt_regs regs;

	if (bpf_probe_read_kernel(&regs, sizeof(regs), (void *)(stack + THREAD_SIZE - sizeof(regs))))
		return false;
	WALK_FROM(w, &regs);
	w->return_address = behind_call(regs.orig_ax, regs.ip, regs.cx, regs.ss);
	return true;
}

#endif
