/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The machine whose stacks are walked: the build's own; for BPF, and for tests of the other one's walk, what
 * __TARGET_ARCH_* says. Registers have their DWARF numbers.
 */
#ifndef BPF_MACHINE_H
#define BPF_MACHINE_H

#if defined(__TARGET_ARCH_arm64) || (defined(__aarch64__) && !defined(__TARGET_ARCH_x86))
#define WIRE_AARCH64
#endif

#ifdef WIRE_AARCH64
enum { WIRE_REG_FP = 29, WIRE_REG_LINK, WIRE_REG_SP, WIRE_REGS };
#else
enum { WIRE_REG_FP = 6, WIRE_REG_SP, WIRE_REGS = 16 };
#endif

#endif
