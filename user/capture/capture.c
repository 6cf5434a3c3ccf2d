/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/capture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "bpf/filters.h"
#include "capture/counters.h"
#include "capture/event.h"
#include "capture/box.h"
#include "capture/sleepers.h"
#include "capture/state.h"
#include "capture/target.h"
#include "sampler.skel.h"

#define RING_NS	     (500 * NSEC_PER_MSEC)
#define MIN_COPIES   40
#define COPY_BYTES   (20u << 10)	/* most of a copied stack's record need no more */
/* the record of a stack that is deep, but for Python and recursion, with the ring's header */
#define LARGEST_RECORD (sizeof(struct wire_sample) + 8 + 256 * 8)

/* One record, of the ring of one CPU; their numbers have no gap. */
static int on_record(void *ctx, void *data, size_t size)
{
	struct ring_ctx *rc = ctx;
	struct capture *c = rc->c;
	struct cpu *cpu = &c->cpu[rc->cpu];
	const struct wire_sample *s = data;
	int r = decoder_add(c->decoder, s, size, c->now_ns);

	if (r < 0)
		return r;
	if (s->seq != ++cpu->consumed)
		return fail_plain(-EBADE, "CPU %d: record %llu came as number %llu", rc->cpu,
				  (unsigned long long)s->seq, (unsigned long long)cpu->consumed);
	c->counted += !(s->flags & WIRE_WAIT);
	return cpu->consumed < cpu->limit ? 0 : CAPTURE_ROUND_OVER;
}

/* A power of two that holds RING_NS of the deepest stacks. */
static uint32_t ring_bytes(const struct capture_config *cfg)
{
	uint64_t want = cfg->freq_hz * LARGEST_RECORD * RING_NS / NSEC_PER_SEC, size = CAPTURE_MIN_RING;

	if (cfg->ring_bytes)
		return cfg->ring_bytes;
	/* and some copies of stacks, of processes that are new */
	if (cfg->take_user)
		want += MIN_COPIES * COPY_BYTES;
	while (size < want && size < CAPTURE_MAX_RING)
		size *= 2;
	return (uint32_t)size;
}

static int open_ring(struct capture *c, int cpu)
{
	c->ring_ctx[cpu] = (struct ring_ctx){ c, cpu };
	c->cpu[cpu].ring = ring_buffer__new(c->loaded.ring_fd[cpu], on_record, &c->ring_ctx[cpu], NULL);
	return c->cpu[cpu].ring ? 0 : fail(-errno, "map the ring buffer of CPU %d", cpu);
}

static int open_rings(struct capture *c)
{
	int cpu, r = 0;

	c->ring_ctx = xcalloc((size_t)c->nr_cpus, sizeof(*c->ring_ctx));
	for (cpu = 0; !r && cpu < c->nr_cpus; cpu++)
		if (c->wanted[cpu])
			r = open_ring(c, cpu);
	return r;
}

int capture_open_cpu(struct capture *c, int cpu)
{
	int r = 0;

	/* what an earlier try could do is there */
	if (c->loaded.ring_fd[cpu] < 0)
		r = load_ring(&c->loaded, cpu, ring_bytes(&c->cfg));
	if (!r && !c->cpu[cpu].ring)
		r = open_ring(c, cpu);
	if (!r && c->waits)
		r = waits_open_cpu(c->waits, cpu);
	if (!r && c->loop)
		r = loop_add_waker(c->loop, c->loaded.ring_fd[cpu], c->full_fn, c->full_ctx);
	if (r)
		return r;
	c->wanted[cpu] = true;
	c->nr_wanted++;
	return 0;
}

static int open_counters(struct capture *c)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *live;

	c->live_size = (c->nr_cpus * sizeof(struct wire_cpu) + page - 1) / page * page;
	live = mmap(NULL, c->live_size, PROT_READ, MAP_SHARED,
		    bpf_map__fd(c->loaded.skel->maps.cpus), 0);
	if (live == MAP_FAILED)
		return fail(-errno, "map the sampler's counters");
	(void)madvise(live, c->live_size, MADV_DONTFORK);
	c->live = live;
	return 0;
}

static int open_events(struct capture *c)
{
	int cpu, fd;

	for (cpu = 0; cpu < c->nr_cpus && c->cfg.take_ticks; cpu++) {
		if (!c->wanted[cpu])
			continue;
		fd = event_open(cpu, c->period_ns, c->loaded.prog_fd);
		/* it went offline just now */
		if (fd == -ENODEV)
			c->box.online[cpu] = false;
		else if (fd < 0)
			return fd;
		else
			c->cpu[cpu].event_fd = fd;
	}
	return 0;
}

