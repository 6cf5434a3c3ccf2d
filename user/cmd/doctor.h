/* SPDX-License-Identifier: BSD-2-Clause */
/* What `dwell doctor` finds: a list of checks, each with a verdict and, for a lack, its cure. */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "model/ledger.h"

enum verdict { VERDICT_YES, VERDICT_LIMITED, VERDICT_NO, VERDICT_UNKNOWN };

struct check {
	const char *name; /* static text */
	enum verdict verdict;
	bool needed;		    /* nothing can be recorded without it */
	struct buf text, note, fix; /* lines without their ends; note and fix may be empty */
};

/* A capability that dwell uses. */
struct right {
	unsigned int cap;
	const char *name; /* as setcap wants it: "cap_bpf" */
	const char *use;
	bool to_sample; /* not only for names */
	bool held;
};

/* One CPU in the trial. */
struct trial_cpu {
	int cpu;
	struct ledger ledger;
};

struct trial {
	bool done;
	uint32_t freq_hz;
	uint64_t open_ns; /* to load and attach */
	int64_t duration_ns;
	bool uses_slots;
	int busy_cpu; /* the one that doctor itself kept busy; -1: unknown */
	struct ledger ledger;
	struct trial_cpu *cpu;
	size_t nr_cpus;
};

/* A BPF program that the kernel took, and the instructions that its verifier went through. */
struct trial_program {
	char name[32];
	uint32_t verified; /* 0: unknown */
};

struct checkup {
	struct check *check;
	size_t nr, cap;
	struct trial trial;
	struct trial_program *program;
	size_t nr_programs;
	struct right *right; /* NR_RIGHTS of them, in doctor_system.c's order */
	size_t nr_rights;
	int paranoid; /* kernel.perf_event_paranoid; 2 where it is unknown */
	bool sys_admin;
};

/* A new row; valid until the next one. */
struct check *checkup_add(struct checkup *c, const char *name, enum verdict verdict);
void checkup_done(struct checkup *c);

/* How to get all rights: "sudo setcap ... /path/of/dwell", or what a container needs. */
void checkup_put_rights_fix(const struct checkup *c, struct buf *out);

/* What the kernel says of itself and of this process: rows from `kernel` to `PID namespace`. */
void check_system(struct checkup *c);

/* What is tried: rows from `kernel names` to `sampling`. */
void check_by_trial(struct checkup *c);

#endif
