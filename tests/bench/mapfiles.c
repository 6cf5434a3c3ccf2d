/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapfiles SECONDS FILE.. - maps the executable segments of 64-bit ELF files, as a program that uses
 * them would, and works until the time is up. Prints how many it mapped.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long sink;

static int map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), i, mapped = 0;
	Elf64_Ehdr h;
	Elf64_Phdr p;

	if (fd < 0 || pread(fd, &h, sizeof(h), 0) != sizeof(h) || h.e_ident[0] != 0x7f)
		h.e_phnum = 0;
	for (i = 0; i < h.e_phnum; i++) {
		if (pread(fd, &p, sizeof(p), (off_t)(h.e_phoff + (size_t)i * sizeof(p))) != sizeof(p) ||
		    p.p_type != PT_LOAD || !(p.p_flags & PF_X))
			continue;
		mapped |= mmap(NULL, p.p_filesz + (p.p_offset & 4095), PROT_READ | PROT_EXEC, MAP_PRIVATE,
			       fd, (off_t)(p.p_offset & ~4095ull)) != MAP_FAILED;
	}
	close(fd);
	return mapped;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 1);
	int i, n = 0;

	for (i = 2; i < argc; i++)
		n += map_file(argv[i]);
	printf("%d\n", n);
	fflush(stdout);
	while (time(NULL) < end)
		sink++;
	return 0;
}
