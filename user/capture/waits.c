/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/waits.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "bpf/keep.h"
#include "capture/decode.h"
#include "capture/load.h"
#include "proc/kernel.h"
#include "sampler.skel.h"

struct bell {
	uint64_t *consumer;		/* mmapped; NULL: no such CPU */
	const uint64_t *producer;
};

/* What a CPU has counted so far. */
struct counted {
	struct wire_waits waits;
	struct wire_some below;
	uint64_t period;
};

struct waits {
	struct wire_switches *cpu;	/* [nr_cpus], mmapped */
	struct wire_hot *hot;		/* [nr_cpus]: the programs' own data */
	struct counted *copy, *base;	/* [nr_cpus], as of the end of this profile, and of the one before */
	size_t size;
	uint64_t min_ns;		/* shorter ones are only counted */
	struct bell *bell;		/* [nr_cpus] */
	int bells;			/* the map of them */
	int nr_cpus;
};

static const char *const no_stack[WIRE_STACKLESS] = {
	[WIRE_NO_IPI] = "[stack lost: no interrupt]",	[WIRE_MISMATCH] = "[stack lost: another task]",
	[WIRE_NO_RING] = "[stack lost: ring full]",	[WIRE_NO_WALKER] = DECODE_NO_WALKER,
	[WIRE_NO_SCRATCH] = "[stack lost: nested]",	[WIRE_NOT_TOLD] = DECODE_NOT_TOLD,
};

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* A ring buffer's first page is the reader's position, its second the writer's. Returns its descriptor. */
static int open_bell(struct bell *b, int cpu)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "bell", 0, 0, WIRE_BELL_BYTES, NULL), r = fd;
	void *consumer = MAP_FAILED, *producer = MAP_FAILED;
	unsigned long long kib;

	if (fd == -EPERM && kernel_locks_bpf(&kib))
		return fail_plain(fd, "ring for CPU %d's interrupts: this kernel counts it as locked memory, and the limit "
				      "is %llu KiB: needs CAP_SYS_RESOURCE, or ulimit -l unlimited", cpu, kib);
	if (fd < 0)
		return fail(fd, "ring for CPU %d's interrupts", cpu);
	consumer = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer != MAP_FAILED)
		producer = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, fd, (off_t)page_size());
	if (producer == MAP_FAILED) {
		r = fail(-errno, "ring for CPU %d's interrupts", cpu);
		close(fd);
	}
	if (consumer != MAP_FAILED) {
		(void)madvise(consumer, page_size(), MADV_DONTFORK);
		b->consumer = consumer;
	}
	if (producer != MAP_FAILED) {
		(void)madvise(producer, page_size(), MADV_DONTFORK);
		b->producer = producer;
	}
	return r;
}

static void close_bell(struct bell *b)
{
	if (b->consumer)
		munmap(b->consumer, page_size());
	if (b->producer)
		munmap((void *)b->producer, page_size());
	*b = (struct bell){ 0 };
}

static uint64_t seed(int cpu)
{
	uint64_t x = 0;

	if (getrandom(&x, sizeof(x), GRND_NONBLOCK) != sizeof(x))
		x = clock_mono() * 0x9E3779B97F4A7C15ull + (uint64_t)cpu;
	return x | 1;
}

/* The bells of the CPUs that have none yet, and their waits count. */
static int open_cpus(struct waits *w, const uint32_t *cpu, uint32_t nr)
{
	autofree uint32_t *key = xcalloc(nr + 1, sizeof(*key));
	autofree int *fd = xcalloc(nr + 1, sizeof(*fd));
	uint32_t i, n = 0;
	int r = 0;

	for (i = 0; r >= 0 && i < nr; i++) {
		if (w->bell[cpu[i]].producer)
			continue;
		r = open_bell(&w->bell[cpu[i]], (int)cpu[i]);
		if (r < 0)
			break;
		key[n] = cpu[i];
		fd[n++] = r;
	}
	if (r >= 0) {
		r = load_put(w->bells, key, fd, n);
		if (r)
			r = fail(r, "rings for interrupts");
	}
	for (i = 0; i < n; i++) {
		close(fd[i]);
		/* so that the next try begins anew */
		if (r < 0)
			close_bell(&w->bell[key[i]]);
	}
	for (i = 0; !r && i < nr; i++)
		__atomic_store_n(&w->hot[cpu[i]].min, w->min_ns, __ATOMIC_RELEASE);
	return r;
}

