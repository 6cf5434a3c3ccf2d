/* SPDX-License-Identifier: BSD-2-Clause */
/* The running kernel. */
#ifndef PROC_KERNEL_H
#define PROC_KERNEL_H

#define KERNEL_VERSION_OF(major, minor) ((unsigned int)(major) << 8 | (minor))

/* Its version as KERNEL_VERSION_OF() makes it; 0 when the release does not begin with one. */
unsigned int kernel_version(void);

#endif
