/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The account of threads' time in comments. pprof hides those that begin with '#', as there is one per thread:
 *
 *   dwell: times window=10000000000 idle=... other=... switches=... full=0 full_ns=0 repaired=0 negative=0
 *   # dwell: thread pid=1 tid=2 task=... stolen=... runqueue=... blocked=... alive=... comm=a name
 *
 * Who merges files has several accounts, of different windows: none is kept then.
 */
#ifndef FORMAT_PPROF_TIMES_H
#define FORMAT_PPROF_TIMES_H

#include "format/pprof_note.h"

#define PPROF_THREAD "# dwell: thread "

void pprof_times_write(const struct profile *p, struct strtab *lines);

/* What follows "dwell: times ", and PPROF_THREAD. False: it is none of ours. */
bool pprof_times_read(struct profile *p, struct pprof_notes *notes, const char *pairs);
bool pprof_thread_read(struct profile *p, struct pprof_notes *notes, const char *pairs);

#endif
