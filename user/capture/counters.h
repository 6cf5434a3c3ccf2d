/* SPDX-License-Identifier: BSD-2-Clause */
/* The per-CPU counters of the sampler, read while it runs, and the ledger made of them. */
#ifndef CAPTURE_COUNTERS_H
#define CAPTURE_COUNTERS_H

#include "base/error.h"
#include "bpf/wire.h"
#include "model/ledger.h"

/* A consistent copy of one CPU's counters. -EAGAIN: the program kept running into it. */
int counters_read(const struct wire_cpu *live, struct wire_cpu *copy) must_check;

/* Does each run of the program have one bucket? -EBADE after fail_plain() otherwise. */
int counters_check(const struct wire_cpu *c, int cpu) must_check;

/* Adds one CPU's counters to the ledger; ticks: of the event itself. */
void counters_ledger(const struct wire_cpu *c, uint64_t ticks, struct ledger *l);

#endif