/* Who runs, what they map, and the tables made of it. The side-band begins before the scan. */
static int open_unwinding(struct capture *c, const bool *online)
{
	const struct sampler_bpf *skel = c->loaded.skel;
	int r;

	c->images = images_new();
	r = sideband_open(&c->sideband, online, c->nr_cpus, false);
	if (r)
		return r;
	r = images_scan(c->images);
	if (r < 0)
		return r;
	if (c->cfg.take_user && c->cfg.worker) {
		r = chunks_open(&c->chunks, bpf_map__fd(skel->maps.chunks), bpf_map__fd(skel->maps.rules),
				bpf_map__fd(skel->maps.processes));
		if (r)
			return r;
		r = births_open(&c->births, bpf_map__fd(skel->maps.births), c->nr_cpus);
		if (r)
			return r;
		tasks_read(&c->tasks, bpf_link__fd(skel->links.list_tasks));
		c->unwinder = unwinder_new(&c->chunks.memory, c->cfg.worker, images_objects(c->images));
	}
	c->decoder = decoder_new(c->p, c->kallsyms, c->images, c->unwinder, c->cfg.max_user);
	return 0;
}

static int open_all(struct capture *c)
{
	autofree bool *online = NULL;
	int r, cpu;

	c->nr_cpus = event_possible_cpus();
	if (c->nr_cpus < 0)
		return c->nr_cpus;
	online = xcalloc((size_t)c->nr_cpus, sizeof(*online));
	c->cpu = xcalloc((size_t)c->nr_cpus, sizeof(*c->cpu));
	for (cpu = 0; cpu < c->nr_cpus; cpu++)
		c->cpu[cpu].event_fd = -1;
	r = event_online_cpus(online, c->nr_cpus);
	if (r < 0)
		return r;
	r = box_choose(c, online, r);
	if (r)
		return r;
	r = load_open(&c->loaded, &(struct load_request){ .cfg = &c->cfg,
							  .online = online,
							  .wanted = c->wanted,
							  .nr_cpus = c->nr_cpus,
							  .period_ns = c->period_ns,
							  .ring_bytes = ring_bytes(&c->cfg) });
	if (r)
		return r;
	box_open(c, online);
	r = open_unwinding(c, online);
	if (r)
		return r;
	r = open_rings(c);
	if (r)
		return r;
	r = open_counters(c);
	if (r)
		return r;
	self_open(&c->self, c->loaded.skel->bss->self_tgid, getpid());
	if (c->cfg.account) {
		r = threads_open(&c->threads, c->loaded.skel, c->loaded.threads, c->nr_cpus,
				 c->loaded.skel->bss->self_tgid);
		if (r)
			return r;
		r = waits_open(&c->waits, c->loaded.skel, c->wanted, c->nr_cpus, c->cfg.waits);
		if (!r)
			r = sleepers_open(c);
		if (r)
			return r;
	}
	return open_events(c);
}

int capture_open(struct capture **out, const struct capture_config *cfg, struct profile *p,
		 const struct kallsyms *k)
{
	struct capture *c = xcalloc(1, sizeof(*c));
	int r;

	c->cfg = *cfg;
	if (!c->cfg.max_user || c->cfg.max_user > WIRE_MAX_USER)
		c->cfg.max_user = WIRE_MAX_USER;
	c->p = p;
	c->period_ns = NSEC_PER_SEC / cfg->freq_hz;
	c->drain_ns = CAPTURE_FIRST_DRAIN_NS;
	capture_begin_profile(c, p);
	c->kallsyms = k;
	r = open_all(c);
	if (r < 0) {
		capture_close(c);
		return r;
	}
	*out = c;
	return 0;
}

void capture_close(struct capture *c)
{
	int cpu;

	if (!c)
		return;
	for (cpu = 0; c->cpu && cpu < c->nr_cpus; cpu++) {
		if (c->cpu[cpu].event_fd >= 0)
			close(c->cpu[cpu].event_fd);
		ring_buffer__free(c->cpu[cpu].ring);
	}
	if (c->live)
		munmap((void *)c->live, c->live_size);
	waits_close(c->waits);
	sleepers_close(c);
	threads_close(c->threads);
	decoder_free(c->former);
	decoder_free(c->decoder);
	unwinder_free(c->unwinder);
	tasks_done(&c->tasks);
	births_close(&c->births);
	chunks_close(&c->chunks);
	sideband_close(c->sideband);
	images_free(c->images);
	load_close(&c->loaded);
	box_close(c);
	free(c->target_tgid);
	free(c->wanted);
	free(c->ring_ctx);
	free(c->cpu);
	free(c);
}

