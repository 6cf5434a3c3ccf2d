/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

/* Reads a number in the given base up to `end`, which is skipped. NULL: not of that form. */
static const char *field(const char *s, int base, char end, uint64_t *value)
{
	char *rest;

	if (*s == '-' || *s == '+' || *s == ' ')
		return NULL;
	errno = 0;
	*value = strtoull(s, &rest, base);
	if (errno || rest == s || *rest != end)
		return NULL;
	return rest + 1;
}

/* Addresses of the kernel's half: [vsyscall], which no process runs in. */
#define KERNEL_HALF (1ull << 63)

/* "7f00-7f10 r-xp 0001c000 fe:01 1234    /usr/lib/libc.so.6"; executable: 1, other: 0 */
static int parse_line(const char *line, struct exec_map *m)
{
	uint64_t major, minor;
	const char *s = line, *perms;

	if (!(s = field(s, 16, '-', &m->start)) || !(s = field(s, 16, ' ', &m->end)))
		return -EINVAL;
	perms = s;
	if (strnlen(s, 5) < 5 || s[4] != ' ')
		return -EINVAL;
	s += 5;
	if (!(s = field(s, 16, ' ', &m->offset)) || !(s = field(s, 16, ':', &major)) ||
	    !(s = field(s, 16, ' ', &minor)))
		return -EINVAL;
	m->dev_major = (uint32_t)major;
	m->dev_minor = (uint32_t)minor;
	if (!field(s, 10, ' ', &m->inode) && !field(s, 10, '\0', &m->inode))
		return -EINVAL;
	s += strspn(s, "0123456789");
	m->path = s + strspn(s, " ");
	return perms[2] == 'x' && m->start < m->end && m->start < KERNEL_HALF;
}

int maps_parse(char *text, struct exec_map **out, size_t *nr)
{
	autofree struct exec_map *list = NULL;
	struct exec_map m;
	size_t n = 0, cap = 0;
	char *line, *next;
	int r;

	for (line = text; *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		r = parse_line(line, &m);
		if (r < 0)
			return fail_plain(r, "maps: unexpected line");
		if (!r || n >= MAPS_MAX_ENTRIES)
			continue;
		grow(&list, &cap, n + 1, sizeof(*list));
		list[n++] = m;
	}
	*out = list;
	list = NULL;
	*nr = n;
	return 0;
}

int maps_read(int pid, char **text, struct exec_map **out, size_t *nr)
{
	autofree char *data = NULL;
	char path[40];
	size_t len;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	r = read_file(path, MAPS_MAX_TEXT, &data, &len);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	r = maps_parse(data, out, nr);
	if (r < 0)
		return r;
	*text = data;
	data = NULL;
	return 0;
}
