/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The object files that processes map, each opened once, at first sight.
 *
 *   (device, inode) --> object, as long as its file keeps its size and time of change
 *
 * The open descriptor keeps the inode from being given to another file, as long
 * as anybody needs it. A file that was written to since becomes a new object.
 * The vdso is one object for all, anonymous code one for each process.
 */
#ifndef PROC_OBJECT_H
#define PROC_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "proc/maps.h"

#define OBJECTS_MAX 131072u
#define OBJECT_NONE UINT32_MAX

enum object_kind { OBJECT_FILE, OBJECT_VDSO, OBJECT_ANON };

struct object_file {
	enum object_kind kind;
	uint32_t dev_major, dev_minor;
	uint64_t inode;
	uint64_t start, end;		/* OBJECT_ANON: all its code lies between these */
	int pid;			/* OBJECT_ANON: whose */
	uint64_t serial;		/* OBJECT_ANON: which of the processes of that number */
	char *path;
	int fd;				/* readable; -1: see reason. May come later */
	const char *reason;		/* static text */
	bool changed;			/* written to since: fd no longer tells what was mapped */
	bool released;			/* fd was closed, as nobody needed it; the next who maps it has it opened */
	uint64_t size;			/* of the file when it was opened */
	int64_t mtime_ns;
	uint64_t checked_ns, wait_ns;	/* when it was looked at, and how long that is good for */
};

/* Who maps an object. */
struct object_owner {
	int pid;
	int parent;			/* whose root is tried when pid is gone; 0: none known */
	uint64_t serial;		/* tells apart the processes that had this pid */
};

struct objects;

struct objects *objects_new(void);
void objects_free(struct objects *os);

/*
 * The object behind a mapping, opened when new. A known one is looked at again (changed? can it be
 * opened now?) at most every few seconds. OBJECT_NONE: more than OBJECTS_MAX.
 */
uint32_t objects_of(struct objects *os, const struct object_owner *w, const struct exec_map *m,
		    uint64_t now_ns);

/* Closes the files of those that are not needed[i]; needed: of all of them. */
void objects_release(struct objects *os, const bool *needed);

size_t objects_count(const struct objects *os);

/* i < objects_count(); valid until the next objects_of(). */
const struct object_file *objects_get(const struct objects *os, uint32_t i);

/* Mappings that got OBJECT_NONE. */
uint64_t objects_refused(const struct objects *os);

#endif
