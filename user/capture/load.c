/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cap-ng.h>
#include <errno.h>
#include <linux/bpf.h>
#include <malloc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "capture/event.h"
#include "proc/kernel.h"
#include "sampler.skel.h"

#define MAX_TARGETS   16384
#define MAX_CGROUPS   65536
#define MAX_STATS_LOG (1u << 20) /* on its way there the verifier writes more than it leaves */
#define WALKER_SECTION "tp_btf/irq_work_entry"
#define LOG_STATS     4 /* BPF_LOG_STATS of the kernel's bpf_verifier.h */

/* Tracepoints at which kept waits can be walked, the best first. */
static const struct walker {
	const char *name;
	enum wire_walker walker;
} walkers[] = {
	{ "irq_work_entry", WIRE_WALKER_INTERRUPT },
	{ "sched_exit_tp", WIRE_WALKER_SWITCH },
	{ "none", WIRE_WALKER_NONE },
};

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

/*
 * Where probe_read_kernel is refused (lockdown=confidentiality), libbpf takes the kernel for one
 * that knows neither it nor probe_read_user, and rewrites both calls to the old probe_read, which is
 * refused too. probe_read_user is allowed there: put it back. Calls of probe_read_kernel are then in
 * dead code only, so that they may become the same.
 */
static int restore_user_reads(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	size_t i, n = bpf_program__insn_cnt(prog);
	autofree struct bpf_insn *copy = xcalloc(n, sizeof(*copy));

	memcpy(copy, bpf_program__insns(prog), n * sizeof(*copy));
	for (i = 0; i < n; i++)
		if (copy[i].code == (BPF_JMP | BPF_CALL) && !copy[i].src_reg &&
		    copy[i].imm == BPF_FUNC_probe_read)
			copy[i].imm = BPF_FUNC_probe_read_user;
	return bpf_program__set_insns(prog, copy, n);
}

/* Once, and for good: libbpf 1.1 frees its list of one when that is unregistered, and goes on using it. */
static void keep_user_reads(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, handler, .prog_prepare_load_fn = restore_user_reads);
	static bool done;

	if (!done)
		done = libbpf_register_prog_handler("perf_event", BPF_PROG_TYPE_PERF_EVENT, 0, &handler) >= 0 &&
		       libbpf_register_prog_handler(WALKER_SECTION, BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP,
						    &handler) >= 0;
}

/* A section with a handler of ours is not libbpf's any more: what to attach to, and how, is ours to say, too. */
static int attach_walker(struct loaded *l)
{
	struct bpf_program *prog = l->uses_slots ? l->skel->progs.wait_slot : l->skel->progs.wait_task;
	struct bpf_link **link = l->uses_slots ? &l->skel->links.wait_slot : &l->skel->links.wait_task;

	if (!bpf_program__autoload(prog) || *link)
		return 0;
	*link = bpf_program__attach_trace(prog);
	return *link ? 0 : fail(-errno, "attach BPF programs");
}

static bool locked_down(void)
{
	char line[128];

	return !read_line("/sys/kernel/security/lockdown", line, sizeof(line)) &&
	       strstr(line, "[confidentiality]");
}

/* May a perf_event program ask for the current task? From about 5.11 on. */
static bool has_current_task(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT, BPF_FUNC_get_current_task_btf,
				       NULL) == 1 &&
	       libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT, BPF_FUNC_task_pt_regs, NULL) == 1;
}

/* Why a load was refused, by what this process has and what it has not. */
static int refused(int err)
{
	bool known = !capng_get_caps_process();
	bool admin = known && capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
	bool bpf = admin || (known && capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF));
	bool perfmon = admin || (known && capng_have_capability(CAPNG_EFFECTIVE, CAP_PERFMON));
	struct rlimit lim;

	if (!bpf || !perfmon)
		return fail_plain(err, "cannot load BPF programs: needs CAP_BPF and CAP_PERFMON%s",
				  bpf ? ", and has only CAP_BPF" : perfmon ? ", and has only CAP_PERFMON" : "");
	/* before 5.11 the memory of BPF objects counts as locked memory */
	if (kernel_version() < KERNEL_VERSION_OF(5, 11) && !getrlimit(RLIMIT_MEMLOCK, &lim) &&
	    lim.rlim_cur != RLIM_INFINITY)
		return fail_plain(err, "cannot load BPF programs: this kernel counts their memory as locked, and "
				       "the limit is %llu KiB: needs CAP_SYS_RESOURCE, or ulimit -l unlimited",
				  (unsigned long long)lim.rlim_cur >> 10);
	return fail_plain(err, "cannot load BPF programs: refused although CAP_BPF and CAP_PERFMON are held, by a "
			       "container's filter of system calls or a security module");
}

