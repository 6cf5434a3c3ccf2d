/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/decode.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

#define WAIT_MAX_PERIOD (1ull << 32)
#define MAX_SWITCHING 32		/* frames from an interrupt in a switch to the switch */
#define KERNEL_CACHE 1024		/* a power of two */

/* A sample that waits for tables. */
struct pending {
	uint64_t since_ns;
	struct wire_raw raw;		/* and its stack */
};

/* A kernel address that was met of late, and its frame: they recur in nearly every sample. */
struct kernel_frame {
	uint64_t address;
	uint32_t frame;			/* 0: none here */
	bool switches;			/* where tasks are switched: what is further in is not the wait's */
};

struct decoder {
	struct profile *p;
	const struct kallsyms *kallsyms;
	struct images *images;
	struct unwinder *unwinder;
	uint32_t *mapping;		/* of each object; 0: none yet */
	size_t nr_mappings, cap_mappings;
	struct pending **pending;	/* oldest first */
	size_t nr_pending, cap_pending, pending_bytes;
	uint32_t max_user;
	uint32_t key_pid, key_tid, key_comm, key_process, key_state;
	struct kernel_frame kernel[KERNEL_CACHE];
};

/* The kernel part of a stack, and the user part and how it ended; both leaf first. */
struct parts {
	const uint64_t *kernel;
	const uint64_t *frame;		/* of the user part */
	uint32_t nr;
	uint32_t by_kernel;		/* so many of the first were followed in the kernel, with its tables */
	uint8_t status;			/* enum wire_user_status */
	bool guessed;
};

static const char *const ended[WIRE_USER_STATUSES] = {
	[WIRE_USER_GAP] = "[truncated: no unwind data]",
	[WIRE_USER_FAULT] = "[truncated: stack unreadable]",
	[WIRE_USER_DEPTH] = "[truncated: too deep]",
	[WIRE_USER_NO_REGS] = "[truncated: registers unreadable]",
	[WIRE_USER_COMPAT] = "[truncated: 32-bit program]",
	[WIRE_USER_BAD_RA] = "[truncated: bad return address]",
	[WIRE_USER_BAD_CFA] = "[truncated: bad frame]",
	[WIRE_USER_UNSUPPORTED] = "[truncated: unwind data not supported]",
	[WIRE_USER_NO_MAP] = "[truncated: unknown code]",
	[WIRE_USER_NO_PROCESS] = "[truncated: unknown process]",
	[WIRE_USER_EXEC] = "[exec]",
	[WIRE_USER_EXIT] = "[exit]",
};

struct decoder *decoder_new(struct profile *p, const struct kallsyms *k, struct images *im,
			    struct unwinder *u, uint32_t max_user)
{
	struct decoder *d = xcalloc(1, sizeof(*d));

	d->p = p;
	d->kallsyms = k;
	d->images = im;
	d->unwinder = u;
	d->max_user = max_user;
	d->key_pid = profile_strings(p, "pid");
	d->key_tid = profile_strings(p, "tid");
	d->key_comm = profile_strings(p, "comm");
	d->key_process = profile_strings(p, "process");
	d->key_state = profile_strings(p, "state");
	return d;
}

