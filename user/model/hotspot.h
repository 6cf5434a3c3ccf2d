/* SPDX-License-Identifier: BSD-2-Clause */
/* The hotspot rows of a profile: who uses the time, itself and with its callees. */
#ifndef MODEL_HOTSPOT_H
#define MODEL_HOTSPOT_H

#include <regex.h>
#include <stddef.h>
#include <stdint.h>

#include "model/profile.h"

enum hotspot_by { BY_FUNCTION, BY_MODULE, BY_THREAD, BY_PROCESS };
enum hotspot_sort { SORT_SELF, SORT_TOTAL };

/* Of native profiles: time on the CPU, off it, both. */
enum hotspot_kind { KIND_DEFAULT, KIND_CPU, KIND_OFF, KIND_ALL };

struct hotspot_query {
	enum hotspot_kind kind;		/* DEFAULT: the profile's default column */
	enum hotspot_by by;
	enum hotspot_sort sort;
	uint32_t limit;			/* 0: all */
	const regex_t *focus;		/* keep samples that match (model/select.h); NULL: all */
	const regex_t *ignore;		/* drop samples that match */
};

struct hotspot {
	char *symbol, *module;		/* owned by the hotspots; "-" where there is none */
	const char *category;		/* "cpu", or a foreign profile's type: "inuse_space" */
	int64_t self_ns, total_ns;	/* in the ranked column's unit when that is no time */
	int64_t self_samples, total_samples;
	int64_t self_error_ns, total_error_ns;	/* with KIND_OFF: one standard error of the sampling of waits */
};

struct hotspots {
	struct hotspot *row;		/* [nr], best first; ties: other sum, symbol, module */
	size_t nr;			/* rows kept (<= limit) */
	size_t nr_hidden;		/* rows that the limit cut off */
	int64_t hidden_self, hidden_self_samples;
	int64_t base, base_samples;	/* what 100 % is: the samples that focus and ignore left */
	int64_t base_error_ns;		/* as of the rows */
	int64_t all, all_samples;	/* the whole profile */
	int value_column, count_column;	/* -1 when the profile has no count column */
	bool off;			/* rows are of waits: they have errors */
	bool filtered;			/* focus or ignore was given: base is not all */
};

/* What a profile is about where nobody says: waits, if it has nothing else. */
enum hotspot_kind hotspots_kind(const struct profile *p);

/* What a sample of a native profile is in this kind of time (not DEFAULT): ns, and how many; no number of ALL. */
int64_t hotspots_ns(const struct profile *p, enum hotspot_kind kind, size_t sample);
int64_t hotspots_count(const struct profile *p, enum hotspot_kind kind, size_t sample);

/*
 * A function that recurs in one stack counts once in its total. Unnamed frames of one module at
 * one address are one row each; with inlined lines each line is a function of its own. Frames of
 * MAPPING_SPECIAL are a row's only where they are the leaf. Samples without a stack: "[no stack]".
 *
 *   by        symbol               module
 *   FUNCTION  function             module
 *   MODULE    module               module, "-" for none
 *   THREAD    "comm (tid)"         process, "-" when not known     self == total
 *   PROCESS   "process (pid)"      "-"                             self == total
 *
 * The labels comm, tid, process and pid may be missing: then what is there, or "[no thread
 * label]".
 */
void hotspots_find(const struct profile *p, const struct hotspot_query *q, struct hotspots *out);
void hotspots_done(struct hotspots *h);

#endif
