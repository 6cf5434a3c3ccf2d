/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk of aarch64's stacks, on any machine: the replay of it, made for that one. */
#define __TARGET_ARCH_arm64

#include "unit.h"

#include "table_memory.h"
#include "unwind/replay.c" /* NOLINT(bugprone-suspicious-include) */

#define NR(a) (sizeof(a) / sizeof((a)[0]))
#define CODE  0x400000ull /* a page of it has rows, the next has none */
#define GAP   (CODE + 4096)
#define STACK 0x7ffd00000000ull
#define WORDS 512

/* Each function has 0x40 bytes. */
#define LEAF	0x00u  /* sp + 0, x30 */
#define PAIR	0x40u  /* sp + 32, x29 and x30 at its lower end */
#define FRAME	0x80u  /* the same by x29, 16 bytes of it above them */
#define ALONE	0xc0u  /* sp + 32, x30 at its lower end + 8 */
#define LARGE	0x100u /* a rule: sp + 65536, x29 and x30 at its lower end */
#define SIGNAL	0x140u /* what a handler returns to */
#define DROPS	0x180u /* sp + 32, x30: a leaf with locals */
#define IN_REG	0x1c0u /* a rule: sp + 24, x30 */
#define STRANGE 0x200u /* a rule: x9 + 16 */
#define START	0x240u
#define NO_CODE 0x280u
#define BEHIND	0x20u				/* the call in each */
#define SIGNED	(0x5aull << 56 | 0x2dull << 48) /* of return addresses */

static const uint32_t sp32 = 2u << ROW_CFA_SHIFT;

static const struct wire_rule rules[] = {
	{ CFA_REG, 31, FP_CFA, RA_ABOVE_FP, 65536, -65536, 0, 0 },
	{ CFA_REG, 31, FP_SAME, RA_REG, 24, 0, 30, 0 },
	{ CFA_REG, 9, FP_SAME, RA_CFA, 16, 0, -8, 0 },
};

static struct replay_walk walk_it(struct replay_stack *s, const uint64_t *word)
{
	const struct made_row list[] = {
		{ CODE + LEAF, ROW_RA_LINK },
		{ CODE + PAIR, sp32 | 2u << ROW_FP_SHIFT | ROW_RA_ABOVE_FP },
		{ CODE + FRAME, ROW_BASE_FP | sp32 | 2u << ROW_FP_SHIFT | ROW_RA_ABOVE_FP },
		{ CODE + ALONE, sp32 | 3u << ROW_FP_SHIFT | ROW_RA_ALONE },
		{ CODE + LARGE, ROW_ESCAPED | RULE_FIRST_FREE },
		{ CODE + SIGNAL, ROW_ESCAPED | RULE_SIGNAL },
		{ CODE + DROPS, sp32 | ROW_RA_LINK },
		{ CODE + IN_REG, ROW_ESCAPED | (RULE_FIRST_FREE + 1) },
		{ CODE + STRANGE, ROW_ESCAPED | (RULE_FIRST_FREE + 2) },
		{ CODE + START, ROW_ESCAPED | RULE_STOP },
		{ CODE + NO_CODE, MADE_GAP },
	};
	struct plain_memory memory;
	struct tables *t = plain_tables(&memory);
	struct wire_map map[2] = { { .start = CODE, .end = GAP },
				   { .start = GAP, .end = GAP + 4096, .pages = WIRE_NO_PAGES } };
	struct table_span *span = NULL;
	struct replay_walk out;
	struct made_rows m;

	make_rows(&m, CODE, 1, list, NR(list));
	made_add_rules(&m, rules, NR(rules));
	assert_int_equal(tables_add_rows(t, &m.in, &span), 0);
	map[0].pages = span->page;
	s->bytes = (const uint8_t *)word;
	s->len = s->len ? s->len : WORDS * 8;
	s->max = 20;
	replay_walk(t, map, 2, s, &out);
	free(span);
	made_done(&m);
	plain_done(&memory, t);
	return out;
}

static void check(struct replay_stack *s, const uint64_t *word, const uint64_t *frame, uint32_t nr)
{
	struct replay_walk w = walk_it(s, word);
	uint32_t i;

	assert_int_equal(w.status, WIRE_USER_COMPLETE);
	assert_int_equal(w.nr, nr);
	for (i = 0; i < nr; i++)
		assert_int_equal(w.frame[i], frame[i]);
}

static struct replay_stack stack_at(uint64_t pc)
{
	struct replay_stack s = { .pc = pc };

	s.reg[WIRE_REG_SP] = STACK;
	s.reg[WIRE_REG_FP] = STACK + 0x800;
	return s;
}

/* A return address, signed; what a walk makes of it. */
#define CALL(from) (SIGNED | (CODE + (from) + BEHIND))
#define SEEN(from) (CODE + (from) + BEHIND - 1)