int waits_open_cpu(struct waits *w, int cpu)
{
	const uint32_t one = (uint32_t)cpu;

	return open_cpus(w, &one, 1);
}

int waits_open(struct waits **out, const struct sampler_bpf *skel, const bool *wanted, int nr_cpus,
	       struct waits_config cfg)
{
	struct waits *w = xcalloc(1, sizeof(*w));
	autofree uint32_t *mine = xcalloc((size_t)nr_cpus, sizeof(*mine));
	uint32_t nr = 0;
	void *map;
	int cpu;

	*out = w;
	w->nr_cpus = nr_cpus;
	w->min_ns = cfg.min_ns;
	w->hot = skel->bss->hot;
	w->bells = bpf_map__fd(skel->maps.bells);
	w->bell = xcalloc((size_t)nr_cpus, sizeof(*w->bell));
	w->copy = xcalloc((size_t)nr_cpus, sizeof(*w->copy));
	w->base = xcalloc((size_t)nr_cpus, sizeof(*w->base));
	w->size = ((size_t)nr_cpus * sizeof(*w->cpu) + page_size() - 1) / page_size() * page_size();
	map = mmap(NULL, w->size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(skel->maps.switches), 0);
	if (map == MAP_FAILED)
		return fail(-errno, "map the counters of waits");
	(void)madvise(map, w->size, MADV_DONTFORK);
	w->cpu = map;
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		struct wire_waits *one = &w->cpu[cpu].waits;
		struct wire_hot *h = &w->hot[cpu];

		one->base_period = cfg.period_ns < WIRE_MAX_PERIOD ? cfg.period_ns : WIRE_MAX_PERIOD;
		one->budget = cfg.budget_ns;
		h->period = (uint32_t)one->base_period;
		h->random = seed(cpu);
		h->min = WIRE_NONE_ASKED;
		if (wanted[cpu])
			mine[nr++] = (uint32_t)cpu;
	}
	return open_cpus(w, mine, nr);
}

void waits_close(struct waits *w)
{
	int cpu;

	if (!w)
		return;
	for (cpu = 0; cpu < w->nr_cpus; cpu++)
		close_bell(&w->bell[cpu]);
	if (w->cpu)
		munmap(w->cpu, w->size);
	free(w->bell);
	free(w->copy);
	free(w->base);
	free(w);
}

