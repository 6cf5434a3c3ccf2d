/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as /proc/kallsyms: refused, or a table in which each address finds
 * nothing or a symbol that starts at or before it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proc/kallsyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const struct kallsyms *k, uint64_t address)
{
	struct kernel_symbol sym;

	if (!kallsyms_find(k, address, &sym))
		return;
	if (sym.start > address || address - sym.start >= KALLSYMS_MAX_FUNCTION || !sym.name[0] ||
	    strlen(sym.module) > 65536)
		abort();
	/* what is found at a symbol's own start is that symbol */
	if (sym.start != address)
		look_up(k, sym.start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct kallsyms *k;
	uint64_t address;
	char path[64];
	size_t i;

	if (fd < 0)
		fd = memfd_create("kallsyms", MFD_CLOEXEC);
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (kallsyms_open(&k, path)) {
		if (!error_text()[0])
			abort();
		return 0;
	}
	for (i = 0; i + 16 <= size; i++) {
		char digits[17] = { 0 };

		memcpy(digits, data + i, 16);
		address = strtoull(digits, NULL, 16);
		look_up(k, address);
		look_up(k, address + 1);
	}
	look_up(k, 0);
	look_up(k, UINT64_MAX);
	kallsyms_free(k);
	return 0;
}
