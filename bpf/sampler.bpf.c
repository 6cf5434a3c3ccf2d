// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where is each CPU right now? One perf_event program per tick: it puts the
 * tick into exactly one bucket (law L1), and for a wanted task sends identity
 * and stack to the CPU's ring buffer.
 *
 * No kprobes, no stack maps, no reads of kernel memory but direct BTF loads,
 * so it loads from 5.10 on and under lockdown=confidentiality. On 5.10 a
 * perf_event program may not ask for the current task: there, and only there,
 * the switch program leaves the task's identity in a per-CPU slot.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "bpf/processes.h"
#include "bpf/raw.bpf.h"
#ifdef WIRE_AARCH64
#include "bpf/regs_aarch64.bpf.h"
#else
#include "bpf/regs_x86_64.bpf.h"
#endif

#define PF_KTHREAD	0x00200000
#define PF_EXITING	0x00000004
#define COMM_WORDS	(WIRE_COMM_LEN / 8)
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set before load. */
const volatile __u64 period_ns = 1;
const volatile __u32 nr_cpus;
const volatile bool take_kernel = true, take_user = true;
const volatile bool read_kernel_memory;	/* 5.10 without lockdown: user registers by probe_read */

/* Written by user space while it runs: the processes that are dwell itself. */
volatile __u32 self_tgid[WIRE_MAX_SELF];

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_cpu);
} cpus SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_births);
} births SEC(".maps");

/* Who runs on each CPU: 5.10 only. tid is written last and cleared first. */
struct slot {
	__u32 tid, tgid;
	__u64 start_time, exec_id;
	__u64 stack, stack_top;
	__u64 thread_start, cgroup;	/* where filters ask for them */
	__u32 flags;
	__u32 compat;
	__u32 in_exec, pad;		/* what follows the tid is being changed */
	__u64 process[COMM_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct slot);
} slots SEC(".maps");

static __always_inline void copy_comm(char *to, const char *from)
{
	int i;

	for (i = 0; i < WIRE_COMM_LEN; i++)
		to[i] = from[i];
}

#include "bpf/filters.inc"

/* Who runs here, from the current task itself. */
static __always_inline bool identify_task(struct wire_sample *s, struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;

	s->start_time = leader->start_boottime;
	s->exec_id = task->self_exec_id;
	if (task->flags & PF_KTHREAD)
		s->flags |= WIRE_KTHREAD;
	copy_comm(s->process, leader->comm);
	return true;
}

/* Who runs here, as the switch program left it. */
static __always_inline bool identify_slot(struct wire_sample *s, const struct slot *slot)
{
	if (slot->tid != s->tid || slot->tgid != s->tgid)
		return false;
	s->start_time = slot->start_time;
	s->exec_id = slot->exec_id;
	if (slot->flags & PF_KTHREAD)
		s->flags |= WIRE_KTHREAD;
	__builtin_memcpy(s->process, slot->process, WIRE_COMM_LEN);
	return true;
}

static __always_inline bool slot_passes(const struct wire_sample *s, const struct slot *slot)
{
	struct who w = { s->start_time, slot->thread_start, slot->cgroup, s->tgid, s->tid };

	return passes(&w, s->comm);
}

/* In execve() the old program's registers are still there, its memory is not; at the end neither. */
static __always_inline bool is_between(struct walk *w, struct task_struct *task)
{
	if (task->flags & PF_EXITING && !task->mm)
		w->status = WIRE_USER_EXIT;
	else if (bpf_core_field_exists(task->in_execve) && BPF_CORE_READ_BITFIELD(task, in_execve))
		w->status = WIRE_USER_EXEC;
	else
		return false;
	return true;
}

static __always_inline bool regs_of_task(struct walk *w, struct task_struct *task)
{
	if (is_between(w, task))
		return false;
	if (task->thread_info.flags & TIF_32BIT) {
		w->status = WIRE_USER_COMPAT;
		return false;
	}
	/* false: a worker of io_uring or vhost, which never was and never will be in user mode */
	return regs_saved(w, (struct pt_regs *)bpf_task_pt_regs(task));
}

static __always_inline bool regs_of_slot(struct walk *w, const struct slot *slot)
{
	w->status = WIRE_USER_NO_REGS;
	if (slot->compat)
		w->status = WIRE_USER_COMPAT;
	if (slot->in_exec)
		w->status = WIRE_USER_EXEC;
	return w->status == WIRE_USER_NO_REGS && read_kernel_memory && regs_on_stack(w, slot->stack);
}

static __always_inline bool user_regs(struct bpf_perf_event_data *ctx, struct walk *w,
				      struct task_struct *task, const struct slot *slot)
{
	if (!is_user_mode(&ctx->regs))
		return task ? regs_of_task(w, task) : slot ? regs_of_slot(w, slot) : false;
	if (is_32bit(&ctx->regs)) {
		w->status = WIRE_USER_COMPAT;
		return false;
	}
	WALK_FROM(w, &ctx->regs);
	w->return_address = 0;
	return true;
}