static int load_error(int err)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return fail_plain(err, "this kernel has no BTF (/sys/kernel/btf/vmlinux): it needs "
				       "CONFIG_DEBUG_INFO_BTF=y");
	if (err == -EPERM || err == -EACCES)
		return refused(err);
	return fail(err, "cannot load BPF programs");
}

static void configure_filters(struct sampler_bpf *s, const struct capture_config *cfg)
{
	const struct glob *g = cfg->comms;

	s->rodata->only_targets = cfg->only_targets;
	s->rodata->only_threads = cfg->only_threads;
	s->rodata->only_cgroups = cfg->only_cgroups;
	s->rodata->only_comms = g;
	if (g) {
		for (size_t i = 0; i < ARRAY_LEN(g->accept); i++)
			s->rodata->glob_accept[i] = g->accept[i];
		s->rodata->glob_start = g->start;
		s->rodata->glob_stay = g->stay;
		s->rodata->glob_end = g->end;
	}
	bpf_program__set_autoload(s->progs.target_fork, cfg->only_targets);
	bpf_program__set_autoload(s->progs.target_exec, cfg->only_targets);
	bpf_program__set_autoload(s->progs.target_free, cfg->only_targets);
	bpf_program__set_autoload(s->progs.target_thread_exec, cfg->only_threads);
	bpf_program__set_autoload(s->progs.target_thread_free, cfg->only_threads);
	bpf_program__set_autoload(s->progs.target_mkdir, cfg->only_cgroups);
	bpf_program__set_autoload(s->progs.target_release, cfg->only_cgroups);
}

static void configure(struct loaded *l, const struct capture_config *cfg, uint64_t period_ns)
{
	struct sampler_bpf *s = l->skel;
	bool slots = l->uses_slots;

	s->rodata->period_ns = period_ns;
	s->rodata->nr_cpus = (unsigned int)l->nr_cpus;
	s->rodata->take_kernel = cfg->take_kernel;
	s->rodata->take_user = cfg->take_user;
	s->rodata->max_user = cfg->max_user;
	s->rodata->read_kernel_memory = slots && !locked_down();
	bpf_program__set_autoload(s->progs.sample_task, cfg->take_ticks && !slots);
	bpf_program__set_autoload(s->progs.sample_slot, cfg->take_ticks && slots);
	bpf_program__set_autoload(s->progs.thread_switch, cfg->account && !slots);
	bpf_program__set_autoload(s->progs.thread_slot, cfg->account && slots);
	bpf_program__set_autoload(s->progs.thread_exec, cfg->account);
	bpf_program__set_autoload(s->progs.thread_exit, cfg->account);
	bpf_program__set_autoload(s->progs.list_threads, cfg->account);
	s->rodata->walker = l->walker;
	bpf_program__set_autoload(s->progs.wait_task, cfg->account && l->walker && !slots);
	bpf_program__set_autoload(s->progs.wait_slot, cfg->account && l->walker && slots);
	/* one program on the switch path, never two */
	bpf_program__set_autoload(s->progs.slot_switch, slots && !cfg->account);
	bpf_program__set_autoload(s->progs.slot_exec, slots);
	bpf_program__set_autoload(s->progs.list_sleepers_task, cfg->account && !slots);
	bpf_program__set_autoload(s->progs.list_sleepers_slot, cfg->account && slots);
	bpf_program__set_autoload(s->progs.list_tasks, cfg->take_user);
	bpf_program__set_autoload(s->progs.unwind_fork, cfg->take_user);
	bpf_program__set_autoload(s->progs.unwind_exec, cfg->take_user);
	bpf_program__set_autoload(s->progs.unwind_free, cfg->take_user);
	configure_filters(s, cfg);
}

