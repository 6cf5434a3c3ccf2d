/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/open.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/alloc.h"

#define VDSO_MAX (256u << 10)

static const char *reason_of(int err)
{
	switch (err) {
	case ENOENT:
	case ESRCH:
		return "file gone";
	case EACCES:
	case EPERM:
		return "no permission";
	case EMFILE:
	case ENFILE:
		return "too many open files";
	default:
		return "cannot be opened";
	}
}

/*
 * What must be the mapping's. A link of map_files is wrong where the process has mapped another file to
 * just that range by now; where numbers cannot tell that, the file's name must.
 */
enum check { CHECK_LINK, CHECK_INODE, CHECK_ALL };

/* These show one device (and, overlays, sometimes inode) in mappings and another in stat(2). */
static bool has_own_numbers(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) &&
	       (fs.f_type == OVERLAYFS_SUPER_MAGIC || fs.f_type == BTRFS_SUPER_MAGIC);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A deleted file's path has " (deleted)" behind it in both. */
static bool has_name(int fd, const char *path)
{
	char link[40], is[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, is, sizeof(is) - 1);
	if (n <= 0)
		return false;
	is[n] = 0;
	return !strcmp(base_name(is), base_name(path));
}

static bool is_mapped(int fd, const struct stat *st, const struct exec_map *m, enum check check)
{
	if (st->st_ino != m->inode)
		return check == CHECK_LINK && has_own_numbers(fd) && has_name(fd, m->path);
	return check == CHECK_LINK ||
	       (major(st->st_dev) == m->dev_major && minor(st->st_dev) == m->dev_minor) ||
	       (check == CHECK_INODE && has_own_numbers(fd));
}

/*
 * O_PATH first: opening a device or a FIFO for reading could have effects, looking at it has none.
 * Then the same file again by its descriptor.
 */
static int reopen_regular(int path_fd, const struct exec_map *m, enum check check,
			  const char **reason)
{
	char self[40];
	struct stat st;
	int fd;

	if (fstat(path_fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		*reason = "no regular file";
		return -1;
	}
	if (!is_mapped(path_fd, &st, m, check)) {
		*reason = "file replaced";
		return -1;
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		*reason = reason_of(errno);
	return fd;
}

/* The path as that process sees it (0: as we do). *has_root: its root could be entered. */
static int open_in_root(int pid, const char *path, bool *has_root)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	autoclose int root = -1;
	char dir[40] = "/";

	if (pid)
		snprintf(dir, sizeof(dir), "/proc/%d/root", pid);
	root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*has_root = root >= 0;
	if (root < 0)
		return -1;
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* For a process that is gone, or whose root is closed to us. */
static int open_elsewhere(int parent, const struct exec_map *m, const char **reason)
{
	int roots[] = { parent, 0 };
	bool has_root;
	size_t i;

	for (i = parent ? 0 : 1; i < ARRAY_LEN(roots); i++) {
		autoclose int fd = open_in_root(roots[i], m->path, &has_root);
		int file;

		if (fd < 0)
			continue;
		file = reopen_regular(fd, m, CHECK_ALL, reason);
		if (file >= 0)
			return file;
	}
	return -1;
}

int open_mapped(int pid, int parent, const struct exec_map *m, const char **reason)
{
	autoclose int fd = -1, linked = -1;
	bool has_root;
	char link[80];
	int file;

	snprintf(link, sizeof(link), "/proc/%d/map_files/%llx-%llx", pid,
		 (unsigned long long)m->start, (unsigned long long)m->end);
	linked = open(link, O_PATH | O_CLOEXEC);
	file = linked < 0 ? -1 : reopen_regular(linked, m, CHECK_LINK, reason);
	if (file >= 0)
		return file;
	fd = open_in_root(pid, m->path, &has_root);
	if (fd >= 0)
		return reopen_regular(fd, m, CHECK_INODE, reason);
	*reason = reason_of(errno);
	return has_root ? -1 : open_elsewhere(parent, m, reason);
}

/* The vdso carries its section headers behind its segments: its size is what they reach to. */
static size_t vdso_size(const Elf64_Ehdr *h)
{
	size_t end = h->e_shoff + (size_t)h->e_shentsize * h->e_shnum;

	return end > VDSO_MAX ? VDSO_MAX : end;
}

int open_vdso(const char **reason)
{
	const Elf64_Ehdr *h = (const void *)getauxval(AT_SYSINFO_EHDR);
	size_t size;
	int fd;

	*reason = "no vdso";
	if (!h || memcmp(h->e_ident, ELFMAG, SELFMAG))
		return -1;
	size = vdso_size(h);
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd < 0 || write(fd, h, size) != (ssize_t)size) {
		*reason = "no memory file";
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}