int capture_target(struct capture *c, pid_t pid, bool from_exec)
{
	return target_add(bpf_map__fd(c->loaded.skel->maps.targets), pid, from_exec);
}

pid_t capture_thread(struct capture *c, pid_t tid)
{
	pid_t tgid = target_add_thread(bpf_map__fd(c->loaded.skel->maps.target_threads), tid);

	if (tgid < 0)
		return tgid;
	grow(&c->target_tgid, &c->cap_target_tgid, c->nr_target_tgid + 1, sizeof(*c->target_tgid));
	c->target_tgid[c->nr_target_tgid++] = tgid;
	return tgid;
}

pid_t capture_thread_now(const struct capture *c, pid_t tid)
{
	const struct sampler_bpf *s = c->loaded.skel;
	uint32_t n = s->bss->nr_moved, i = n < WIRE_MOVED ? 0 : n - WIRE_MOVED;

	for (; i < n; i++)
		if (s->bss->moved_from[i % WIRE_MOVED] == (uint32_t)tid)
			tid = (pid_t)s->bss->moved_to[i % WIRE_MOVED];
	return tid;
}

int capture_cgroup(struct capture *c, const char *name)
{
	return target_add_cgroup(bpf_map__fd(c->loaded.skel->maps.cgroups), name);
}

/* Is it asked for by its id? */
static bool is_target(void *ctx, pid_t pid)
{
	const struct capture *c = ctx;
	size_t i;

	for (i = 0; i < c->nr_target_tgid; i++)
		if (c->target_tgid[i] == pid)
			return true;
	return c->cfg.only_targets && target_has(bpf_map__fd(c->loaded.skel->maps.targets), pid);
}

void capture_self(struct capture *c, pid_t pid)
{
	self_add(&c->self, pid);
}

void capture_self_ended(struct capture *c, pid_t pid)
{
	self_ended(&c->self, pid);
}

void capture_writer(struct capture *c, pid_t pid)
{
	self_writer(&c->self, pid);
}

int capture_start(struct capture *c)
{
	int cpu, r;

	if (c->unwinder && (c->cfg.only_targets || c->cfg.only_threads))
		tasks_prepare_wanted(&c->tasks, c->images, c->unwinder, is_target, c);
	c->p->time_ns = (int64_t)clock_real();
	c->start_ns = c->begun_ns = clock_mono();
	box_start(c);
	if (c->threads) {
		r = threads_start(c->threads);
		if (r)
			return r;
	}
	for (cpu = 0; cpu < c->nr_cpus; cpu++) {
		if (c->cpu[cpu].event_fd < 0)
			continue;
		r = event_enable(c->cpu[cpu].event_fd);
		if (r)
			return r;
	}
	return 0;
}

int capture_watch(struct capture *c, struct loop *l, loop_fn fn, void *ctx)
{
	int cpu, r;

	c->loop = l;
	c->full_fn = fn;
	c->full_ctx = ctx;
	for (cpu = 0; cpu < c->nr_cpus; cpu++) {
		if (c->loaded.ring_fd[cpu] < 0)
			continue;
		r = loop_add_waker(l, c->loaded.ring_fd[cpu], fn, ctx);
		if (r)
			return r;
	}
	return 0;
}

uint64_t capture_drain_period(const struct capture *c)
{
	return c->drain_ns;
}

uint64_t capture_counted(const struct capture *c)
{
	return c->counted;
}

uint32_t capture_cpus(const struct capture *c)
{
	return c->nr_wanted;
}

int capture_max_cpus(const struct capture *c)
{
	return c->nr_cpus;
}

bool capture_uses_slots(const struct capture *c)
{
	return c->loaded.uses_slots;
}

int capture_program(const struct capture *c, size_t i, struct capture_program *p)
{
	if (i >= c->loaded.nr_programs)
		return -1;
	*p = c->loaded.program[i];
	return 0;
}

uint64_t capture_not_followed(const struct capture *c)
{
	return c->not_followed;
}

size_t capture_nr_objects(const struct capture *c)
{
	return decoder_nr_objects(c->former ? c->former : c->decoder);
}

const struct object_file *capture_object(const struct capture *c, size_t i, uint32_t *mapping)
{
	return decoder_object(c->former ? c->former : c->decoder, i, mapping);
}