static int size_maps(struct loaded *l, const struct capture_config *cfg)
{
	struct sampler_bpf *s = l->skel;
	unsigned int n = (unsigned int)l->nr_cpus;

	if (cfg->account && (bpf_map__set_max_entries(s->maps.switches, n) ||
			     bpf_map__set_max_entries(s->maps.bells, n) ||
			     bpf_map__set_max_entries(s->maps.threads, l->threads.slots) ||
			     bpf_map__set_max_entries(s->maps.slot_of, l->threads.lines)))
		return fail(-errno, "set up BPF maps");
	if (bpf_map__set_max_entries(s->maps.cpus, n) || bpf_map__set_max_entries(s->maps.walks, n) ||
	    bpf_map__set_max_entries(s->maps.rings, n) ||
	    bpf_map__set_max_entries(s->maps.births, n) ||
	    bpf_map__set_max_entries(s->maps.slots, l->uses_slots ? n : 1) ||
	    bpf_map__set_max_entries(s->maps.targets, cfg->only_targets ? MAX_TARGETS : 1) ||
	    bpf_map__set_max_entries(s->maps.target_threads, cfg->only_threads ? MAX_TARGETS : 1) ||
	    bpf_map__set_max_entries(s->maps.cgroups, cfg->only_cgroups ? MAX_CGROUPS : 1) ||
	    (!cfg->take_user && (bpf_map__set_max_entries(s->maps.processes, 1) ||
				 bpf_map__set_max_entries(s->maps.rules, 1) ||
				 bpf_map__set_max_entries(s->maps.forked, 1))))
		return fail(-errno, "set up BPF maps");
	return 0;
}

int load_put(int outer, const uint32_t *key, const int *fd, uint32_t nr)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t i, n = nr;

	if (nr > 1 && !bpf_map_update_batch(outer, key, fd, &n, &opts))
		return 0;
	/* before 5.14 one at a time */
	for (i = 0; i < nr; i++)
		if (bpf_map_update_elem(outer, &key[i], &fd[i], BPF_ANY))
			return -errno;
	return 0;
}

static int make_ring(struct loaded *l, int cpu, uint32_t bytes)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, bytes, NULL);

	if (fd == -EPERM)
		return refused(fd);
	if (fd < 0)
		return fail(fd, "ring buffer of %u KiB for CPU %d", bytes >> 10, cpu);
	l->ring_fd[cpu] = fd;
	return 0;
}

int load_ring(struct loaded *l, int cpu, uint32_t bytes)
{
	const uint32_t key = (uint32_t)cpu;
	int r = make_ring(l, cpu, bytes);

	if (r)
		return r;
	r = load_put(bpf_map__fd(l->skel->maps.rings), &key, &l->ring_fd[cpu], 1);
	if (!r)
		return 0;
	close(l->ring_fd[cpu]);
	l->ring_fd[cpu] = -1;
	return fail(r, "ring buffer for CPU %d", cpu);
}

static int make_rings(struct loaded *l, const bool *wanted, uint32_t bytes)
{
	autofree uint32_t *key = xcalloc((size_t)l->nr_cpus, sizeof(*key));
	autofree int *fd = xcalloc((size_t)l->nr_cpus, sizeof(*fd));
	uint32_t nr = 0;
	int cpu, r = 0;

	for (cpu = 0; !r && cpu < l->nr_cpus; cpu++) {
		if (!wanted[cpu])
			continue;
		r = make_ring(l, cpu, bytes);
		key[nr] = (uint32_t)cpu;
		fd[nr++] = l->ring_fd[cpu];
	}
	if (r)
		return r;
	r = load_put(bpf_map__fd(l->skel->maps.rings), key, fd, nr);
	return r ? fail(r, "ring buffers") : 0;
}

/*
 * The switch program knows a CPU's task from its next switch on. dwell visits each CPU, so that
 * each has one before the first tick.
 */
static void visit_cpus(const bool *online, int nr_cpus)
{
	cpu_set_t was, one;
	int cpu;

	if (sched_getaffinity(0, sizeof(was), &was))
		return;
	for (cpu = 0; cpu < nr_cpus && cpu < CPU_SETSIZE; cpu++) {
		if (!online[cpu])
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (!sched_setaffinity(0, sizeof(one), &one))
			usleep(1);
	}
	(void)sched_setaffinity(0, sizeof(was), &was);
}

/* "processed 10551 insns (limit 1000000) ..." */
static uint32_t processed(const char *log)
{
	static const char word[] = "processed ";
	const char *at = strstr(log, word);

	return at ? (uint32_t)strtoul(at + strlen(word), NULL, 10) : 0;
}

/*
 * The programs' own data, all 0. What libbpf makes it also fills, in one call, for which kernels before 5.16 need as
 * much memory in one piece; that of a new map is 0 anyway. Where there is none, libbpf makes its own, or says why not.
 */
static void make_data(struct sampler_bpf *s)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sampler_bss", sizeof(uint32_t), bpf_map__value_size(s->maps.bss), 1,
				&opts);

	if (fd < 0)
		return;
	(void)bpf_map__reuse_fd(s->maps.bss, fd);
	close(fd);
}

