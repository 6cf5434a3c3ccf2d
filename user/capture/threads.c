/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/threads.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "capture/switch_clock.h"
#include "capture/thread_close.h"
#include "capture/thread_list.h"
#include "sampler.skel.h"

enum slot_state { SLOT_SPARE, SLOT_GIVEN };

/* What one CPU's counters were when the account began. */
struct cpu_base {
	uint64_t idle, full, full_ns;
};

struct threads {
	const struct sampler_bpf *skel;
	const volatile uint32_t *self;
	int nr_cpus;
	uint32_t nr_slots, nr_used;	/* slots from nr_used on were never given */
	struct wire_thread *slot;	/* [nr_slots], mmapped */
	struct wire_switches *cpu;	/* [nr_cpus], mmapped */
	struct wire_hot *hot;		/* [nr_cpus]: the programs' own data */
	struct cpu_base *base;		/* [nr_cpus] */
	uint32_t *counted;		/* [nr_cpus]: their switches that are in `switches` */
	uint64_t switches;		/* of this account */
	uint32_t *slot_of;		/* by tid, mmapped */
	size_t slot_of_bytes;
	uint8_t *state;			/* [nr_slots] enum slot_state */
	uint32_t *spare;		/* a stack of those that came back */
	uint32_t nr_spare;
	uint64_t from, end;		/* the clock when the account began, and when it ended */
	uint64_t boot_from, boot_end;	/* CLOCK_BOOTTIME then */
	uint64_t begun_ns, paused_ns, listed_ns;	/* CLOCK_MONOTONIC as it began, at the pause, and at the list */
	uint64_t repaired, negative;
	struct thread_list before, after;	/* as the account began, and ended */
	struct open_waits open;
};

static void *map_fd(int fd, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	bytes = (bytes + page - 1) / page * page;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, bytes, MADV_DONTFORK);
	return p;
}

int threads_open(struct threads **out, const struct sampler_bpf *skel, struct threads_size size, int nr_cpus,
		 const volatile uint32_t *self)
{
	struct threads *t = xcalloc(1, sizeof(*t));

	t->skel = skel;
	t->self = self;
	t->nr_cpus = nr_cpus;
	t->nr_slots = size.slots;
	t->nr_used = 1;
	t->before.fd = t->after.fd = -1;
	t->slot = map_fd(bpf_map__fd(skel->maps.threads), size.slots * sizeof(*t->slot));
	t->cpu = map_fd(bpf_map__fd(skel->maps.switches), (size_t)nr_cpus * sizeof(*t->cpu));
	t->hot = skel->bss->hot;
	t->base = xcalloc((size_t)nr_cpus, sizeof(*t->base));
	t->counted = xcalloc((size_t)nr_cpus, sizeof(*t->counted));
	t->slot_of_bytes = size.lines * sizeof(struct wire_tid_line);
	t->slot_of = map_fd(bpf_map__fd(skel->maps.slot_of), t->slot_of_bytes);
	t->state = xcalloc(size.slots, sizeof(*t->state));
	t->spare = xcalloc(size.slots, sizeof(*t->spare));
	*out = t;
	return t->slot && t->cpu && t->slot_of ? 0 : fail(-errno, "map the account of threads");
}

static void unmap(void *p, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (p)
		munmap(p, (bytes + page - 1) / page * page);
}

void threads_close(struct threads *t)
{
	if (!t)
		return;
	unmap(t->slot, t->nr_slots * sizeof(*t->slot));
	unmap(t->cpu, (size_t)t->nr_cpus * sizeof(*t->cpu));
	unmap(t->slot_of, t->slot_of_bytes);
	thread_list_done(&t->before);
	thread_list_done(&t->after);
	open_waits_done(&t->open);
	free(t->base);
	free(t->counted);
	free(t->state);
	free(t->spare);
	free(t);
}

/* A slot that nobody has, 0: there is none. */
static uint32_t take_spare(struct threads *t)
{
	if (t->nr_spare)
		return t->spare[--t->nr_spare];
	return t->nr_used < t->nr_slots ? t->nr_used++ : 0;
}

/* One slot more for this CPU. False: it has its share, or there is none. */
static bool hand_one(struct threads *t, struct wire_switches *c, uint32_t share)
{
	uint64_t put = c->free_put;
	uint32_t n;

	if (put - __atomic_load_n(&c->free_taken, __ATOMIC_ACQUIRE) >= share)
		return false;
	n = take_spare(t);
	if (!n)
		return false;
	t->state[n] = SLOT_GIVEN;
	c->free[put % WIRE_SLOT_QUEUE] = n;
	__atomic_store_n(&c->free_put, put + 1, __ATOMIC_RELEASE);
	return true;
}

