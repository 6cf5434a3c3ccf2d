/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of doctor that tries: everything that `dwell record` will do, once and briefly. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "capture/capture.h"
#include "capture/event.h"
#include "cmd/doctor.h"
#include "proc/maps.h"
#include "proc/open.h"
#include "worker/worker.h"

#define TRIAL_HZ      999
#define TRIAL_NS      (100 * NSEC_PER_MSEC)
#define TRIAL_RING    (256u << 10)
#define MAX_PROCESSES 4096
#define STATUS_LIMIT  (64u << 10)

static struct kallsyms *check_kernel_names(struct checkup *c)
{
	struct kallsyms *k = NULL;
	int e = kallsyms_open(&k, "/proc/kallsyms");
	struct check *row = checkup_add(c, "kernel names", e ? VERDICT_LIMITED : VERDICT_YES);
	char restrict_to[16], digits[32];

	if (read_line("/proc/sys/kernel/kptr_restrict", restrict_to, sizeof(restrict_to)) < 0)
		snprintf(restrict_to, sizeof(restrict_to), "unknown");
	if (!e) {
		buf_printf(&row->text, "%s functions (kernel.kptr_restrict %s)",
			   group_digits(digits, (int64_t)kallsyms_count(k)), restrict_to);
		return k;
	}
	buf_printf(&row->text, "kernel functions stay unnamed: %s", error_text());
	if (!strcmp(restrict_to, "2"))
		buf_puts(&row->fix, "sudo sysctl kernel.kptr_restrict=1");
	else if (e == -EACCES || e == -EPERM)
		checkup_put_rights_fix(c, &row->fix);
	return NULL;
}

/* May a process's maps be read? 1, 0 when not; -1: it is gone, or has none (kernel threads). */
static int may_read_maps(const char *pid)
{
	autoclose int fd = -1;
	char path[300], byte;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES || errno == EPERM ? 0 : -1;
	return read(fd, &byte, 1) == 1 ? 1 : -1;
}

static bool holds(const struct checkup *c, unsigned int cap)
{
	size_t i;

	for (i = 0; i < c->nr_rights; i++)
		if (c->right[i].cap == cap)
			return c->right[i].held;
	return false;
}

static void check_processes(struct checkup *c)
{
	struct check *row = checkup_add(c, "processes", VERDICT_YES);
	unsigned int readable = 0, closed = 0;
	struct dirent *e;
	DIR *d = opendir("/proc");

	if (!d) {
		row->verdict = VERDICT_NO;
		buf_printf(&row->text, "cannot list /proc: %s", strerror(errno));
		return;
	}
	while ((e = readdir(d)) && readable + closed < MAX_PROCESSES) {
		int r = *e->d_name >= '1' && *e->d_name <= '9' ? may_read_maps(e->d_name) : -1;

		readable += r == 1;
		closed += r == 0;
	}
	closedir(d);
	buf_printf(&row->text, "the mappings of %u of %u can be read", readable, readable + closed);
	if (!closed)
		return;
	row->verdict = VERDICT_LIMITED;
	buf_puts(&row->note,
		 "stacks of the others are cut off at the kernel: [truncated: no permission]");
	if (!holds(c, CAP_SYS_PTRACE))
		checkup_put_rights_fix(c, &row->fix);
}

/* Can a file be had by /proc/PID/map_files, where its path leads elsewhere or nowhere? */
static void check_map_files(struct checkup *c)
{
	autofree struct exec_map *map = NULL;
	autofree char *text = NULL;
	struct check *row;
	char link[80];
	size_t n, i;
	int e = maps_read(getpid(), &text, &map, &n), fd = -1, err = ENOENT;

	for (i = 0; !e && fd < 0 && i < n; i++) {
		if (!map[i].inode)
			continue;
		snprintf(link, sizeof(link), "/proc/self/map_files/%" PRIx64 "-%" PRIx64,
			 map[i].start, map[i].end);
		fd = open(link, O_PATH | O_CLOEXEC);
		err = errno;
	}
	row = checkup_add(c, "map_files", fd >= 0 ? VERDICT_YES : VERDICT_LIMITED);
	if (fd >= 0) {
		buf_puts(&row->text, "programs are opened by their mapping, deleted ones too");
		close(fd);
		return;
	}
	buf_printf(&row->text, "%s: programs whose file was deleted or replaced stay unnamed",
		   strerror(err));
	if (err != ENOENT)
		checkup_put_rights_fix(c, &row->fix);
}

/* Names one address of the object at fd. 0: it could be read; else the error's text is kept. */
static int try_object(struct worker *w, int fd, struct object_names *names)
{
	uint64_t offset = 0x1000;

	return fd < 0 ? fail(-errno, "open") : worker_name(w, fd, &offset, 1, names);
}

/* Does the line "Key:<tab>value" of a /proc/PID/status hold this value? */
static bool status_has(const char *status, const char *key, const char *value)
{
	const char *at = strstr(status, key);

	if (!at)
		return false;
	at += strlen(key);
	at += strspn(at, " \t");
	return !strncmp(at, value, strlen(value)) && at[strlen(value)] == '\n';
}

