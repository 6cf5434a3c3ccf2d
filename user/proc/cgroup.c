/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/cgroup.h"

#include <errno.h>
#include <fts.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/alloc.h"
#include "base/text.h"

/* Where the v2 hierarchy is mounted: for free(); NULL: nowhere. */
static char *find_mount(void)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	char *dir = NULL;
	struct mntent *m;

	if (!f)
		return NULL;
	while (!dir && (m = getmntent(f)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			dir = xstrdup(m->mnt_dir);
	endmntent(f);
	return dir;
}

enum kind { KIND_NONE, KIND_V1, KIND_V2 };

static enum kind kind_of(const char *path)
{
	struct statfs fs;
	struct stat st;

	if (statfs(path, &fs) || stat(path, &st) || !S_ISDIR(st.st_mode))
		return KIND_NONE;
	return fs.f_type == CGROUP2_SUPER_MAGIC ? KIND_V2 : fs.f_type == CGROUP_SUPER_MAGIC ? KIND_V1 : KIND_NONE;
}

int cgroup_each(const char *path, cgroup_fn fn, void *ctx)
{
	char *const roots[] = { (char *)path, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *e;
	int r = 0;

	if (!fts)
		return fail(-errno, "read %s", path);
	/* one that goes meanwhile is no error */
	while (!r && (e = fts_read(fts)))
		if (e->fts_info == FTS_D)
			r = fn(ctx, e->fts_statp->st_ino, e->fts_path);
	fts_close(fts);
	return r;
}

struct search {
	uint64_t id;
	char *path;
};

static int match_id(void *ctx, uint64_t id, const char *path)
{
	struct search *s = ctx;

	if (id != s->id)
		return 0;
	s->path = xstrdup(path);
	return 1;
}

static int find_id(const char *mount, uint64_t id, char **path)
{
	struct search s = { .id = id };
	int r = cgroup_each(mount, match_id, &s);

	if (r < 0)
		return r;
	if (!s.path)
		return fail_plain(-ENOENT, "no cgroup has the id %llu", (unsigned long long)id);
	*path = s.path;
	return 0;
}

/* "/a/b" and "a/b" below the mount. */
static int find_below(const char *mount, const char *name, char **path)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s/%s", mount, name + strspn(name, "/"));
	if (kind_of(buf_text(&b)) != KIND_V2) {
		buf_done(&b);
		return fail_plain(-ENOENT, "no cgroup '%s', neither as a folder nor below %s", name, mount);
	}
	*path = b.data;
	return 0;
}

int cgroup_find(const char *name, char **path)
{
	autofree char *mount = find_mount();
	enum kind kind = kind_of(name);
	uint64_t id;

	if (!*name)
		return fail_plain(-ENOENT, "a cgroup needs a name");
	if (kind == KIND_V2) {
		*path = xstrdup(name);
		return 0;
	}
	if (kind == KIND_V1)
		return fail_plain(-EINVAL, "%s is a cgroup of a v1 hierarchy: tasks are told apart by those of v2%s%s", name,
				  mount ? ", which are below " : ", which is not mounted here", mount ? mount : "");
	if (!mount)
		return fail_plain(-ENOENT, "no cgroup '%s': no cgroup2 file system is mounted here", name);
	if (!parse_u64(name, &id))
		return find_id(mount, id, path);
	return find_below(mount, name, path);
}