/*
 * As many to each CPU as it may have in hand, but no more than its share. In turns: what starts at the same time, on
 * whatever CPUs, and then switches to one another, has its slots on the same page.
 */
static void hand_out(struct threads *t)
{
	uint32_t share = t->nr_slots / 2 / (uint32_t)t->nr_cpus;
	bool more = true;
	int cpu;

	if (share > WIRE_SLOT_QUEUE)
		share = WIRE_SLOT_QUEUE;
	while (more)
		for (more = false, cpu = 0; cpu < t->nr_cpus; cpu++)
			more |= hand_one(t, &t->cpu[cpu], share);
}

static bool is_self(const struct threads *t, uint32_t tgid)
{
	int i;

	for (i = 0; i < WIRE_MAX_SELF; i++)
		if (t->self[i] == tgid)
			return true;
	return false;
}

static void add_thread(struct threads *t, struct profile *p, const struct wire_thread *one, bool ended)
{
	struct thread_time row = { .pid = one->tgid,
				   .tid = one->tid,
				   .task = (int64_t)(one->exec - one->exec_from),
				   .stolen = one->stolen,
				   .runqueue = (int64_t)(one->delay - one->delay_from),
				   .alive = (int64_t)(one->since - one->born) };

	if (!p)
		return;
	row.blocked = row.alive - row.task - row.stolen - row.runqueue;
	t->repaired += one->repaired;
	t->negative += one->negative;
	if (!one->wanted || is_self(t, one->tgid)) {
		p->times.other += row.task + row.stolen;
		return;
	}
	row.comm = profile_string(p, one->comm, strnlen(one->comm, sizeof(one->comm)));
	if (ended)
		times_add_ended(&p->times, &row);
	else
		times_add(&p->times, &row);
}

static void make_spare(struct threads *t, uint32_t slot)
{
	t->slot[slot].tid = 0;
	t->slot[slot].task_struct = 0;
	t->state[slot] = SLOT_SPARE;
	t->spare[t->nr_spare++] = slot;
}

static void take_back(struct threads *t, struct profile *p)
{
	struct wire_thread one;
	int cpu;

	for (cpu = 0; cpu < t->nr_cpus; cpu++) {
		struct wire_switches *c = &t->cpu[cpu];
		uint64_t put = __atomic_load_n(&c->dead_put, __ATOMIC_ACQUIRE), n = c->dead_taken;

		for (; n < put; n++) {
			uint32_t slot = c->dead[n % WIRE_SLOT_QUEUE];

			/* twice: a thread that changed its tid while another took it */
			if (!slot || slot >= t->nr_slots || t->state[slot] != SLOT_GIVEN)
				continue;
			one = t->slot[slot];
			if (one.tid)
				add_thread(t, p, &one, true);
			make_spare(t, slot);
		}
		__atomic_store_n(&c->dead_taken, n, __ATOMIC_RELEASE);
	}
}

static int open_list(const struct threads *t, struct thread_list *l)
{
	return thread_list_open(l, bpf_link__fd(t->skel->links.list_threads));
}

/* Often enough that 32 bits do for what came since. */
static void count_switches(struct threads *t)
{
	uint32_t n;
	int cpu;

	for (cpu = 0; cpu < t->nr_cpus; cpu++) {
		n = __atomic_load_n(&t->hot[cpu].end, __ATOMIC_RELAXED);
		t->switches += n - t->counted[cpu];
		t->counted[cpu] = n;
	}
}

/* For an account from that reading of the clock on, which begins when the CPUs are told so. */
static void prepare(struct threads *t, uint64_t from)
{
	int cpu;

	for (cpu = 0; cpu < t->nr_cpus; cpu++) {
		const struct wire_switches *c = &t->cpu[cpu];

		t->base[cpu] = (struct cpu_base){ c->idle, c->full, c->full_ns };
	}
	count_switches(t);
	t->switches = 0;
	t->from = from;
	switch_clock_set_from(t->cpu, t->nr_cpus, from);
	/* the programs read `on` first, and need not find `from` behind it where loads may be reordered */
	usleep(SWITCH_SETTLE_US);
}

/* Who exits later than begun_ns has his last switch accounted. */
static void switch_on(struct threads *t)
{
	switch_clock_set_on(t->hot, t->nr_cpus, true);
	t->begun_ns = clock_mono();
}

/* Who leaves a CPU before the programs see to it, but after `from`, has run for nobody: the two without a nap between. */
static void begin_now(struct threads *t)
{
	uint64_t lead = switch_clock_lead(t->hot, t->nr_cpus);

	prepare(t, clock_mono() - lead);
	t->boot_from = clock_boot();
	t->from = clock_mono() - lead;
	switch_clock_set_from(t->cpu, t->nr_cpus, t->from);
	switch_on(t);
}

