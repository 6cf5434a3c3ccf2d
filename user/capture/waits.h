/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampled waits: what each CPU's switch program decides by, what became of the waits that it saw (law L1), and the
 * rings by which it asks for interrupts.
 */
#ifndef CAPTURE_WAITS_H
#define CAPTURE_WAITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/waits.h"
#include "model/profile.h"

struct sampler_bpf;
struct waits;

struct waits_config {
	uint64_t period_ns;		/* T: waits as long are kept for certain; 0: all are */
	uint64_t budget_ns;		/* of walking in a second of each CPU; 0: unlimited */
	uint64_t min_ns;		/* shorter ones are one row together */
};

/* Maps what the loaded programs keep. wanted: [nr_cpus], where ends of waits count. */
int waits_open(struct waits **out, const struct sampler_bpf *skel, const bool *wanted, int nr_cpus,
	       struct waits_config cfg) must_check;
void waits_close(struct waits *w);

/* A CPU has come: ends of waits count there, too. */
int waits_open_cpu(struct waits *w, int cpu) must_check;

/* Makes room in the rings. No system call. */
void waits_read(struct waits *w);

/*
 * While nothing is accounted: what this CPU has so far is the profile's. An interrupt may still come: the copy is
 * true as long as none did since.
 */
void waits_copy(struct waits *w, int cpu);
bool waits_copy_is_true(const struct waits *w, int cpu) must_check;

/*
 * The profile gets the ledger of waits, and those without a stack, up to the copies of all CPUs and from those of
 * the call before on. last: no interrupt that is still due will be heard.
 */
int waits_close_ledger(struct waits *w, struct profile *p, bool last) must_check;

#endif
