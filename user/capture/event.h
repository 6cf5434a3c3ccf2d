/* SPDX-License-Identifier: BSD-2-Clause */
/* The sampling events: one cpu-clock event per CPU. */
#ifndef CAPTURE_EVENT_H
#define CAPTURE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Highest CPU number + 1 that this kernel may ever have. */
int event_possible_cpus(void) must_check;

/* Marks the CPUs that are online now (as ranges: "0-3,6"). Returns how many. */
int event_online_cpus(bool *online, int nr_cpus) must_check;

/* Sets those of a list like "0-3,6" that are below nr_cpus (online NULL: none). Returns their number; -EINVAL: no list. */
int event_cpu_list(const char *list, bool *online, int nr_cpus) must_check;

/* Does it take CAP_SYS_ADMIN here, which is more than CAP_PERFMON? (kernel.perf_event_paranoid above 2.) */
bool event_needs_admin(void);

/* A disabled cpu-clock event on this CPU that runs the program each period. Returns its descriptor. */
int event_open(int cpu, uint64_t period_ns, int prog_fd) must_check;

int event_enable(int fd) must_check;
int event_disable(int fd) must_check;

/* The event's own count: ns that it was enabled. */
int event_count(int fd, uint64_t *count) must_check;

/* Could hardware count this process's own cycles? 0, or -errno without a kept text (-ENOENT: no counter). */
int event_probe_cycles(void) must_check;

/* /proc/sys/kernel/perf_event_max_sample_rate, 0 when unknown. */
uint32_t event_max_rate(void);

#endif