/* Loads, and lists what was loaded; each program's log has its statistics where they are wanted. */
static int load_programs(struct loaded *l, bool statistics)
{
	struct bpf_program *prog;
	size_t n = 0;
	int r;

	bpf_object__for_each_program(prog, l->skel->obj)
		n++;
	l->program = xcalloc(n, sizeof(*l->program));
	autofree char *log = xcalloc(n, MAX_STATS_LOG);
	bpf_object__for_each_program(prog, l->skel->obj) {
		if (!bpf_program__autoload(prog))
			continue;
		l->program[l->nr_programs].name = bpf_program__name(prog);
		if (statistics &&
		    (bpf_program__set_log_buf(prog, log + l->nr_programs * MAX_STATS_LOG, MAX_STATS_LOG) ||
		     bpf_program__set_log_level(prog, LOG_STATS)))
			return -EINVAL;
		l->nr_programs++;
	}
	r = sampler_bpf__load(l->skel);
	for (n = 0; statistics && n < l->nr_programs; n++)
		l->program[n].verified = processed(log + n * MAX_STATS_LOG);
	return r;
}

/*
 * What walks waits here: the first of them that this kernel has, or from DWELL_WALKER on, if that names one, to try
 * what other kernels do.
 */
static int choose_walker(struct loaded *l)
{
	const char *wish = getenv("DWELL_WALKER");
	size_t i = 0;

	while (wish && i < ARRAY_LEN(walkers) && strcmp(wish, walkers[i].name))
		i++;
	if (i == ARRAY_LEN(walkers))
		return fail_plain(-EINVAL, "DWELL_WALKER is irq_work_entry, sched_exit_tp or none");
	while (walkers[i].walker && libbpf_find_vmlinux_btf_id(walkers[i].name, BPF_TRACE_RAW_TP) <= 0)
		i++;
	l->walker = walkers[i].walker;
	if (l->walker && (bpf_program__set_attach_target(l->skel->progs.wait_task, 0, walkers[i].name) ||
			  bpf_program__set_attach_target(l->skel->progs.wait_slot, 0, walkers[i].name)))
		return fail(-errno, "set up BPF programs");
	return 0;
}

static int load_and_attach(struct loaded *l, const struct load_request *q)
{
	int r;

	l->skel = sampler_bpf__open();
	if (!l->skel)
		return fail(-errno, "open BPF object");
	l->uses_slots = !has_current_task();
	l->threads = threads_size(q->nr_cpus);
	r = choose_walker(l);
	if (r)
		return r;
	configure(l, q->cfg, q->period_ns);
	r = size_maps(l, q->cfg);
	if (r)
		return r;
	make_data(l->skel);
	r = load_programs(l, q->cfg->count_verified);
	if (r)
		return load_error(r);
	r = make_rings(l, q->wanted, q->ring_bytes);
	if (r)
		return r;
	r = sampler_bpf__attach(l->skel);
	if (r)
		return fail(r, "attach BPF programs");
	r = attach_walker(l);
	if (r)
		return r;
	l->prog_fd = bpf_program__fd(l->uses_slots ? l->skel->progs.sample_slot :
						     l->skel->progs.sample_task);
	if (l->uses_slots)
		visit_cpus(q->online, l->nr_cpus);
	return 0;
}

int load_open(struct loaded *l, const struct load_request *q)
{
	int r, cpu;

	if (q->cfg->account && q->nr_cpus > WIRE_MAX_CPUS)
		return fail_plain(-E2BIG, "this box may have %d CPUs: switches are accounted on at most %d; --on-cpu samples without",
				  q->nr_cpus, WIRE_MAX_CPUS);
	libbpf_set_print(silent);
	l->nr_cpus = q->nr_cpus;
	l->ring_fd = xcalloc((size_t)l->nr_cpus, sizeof(*l->ring_fd));
	for (cpu = 0; cpu < l->nr_cpus; cpu++)
		l->ring_fd[cpu] = -1;
	if (locked_down())
		keep_user_reads();
	r = load_and_attach(l, q);
	/* the kernel's type information, several MB, is not needed any more */
	malloc_trim(0);
	return r;
}

void load_close(struct loaded *l)
{
	int cpu;

	for (cpu = 0; l->ring_fd && cpu < l->nr_cpus; cpu++)
		if (l->ring_fd[cpu] >= 0)
			close(l->ring_fd[cpu]);
	free(l->ring_fd);
	free(l->program);
	sampler_bpf__destroy(l->skel);
	memset(l, 0, sizeof(*l));
}