void waits_read(struct waits *w)
{
	int cpu;

	for (cpu = 0; cpu < w->nr_cpus; cpu++)
		if (w->bell[cpu].producer)
			__atomic_store_n(w->bell[cpu].consumer,
					 __atomic_load_n(w->bell[cpu].producer, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
}

static uint64_t nr_stackless(const struct wire_waits *one)
{
	uint64_t n = one->untold;
	int i;

	for (i = 0; i < WIRE_STACKLESS; i++)
		n += one->bare[i].kept;
	return n;
}

void waits_copy(struct waits *w, int cpu)
{
	struct counted *c = &w->copy[cpu];

	memcpy(&c->waits, (const void *)&w->cpu[cpu].waits, sizeof(c->waits));
	c->below = w->hot[cpu].below;
	c->period = w->hot[cpu].period;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

bool waits_copy_is_true(const struct waits *w, int cpu)
{
	const struct wire_waits *now = &w->cpu[cpu].waits, *copy = &w->copy[cpu].waits;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&now->armed_tid, __ATOMIC_RELAXED) == copy->armed_tid &&
	       __atomic_load_n(&now->walked, __ATOMIC_RELAXED) == copy->walked && nr_stackless(now) == nr_stackless(copy);
}

static void add_some(struct waits_some *to, const struct wire_some *now, const struct wire_some *base)
{
	to->n += now->n - base->n;
	to->ns += now->ns - base->ns;
}

/* What waits stand for that were kept and have no stack. */
static void add_bare(struct profile *p, const char *name, const struct wire_bare *now, const struct wire_bare *base)
{
	int64_t values[NATIVE_COLUMNS] = { 0 };

	values[COL_WAITS] = (int64_t)(now->waits - base->waits);
	values[COL_BLOCKED] = (int64_t)(now->blocked - base->blocked);
	values[COL_RUNQUEUE] = (int64_t)(now->runqueue - base->runqueue);
	values[COL_KEPT] = (int64_t)(now->kept - base->kept);
	values[COL_WAIT_VAR] = (int64_t)(now->var - base->var);
	profile_add(p, profile_push(p, 0, profile_special_frame(p, name)), 0, values);
}

/* The last kept one, whose interrupt never came: as the switch program would have, at the next. */
static void disarm(struct wire_waits *one)
{
	wire_stands_for(&one->bare[WIRE_NO_IPI], one->armed_wait, one->armed_queued, one->armed_period);
	one->armed_tid = 0;
}

/* The last kept one, whose interrupt may still come: the next profile will have it. */
static void leave_armed(struct wire_waits *one)
{
	one->told.n--;
	one->told.ns -= one->armed_wait;
	one->kept.n--;
	one->kept.ns -= one->armed_wait;
	one->armed_tid = 0;
}

/* Those that were too short to be asked for, exactly. */
static void add_under(struct profile *p, const struct waits *w)
{
	int64_t values[NATIVE_COLUMNS] = { 0 };
	char name[64];
	int cpu;

	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		const struct wire_waits *one = &w->copy[cpu].waits, *base = &w->base[cpu].waits;
		uint64_t ns = one->under.ns - base->under.ns, queued = one->under_queued - base->under_queued;

		values[COL_WAITS] += (int64_t)(one->under.n - base->under.n);
		values[COL_BLOCKED] += (int64_t)(ns - queued);
		values[COL_RUNQUEUE] += (int64_t)queued;
	}
	snprintf(name, sizeof(name), "[waits under %g ms]", (double)w->min_ns / 1e6);
	if (values[COL_WAITS])
		profile_add(p, profile_push(p, 0, profile_special_frame(p, name)), 0, values);
}

static void add_cpu(struct profile *p, const struct counted *now, const struct counted *before)
{
	const struct wire_waits *one = &now->waits, *base = &before->waits;
	struct waits_ledger *l = &p->waits;
	int i;

	add_some(&l->seen, &one->told, &base->told);
	add_some(&l->seen, &now->below, &before->below);
	add_some(&l->below, &now->below, &before->below);
	add_some(&l->under, &one->under, &base->under);
	add_some(&l->self, &one->self, &base->self);
	add_some(&l->filtered, &one->filtered, &base->filtered);
	add_some(&l->kept, &one->kept, &base->kept);
	l->walked += one->walked - base->walked;
	l->stackless += nr_stackless(one) - nr_stackless(base);
	if (now->period > l->period)
		l->period = now->period;
	for (i = 0; i < WIRE_STACKLESS; i++)
		if (one->bare[i].kept != base->bare[i].kept)
			add_bare(p, no_stack[i], &one->bare[i], &base->bare[i]);
}

int waits_close_ledger(struct waits *w, struct profile *p, bool last)
{
	int cpu;

	p->waits.present = true;
	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		struct wire_waits *one = &w->copy[cpu].waits;

		if (one->armed_tid && last)
			disarm(one);
		else if (one->armed_tid)
			leave_armed(one);
		add_cpu(p, &w->copy[cpu], &w->base[cpu]);
	}
	add_under(p, w);
	memcpy(w->base, w->copy, (size_t)w->nr_cpus * sizeof(*w->base));
	return waits_check(&p->waits);
}
