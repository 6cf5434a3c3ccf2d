/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/pclntab.h"

#include <errno.h>
#include <string.h>

#define MAGIC_1_18    0xfffffff0u
#define MAGIC_1_20    0xfffffff1u
#define HEADER_BYTES  72
#define FLAGS_1_18    37 /* of struct _func */
#define FLAGS_1_20    41 /* behind startLine, too */
#define NAME_AT	      4
#define STEPS_AT      16
#define FUNCTION_PAIR 8 /* place in the text, place of the entry */
#define WRITES_SP     2 /* FuncFlagSPWrite */
#define MAX_FRAME     (1ll << 31)
#define WORD	      8
#define MAX_NUMBER    5 /* bytes */

static uint64_t get(const struct pclntab *t, uint64_t at, size_t size)
{
	uint64_t v = 0;

	memcpy(&v, t->data + at, size);
	return v;
}

static bool has(const struct pclntab *t, uint64_t at, uint64_t size)
{
	return at <= t->len && size <= t->len - at;
}

bool pclntab_read(struct pclntab *t, const uint8_t *data, size_t len)
{
	uint64_t magic, nr;

	*t = (struct pclntab){ .data = data, .len = len };
	if (len < HEADER_BYTES)
		return false;
	magic = get(t, 0, 4);
	/* two zeros, instructions of one byte, pointers of 8 */
	if ((magic != MAGIC_1_18 && magic != MAGIC_1_20) || get(t, 4, 4) != 0x08010000u)
		return false;
	t->flags = magic == MAGIC_1_18 ? FLAGS_1_18 : FLAGS_1_20;
	nr = get(t, 8, 8);
	t->text = get(t, 24, 8);
	t->names = get(t, 32, 8);
	t->steps = get(t, 56, 8);
	t->functions = get(t, 64, 8);
	/* the place behind the last function is there, too */
	if (nr >= UINT32_MAX || !has(t, t->names, 1) || !has(t, t->steps, 1) ||
	    !has(t, t->functions, nr * FUNCTION_PAIR + 4))
		return false;
	t->nr = (uint32_t)nr;
	return true;
}

bool pclntab_function(const struct pclntab *t, uint32_t i, struct pclntab_function *out)
{
	uint64_t at = t->functions + (uint64_t)i * FUNCTION_PAIR;
	uint64_t start = get(t, at, 4), entry = get(t, at + 4, 4), end = get(t, at + 8, 4);

	if (end <= start || !has(t, t->functions + entry, t->flags + 1) ||
	    t->functions + entry > UINT32_MAX || get(t, t->functions + entry, 4) != start)
		return false;
	out->start = start;
	out->size = (uint32_t)(end - start);
	out->name = (uint32_t)get(t, t->functions + entry + NAME_AT, 4);
	out->entry = (uint32_t)(t->functions + entry);
	return true;
}

bool pclntab_is(const struct pclntab *t, const struct pclntab_function *f, const char *name)
{
	uint64_t at = t->names + f->name;
	size_t len = strlen(name) + 1;

	return has(t, at, len) && !memcmp(t->data + at, name, len);
}

static bool is_one(const struct pclntab *t, const struct pclntab_function *f,
		   const char *const *names)
{
	for (; *names; names++)
		if (pclntab_is(t, f, *names))
			return true;
	return false;
}

bool pclntab_is_handled(const struct pclntab *t, const struct pclntab_function *f)
{
	static const char *const names[] = { "runtime.sigreturn__sigaction", "runtime.sigreturn",
					     NULL };

	return is_one(t, f, names);
}

/* Where these bytes are in the function's first ones; len when nowhere. */
static size_t find(const struct pclntab_rows *r, const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; len <= r->len && i <= r->len - len; i++)
		if (!memcmp(r->code + i, bytes, len))
			return i;
	return r->len;
}

#define FIND(r, bytes) find(r, bytes, sizeof(bytes) - 1)

/* mov $15, %rax (in one of two forms); syscall: rt_sigreturn */
static bool calls_sigreturn(const struct pclntab_rows *r)
{
	return FIND(r, "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05") < r->len ||
	       FIND(r, "\xb8\x0f\x00\x00\x00\x0f\x05") < r->len;
}

/* Behind mov 0x38(g0), %rsp (g0.sched.sp, in any register but those that take a byte more): len:
 * nowhere. */
static size_t find_g0_stack(const struct pclntab_rows *r)
{
	const uint8_t *c = r->code;
	size_t i;

	for (i = 0; i + 4 <= r->len; i++)
		if ((c[i] & 0xfe) == 0x48 && c[i + 1] == 0x8b && (c[i + 2] & 0xf8) == 0x60 &&
		    c[i + 2] != 0x64 && c[i + 3] == 0x38)
			return i + 4;
	return r->len;
}

/*
 * What is not said by steps. A goroutine that mcall leaves is on no CPU any more, and may soon be
 * on another: what it leaves it for is the first of that stack, as for Go's own tracebacks.
 */
static void find_rule(struct pclntab_rows *r, const struct pclntab *t,
		      const struct pclntab_function *f)
{
	static const char *const first[] = { "runtime.goexit", "runtime.mstart",   "runtime.rt0_go",
					     "_rt0_amd64",     "_rt0_amd64_linux", NULL };
	size_t moved = r->len;

	r->rule = RULE_NONE;
	if (is_one(t, f, first))
		r->rule = RULE_STOP;
	if (pclntab_is_handled(t, f) && calls_sigreturn(r)) {
		r->rule = RULE_SIGNAL;
		r->from = r->to = r->start - 1; /* it is returned to, and was never called */
	}
	if (pclntab_is(t, f, "runtime.clone"))
		moved = FIND(r, "\x48\x89\xf4"); /* mov %rsi, %rsp */
	if (pclntab_is(t, f, "runtime.mcall"))
		moved = find_g0_stack(r);
	r->stack_moved = moved < r->len ? r->start + moved : 0;
}