void decoder_free(struct decoder *d)
{
	size_t i;

	if (!d)
		return;
	for (i = 0; i < d->nr_pending; i++)
		free(d->pending[i]);
	free(d->pending);
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
	const struct object_file *o = objects_get(images_objects(d->images), object);
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

static uint32_t user_frame(struct decoder *d, const struct image_map *m, uint64_t address)
{
	const struct object_file *o = objects_get(images_objects(d->images), m->object);
	uint32_t mapping = mapping_of(d, m->object);

	if (o->kind == OBJECT_ANON)
		return profile_frame(d->p, mapping, address);
	return profile_frame(d->p, mapping, address - m->start + m->offset);
}

/* Why is nothing known of what it maps? */
static const char *nothing_known(const struct image *image)
{
	switch (image ? -image->refused : 0) {
	case 0:
		return "[truncated: process gone]";
	case EACCES:
	case EPERM:
		return "[truncated: no permission]";
	case EMFILE:
	case ENFILE:
		return "[truncated: too many open files]";
	default:
		return "[truncated: mappings unreadable]";
	}
}

/*
 * The user part, root first. Every frame must lie in executable memory: from the first that does not on
 * (towards the root) the chain is not to be believed, and is cut. So it is behind a frame in code that
 * was mapped after the tables were made that the kernel side followed.
 */
static uint32_t push_user(struct decoder *d, struct image *image, const struct parts *u,
			  const struct wire_sample *s, uint64_t now_ns)
{
	const char *mark = u->guessed && u->status == WIRE_USER_COMPLETE ? "[guessed]" :
									    ended[u->status];
	uint32_t ids[WIRE_FRAME_SLOTS], n = 0, i, stack = 0;

	if (u->status == WIRE_USER_NONE)
		return 0;
	if (u->status != WIRE_USER_EXEC && u->status != WIRE_USER_EXIT &&
	    (!image || !image->known))
		return push_special(d, 0, nothing_known(image));
	for (i = 0; i < u->nr && i < WIRE_FRAME_SLOTS; i++) {
		struct image_code at = { u->frame[i], s->time, !i };
		const struct image_map *m = images_map(d->images, image, &at, now_ns);

		if (!m) {
			mark = i ? ended[WIRE_USER_BAD_RA] : ended[WIRE_USER_NO_MAP];
			break;
		}
		ids[n++] = user_frame(d, m, u->frame[i]);
		if (i < u->by_kernel && image_outran_tables(image, m, s->time)) {
			mark = "[truncated: code just mapped]";
			break;
		}
	}
	if (mark)
		stack = push_special(d, stack, mark);
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

static bool is_switch(const struct decoder *d, uint64_t address)
{
	struct kernel_symbol sym;

	return d->kallsyms && kallsyms_find(d->kallsyms, address, &sym) &&
	       (!strcmp(sym.name, "__schedule") || !strncmp(sym.name, "finish_task_switch", 18));
}

static const struct kernel_frame *kernel_frame(struct decoder *d, uint64_t address)
{
	struct kernel_frame *f = &d->kernel[(address ^ address >> 10) & (KERNEL_CACHE - 1)];

	if (!f->frame || f->address != address) {
		f->address = address;
		f->frame = profile_frame(d->p, kernel_mapping(d, address), address);
		f->switches = is_switch(d, address);
	}
	return f;
}

static uint64_t kernel_address(const uint64_t *frame, uint32_t i)
{
	return i ? frame[i] - 1 : frame[i];
}

/* How many of the innermost frames of a wait are the interrupt's that took the stack, and the switch's. */
static uint32_t nr_switching(struct decoder *d, const struct wire_sample *s, const uint64_t *frame)
{
	uint32_t i, nr = 0;

	if (!(s->flags & WIRE_WAIT))
		return 0;
	for (i = 0; i < s->nr_kernel && i < MAX_SWITCHING; i++)
		if (kernel_frame(d, kernel_address(frame, i))->switches)
			nr = i + 1;
	return nr;
}

static uint32_t push_kernel(struct decoder *d, const struct wire_sample *s, const uint64_t *frame,
			    uint32_t stack)
{
	uint32_t i, from;

	if (s->flags & WIRE_KERNEL_FAILED)
		return push_special(d, stack, "[truncated: kernel stack unreadable]");
	from = nr_switching(d, s, frame);
	for (i = s->nr_kernel; i-- > from;)
		stack = profile_push(d->p, stack, kernel_frame(d, kernel_address(frame, i))->frame);
	return stack;
}

static uint32_t labels_of(struct decoder *d, const struct wire_sample *s)
{
	struct profile *p = d->p;
	struct label l[5] = {
		{ .key = d->key_pid, .num = s->tgid },
		{ .key = d->key_tid, .num = s->tid },
		{ .key = d->key_comm,
		  .str = profile_string(p, s->comm, strnlen(s->comm, sizeof(s->comm))) },
		{ .key = d->key_process,
		  .str = profile_string(p, s->process, strnlen(s->process, sizeof(s->process))) },
	};

	if (s->flags & WIRE_WAIT) {
		l[4].key = d->key_state;
		l[4].str = profile_strings(p, s->flags & WIRE_PREEMPTED ? "preempted" : "blocked");
	}
	return profile_labels(p, l, s->flags & WIRE_WAIT ? 5 : 4);
}

/* What a wait stands for: max(d, T) ns of its kind. Its variance as an estimate is w * (w - d). */
static void wait_values(const struct wire_sample *s, int64_t *values)
{
	double d = (double)s->wait, period = (double)s->period, scale = s->wait && period > d ? period / d : 1;
	uint64_t queued = s->queued < s->wait ? s->queued : s->wait;

	values[COL_WAITS] = (int64_t)(scale + 0.5);
	values[COL_BLOCKED] = (int64_t)((double)(s->wait - queued) * scale + 0.5);
	values[COL_RUNQUEUE] = (int64_t)((double)queued * scale + 0.5);
	values[COL_KEPT] = 1;
	values[COL_WAIT_VAR] = scale > 1 ? (int64_t)(period * (period - d) / 1e6 + 0.5) : 0;
}

/* The sample, with this stack, into the profile. */
static void add(struct decoder *d, const struct wire_sample *s, struct image *image,
		const struct parts *u, uint64_t now_ns)
{
	int64_t values[NATIVE_COLUMNS] = { 0 };
	uint32_t stack;

	if (s->flags & WIRE_NO_STACK)
		stack = push_special(d, 0, s->flags & WIRE_KERNEL_MODE ? DECODE_NO_WALKER : DECODE_NOT_TOLD);
	else
		stack = push_user(d, image, u, s, now_ns);
	stack = push_kernel(d, s, u->kernel, stack);
	if (s->flags & WIRE_WAIT) {
		wait_values(s, values);
	} else {
		values[COL_SAMPLES] = 1;
		values[COL_CPU] = d->p->period;
	}
	profile_add(d->p, stack, labels_of(d, s), values);
}

static struct image *image_of(struct decoder *d, const struct wire_sample *s)
{
	if (s->flags & WIRE_KTHREAD)
		return NULL;
	return images_find(d->images, (int)s->tgid, s->start_time, s->exec_id, s->time);
}

/* Walks on from where the kernel side stopped, and adds the sample. */
static void add_walked(struct decoder *d, const struct wire_raw *r, struct image *image, uint64_t now_ns)
{
	const struct wire_sample *s = &r->sample;
	struct replay_stack stack = { .pc = r->pc,
				      .return_address = r->return_address,
				      .bytes = r->stack,
				      .len = r->stack_len,
				      .skipped = r->skipped,
				      .below = r->below,
				      .below_len = r->below_len };
	uint64_t frame[WIRE_FRAME_SLOTS + WIRE_RAW_FRAMES];
	/* the last frame of the kernel side is the first one here */
	uint32_t had = s->nr_user ? s->nr_user - 1u : 0;
	struct replay_walk walk;
	struct parts u = { .kernel = (const uint64_t *)r->frame, .frame = frame };

	stack.in_syscall = s->flags & WIRE_SYSCALL && !had;
	stack.max = d->max_user - had;
	memcpy(stack.reg, r->reg, sizeof(stack.reg));
	unwinder_walk(d->unwinder, image, s->time, &stack, &walk);
	memcpy(frame, r->frame + s->nr_kernel, had * sizeof(*frame));
	memcpy(frame + had, walk.frame, walk.nr * sizeof(*frame));
	u.nr = had + walk.nr;
	u.by_kernel = had;
	u.status = walk.status;
	u.guessed = s->by_guess || walk.by_guess;
	add(d, s, image, &u, now_ns);
}

/* As the kernel side left it. */
static void add_as_is(struct decoder *d, const struct wire_sample *s, const uint64_t *frame,
		      struct image *image, uint64_t now_ns)
{
	/* then its last frame was met, but not followed */
	bool met = s->user_status == WIRE_USER_NO_PROCESS || s->user_status == WIRE_USER_NO_MAP;
	struct parts u = { .kernel = frame,
			   .frame = frame + s->nr_kernel,
			       .nr = s->nr_user,
			       .by_kernel = s->nr_user - (met && s->nr_user),
			       .status = s->user_status,
			       .guessed = s->by_guess };

	add(d, s, image, &u, now_ns);
}

/* Adds a sample with its stack if the tables are there. false: it must wait. */
static bool try_raw(struct decoder *d, const struct wire_raw *r, uint64_t now_ns, uint64_t budget_ns,
		    bool last)
{
	struct image *image = image_of(d, &r->sample);

	if (image && !image->known && image->to_ns == UINT64_MAX &&
	    !images_read(d->images, image, now_ns) && !last)
		return false;
	if (!image || !d->unwinder || !image->known) {
		add_as_is(d, &r->sample, (const uint64_t *)r->frame, image, now_ns);
		return true;
	}
	if (unwinder_prepare(d->unwinder, image, budget_ns) && !last)
		return false;
	unwinder_publish(d->unwinder, image, now_ns);
	add_walked(d, r, image, now_ns);
	return true;
}

static void keep(struct decoder *d, const struct wire_raw *r, uint64_t now_ns)
{
	size_t bytes = sizeof(struct pending) + r->stack_len;
	struct pending *p = xmalloc(bytes);

	p->since_ns = now_ns;
	d->pending_bytes += bytes;
	memcpy(&p->raw, r, sizeof(*r) + r->stack_len);
	grow(&d->pending, &d->cap_pending, d->nr_pending + 1, sizeof(*d->pending));
	d->pending[d->nr_pending++] = p;
}

void decoder_settle(struct decoder *d, uint64_t now_ns, uint64_t budget_ns, bool all)
{
	uint64_t start = clock_mono(), spent;
	size_t i, kept = 0;

	for (i = 0; i < d->nr_pending; i++) {
		struct pending *p = d->pending[i];
		bool last = all || now_ns - p->since_ns > PENDING_MAX_NS;

		spent = clock_mono() - start;
		if (try_raw(d, &p->raw, now_ns, spent < budget_ns ? budget_ns - spent : 0, last)) {
			d->pending_bytes -= sizeof(*p) + p->raw.stack_len;
			free(p);
		} else {
			d->pending[kept++] = p;
		}
	}
	d->nr_pending = kept;
}

size_t decoder_nr_pending(const struct decoder *d)
{
	return d->nr_pending;
}

static int check(const struct wire_sample *s, size_t size)
{
	const struct wire_raw *r = (const struct wire_raw *)s;

	if (size < sizeof(*s) || s->nr_kernel > WIRE_MAX_KERNEL || s->nr_user > WIRE_MAX_USER ||
	    s->user_status >= WIRE_USER_STATUSES || (s->flags & WIRE_WAIT && (s->wait > INT64_MAX || s->period > WAIT_MAX_PERIOD)) ||
	    size < sizeof(*s) + ((size_t)s->nr_kernel + s->nr_user) * sizeof(uint64_t) ||
	    (s->flags & WIRE_RAW && (size < sizeof(*r) || s->nr_kernel + s->nr_user > WIRE_RAW_FRAMES ||
					 r->stack_len > size - sizeof(*r) || r->below_len > WIRE_BELOW)))
		return fail_plain(-EBADMSG, "a record of %zu bytes is not whole", size);
	return 0;
}

int decoder_add(struct decoder *d, const struct wire_sample *s, size_t size, uint64_t now_ns)
{
	struct image *image;
	int r = check(s, size);

	if (r)
		return r;
	if (s->flags & WIRE_RAW) {
		const struct wire_raw *raw = (const struct wire_raw *)s;

		/* what takes time waits for decoder_settle(), which minds it */
		if (!try_raw(d, raw, now_ns, 0, d->nr_pending >= PENDING_MAX || d->pending_bytes >= PENDING_MAX_BYTES))
			keep(d, raw, now_ns);
		return 0;
	}
	image = image_of(d, s);
	add_as_is(d, s, (const uint64_t *)(s + 1), image, now_ns);
	if (image && d->unwinder)
		unwinder_publish(d->unwinder, image, now_ns);
	return 0;
}

void decoder_need(const struct decoder *d, bool *needed)
{
	size_t i;

	for (i = 0; i < d->nr_mappings; i++)
		needed[i] |= d->mapping[i] != 0;
}

size_t decoder_nr_objects(const struct decoder *d)
{
	return d->nr_mappings;
}

const struct object_file *decoder_object(const struct decoder *d, size_t i, uint32_t *mapping)
{
	*mapping = d->mapping[i];
	return objects_get(images_objects(d->images), (uint32_t)i);
}
