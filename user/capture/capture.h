/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampling: the only room that sees libbpf and perf_event_open. Loads the
 * programs, opens one event per CPU, drains the per-CPU rings by mmap into a
 * profile, and keeps the ledger (law L1), which it checks at every drain.
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/glob.h"
#include "base/loop.h"
#include "capture/waits.h"
#include "model/profile.h"
#include "proc/kallsyms.h"
#include "proc/object.h"

#define CAPTURE_MIN_RING 4096u
#define CAPTURE_MAX_RING (64u << 20)

struct capture_config {
	uint32_t freq_hz;
	bool take_user, take_kernel;	/* parts of the stacks */
	uint32_t max_user;		/* frames of a user stack; 0: WIRE_MAX_USER */
	uint32_t ring_bytes;		/* per CPU, a power of two >= CAPTURE_MIN_RING; 0: fits the rate */
	bool only_targets;		/* count only what capture_target() names, and its children */
	bool only_threads;		/* only what capture_thread() names */
	bool only_cgroups;		/* only what is in those that capture_cgroup() names */
	const struct glob *comms;	/* only threads with such a name; NULL: all */
	const char *cpus;		/* only ticks and ends of waits on these ("0-3,6"); NULL: all */
	bool take_ticks;		/* sample where the CPU time goes */
	bool account;			/* of each thread's time, and its waits sampled by their length */
	struct waits_config waits;
	size_t max_stacks;		/* profile_limit() of each profile; 0: none */
	bool count_verified;		/* for capture_program() */
	struct worker *worker;		/* makes unwind rows; the caller's */
};

struct capture;

/*
 * Loads the programs and prepares everything but the start. The profile gets the native columns.
 * kallsyms (NULL: none) tells modules apart. Errors name what is missing and the cure.
 */
int capture_open(struct capture **out, const struct capture_config *cfg, struct profile *p,
		 const struct kallsyms *k) must_check;
void capture_close(struct capture *c);

/*
 * A process to count, with its present and coming children; before or after the start.
 * from_exec: only from its next execve() on. -ESRCH: no such process.
 */
int capture_target(struct capture *c, pid_t pid, bool from_exec) must_check;

/* A thread to count. Returns the process it belongs to. -ESRCH: no such thread. */
pid_t capture_thread(struct capture *c, pid_t tid) must_check;

/* The tid that it has now: an execve() may have given it another. No system call. */
pid_t capture_thread_now(const struct capture *c, pid_t tid);

/* A cgroup (cgroup_find()'s name) to count, with all below it. */
int capture_cgroup(struct capture *c, const char *name) must_check;

/* Ticks in this process are dwell's own (bucket `self`). */
void capture_self(struct capture *c, pid_t pid);

/* That one has ended and been waited for: two drains later its number is anybody's. */
void capture_self_ended(struct capture *c, pid_t pid);

/* And so are those of the process that writes a profile; 0: there is none. */
void capture_writer(struct capture *c, pid_t pid);

/* Ticks begin. */
int capture_start(struct capture *c) must_check;

/* Reads what the rings hold into the profile, and checks the ledger: -EBADE says that it does not close. */
int capture_drain(struct capture *c) must_check;

/* Ticks end; last drain; the profile gets its ledger, duration and what unwinding took. */
int capture_stop(struct capture *c) must_check;

/* fn(ctx, ...) in this loop when the rings fill faster than the drain period would read them. */
int capture_watch(struct capture *c, struct loop *l, loop_fn fn, void *ctx) must_check;

/* How long to wait before the next drain, ns. */
uint64_t capture_drain_period(const struct capture *c);

/* Ticks counted so far. */
uint64_t capture_counted(const struct capture *c);

/* CPUs sampled. */
uint32_t capture_cpus(const struct capture *c);

/* Highest CPU number + 1 that this kernel may ever have. */
int capture_max_cpus(const struct capture *c);

/* After capture_stop(): what became of one CPU's ticks since the last cut. 1, or 0 when it was not sampled. */
int capture_cpu_ledger(const struct capture *c, int cpu, struct ledger *l) must_check;

/* Is a task known by what the switch program left (5.10), and not by itself? */
bool capture_uses_slots(const struct capture *c);

/* A program that was loaded, and with count_verified the instructions that the kernel's verifier took. */
struct capture_program {
	const char *name;
	uint32_t verified;		/* 0: unknown */
};

/* The i-th of them; 0, or -1 behind the last. */
int capture_program(const struct capture *c, size_t i, struct capture_program *p);

/* Children (processes, cgroups) that were not followed, since the table of wanted ones was full. */
uint64_t capture_not_followed(const struct capture *c);

/*
 * The profile ends here and `next`, an empty one, begins, without a gap. The former one still gets samples that
 * wait for unwind tables, at most for some seconds: as long as capture_former_waits() says so, and until
 * capture_former_settle(), which adds them as they are. Then, before the next cut, capture_former_done().
 */
int capture_cut(struct capture *c, struct profile *next) must_check;
bool capture_former_waits(const struct capture *c);
void capture_former_settle(struct capture *c);
void capture_former_done(struct capture *c);

/*
 * The objects that were sampled, of the former profile while there is one: a mapping of the profile and its file,
 * valid until the next drain. i < capture_nr_objects().
 */
size_t capture_nr_objects(const struct capture *c);
const struct object_file *capture_object(const struct capture *c, size_t i, uint32_t *mapping);

#endif