bool pclntab_start(struct pclntab_rows *r, const struct pclntab *t,
		   const struct pclntab_function *f, const uint8_t *code, size_t len)
{
	uint64_t steps = get(t, f->entry + STEPS_AT, 4), start = t->text + f->start;

	*r = (struct pclntab_rows){ .from = start,
				    .to = start,
				    .end = start + f->size,
				    .start = start,
				    .step_end = start,
				    .code = code,
				    .len = len,
				    .offset = -1 };
	find_rule(r, t, f);
	r->whole = r->rule != RULE_NONE;
	if (r->whole)
		return true;
	if (!steps || !has(t, t->steps + steps, 1) ||
	    (get(t, f->entry + t->flags, 1) & WRITES_SP && !r->stack_moved))
		return false;
	r->steps = (struct cfi_bytes){ t->data + t->steps + steps, t->data + t->len, false };
	r->state.cfa = (struct cfi_rule){ .how = CFI_REG, .reg = 7 };
	r->state.ra = (struct cfi_rule){ .how = CFI_OFFSET, .value = -WORD };
	return true;
}

/* A number of 32 bits: seven in each byte, of the last of which the highest is 0. */
static uint64_t number(struct cfi_bytes *b)
{
	unsigned int i;
	uint64_t v = 0;

	for (i = 0; i < MAX_NUMBER && b->at < b->end; i++) {
		v |= (uint64_t)(*b->at & 0x7f) << (7 * i);
		if (!(*b->at++ & 0x80))
			return v;
	}
	cfi_spoil(b);
	return 0;
}

/* 1: the next step; 0: there is none. */
static int next_step(struct pclntab_rows *r)
{
	uint64_t change = number(&r->steps), bytes;

	if (!change && r->to != r->start && !r->steps.bad)
		return 0;
	bytes = number(&r->steps);
	if (r->steps.bad || !bytes)
		return -EBADMSG;
	r->offset += change & 1 ? -(int64_t)(change >> 1) - 1 : (int64_t)(change >> 1);
	if (r->offset < -MAX_FRAME || r->offset > MAX_FRAME || r->offset % WORD)
		return -EBADMSG;
	r->step_end = bytes < r->end - r->to ? r->to + bytes : r->end;
	return 1;
}

/* How many of the function's bytes are known from an address on. */
static size_t known(const struct pclntab_rows *r, uint64_t address)
{
	return address - r->start < r->len ? r->len - (size_t)(address - r->start) : 0;
}

/* mov %rbp, offset(%rsp) where the row begins: its length; else 0. */
static size_t stores_fp(const struct pclntab_rows *r, int64_t offset)
{
	size_t left = known(r, r->from);
	int32_t wide = (int32_t)offset;
	const uint8_t *at;

	if (left < WORD)
		return 0;
	at = r->code + (r->from - r->start);
	if (!offset)
		return memcmp(at, "\x48\x89\x2c\x24", 4) ? 0 : 4;
	if (!memcmp(at, "\x48\x89\x6c\x24", 4) && offset < 128 && at[4] == offset)
		return 5;
	if (!memcmp(at, "\x48\x89\xac\x24", 4) && !memcmp(at + 4, &wide, 4))
		return 8;
	return 0;
}

/* push %rbp; mov %rsp, %rbp: the row begins between the two. */
static bool was_pushed(const struct pclntab_rows *r)
{
	uint64_t at = r->from - r->start;

	return r->offset == WORD && at && known(r, r->from) >= 3 && r->code[at - 1] == 0x55 &&
	       !memcmp(r->code + at, "\x48\x89\xe5", 3);
}

/*
 * Compilers save it below the return address: by a push, or (to Go 1.20) once the frame is made.
 * Assembly without a frame leaves it, as far as its bytes have been looked at.
 */
static void say_fp(struct pclntab_rows *r)
{
	bool there = r->saved;
	size_t len;

	if (r->offset > 0 && !r->saved) {
		len = stores_fp(r, r->offset - WORD);
		there = was_pushed(r);
		r->saved = there || len;
		if (len && len < r->to - r->from)
			r->to = r->from + len;
	}
	r->state.fp = (struct cfi_rule){ .how = CFI_SAME };
	if (r->offset && there)
		r->state.fp = (struct cfi_rule){ .how = CFI_OFFSET, .value = -2 * WORD };
	else if (r->offset && !r->saved && !known(r, r->from))
		r->state.fp.how = CFI_UNDEFINED;
}

static int say_rest(struct pclntab_rows *r, enum rule_number rule)
{
	r->rule = rule;
	r->to = r->end;
	return 1;
}

int pclntab_next(struct pclntab_rows *r)
{
	int next = 1;

	if (r->to >= r->end)
		return 0;
	if (r->whole)
		return say_rest(r, r->rule);
	if (r->to == r->step_end)
		next = next_step(r);
	if (next <= 0)
		return next;
	r->from = r->to;
	if (r->stack_moved && r->from >= r->stack_moved)
		return say_rest(r, RULE_STOP);
	r->to = r->step_end;
	if (r->stack_moved && r->to > r->stack_moved)
		r->to = r->stack_moved;
	/* it has taken its return address off the stack (rawVforkSyscall) */
	r->rule = r->offset < 0 ? RULE_NONE : RULE_FIRST_FREE;
	r->state.cfa.value = r->offset + WORD;
	say_fp(r);
	return 1;
}
