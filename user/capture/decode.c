/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/decode.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"

struct decoder {
	struct profile *p;
	const struct kallsyms *kallsyms;
	struct processes *processes;
	uint32_t *mapping;		/* of each object; 0: none yet */
	size_t nr_mappings, cap_mappings;
	uint32_t key_pid, key_tid, key_comm, key_process;
};

static const char *const truncated[WIRE_USER_STATUSES] = {
	[WIRE_USER_NO_FP] = "[truncated: no frame pointer]",
	[WIRE_USER_FAULT] = "[truncated: stack unreadable]",
	[WIRE_USER_DEPTH] = "[truncated: too deep]",
	[WIRE_USER_NO_REGS] = "[truncated: registers unreadable]",
	[WIRE_USER_COMPAT] = "[truncated: 32-bit program]",
};

struct decoder *decoder_new(struct profile *p, const struct kallsyms *k)
{
	struct decoder *d = xcalloc(1, sizeof(*d));

	d->p = p;
	d->kallsyms = k;
	d->processes = processes_new();
	d->key_pid = profile_strings(p, "pid");
	d->key_tid = profile_strings(p, "tid");
	d->key_comm = profile_strings(p, "comm");
	d->key_process = profile_strings(p, "process");
	return d;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	processes_free(d->processes);
	free(d->mapping);
	free(d);
}

static uint32_t push_special(struct decoder *d, uint32_t stack, const char *name)
{
	return profile_push(d->p, stack, profile_special_frame(d->p, name));
}

/* The profile's mapping of an object. Until it is named its frames hold file offsets. */
static uint32_t mapping_of(struct decoder *d, uint32_t object)
{
	const struct object_file *o = processes_object(d->processes, object);
	struct mapping m = { .kind = MAPPING_FILE };
	char name[64];

	grow(&d->mapping, &d->cap_mappings, object + 1, sizeof(*d->mapping));
	while (d->nr_mappings <= object)
		d->mapping[d->nr_mappings++] = 0;
	if (d->mapping[object])
		return d->mapping[object];
	if (o->kind == OBJECT_FILE) {
		/* two files of one name (a replaced one) stay two: told apart by this until they move */
		m.start = m.offset = object + 1;
		m.file = profile_strings(d->p, o->path);
	} else if (o->kind == OBJECT_VDSO) {
		m.kind = MAPPING_VDSO;
		m.file = profile_strings(d->p, "[vdso]");
	} else {
		m.kind = MAPPING_ANON;
		snprintf(name, sizeof(name), "//anon:%d", o->pid);
		m.file = profile_strings(d->p, name);
		m.start = o->start;
		m.limit = o->end;
	}
	d->mapping[object] = profile_mapping(d->p, &m);
	return d->mapping[object];
}

static uint32_t user_frame(struct decoder *d, const struct process_map *m, uint64_t address)
{
	const struct object_file *o = processes_object(d->processes, m->object);
	uint32_t mapping = mapping_of(d, m->object);

	if (o->kind == OBJECT_ANON)
		return profile_frame(d->p, mapping, address);
	return profile_frame(d->p, mapping, address - m->start + m->offset);
}

/* The address inside the call instruction for a return address, the address itself for a leaf. */
static uint64_t user_address(const struct wire_sample *s, const uint64_t *frame, uint32_t i)
{
	return i || (s->flags & WIRE_SYSCALL) ? frame[i] - 1 : frame[i];
}

/*
 * The user part, root first. Every return address must lie in executable memory: from the first
 * that does not on (towards the root) the chain is not to be believed, and is cut.
 */
