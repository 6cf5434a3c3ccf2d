/* SPDX-License-Identifier: BSD-2-Clause */
/* The running kernel. */
#ifndef PROC_KERNEL_H
#define PROC_KERNEL_H

#include <stdbool.h>

#define KERNEL_VERSION_OF(major, minor) ((unsigned int)(major) << 8 | (minor))

/* Its version as KERNEL_VERSION_OF() makes it; 0 when the release does not begin with one. */
unsigned int kernel_version(void);

/* Does it count the memory of BPF objects as locked (before 5.11), of which this process may have so much? */
bool kernel_locks_bpf(unsigned long long *kib);

#endif