int threads_start(struct threads *t)
{
	int r = open_list(t, &t->before);

	/* the one for the end, too: no bpf(2) then */
	if (!r)
		r = open_list(t, &t->after);
	if (!r)
		r = thread_list_read(&t->before);
	if (r)
		return r;
	hand_out(t);
	begin_now(t);
	return 0;
}

void threads_read(struct threads *t, struct profile *p)
{
	take_back(t, p);
	hand_out(t);
	count_switches(t);
}

/* A wait that has not ended: sampled ones are walked when they end, so this is for later. */
static void add_open(struct threads *t, struct profile *p, const struct wire_thread *one, struct open_wait w)
{
	const struct wire_thread_now *leader;

	if (!p || w.wait <= 0 || !one->wanted || is_self(t, one->tgid))
		return;
	leader = thread_list_tid(&t->after, one->tgid);
	p->waits.open.n++;
	p->waits.open.ns += (uint64_t)w.wait;
	w.tid = one->tid;
	w.labels = open_waits_labels(p, one, leader ? leader->comm : one->comm);
	open_waits_add(&t->open, &w);
}

struct open_waits *threads_open_waits(struct threads *t)
{
	return &t->open;
}

/* The interval that is open when the account ends. The list knows of switches that were not seen. */
static void close_interval(struct threads *t, struct profile *p, struct wire_thread *one,
			   const struct wire_thread_now *now)
{
	struct account_end e = { .end = t->end, .later = t->listed_ns - t->paused_ns };
	struct open_interval i = thread_close(one, now, e);

	if (i.off)
		add_open(t, p, one, (struct open_wait){ .pcount = i.over ? OPEN_WAIT_OVER : now->pcount,
							.wait = i.wait, .queued = i.queued });
}

/* For one that has ended by the time of the list, or that the kernel does not list: as the switches left it. */
static struct wire_thread_now unlisted(const struct threads *t, const struct wire_thread *one)
{
	uint64_t end = t->end;
	struct wire_thread_now now = { .exec = one->exec, .delay = one->delay, .wanted = one->wanted };
	int cpu;

	for (cpu = 0; cpu < t->nr_cpus; cpu++)
		if (one->state == WIRE_THREAD_ON && t->hot[cpu].tid == one->tid && end > one->since) {
			now.exec += end - one->since;
			now.on_cpu = 1;
		}
	memcpy(now.comm, one->comm, sizeof(now.comm));
	return now;
}

/* One that is not there any more, whose end was not seen or had no room on the way back. */
static void collect(struct threads *t, uint32_t slot)
{
	uint32_t tid = t->slot[slot].tid;

	if (tid < t->slot_of_bytes / sizeof(*t->slot_of) && t->slot_of[tid] == slot)
		t->slot_of[tid] = 0;
	make_spare(t, slot);
}

/* The next account begins where this one ended: what comes is a difference to what was said of it. */
static void reopen(struct threads *t, uint32_t i, const struct wire_thread *closed, uint32_t wanted)
{
	struct wire_thread *s = &t->slot[i];

	s->since = s->born = closed->since;
	s->exec = closed->exec;
	s->delay = closed->delay;
	s->exec_from = closed->exec;
	s->delay_from = closed->delay;
	s->stolen = 0;
	s->arrived = 0;
	s->repaired = s->negative = 0;
	s->wanted = wanted;
}

/* Ended between the last account and this one, without a switch in it: what it was on is idle since then. */
static void drop(struct threads *t, uint32_t slot, const struct wire_thread *one)
{
	int cpu;

	for (cpu = 0; cpu < t->nr_cpus; cpu++)
		if (one->state == WIRE_THREAD_ON && t->hot[cpu].tid == one->tid)
			t->hot[cpu].tid = 0;
	collect(t, slot);
}

static void close_slot(struct threads *t, struct profile *p, uint32_t i, struct wire_thread *one)
{
	const struct wire_thread_now *listed = thread_list_find(&t->after, one);
	struct wire_thread_now now = listed ? *listed : unlisted(t, one);

	if (listed)
		t->after.seen[listed - t->after.now] = 1;
	if (one->state == WIRE_THREAD_DEAD) {
		add_thread(t, p, one, true);
		collect(t, i);
		return;
	}
	if (!listed && one->exit && one->exit < t->begun_ns && one->since == one->born) {
		drop(t, i, one);
		return;
	}
	if (p) {
		/* one that is not asked for any more keeps the name by which it was */
		if (now.wanted || !one->wanted)
			memcpy(one->comm, now.comm, sizeof(one->comm));
		one->wanted |= now.wanted;
		close_interval(t, p, one, &now);
		add_thread(t, p, one, false);
		reopen(t, i, one, now.wanted);
	}
	if (!listed)
		collect(t, i);
}

