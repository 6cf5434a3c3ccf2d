/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens other processes' files without being led astray: regular files only, inside their root. */
#ifndef PROC_OPEN_H
#define PROC_OPEN_H

#include "proc/maps.h"

/*
 * A read-only descriptor of the file behind a mapping: of /proc/PID/map_files, or else the path
 * inside the process's root, if the inode there is the mapping's. Where the process is gone, the
 * path is tried inside the root of `parent` (0: none) and in our own, and only the same device and
 * inode is taken. -1 with *reason (static text).
 */
int open_mapped(int pid, int parent, const struct exec_map *m, const char **reason);

/* A copy of this kernel's vdso (dwell's own is the same as everybody's), or -1 with *reason. */
int open_vdso(const char **reason);

#endif
