/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk over a copy of the stack (x86-64): what of it is not there, and what is below the stack pointer. */
#include "unit.h"

#include "table_memory.h"
#include "unwind/replay.h"

#ifdef __x86_64__

#define CODE  0x400000ull
#define STACK 0x7ffd00000000ull
#define WORDS 64

/* Each function has 0x40 bytes. */
#define POPPED 0x00u	/* rsp + 16; rbp was popped, from below the stack pointer */
#define BY_FP  0x40u	/* rbp + 16, rbp at its lower end */
#define TALL   0x80u	/* rsp + 128 */
#define PROBE  0xc0u	/* rsp + 256 + 8, of which the lower part is not there yet */
#define START  0x100u
#define FORKS  0x140u	/* clone()'s system call, which returns twice */
#define CALL(f) (CODE + (f) + 0x20)
#define SEEN(f) (CALL(f) - 1)

static struct replay_walk walk_it(struct replay_stack *s)
{
	const struct made_row list[] = {
		{ CODE + POPPED, row_sp(16, 24) }, { CODE + BY_FP, row_fp(16, 16) },
		{ CODE + TALL, row_sp(128, 0) },   { CODE + PROBE, row_sp(264, 16) },
		{ CODE + START, ROW_ESCAPED | RULE_STOP }, { CODE + FORKS, ROW_ESCAPED | RULE_CLONE },
	};
	struct plain_memory memory;
	struct tables *t = plain_tables(&memory);
	struct wire_map map = { .start = CODE, .end = CODE + 4096 };
	struct table_span *span = NULL;
	struct replay_walk out;
	struct made_rows m;

	make_rows(&m, CODE, 1, list, ARRAY_LEN(list));
	assert_int_equal(tables_add_rows(t, &m.in, &span), 0);
	map.pages = span->page;
	s->max = 20;
	replay_walk(t, &map, 1, s, &out);
	free(span);
	made_done(&m);
	plain_done(&memory, t);
	return out;
}

static void check(struct replay_stack *s, const uint64_t *frame, uint32_t n)
{
	struct replay_walk w = walk_it(s);

	assert_int_equal(w.status, WIRE_USER_COMPLETE);
	assert_int_equal(w.nr, n);
	assert_memory_equal(w.frame, frame, n * sizeof(*frame));
}

/* At the end of a function, between two pops: its frame pointer has left the stack that is in use. */
static void test_popped(void **state)
{
	uint64_t word[WORDS] = { 0x11, CALL(BY_FP) }, below[WIRE_BELOW / 8] = { 0 };
	struct replay_stack s = { .pc = CODE + POPPED, .bytes = (const uint8_t *)word, .len = sizeof(word),
				  .below = (const uint8_t *)below, .below_len = sizeof(below) };

	s.reg[7] = STACK;
	below[WIRE_BELOW / 8 - 1] = STACK + 0x80;
	word[0x80 / 8] = 0x77;
	word[0x88 / 8] = CALL(START);
	check(&s, (uint64_t[]){ CODE + POPPED, SEEN(BY_FP), SEEN(START) }, 3);
	s.below_len = 0;
	assert_int_equal(walk_it(&s).status, WIRE_USER_FAULT);
	/* nothing else below is taken for it */
	s.below_len = sizeof(below);
	s.reg[7] = STACK + 8;
	below[WIRE_BELOW / 8 - 1] = below[0] = 0;
	assert_int_not_equal(walk_it(&s).status, WIRE_USER_COMPLETE);
}

/* A frame that was just made, on a page that was never written: what is above it is there. */
static void test_skipped(void **state)
{
	uint64_t word[WORDS] = { 0 };
	struct replay_stack s = { .pc = CODE + PROBE, .bytes = (const uint8_t *)word, .len = sizeof(word),
				  .skipped = 64 };

	s.reg[7] = STACK;
	word[248 / 8] = STACK + 0x180;
	word[256 / 8] = CALL(BY_FP);
	word[0x188 / 8] = CALL(START);
	check(&s, (uint64_t[]){ CODE + PROBE, SEEN(BY_FP), SEEN(START) }, 3);
	/* its own words are not */
	s.skipped = 256;
	assert_int_equal(walk_it(&s).status, WIRE_USER_FAULT);
	s.skipped = 264;
	assert_int_equal(walk_it(&s).status, WIRE_USER_FAULT);
}

/* The system call is over, or not yet: in the caller, whose stack goes on, and where a thread begins. */
static void test_clone(void **state)
{
	uint64_t word[WORDS] = { CALL(TALL) };
	struct replay_stack s = { .pc = CODE + FORKS + 2, .return_address = true, .bytes = (const uint8_t *)word,
				  .len = sizeof(word) };

	s.reg[7] = STACK;
	word[128 / 8] = CALL(START);
	s.reg[0] = 4711;
	check(&s, (uint64_t[]){ CODE + FORKS + 1, SEEN(TALL), SEEN(START) }, 3);
	s.reg[0] = (uint64_t)-38;
	check(&s, (uint64_t[]){ CODE + FORKS + 1, SEEN(TALL), SEEN(START) }, 3);
	s.reg[0] = 0;
	check(&s, (uint64_t[]){ CODE + FORKS + 1 }, 1);
	s.reg[0] = 1;
	s.len = 0;
	assert_int_equal(walk_it(&s).status, WIRE_USER_FAULT);
}

/* It ends where the copy does. */
static void test_short(void **state)
{
	uint64_t word[WORDS] = { 0 };
	struct replay_stack s = { .pc = CODE + TALL, .bytes = (const uint8_t *)word, .len = 256 };
	struct replay_walk w;

	s.reg[7] = STACK;
	word[120 / 8] = CALL(TALL);
	word[248 / 8] = CALL(START);
	check(&s, (uint64_t[]){ CODE + TALL, SEEN(TALL), SEEN(START) }, 3);
	s.len = 255;
	w = walk_it(&s);
	assert_int_equal(w.status, WIRE_USER_FAULT);
	assert_int_equal(w.nr, 2);
}

#else

static void test_popped(void **state)
{
	skip();
}
#define test_skipped test_popped
#define test_short   test_popped
#define test_clone   test_popped

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_popped),
		cmocka_unit_test(test_skipped),
		cmocka_unit_test(test_clone),
		cmocka_unit_test(test_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
