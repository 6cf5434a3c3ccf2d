/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where an interrupted program's registers are, on aarch64. */
#ifndef BPF_REGS_AARCH64_BPF_H
#define BPF_REGS_AARCH64_BPF_H

#include "bpf/unwind.bpf.h"
#include <bpf/bpf_core_read.h>

#define THREAD_SIZE 16384		/* with pages of 4 KiB */
#define TIF_32BIT   (1ul << 22)
#define MODE_LEVEL  0xful		/* of pstate: the exception level; 0: user space */
#define MODE_32BIT  0x10ul
#define NO_SYSCALL  (-1)

static __always_inline bool is_user_mode(const struct bpf_user_pt_regs *regs)
{
	return !(regs->pstate & MODE_LEVEL);
}

static __always_inline bool is_32bit(const struct bpf_user_pt_regs *regs)
{
	return regs->pstate & MODE_32BIT;
}

/* The user part from registers that the kernel saved, or that the tick found. */
#define WALK_FROM(w, from)                                                                         \
	do {                                                                                       \
		int reg_nr;                                                                        \
                                                                                                   \
		_Pragma("clang loop unroll(full)") for (reg_nr = 0; reg_nr < WIRE_REG_SP;          \
							reg_nr++)                                  \
			(w)->reg[reg_nr] = (from)->regs[reg_nr];                                   \
		(w)->reg[WIRE_REG_SP] = (from)->sp;                                                \
		(w)->pc = (from)->pc;                                                              \
	} while (0)

/*
 * Is pc behind an instruction that made a system call? An executed program begins with the number of execve(), and
 * without registers. (That the register holds no number any more says nothing: rt_sigreturn() overwrites it.)
 */
#define REG_SYSCALL 8
#define NR_EXECVE   221
#define NR_EXECVEAT 281
static __always_inline bool behind_call(int syscall, __u64 reg)
{
	return syscall != NO_SYSCALL && (reg || (syscall != NR_EXECVE && syscall != NR_EXECVEAT));
}

/* Those that the kernel saved on entry. false: it was never entered. */
static __always_inline bool regs_saved(struct walk *w, const struct pt_regs *regs)
{
	if (!regs->pc && !regs->sp)
		return false;
	WALK_FROM(w, regs);
	w->return_address = behind_call(regs->syscallno, regs->regs[REG_SYSCALL]);
	return true;
}

/*
 * The same, of a task whose kernel stack begins there, by reading the kernel's memory. What follows the
 * registers proper has changed with the kernels: so has where they begin.
 */
static __always_inline bool regs_on_stack(struct walk *w, __u64 stack)
{
	__u64 at = stack + THREAD_SIZE - bpf_core_type_size(struct pt_regs);
	int syscall;

	if (bpf_probe_read_kernel(w->reg, sizeof(w->reg), (void *)at) ||
	    bpf_probe_read_kernel(&w->pc, sizeof(w->pc), (void *)(at + sizeof(w->reg))) ||
	    bpf_probe_read_kernel(&syscall, sizeof(syscall),
				  (void *)(at + bpf_core_field_offset(struct pt_regs, syscallno))))
		return false;
	w->return_address = behind_call(syscall, w->reg[REG_SYSCALL]);
	return true;
}

#endif