static void check_sandbox(struct check *row, pid_t pid)
{
	autofree char *status = NULL;
	char path[40];
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (read_file(path, STATUS_LIMIT, &status, &len) < 0)
		return;
	if (status_has(status, "Seccomp:", "2") &&
	    status_has(status, "CapEff:", "0000000000000000")) {
		buf_puts(&row->text, ", under seccomp, without capabilities");
		return;
	}
	row->verdict = VERDICT_LIMITED;
	buf_puts(&row->text, ", but not shut in");
}

static void note_pid(void *ctx, pid_t pid)
{
	*(pid_t *)ctx = pid;
}

static void check_vdso(struct checkup *c, struct worker *w)
{
	struct object_names names;
	const char *reason = "";
	autoclose int fd = open_vdso(&reason);
	struct check *row;
	int e = fd < 0 ? -ENOENT : try_object(w, fd, &names);

	row = checkup_add(c, "vdso", e ? VERDICT_LIMITED : VERDICT_YES);
	if (e) {
		buf_printf(&row->text, "its functions stay unnamed: %s",
			   fd < 0 ? reason : error_text());
		return;
	}
	buf_printf(&row->text, "%" PRIu32 " functions", names.nr_symbols);
	object_names_done(&names);
}

/* The process that reads symbols, on dwell's own binary and on the vdso. */
static void check_worker(struct checkup *c)
{
	struct object_names names = { 0 };
	autoclose int fd = -1;
	struct worker *w = NULL;
	struct check *row;
	pid_t pid = 0;
	int e = worker_new(&w, note_pid, &pid);

	if (!e) {
		fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		e = try_object(w, fd, &names);
	}
	row = checkup_add(c, "symbol reader", !w ? VERDICT_NO : e ? VERDICT_LIMITED : VERDICT_YES);
	row->needed = true;
	if (e) {
		buf_printf(&row->text, "user functions stay unnamed: %s", error_text());
	} else {
		char digits[32];

		buf_printf(&row->text, "%s functions of dwell itself",
			   group_digits(digits, names.nr_symbols));
		object_names_done(&names);
		check_sandbox(row, pid);
	}
	if (w)
		check_vdso(c, w);
	worker_free(w);
}

static void check_cycles(struct checkup *c)
{
	int e = event_probe_cycles();
	struct check *row = checkup_add(c, "hardware cycles", e ? VERDICT_NO : VERDICT_YES);

	if (!e)
		buf_puts(&row->text, "there; sampling is by cpu-clock, which needs none");
	else if (e == -ENOENT || e == -EOPNOTSUPP || e == -ENODEV)
		buf_puts(&row->text, "no counters here, as in most VMs; sampling is by cpu-clock, "
				     "which needs none");
	else
		buf_printf(&row->text, "%s; sampling is by cpu-clock, which needs none",
			   strerror(-e));
	if (e == -EACCES || e == -EPERM)
		row->verdict = VERDICT_UNKNOWN;
}

/* Keeps one CPU busy, so that an idle box has ticks too; dwell's own are counted as `self`. */
static int keep_busy(uint64_t ns)
{
	uint64_t end = clock_mono() + ns;
	cpu_set_t was, one;
	int cpu = sched_getcpu();

	if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(was), &was)) {
		cpu = -1;
	} else {
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one))
			cpu = -1;
	}
	while (clock_mono() < end)
		;
	if (cpu >= 0)
		(void)sched_setaffinity(0, sizeof(was), &was);
	return cpu;
}

static int collect_cpus(struct trial *t, const struct capture *cap)
{
	int cpu, r, n = capture_max_cpus(cap);

	t->cpu = xcalloc((size_t)n, sizeof(*t->cpu));
	for (cpu = 0; cpu < n; cpu++) {
		r = capture_cpu_ledger(cap, cpu, &t->cpu[t->nr_cpus].ledger);
		if (r < 0)
			return r;
		t->cpu[t->nr_cpus].cpu = cpu;
		t->nr_cpus += (size_t)r;
	}
	return 0;
}

static int try_sampling(struct trial *t, const struct kallsyms *k)
{
	uint32_t rate = event_max_rate();
	struct capture_config cfg = { .take_ticks = true,
				      .freq_hz = rate && rate < TRIAL_HZ ? rate : TRIAL_HZ,
				      .take_user = true,
				      .take_kernel = true,
				      .ring_bytes = TRIAL_RING };
	struct profile *p = profile_new();
	struct capture *cap = NULL;
	uint64_t begin = clock_mono();
	int e = capture_open(&cap, &cfg, p, k);

	t->freq_hz = cfg.freq_hz;
	t->open_ns = clock_mono() - begin;
	if (!e)
		e = capture_start(cap);
	if (!e) {
		t->busy_cpu = keep_busy(TRIAL_NS);
		e = capture_stop(cap);
	}
	if (!e)
		e = collect_cpus(t, cap);
	if (!e) {
		t->done = true;
		t->uses_slots = capture_uses_slots(cap);
		t->ledger = p->ledger;
		t->duration_ns = p->duration_ns;
	}
	capture_close(cap);
	profile_free(p);
	return e;
}