/* All that have a slot. */
static void close_slots(struct threads *t, struct profile *p)
{
	struct wire_thread one;
	uint32_t i;

	for (i = 1; i < t->nr_used; i++) {
		one = t->slot[i];
		if (t->state[i] == SLOT_GIVEN && one.tid)
			close_slot(t, p, i, &one);
	}
}

/*
 * Those of which no switch was seen: what they do now they did all the time, but for what the scheduler's sums
 * say. (There are threads whose switches are never told.)
 */
static void close_others(struct threads *t, struct profile *p)
{
	const struct thread_list *l = &t->after;
	uint64_t end = t->end;
	size_t i;

	for (i = 0; i < l->nr; i++) {
		const struct wire_thread_now *now = &l->now[i], *then;
		struct wire_thread one = { .tid = now->tid, .tgid = now->tgid, .wanted = now->wanted };
		uint64_t age = now->start_time > t->boot_from ? now->start_time - t->boot_from : 0;

		if (l->seen[i] || !now->tid)
			continue;
		one.start_time = now->start_time;
		one.task_struct = now->task_struct;
		then = thread_list_find(&t->before, &one);
		one.born = one.since = t->from + age < end ? t->from + age : end;
		one.state = now->on_cpu ? WIRE_THREAD_ON : WIRE_THREAD_OFF;
		one.exec = then ? then->exec : 0;
		one.delay = then ? then->delay : 0;
		if (then && then->queued && then->queued < t->from)
			one.delay += t->from - then->queued;
		one.exec_from = one.exec;
		one.delay_from = one.delay;
		memcpy(one.comm, now->comm, sizeof(one.comm));
		close_interval(t, p, &one, now);
		add_thread(t, p, &one, false);
	}
}

/* What belongs to the CPUs. An idle one is so until the end. */
static void close_cpus(struct threads *t, struct profile *p)
{
	uint64_t end = t->end;
	int cpu;

	count_switches(t);
	p->times.switches += t->switches;
	for (cpu = 0; cpu < t->nr_cpus; cpu++) {
		const struct wire_switches *c = &t->cpu[cpu];
		const struct wire_hot *h = &t->hot[cpu];
		const struct cpu_base *b = &t->base[cpu];

		p->times.idle += (int64_t)(c->idle - b->idle);
		if (h->clock && !h->tid && h->clock < end)
			p->times.idle += (int64_t)(end - (h->clock > t->from ? h->clock : t->from));
		p->times.full += c->full - b->full;
		p->times.full_ns += (int64_t)(c->full_ns - b->full_ns);
	}
}

/* The last switch that was accounted. */
static uint64_t last_switch(const struct threads *t, uint64_t end)
{
	uint32_t i;

	for (i = 1; i < t->nr_used; i++)
		if (t->state[i] == SLOT_GIVEN && t->slot[i].tid && t->slot[i].since > end)
			end = t->slot[i].since;
	return end;
}

int threads_pause(struct threads *t)
{
	t->paused_ns = clock_mono();
	t->boot_end = clock_boot();
	t->end = switch_clock_newest(t->hot, t->nr_cpus);
	switch_clock_set_noting(t->cpu, t->nr_cpus, true);
	switch_clock_set_on(t->hot, t->nr_cpus, false);
	return switch_clock_settle(t->hot, t->nr_cpus);
}

int threads_close_account(struct threads *t, struct profile *p)
{
	int r = thread_list_read(&t->after);

	if (r)
		return r;
	t->listed_ns = clock_mono();
	switch_clock_set_noting(t->cpu, t->nr_cpus, false);
	r = switch_clock_settle(t->hot, t->nr_cpus);
	if (r)
		return r;
	t->open.nr = 0;
	take_back(t, p);
	t->end = last_switch(t, t->end);
	close_slots(t, p);
	if (!p)
		return 0;
	close_cpus(t, p);
	close_others(t, p);
	open_waits_sort(&t->open);
	p->times.window = (int64_t)(t->end - t->from);
	p->times.repaired = t->repaired;
	p->times.negative = t->negative;
	p->times.present = true;
	t->repaired = t->negative = 0;
	return 0;
}

int threads_resume(struct threads *t, bool anew)
{
	thread_list_done(&t->before);
	t->before = t->after;
	t->after = (struct thread_list){ .fd = -1 };
	t->boot_from = t->boot_end;
	prepare(t, anew ? t->end : t->from);
	switch_on(t);
	return open_list(t, &t->after);
}