/* Where the first thread's stack began. */
static __always_inline __u64 stack_top(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	return mm ? mm->start_stack : 0;
}

/* A stack is taken in three parts: the kernel's, the user's if it is wanted and has registers, and the end. */
static __always_inline void take_kernel_part(void *ctx, struct walk *w, bool kernel_mode)
{
	struct wire_sample *s = &w->sample;
	long n = 0;

	w->nr = 0;
	w->status = WIRE_USER_NONE;
	s->by_fp = 0;
	s->by_guess = 0;
	s->bad_pc = 0;
	if (kernel_mode)
		s->flags |= WIRE_KERNEL_MODE;
	if (kernel_mode && take_kernel) {
		n = bpf_get_stack(ctx, w->frame, WIRE_MAX_KERNEL * 8, 0);
		if (n < 0) {
			s->flags |= WIRE_KERNEL_FAILED;
			n = 0;
		}
	}
	s->nr_kernel = n >> 3;
	w->first = s->nr_kernel;
}

static __always_inline bool wants_user(const struct walk *w)
{
	return take_user && !(w->sample.flags & WIRE_KTHREAD);
}

static __always_inline void take_user_part(void *ctx, struct walk *w, __u32 cpu, struct task_struct *task,
					   const struct slot *slot)
{
	if (w->return_address)
		w->sample.flags |= WIRE_SYSCALL;
	walk_user(w, cpu);
	if (needs_raw(w))
		w->stack_top = task ? stack_top(task) : slot ? slot->stack_top : 0;
}

static __always_inline void take_end(struct walk *w)
{
	w->sample.nr_user = w->nr;
	w->sample.user_status = w->status;
}

static __always_inline void take_stack(struct bpf_perf_event_data *ctx, struct walk *w, __u32 cpu,
				       struct task_struct *task, const struct slot *slot)
{
	take_kernel_part(ctx, w, !is_user_mode(&ctx->regs));
	if (wants_user(w) && user_regs(ctx, w, task, slot))
		take_user_part(ctx, w, cpu, task, slot);
	take_end(w);
}

/* To user space; `count` is what it is one of; wake: at least where the ring fills. Non-zero: there was no room. */
static __always_inline int emit(struct wire_cpu *c, struct walk *w, __u32 cpu, __u64 *count, bool wake)
{
	void *ring = bpf_map_lookup_elem(&rings, &cpu);
	__u32 n = (__u32)w->sample.nr_kernel + w->sample.nr_user;

	w->sample.seq = c->emitted + c->waits + 1;
	if (n > WIRE_FRAME_SLOTS - 1)
		n = WIRE_FRAME_SLOTS - 1;
	if (!ring)
		return -1;
	if (!(needs_raw(w) && !emit_raw(c, w, ring)) &&
	    bpf_ringbuf_output(ring, &w->sample, sizeof(w->sample) + n * 8, wake ? wake_up(c, ring) : BPF_RB_NO_WAKEUP))
		return -1;
	*count += 1;
	return 0;
}

/* The tick of a task that runs: one bucket. use_slot is a constant in each caller. */
static __always_inline void sample_busy(struct bpf_perf_event_data *ctx, struct wire_cpu *c,
					__u32 cpu, __u64 id, bool use_slot)
{
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	struct slot *slot = use_slot ? bpf_map_lookup_elem(&slots, &cpu) : NULL;
	struct task_struct *task = use_slot ? NULL : bpf_get_current_task_btf();
	struct wire_sample *s;

	if (!w || w->in_use) {
		c->lost[WIRE_LOST_NESTED]++;
		return;
	}
	w->in_use = 1;
	s = &w->sample;
	s->flags = 0;
	s->tid = (__u32)id;
	s->tgid = id >> 32;
	bpf_get_current_comm(s->comm, sizeof(s->comm));
	if (use_slot ? !slot || !identify_slot(s, slot) : !identify_task(s, task)) {
		c->lost[WIRE_LOST_IDENTITY]++;
	} else if (use_slot ? !slot || !slot_passes(s, slot) : !is_wanted(task)) {
		c->filtered++;
	} else {
		s->time = bpf_ktime_get_ns();
		take_stack(ctx, w, cpu, task, slot);
		if (emit(c, w, cpu, &c->emitted, false))
			c->lost[WIRE_LOST_RING_FULL]++;
	}
	w->in_use = 0;
}

static __always_inline int sample_tick(struct bpf_perf_event_data *ctx, bool use_slot)
{
	struct bpf_perf_event_value value = {};
	__u32 cpu = bpf_get_smp_processor_id();
	struct wire_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	__u64 id;

	if (!c)
		return 0;
	c->begin++;
	c->runs++;
	id = bpf_get_current_pid_tgid();
	if (bpf_perf_prog_read_value(ctx, &value, sizeof(value))) {
		c->lost[WIRE_LOST_NO_COUNT]++;
	} else {
		c->ticks = value.counter / period_ns;
		if (!id)
			c->idle++;
		else if (is_self(id >> 32))
			c->self++;
		else
			sample_busy(ctx, c, cpu, id, use_slot);
	}
	c->end++;
	return 0;
}

