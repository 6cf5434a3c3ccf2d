/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/alloc.h"

#define TEMP_TRIES 64
#define NO_ID	   ((uid_t)-1)

struct outfile {
	int fd;
	int dir;	  /* the target's folder; -1: written directly */
	char *path;	  /* as given */
	const char *name; /* its last component */
	char temp[NAME_MAX + 1];
	uid_t uid;
	gid_t gid;
	int err; /* sticky */
};

static void outfile_free(struct outfile *of)
{
	if (of->fd >= 0)
		close(of->fd);
	if (of->dir >= 0)
		close(of->dir);
	free(of->path);
	free(of);
}

/* /dev/stdout and /dev/fd/3 are links to wherever the descriptor goes. */
static bool is_device(const char *path)
{
	return (!strncmp(path, "/dev/", 5) && strncmp(path, "/dev/shm/", 9)) ||
	       !strncmp(path, "/proc/", 6);
}

/*
 * The standard streams are duplicated, not opened anew: a second open of a
 * regular file would begin at offset 0, and a socket can't be opened at all.
 */
static int open_direct(const char *path, const struct stat *st)
{
	struct stat std;
	int fd;

	for (fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		if (!fstat(fd, &std) && std.st_dev == st->st_dev && std.st_ino == st->st_ino)
			return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	return open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
}

/* A name in the target's folder that nobody can guess: ".NAME.XXXXXX". */
static int make_temp(char temp[NAME_MAX + 1], int dir, const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	unsigned char random[6];
	char suffix[7];
	size_t i;
	int fd, tries;

	for (tries = 0; tries < TEMP_TRIES; tries++) {
		if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
			return -EIO;
		for (i = 0; i < sizeof(random); i++)
			suffix[i] = letters[random[i] % 32];
		suffix[i] = '\0';
		snprintf(temp, NAME_MAX + 1, ".%.*s.%s", NAME_MAX - 8, name, suffix);
		fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static int open_folder(struct outfile *of)
{
	autofree char *folder = NULL;
	size_t len = (size_t)(of->name - of->path);

	if (len > 1)
		len--; /* without the slash, but for "/" itself */
	folder = len ? strndup(of->path, len) : xstrdup(".");
	of->dir = open(folder ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (of->dir < 0 && (errno == ENOENT || errno == ENOTDIR))
		return fail_plain(-errno, "output folder %s does not exist", folder);
	if (of->dir < 0)
		return fail(-errno, "output folder %s", folder);
	of->fd = make_temp(of->temp, of->dir, of->name);
	if (of->fd < 0)
		return fail(of->fd, "create a file in folder %s", folder);
	return 0;
}

static int open_target(struct outfile *of)
{
	const char *path = of->path;
	struct stat st, target;
	bool exists = !lstat(path, &st);

	if (!*of->name)
		return fail_plain(-EISDIR, "output file %s: no file name", path);
	if (!stat(path, &target) && S_ISDIR(target.st_mode))
		return fail(-EISDIR, "output file %s", path);
	if (exists && S_ISBLK(st.st_mode))
		return fail_plain(-EINVAL, "output file %s is a block device", path);
	if (exists && is_device(path) && stat(path, &st))
		return fail(-errno, "open %s", path);
	/* a link elsewhere is replaced, not followed: a stranger may have put it there */
	if (!exists || ((S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) && !is_device(path)))
		return open_folder(of);
	of->fd = open_direct(path, &st);
	return of->fd < 0 ? fail(-errno, "open %s", path) : 0;
}

int outfile_open(struct outfile **out, const char *path)
{
	struct outfile *of = xcalloc(1, sizeof(*of));
	const char *slash;
	int err;

	of->fd = of->dir = -1;
	of->uid = NO_ID;
	of->gid = NO_ID;
	of->path = xstrdup(path);
	slash = strrchr(of->path, '/');
	of->name = slash ? slash + 1 : of->path;
	err = open_target(of);
	if (err) {
		outfile_free(of);
		return err;
	}
	*out = of;
	return 0;
}

static int write_some(struct outfile *of, const char *p, size_t len)
{
	struct pollfd pfd = { .fd = of->fd, .events = POLLOUT };
	ssize_t n;

	while (len) {
		n = write(of->fd, p, len);
		if (n >= 0) {
			p += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			poll(&pfd, 1, -1); /* a terminal or pipe that somebody set so */
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int outfile_write(struct outfile *of, const void *p, size_t len)
{
	if (!of->err)
		of->err = write_some(of, p, len);
	return of->err ? fail(of->err, "write %s", of->path) : 0;
}

void outfile_set_owner(struct outfile *of, uid_t uid, gid_t gid)
{
	of->uid = uid;
	of->gid = gid;
}

/*
 * The former file gets a second name, so that there is always one under its
 * own. Where links are refused (vfat; protected_hardlinks) it is renamed.
 */
static int keep_former(const struct outfile *of)
{
	char link_name[NAME_MAX + 1], old[NAME_MAX + 1];
	int fd, err;

	if (snprintf(old, sizeof(old), "%s.old", of->name) >= (int)sizeof(old))
		return fail(-ENAMETOOLONG, "keep %s as .old", of->path);
	if (faccessat(of->dir, of->name, F_OK, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : fail(-errno, "look at %s", of->path);
	fd = make_temp(link_name, of->dir, old);
	if (fd < 0)
		return fail(fd, "keep %s.old", of->path);
	close(fd);
	unlinkat(of->dir, link_name, 0);
	if (!linkat(of->dir, of->name, of->dir, link_name, 0)) {
		err = renameat(of->dir, link_name, of->dir, old) ? -errno : 0;
		/* still there when it failed, or when both already were one file */
		unlinkat(of->dir, link_name, 0);
	} else {
		err = renameat(of->dir, of->name, of->dir, old) ? -errno : 0;
	}
	return err ? fail(err, "keep %s as %s", of->path, old) : 0;
}

static int flush(struct outfile *of)
{
	int owned;

	/* a file system without owners (vfat) is no reason to lose the profile */
	if (of->uid != NO_ID) {
		owned = fchown(of->fd, of->uid, of->gid);
		(void)owned;
	}
	if (fsync(of->fd) && errno != EINVAL && errno != ENOTSUP)
		return fail(-errno, "write %s", of->path);
	return 0;
}

int outfile_commit(struct outfile *of, int keep_old)
{
	int err = of->err ? fail(of->err, "write %s", of->path) : 0;

	if (!err && of->dir >= 0) {
		err = flush(of);
		if (!err && keep_old)
			err = keep_former(of);
		if (!err && renameat(of->dir, of->temp, of->dir, of->name))
			err = fail(-errno, "rename to %s", of->path);
		if (!err)
			of->temp[0] = '\0';
	}
	outfile_abort(of);
	return err;
}

void outfile_unlink(const struct outfile *of)
{
	if (of->dir >= 0 && of->temp[0])
		(void)unlinkat(of->dir, of->temp, 0);
}

void outfile_abort(struct outfile *of)
{
	if (!of)
		return;
	if (of->dir >= 0 && of->temp[0])
		unlinkat(of->dir, of->temp, 0);
	outfile_free(of);
}

/* What fstat() says of its size is a hint only: files of /proc have none. */
static size_t size_hint(int fd, size_t limit)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return 4096;
	return (uint64_t)st.st_size < limit ? (size_t)st.st_size + 1 : limit;
}

int read_all(int fd, size_t limit, char **data, size_t *len)
{
	size_t cap = 0, n = 0, want = size_hint(fd, limit);
	autofree char *p = NULL;
	ssize_t got;

	for (;;) {
		grow(&p, &cap, want + 1, 1);
		got = read(fd, p + n, cap - 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(-errno, "read");
		if (!got)
			break;
		n += (size_t)got;
		if (n > limit)
			return fail_plain(-EFBIG, "larger than %zu bytes", limit);
		if (n == cap - 1)
			want = cap;
	}
	p[n] = '\0';
	*data = p;
	*len = n;
	p = NULL;
	return 0;
}

int read_file(const char *path, size_t limit, char **data, size_t *len)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int err;

	if (fd < 0)
		return fail(-errno, "open %s", path);
	err = read_all(fd, limit, data, len);
	return err ? fail_in(err, "%s", path) : 0;
}

int read_line(const char *path, char *buf, size_t cap)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t got = 1;
	size_t n = 0;

	buf[0] = '\0';
	if (fd < 0)
		return fail(-errno, "open %s", path);
	while (got && n < cap) {
		got = read(fd, buf + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || n + (size_t)got >= cap) {
			buf[0] = '\0';
			return fail(got < 0 ? -errno : -EFBIG, "read %s", path);
		}
		n += (size_t)got;
	}
	if (n && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return 0;
}
