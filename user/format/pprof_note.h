/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pprof has no field for is kept in its comments, in lines that a person
 * can read too (pprof shows them above its tables):
 *
 *   dwell: host=db1                          one line for each text of struct meta
 *   dwell: cpus=2 freq=99 processes=3 threads=21 worker_deaths=0
 *   dwell: cpu_changes=2 cpus_missing=0 suspended_ns=0 throttled_hz=0    where something of it happened
 *   dwell: ledger ticks=1974 counted=1402 idle=568 filtered=0 self=4 missed=0 lost.ring-full=0
 *   dwell: times ...                         format/pprof_times.h
 *   dwell: mapping kind=file unnamed=no symbols build_id=ab12 file=/usr/lib/libc.so.6
 *
 * The last kind only for mappings that are unnamed or not what their file's
 * name says. Anybody can write such lines, so nothing is believed: numbers are
 * parsed whole, texts cut, and a ledger that its samples contradict is dropped.
 */
#ifndef FORMAT_PPROF_NOTE_H
#define FORMAT_PPROF_NOTE_H

#include <stdbool.h>

#include "base/strtab.h"
#include "model/profile.h"

struct mapping_note {
	uint32_t file, build_id;	/* strings: of which mapping */
	uint32_t unnamed;		/* string */
	uint8_t kind;
};

struct pprof_notes {
	struct mapping_note *mapping;	/* sorted by file, build_id after pprof_notes_sort() */
	size_t nr_mapping, cap_mapping;
	bool several_times, several_waits;	/* more than one account of threads' time, of waits */
};

/* The kind that a mapping's file name speaks of. */
enum mapping_kind pprof_kind(const char *file);

/* Adds the lines to `lines`, in a fixed order. */
void pprof_notes_write(const struct profile *p, struct strtab *lines);

/* Takes one comment into p's meta and ledger, or into notes. False: it is none of ours. */
bool pprof_note_read(struct profile *p, struct pprof_notes *notes, const char *line);

void pprof_notes_sort(struct pprof_notes *notes);

/* NULL when there is no note on such a mapping. */
const struct mapping_note *pprof_notes_find(const struct pprof_notes *notes, uint32_t file,
					    uint32_t build_id);

void pprof_notes_done(struct pprof_notes *notes);

#endif