SEC("perf_event")
int sample_task(struct bpf_perf_event_data *ctx)
{
	return sample_tick(ctx, false);
}

SEC("perf_event")
int sample_slot(struct bpf_perf_event_data *ctx)
{
	return sample_tick(ctx, true);
}

/* 5.10: leaves the identity of the task that is about to run, or that changed, in the CPU's slot. */
static __always_inline void slot_fill(struct task_struct *task)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct slot *slot = bpf_map_lookup_elem(&slots, &cpu);
	struct task_struct *leader;

	if (!slot)
		return;
	leader = task->group_leader;
	slot->tid = 0;
	slot->in_exec = 0;
	barrier();
	slot->tgid = task->tgid;
	slot->start_time = leader->start_boottime;
	slot->exec_id = task->self_exec_id;
	if (only_threads)
		slot->thread_start = task->start_boottime;
	if (only_cgroups)
		slot->cgroup = cgroup_of(task);
	slot->stack = (__u64)task->stack;
	slot->stack_top = stack_top(task);
	slot->flags = task->flags;
	slot->compat = !!(task->thread_info.flags & TIF_32BIT);
	copy_comm((char *)slot->process, leader->comm);
	barrier();
	slot->tid = task->pid;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(slot_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	slot_fill(next);
	return 0;
}

/* Ticks go on meanwhile, and are of the same task, unless it has just got the tid of its process's first. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(slot_exec, struct task_struct *task)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct slot *slot = bpf_map_lookup_elem(&slots, &cpu);

	if (!slot)
		return 0;
	if (slot->tid != (__u32)task->pid) {
		slot_fill(task);
		return 0;
	}
	slot->in_exec = 1;
	barrier();
	slot->exec_id = task->self_exec_id;
	slot->stack_top = stack_top(task);
	slot->compat = !!(task->thread_info.flags & TIF_32BIT);
	copy_comm((char *)slot->process, task->group_leader->comm);
	barrier();
	slot->in_exec = 0;
	return 0;
}

#include "bpf/waits.inc"
#include "bpf/threads.inc"
#include "bpf/switch.inc"
#include "bpf/sleepers.inc"

/* A child has its parent's code until it execs: its maps are known before its first tick. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(unwind_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_tgid = parent->tgid, tgid = child->tgid;
	struct wire_process *p, copy;

	if (child->pid != child->tgid)
		return 0;
	p = find_process(parent_tgid);
	if (!p || p->version & 1 || p->start_time != parent->group_leader->start_boottime ||
	    p->exec_id != (__u32)parent->self_exec_id)
		p = bpf_map_lookup_elem(&forked, &parent_tgid);
	if (!p || p->start_time != parent->group_leader->start_boottime ||
	    p->exec_id != (__u32)parent->self_exec_id)
		return 0;
	__builtin_memcpy(&copy, p, sizeof(copy));
	barrier();
	if (copy.version & 1 || copy.version != *(volatile __u32 *)&p->version)
		return 0;
	copy.tgid = tgid;
	copy.start_time = child->start_boottime;
	bpf_map_update_elem(&forked, &tgid, &copy, BPF_ANY);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(unwind_exec, struct task_struct *task)
{
	__u32 tgid = task->tgid, cpu = bpf_get_smp_processor_id();
	struct wire_births *b = bpf_map_lookup_elem(&births, &cpu);
	struct wire_birth *one;

	bpf_map_delete_elem(&forked, &tgid);
	if (!b || (only_targets && !bpf_map_lookup_elem(&targets, &tgid)))
		return 0;
	one = &b->birth[b->count & (WIRE_BIRTHS - 1)];
	one->time = bpf_ktime_get_ns();
	one->start_time = task->group_leader->start_boottime;
	one->tgid = tgid;
	one->exec_id = (__u32)task->self_exec_id;
	barrier();
	*(volatile __u64 *)&b->count += 1;
	return 0;
}

/*
 * The command that dwell started counts from its own image on. Programs of one tracepoint run in their order
 * here: this is the last of those of an execve(), for a tick between two of them would find the caller's name.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(target_exec, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct wire_target *t = bpf_map_lookup_elem(&targets, &tgid);

	if (t && t->pending) {
		t->pending = 0;
		thread_restart(task);
	}
	return 0;
}

SEC("tp_btf/sched_process_free")
int BPF_PROG(unwind_free, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct wire_process *p = bpf_map_lookup_elem(&forked, &tgid);

	if (p && task->pid == task->tgid && p->start_time == task->start_boottime)
		bpf_map_delete_elem(&forked, &tgid);
	return 0;
}

/* The identities of all processes that run: what user space needs to publish their maps before a sample. */
SEC("iter/task")
int list_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct wire_task t = {};

	if (!task || task->pid != task->tgid || !task->mm)
		return 0;
	t.start_time = task->start_boottime;
	t.tgid = task->tgid;
	t.exec_id = task->self_exec_id;
	bpf_seq_write(ctx->meta->seq, &t, sizeof(t));
	return 0;
}
