/* SPDX-License-Identifier: BSD-2-Clause */
/* Profile <-> bytes. Each format is one file. */
#ifndef FORMAT_FORMAT_H
#define FORMAT_FORMAT_H

#include "base/file.h"
#include "base/text.h"
#include "model/hotspot.h"
#include "model/profile.h"

/* What a reader takes at most, whoever made the file: beyond any of these it is refused. */
#define FORMAT_MAX_INFLATED (1ull << 31)	/* bytes after gunzip */
#define FORMAT_MAX_PACKED (1ull << 30)		/* bytes of the file itself */
#define FORMAT_MAX_MESSAGE (1u << 20)		/* bytes of one sub-message, or of one string */
#define FORMAT_MAX_STRING (1u << 16)		/* longer strings are cut, not refused */
#define FORMAT_MAX_UNPACKED (32u << 20)		/* memory that one unpacked sub-message takes */
#define FORMAT_MAX_SAMPLES (1u << 25)
#define FORMAT_MAX_VALUES (1u << 27)		/* samples x columns */
#define FORMAT_MAX_TABLE (1u << 24)		/* mappings, locations, functions, strings: each */
#define FORMAT_MAX_LINES (1u << 25)		/* of all locations */
#define FORMAT_MAX_STACKS (1u << 26)		/* nodes of the stacks' prefix tree */
#define FORMAT_MAX_LABELS 256			/* of one sample */
#define FORMAT_MAX_LABEL_POOL (1u << 26)	/* of all different label sets */
#define FORMAT_MAX_COMMENTS (1u << 16)

/* Gzipped pprof; streamed, one sub-message at a time. Fails only where the file does. */
int pprof_write(const struct profile *p, struct outfile *of) must_check;

/*
 * Reads any producer's pprof (gzip, several members, or plain) from fd. `name` is for messages.
 * On failure *out is untouched, and the text says what is wrong and where.
 */
int pprof_read(int fd, const char *name, struct profile **out) must_check;

/* Folded stacks, root first: "process;main;work_[k] 12". */
enum folded_unit { FOLDED_SAMPLES, FOLDED_NS };

/* The column that folded_print() counts in; -1 when the profile has none of that unit. */
int folded_column(const struct profile *p, enum folded_unit unit);

/*
 * Sorted lines, equal ones merged. The first frame is the process (label "process", else "comm",
 * else none). A profile without the column gives no lines; neither do stacks that count 0.
 */
void folded_print(const struct profile *p, const struct hotspot_query *q, enum folded_unit unit,
		  struct buf *out);

/* "dwell.hotspots/1"; the same profile and query give the same bytes. */
void hotspots_json(const struct profile *p, const struct hotspots *h, struct buf *out);

#endif
