/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The second half of reading a pprof file. Samples may come before what they
 * refer to, so the sub-messages are first held as they were, packed (they are
 * nowhere smaller), and unpacked one at a time when all of them are there.
 */
#ifndef FORMAT_PPROF_BUILD_H
#define FORMAT_PPROF_BUILD_H

#include "base/text.h"
#include "model/profile.h"

/* Field numbers of perftools.profiles.Profile. */
enum pprof_field {
	PPROF_SAMPLE_TYPE = 1,
	PPROF_SAMPLE,
	PPROF_MAPPING,
	PPROF_LOCATION,
	PPROF_FUNCTION,
	PPROF_STRING_TABLE,
	PPROF_DROP_FRAMES,
	PPROF_KEEP_FRAMES,
	PPROF_TIME_NANOS,
	PPROF_DURATION_NANOS,
	PPROF_PERIOD_TYPE,
	PPROF_PERIOD,
	PPROF_COMMENT,
	PPROF_DEFAULT_SAMPLE_TYPE,
	PPROF_DOC_URL,
	PPROF_FIELDS
};

/* Sub-messages of one kind: each is a u32 length and its bytes. */
struct held {
	struct buf bytes;
	uint32_t nr;
};

struct pprof_parts {
	const char *name;		/* of the file, for messages */
	struct profile *p;		/* has the strings, and nothing else yet */
	struct held held[PPROF_FIELDS];	/* by field number */
	uint64_t number[PPROF_FIELDS];	/* fields that are one number */
	uint32_t *string;		/* [nr_strings]: the file's string index -> ours */
	size_t nr_strings, cap_strings;
	uint64_t *comment;		/* [nr_comments]: the file's string indexes */
	size_t nr_comments, cap_comments;
};

/* Fills p from the rest. -EBADMSG after fail_plain() when the parts don't fit each other. */
int pprof_build(struct pprof_parts *parts) must_check;

#endif
