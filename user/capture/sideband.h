/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own account of processes and mappings: a dummy event per CPU
 * with mmap2, task and comm records, in a ring of its own, read by mmap and
 * before the samples. Times are CLOCK_MONOTONIC, as the samples' are.
 * Needs CAP_PERFMON.
 */
#ifndef CAPTURE_SIDEBAND_H
#define CAPTURE_SIDEBAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "proc/images.h"

struct sideband;

/*
 * One ring per CPU that is online; records begin now. wake: its descriptors become readable with
 * each record; else when the ring is half full.
 */
int sideband_open(struct sideband **out, const bool *online, int nr_cpus, bool wake) must_check;
void sideband_close(struct sideband *s);

/* A CPU has come, maybe back. The ring of one that has gone is read as before, until then. */
int sideband_open_cpu(struct sideband *s, int cpu) must_check;

/*
 * Does the event of that CPU, which is online, still tell of what happens there? False: the CPU went and came since
 * the last such look, or has no ring. It takes a system call, and an interrupt on that CPU.
 */
bool sideband_lives(struct sideband *s, int cpu);

/* The descriptor of a CPU's ring for an event loop, -1 where it has none. */
int sideband_fd(const struct sideband *s, int cpu);

/*
 * Applies all records so far, of all CPUs in order of time, to the images. Returns how many. Makes
 * no system call where there are none.
 */
int sideband_read(struct sideband *s, struct images *im) must_check;

/* All records up to this time have been applied. A later sample wants sideband_read() before it. */
uint64_t sideband_time(const struct sideband *s);

/* Records that did not fit into a ring, or were not to be understood. */
uint64_t sideband_lost(const struct sideband *s);

#endif
