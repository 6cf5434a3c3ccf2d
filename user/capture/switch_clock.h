/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock that switches are accounted by, as their program leaves it per CPU: it can be read only where one was. */
#ifndef CAPTURE_SWITCH_CLOCK_H
#define CAPTURE_SWITCH_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/threads.h"

/* How long, in us, what was stored before a nap takes to be seen by each switch that begins after it. */
#define SWITCH_SETTLE_US 200

/* What the newest switch says that the time is, ns. The caller's own nap makes one. */
uint64_t switch_clock_newest(const struct wire_hot *hot, int nr_cpus);

/* How far CLOCK_MONOTONIC is ahead of it, ns, where no account is on. */
uint64_t switch_clock_lead(const struct wire_hot *hot, int nr_cpus);

/* All CPUs account from there on; whether they do. */
void switch_clock_set_from(struct wire_switches *cpu, int nr_cpus, uint64_t from);
void switch_clock_set_on(struct wire_hot *hot, int nr_cpus, bool on);

/* Who comes to a CPU while no account is on says so in his slot. */
void switch_clock_set_noting(struct wire_switches *cpu, int nr_cpus, bool noting);

/* Until no CPU is within a switch that began with what was set before. */
int switch_clock_settle(const struct wire_hot *hot, int nr_cpus) must_check;

#endif