static uint32_t push_user(struct decoder *d, const struct wire_sample *s, const uint64_t *frame,
			  uint64_t now_ns)
{
	const char *cut = truncated[s->user_status];
	uint32_t ids[WIRE_MAX_USER + 1], n = 0, i, stack = 0;
	const struct process_map *m;
	struct process *proc;

	if (s->user_status == WIRE_USER_NONE)
		return 0;
	proc = processes_get(d->processes, (int)s->tgid, s->start_time, s->exec_id, now_ns);
	if (proc->gone)
		return push_special(d, 0, "[truncated: process gone]");
	for (i = 0; i < s->nr_user; i++) {
		m = processes_map(d->processes, proc, user_address(s, frame, i), !i,
				  now_ns);
		if (m) {
			ids[n++] = user_frame(d, m, user_address(s, frame, i));
		} else if (i != 1 || !(s->flags & WIRE_SYSCALL_RA)) {
			cut = i ? "[truncated: bad return address]" : "[truncated: unknown code]";
			break;
		}
	}
	if (cut)
		stack = push_special(d, stack, cut);
	while (n)
		stack = profile_push(d->p, stack, ids[--n]);
	return stack;
}

static uint32_t kernel_mapping(struct decoder *d, uint64_t address)
{
	struct mapping m = { .kind = MAPPING_KERNEL };
	struct kernel_symbol sym;
	char name[80] = "[kernel.kallsyms]";

	if (d->kallsyms && kallsyms_find(d->kallsyms, address, &sym) && *sym.module)
		snprintf(name, sizeof(name), "[%s]", sym.module);
	m.file = profile_strings(d->p, name);
	return profile_mapping(d->p, &m);
}

static uint32_t push_kernel(struct decoder *d, const struct wire_sample *s, const uint64_t *frame,
			    uint32_t stack)
{
	uint32_t i;

	if (s->flags & WIRE_KERNEL_FAILED)
		return push_special(d, stack, "[truncated: kernel stack unreadable]");
	for (i = s->nr_kernel; i-- > 0;) {
		uint64_t address = i ? frame[i] - 1 : frame[i];

		stack = profile_push(d->p, stack,
				     profile_frame(d->p, kernel_mapping(d, address), address));
	}
	return stack;
}

static uint32_t labels_of(struct decoder *d, const struct wire_sample *s)
{
	struct profile *p = d->p;
	struct label l[4] = {
		{ .key = d->key_pid, .num = s->tgid },
		{ .key = d->key_tid, .num = s->tid },
		{ .key = d->key_comm,
		  .str = profile_string(p, s->comm, strnlen(s->comm, sizeof(s->comm))) },
		{ .key = d->key_process,
		  .str = profile_string(p, s->process, strnlen(s->process, sizeof(s->process))) },
	};

	return profile_labels(p, l, ARRAY_LEN(l));
}

int decoder_add(struct decoder *d, const struct wire_sample *s, size_t size, uint64_t now_ns)
{
	const uint64_t *frame = (const uint64_t *)(s + 1);
	int64_t values[NATIVE_COLUMNS] = { 0 };
	uint32_t stack;

	if (size < sizeof(*s) || s->nr_kernel > WIRE_MAX_KERNEL || s->nr_user > WIRE_MAX_USER ||
	    s->user_status >= WIRE_USER_STATUSES ||
	    size < sizeof(*s) + ((size_t)s->nr_kernel + s->nr_user) * sizeof(*frame))
		return fail_plain(-EBADMSG, "a record of %zu bytes is not whole", size);
	stack = push_user(d, s, frame + s->nr_kernel, now_ns);
	stack = push_kernel(d, s, frame, stack);
	values[COL_SAMPLES] = 1;
	values[COL_CPU] = d->p->period;
	profile_add(d->p, stack, labels_of(d, s), values);
	return 0;
}

uint64_t decoder_nr_processes(const struct decoder *d)
{
	return processes_nr_seen(d->processes);
}

size_t decoder_nr_objects(const struct decoder *d)
{
	return d->nr_mappings;
}

const struct object_file *decoder_object(const struct decoder *d, size_t i, uint32_t *mapping)
{
	*mapping = d->mapping[i];
	return processes_object(d->processes, (uint32_t)i);
}
