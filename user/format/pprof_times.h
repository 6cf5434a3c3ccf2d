/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger of waits and the account of threads' time in comments. pprof hides those that begin with '#', as there is one per thread:
 *
 *   dwell: waits period=10000000 seen.n=... seen.ns=... below.n=... ... walked=... stackless=0
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

/* What follows "dwell: waits ", "dwell: times ", and PPROF_THREAD. False: it is none of ours. */
bool pprof_waits_read(struct profile *p, struct pprof_notes *notes, const char *pairs);
bool pprof_times_read(struct profile *p, struct pprof_notes *notes, const char *pairs);
bool pprof_thread_read(struct profile *p, struct pprof_notes *notes, const char *pairs);

#endif
