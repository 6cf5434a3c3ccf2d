/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/maps: the executable mappings of a process. */
#ifndef PROC_MAPS_H
#define PROC_MAPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define MAPS_MAX_TEXT (64u << 20)
#define MAPS_MAX_ENTRIES 16384

struct exec_map {
	uint64_t start, end, offset;
	uint32_t dev_major, dev_minor;
	uint64_t inode;			/* 0: anonymous, or [vdso] and its like */
	const char *path;		/* as the kernel wrote it; in the text that was parsed */
};

/*
 * Parses text (changed: paths get a NUL behind them) and leaves its executable mappings, in address
 * order, in *out (for free()). Lines that are not of the format are an error: -EINVAL.
 */
int maps_parse(char *text, struct exec_map **out, size_t *nr) must_check;

/* Reads and parses /proc/PID/maps. *text holds the paths (for free()). -ESRCH: gone. */
int maps_read(int pid, char **text, struct exec_map **out, size_t *nr) must_check;

#endif