/* All programs, those too that record loads for some of its options only. */
static int list_programs(struct checkup *c)
{
	static const struct glob comms = { .start = 1, .stay = 1, .end = 3 };
	struct capture_config cfg = { .take_ticks = true,
				      .freq_hz = 1,
				      .take_user = true,
				      .take_kernel = true,
				      .account = true,
				      .only_targets = true,
				      .only_threads = true,
				      .only_cgroups = true,
				      .comms = &comms,
				      .count_verified = true,
				      .ring_bytes = CAPTURE_MIN_RING };
	struct profile *p = profile_new();
	struct capture_program one;
	struct capture *cap = NULL;
	int e = capture_open(&cap, &cfg, p, NULL);
	size_t n;

	for (n = 0; !e && !capture_program(cap, n, &one); n++)
		;
	c->program = xcalloc(n + 1, sizeof(*c->program));
	for (; c->nr_programs < n && !capture_program(cap, c->nr_programs, &one); c->nr_programs++) {
		struct trial_program *t = &c->program[c->nr_programs];

		snprintf(t->name, sizeof(t->name), "%s", one.name);
		t->verified = one.verified;
	}
	capture_close(cap);
	profile_free(p);
	return e;
}

static void check_programs(struct checkup *c)
{
	int e = list_programs(c);
	struct check *row = checkup_add(c, "BPF programs", e ? VERDICT_NO : VERDICT_YES);
	char digits[32];
	size_t i, most = 0;

	if (e) {
		buf_puts(&row->text, error_text());
		return;
	}
	for (i = 0; i < c->nr_programs; i++)
		if (c->program[i].verified > c->program[most].verified)
			most = i;
	buf_printf(&row->text, "%zu load; most work for the kernel's verifier: %s, %s instructions",
		   c->nr_programs, c->program[most].name,
		   group_digits(digits, c->program[most].verified));
}

static uint64_t delivered(const struct ledger *l)
{
	return l->ticks - (uint64_t)l->missed;
}

static void put_ledger(const struct trial *t, struct buf *out)
{
	const struct ledger *l = &t->ledger;

	buf_printf(out,
		   "cpu-clock, %" PRIu32 " Hz for %.0f ms on %zu CPUs: %" PRIu64 " ticks = %" PRIu64
		   " counted + %" PRIu64 " idle + %" PRIu64 " self + %" PRId64 " missed + %" PRIu64
		   " lost",
		   t->freq_hz, (double)t->duration_ns / 1e6, t->nr_cpus, l->ticks, l->counted,
		   l->idle, l->self, l->missed, ledger_total_lost(l));
}

/* CPUs where under half of the ticks came are idle ones, or the kernel withholds ticks. */
static void judge_cpus(const struct trial *t, struct check *row)
{
	size_t i, quiet = 0;

	for (i = 0; i < t->nr_cpus; i++) {
		const struct ledger *l = &t->cpu[i].ledger;

		if (delivered(l) * 2 >= l->ticks)
			continue;
		if (t->cpu[i].cpu == t->busy_cpu)
			row->verdict = VERDICT_LIMITED;
		quiet++;
	}
	if (row->verdict == VERDICT_LIMITED)
		buf_printf(&row->note,
			   "; CPU %d was kept busy, and had under half of its ticks: is this "
			   "machine short of CPU time?",
			   t->busy_cpu);
	else if (quiet)
		buf_printf(&row->note,
			   "; %zu CPU%s, idle, had under half of the ticks: timers rest there, and "
			   "these ticks count as missed",
			   quiet, quiet == 1 ? "" : "s");
}

static void check_sampling(struct checkup *c, const struct kallsyms *k)
{
	struct trial *t = &c->trial;
	int e;
	struct check *row;

	t->busy_cpu = -1;
	e = try_sampling(t, k);
	row = checkup_add(c, "sampling", e ? VERDICT_NO : VERDICT_YES);
	row->needed = true;
	if (e) {
		buf_puts(&row->text, error_text());
		return;
	}
	put_ledger(t, &row->text);
	buf_printf(&row->note, "loaded in %.0f ms; a task is known by %s", (double)t->open_ns / 1e6,
		   t->uses_slots ? "the switch program (the sampler may not ask this kernel)"
				 : "the sampler itself");
	if (!delivered(&t->ledger)) {
		row->verdict = VERDICT_NO;
		buf_puts(&row->note, "; no tick came at all");
	} else {
		judge_cpus(t, row);
	}
}

void check_by_trial(struct checkup *c)
{
	struct kallsyms *k;

	/* first, as in record: it forks */
	check_worker(c);
	check_processes(c);
	check_map_files(c);
	k = check_kernel_names(c);
	check_cycles(c);
	check_programs(c);
	check_sampling(c, k);
	kallsyms_free(k);
}
