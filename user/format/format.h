/* SPDX-License-Identifier: BSD-2-Clause */
/* Profile <-> bytes. Each format is one file and one row in format_table. */
#ifndef FORMAT_FORMAT_H
#define FORMAT_FORMAT_H

#include "base/file.h"
#include "base/text.h"
#include "model/hotspot.h"
#include "model/profile.h"

/* Inflated size of an input beyond which it is refused, and of a packed one. */
#define FORMAT_MAX_INFLATED (1ull << 31)
#define FORMAT_MAX_PACKED (1ull << 30)

/* Gzipped pprof; streamed, one sub-message at a time. Fails only where the file does. */
int pprof_write(const struct profile *p, struct outfile *of) must_check;

/*
 * Reads any producer's pprof (gzip, several members, or plain) from fd. `name` is for messages.
 * On failure *out is untouched, and the text says what is wrong and where.
 */
int pprof_read(int fd, const char *name, struct profile **out) must_check;

/* Folded stacks, root first: "process;main;work_[k] 12". */
enum folded_unit { FOLDED_SAMPLES, FOLDED_NS };
void folded_print(const struct profile *p, const struct hotspot_query *q, enum folded_unit unit,
		  struct buf *out);

/* "dwell.hotspots/1"; the same profile and query give the same bytes. */
void hotspots_json(const struct profile *p, const struct hotspots *h, struct buf *out);

#endif