/* A leaf without a frame, one with locals, then each kind of frame. */
static void test_chain(void **state)
{
	struct replay_stack s = stack_at(CODE + LEAF + 8);
	uint64_t word[WORDS] = { 0 };

	s.reg[WIRE_REG_LINK] = CALL(PAIR);
	word[0] = STACK + 64; /* x29 of PAIR's caller: where its own are */
	word[1] = CALL(FRAME);
	word[8] = 0x1234; /* FRAME: cfa is x29 + 32 */
	word[9] = CALL(ALONE);
	word[13] = CALL(START); /* ALONE: from 12 on */
	check(&s, word,
	      (uint64_t[]){ CODE + LEAF + 8, SEEN(PAIR), SEEN(FRAME), SEEN(ALONE), SEEN(START) },
	      5);
	s = stack_at(CODE + DROPS);
	s.reg[WIRE_REG_LINK] = CALL(START);
	check(&s, word, (uint64_t[]){ CODE + DROPS, SEEN(START) }, 2);
	s.pc = CODE + IN_REG;
	check(&s, word, (uint64_t[]){ CODE + IN_REG, SEEN(START) }, 2);
	/* in a system call: pc is behind it, and the link register still good */
	s.pc = CODE + LEAF + 8;
	s.return_address = true;
	check(&s, word, (uint64_t[]){ CODE + LEAF + 7, SEEN(START) }, 2);
}

/* Behind a call the link register says nothing: this is an error, and no loop. */
static void test_link_is_good_once(void **state)
{
	static const uint32_t kinds[] = { LEAF, DROPS, IN_REG };
	uint64_t word[WORDS] = { 0 };
	struct replay_walk w;
	size_t i;

	for (i = 0; i < NR(kinds); i++) {
		struct replay_stack s = stack_at(CODE + LEAF);

		s.reg[WIRE_REG_LINK] = CALL(kinds[i]);
		w = walk_it(&s, word);
		assert_int_equal(w.status, WIRE_USER_BAD_RA);
		assert_int_equal(w.nr, 2);
	}
}

/* A handler, the frame that the kernel made, the leaf that it interrupted, and its caller. */
static void test_signal(void **state)
{
	struct replay_stack s = stack_at(CODE + LEAF);
	uint64_t word[WORDS] = { 0 }, *regs = word + 312 / 8;

	s.reg[WIRE_REG_LINK] = CODE + SIGNAL + 4;
	regs[9] = STACK + 0x400;
	regs[WIRE_REG_FP] = 0x77;
	regs[WIRE_REG_LINK] = CALL(PAIR);
	regs[WIRE_REG_SP] = STACK + 0x300;
	regs[SIGNAL_PC] = CODE + LEAF + 12;
	word[0x300 / 8 + 1] = CALL(START);
	check(&s, word,
	      (uint64_t[]){ CODE + LEAF, CODE + SIGNAL + 4, CODE + LEAF + 12, SEEN(PAIR),
			    SEEN(START) },
	      5);
	/* the handler is back, and what it returned to in its system call */
	s.pc = CODE + SIGNAL + 12;
	s.return_address = true;
	check(&s, word, (uint64_t[]){ CODE + SIGNAL + 11, CODE + LEAF + 12, SEEN(PAIR), SEEN(START) }, 4);
	s.pc = CODE + LEAF;
	s.return_address = false;
	/* all its registers are known there */
	regs[SIGNAL_PC] = CODE + STRANGE;
	word[0x400 / 8 + 1] = CALL(START);
	check(&s, word, (uint64_t[]){ CODE + LEAF, CODE + SIGNAL + 4, CODE + STRANGE, SEEN(START) },
	      4);
	/* ... and not where it has called */
	regs[SIGNAL_PC] = CODE + LEAF;
	regs[WIRE_REG_LINK] = CALL(STRANGE);
	assert_int_equal(walk_it(&s, word).status, WIRE_USER_UNSUPPORTED);
	s.len = 400; /* it is longer than what there is */
	assert_int_equal(walk_it(&s, word).status, WIRE_USER_FAULT);
}

/* Code without rows: the link register, then the frame pointer's chain. */
static void test_gap(void **state)
{
	struct replay_stack s = stack_at(GAP + 8);
	uint64_t word[WORDS] = { 0 };
	struct replay_walk w;

	s.reg[WIRE_REG_LINK] = SIGNED | (GAP + 0x104);
	s.reg[WIRE_REG_FP] = STACK + 64;
	word[8] = STACK + 128;
	word[9] = SIGNED | (GAP + 0x204);
	word[16] = 0;
	word[17] = CALL(START);
	check(&s, word, (uint64_t[]){ GAP + 8, GAP + 0x103, GAP + 0x203, SEEN(START) }, 4);
	w = walk_it(&s, word);
	assert_int_equal(w.by_guess, 1);
	assert_int_equal(w.by_fp, 2);
	/* its own frame, just made */
	s.reg[WIRE_REG_LINK] = word[9];
	check(&s, word, (uint64_t[]){ GAP + 8, GAP + 0x203, SEEN(START) }, 3);
	/* neither is code */
	s.reg[WIRE_REG_LINK] = 0x10004;
	word[9] = 0x10004;
	assert_int_equal(walk_it(&s, word).status, WIRE_USER_GAP);
}

static void test_rule_above_fp(void **state)
{
	struct replay_stack s = stack_at(CODE + LARGE);
	uint64_t word[WORDS] = { 0x88, CALL(START) };

	check(&s, word, (uint64_t[]){ CODE + LARGE, SEEN(START) }, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),	      cmocka_unit_test(test_link_is_good_once),
		cmocka_unit_test(test_signal),	      cmocka_unit_test(test_gap),
		cmocka_unit_test(test_rule_above_fp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
