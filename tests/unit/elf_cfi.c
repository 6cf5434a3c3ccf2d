/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "elf/cfi.h"
#include "elf/expression.h"
#include "elf/program.h"
#include "frame_bytes.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))
#define START 0x10000u
#define SIZE  0x100u

static const struct cfi_machine machine = { .sp = 7, .fp = 6 };

static struct cfi_bytes bytes_of(struct code c)
{
	return (struct cfi_bytes){ (const uint8_t *)c.at, (const uint8_t *)c.at + c.len, false };
}

static void test_numbers(void **state)
{
	static const struct {
		struct code bytes;
		uint64_t u;
		int64_t s;
	} good[] = {
		{ CODE("\x00"), 0, 0 },
		{ CODE("\x3f"), 63, 63 },
		{ CODE("\x7f"), 127, -1 },
		{ CODE("\x40"), 64, -64 },
		{ CODE("\x80\x01"), 128, 128 },
		{ CODE("\xff\x7e"), 16255, -129 },
		{ CODE("\x80\x80\x80\x00"), 0, 0 },
		{ CODE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), UINT64_MAX, -1 },
		/* as long as one likes */
		{ CODE("\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), 1, 1 },
	};
	struct cfi_bytes b;
	size_t i;

	for (i = 0; i < NR(good); i++) {
		b = bytes_of(good[i].bytes);
		assert_int_equal(cfi_uleb(&b), good[i].u);
		assert_true(!b.bad && b.at == b.end);
		b = bytes_of(good[i].bytes);
		assert_int_equal(cfi_sleb(&b), good[i].s);
		assert_true(!b.bad && b.at == b.end);
	}
	b = bytes_of(CODE("\x80\x80"));
	assert_int_equal(cfi_uleb(&b), 0);
	assert_true(b.bad);
	b = bytes_of(CODE(""));
	assert_int_equal(cfi_sleb(&b), 0);
	assert_true(b.bad);
	b = bytes_of(CODE("\x01\x02\x03"));
	assert_int_equal(cfi_fixed(&b, 2), 0x201);
	assert_int_equal(cfi_fixed(&b, 2), 0);
	assert_true(b.bad && b.at == b.end);
}

static void test_pointers(void **state)
{
	static const char data[] = "\xfe\xff\xff\xff\xff\xff\xff\x7f";
	static const struct {
		uint8_t encoding;
		bool good;
		uint64_t want;
		size_t len;
	} cases[] = {
		{ 0x00, true, 0x7ffffffffffffffe, 8 }, /* absptr */
		{ 0x02, true, 0xfffe, 2 },	       /* udata2 */
		{ 0x03, true, 0xfffffffe, 4 },	       /* udata4 */
		{ 0x0a, true, UINT64_MAX - 1, 2 },     /* sdata2 */
		{ 0x0b, true, UINT64_MAX - 1, 4 },     /* sdata4 */
		{ 0x0c, true, 0x7ffffffffffffffe, 8 }, /* sdata8 */
		{ 0x1b, true, 0x5000 - 2, 4 },	       /* relative to itself */
		{ 0x3b, true, 0x7000 - 2, 4 },	       /* ... to the data */
		{ 0x01, true, 0x7ffffffffffffffe, 8 }, /* uleb: its last byte is 0x7f */
		{ 0x09, true, 0, 8 },		       /* sleb: below */
		{ 0x2b, false, 0, 0 },		       /* ... to the text: not known */
		{ 0x4b, false, 0, 0 },		       /* ... to a function */
		{ 0x50, false, 0, 0 },		       /* aligned */
		{ 0x9b, false, 0, 0 },		       /* the address of the address */
		{ 0xff, false, 0, 0 },		       /* none */
		{ 0x05, false, 0, 0 },		       /* no such format */
	};
	struct cfi_section s = { (const uint8_t *)data, 8, 0x5000, 0x7000, false };
	struct cfi_bytes b;
	uint64_t got;
	size_t i;

	for (i = 0; i < NR(cases); i++) {
		b = bytes_of((struct code){ data, 8 });
		got = cfi_pointer(&s, &b, cases[i].encoding);
		assert_int_equal(!b.bad, cases[i].good);
		if (!cases[i].good)
			continue;
		assert_int_equal((size_t)(b.at - s.data), cases[i].len);
		/* as LEB128 these are 56 bits, the highest of them set */
		if (cases[i].encoding == 0x01)
			assert_int_equal(got, 0xfffffffffffffe);
		else if (cases[i].encoding == 0x09)
			assert_int_equal(got, UINT64_MAX - 1);
		else
			assert_int_equal(got, cases[i].want);
	}
	s.data_base = 0;
	b = bytes_of((struct code){ data, 8 });
	cfi_pointer(&s, &b, 0x3b);
	assert_true(b.bad);
}

static void check_entry(const struct frame_bytes *b, bool debug, uint32_t offset, int want,
			const struct cfi_entry *entry)
{
	struct cfi_section s = { b->at, b->len, 0, 0, debug };
	struct cfi_entry e = { 0 };

	assert_int_equal(cfi_entry(&s, offset, &e), want);
	if (want < 0)
		return;
	assert_int_equal(e.next, entry->next);
	if (want == 0)
		return;
	assert_int_equal(e.body, entry->body);
	assert_int_equal(e.common, entry->common);
	if (!e.common)
		assert_int_equal(e.cie, entry->cie);
}

static void test_entries(void **state)
{
	struct frame_bytes b = { .len = 0 };

	put_bytes(&b, "\x08\0\0\0\0\0\0\0....", 12);				   /* 0: a CIE */
	put_bytes(&b, "\x05\0\0\0\x10\0\0\0.", 9);				   /* 12: of 0 */
	put_bytes(&b, "\0\0\0\0", 4);						   /* 21 */
	put_bytes(&b, "\xff\xff\xff\xff\x08\0\0\0\0\0\0\0\x25\0\0\0\0\0\0\0", 20); /* 25: of 0 */
	put_bytes(&b, "\x04\0\0\0\x40\0\0\0", 8); /* 45: before all */
	put_bytes(&b, "\x03\0\0\0...", 7);	  /* 53: too short */
	put_bytes(&b, "\x05\0\0\0\0\0\0\0", 8);	  /* 60: too long */
	check_entry(&b, false, 0, 1, &(struct cfi_entry){ 8, 12, 0, true });
	check_entry(&b, false, 12, 1, &(struct cfi_entry){ 20, 21, 0, false });
	check_entry(&b, false, 21, 0, &(struct cfi_entry){ 0, 25, 0, false });
	check_entry(&b, false, 25, 1, &(struct cfi_entry){ 45, 45, 0, false });
	check_entry(&b, false, 45, -EBADMSG, NULL);
	check_entry(&b, false, 53, -EBADMSG, NULL);
	check_entry(&b, false, 60, -EBADMSG, NULL);
	check_entry(&b, false, 66, -EBADMSG, NULL);
	/* .debug_frame: offsets from its start, and another mark of CIEs */
	check_entry(&b, true, 0, 1, &(struct cfi_entry){ 8, 12, 0, false });
	check_entry(&b, true, 12, 1, &(struct cfi_entry){ 20, 21, 0x10, false });
	b.len = 0;
	put_bytes(&b, "\x04\0\0\0\xff\xff\xff\xff", 8);
	put_bytes(&b, "\xff\xff\xff\xff\x08\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 20);
	check_entry(&b, true, 0, 1, &(struct cfi_entry){ 8, 8, 0, true });
	check_entry(&b, true, 8, 1, &(struct cfi_entry){ 28, 28, 0, true });
}

static int read_cie(const struct frame_bytes *b, struct cfi_section *s, struct cfi_cie *c)
{
	*s = (struct cfi_section){ b->at, b->len, 0x5000, 0, false };
	*c = (struct cfi_cie){ .section = s, .machine = &machine };
	return cfi_cie_read(c);
}

static void test_cies(void **state)
{
	static const struct {
		struct code body;
		bool good, sized, signal;
		uint8_t encoding, ra;
	} cases[] = {
		{ CODE("\x01\0\x01\x78\x10"), true, false, false, 0, 16 },
		{ CODE("\x03zR\0\x01\x78\x90\x00\x01\x1b"), true, true, false, 0x1b, 16 },
		{ CODE("\x04zR\0\x08\0\x04\x78\x1e\x01\x03"), true, true, false, 0x03, 30 },
		{ CODE("\x01zPLR\0\x01\x78\x10\x07\x9b\1\2\3\4\x1b\x1b"), true, true, false, 0x1b,
		  16 },
		{ CODE("\x01zPLR\0\x01\x78\x10\x03\xff\x1b\x1b"), true, true, false, 0x1b, 16 },
		{ CODE("\x01zRSB\0\x01\x78\x10\x01\x1b"), true, true, true, 0x1b, 16 },
		{ CODE("\x01zRG\0\x01\x78\x10\x01\x1b"), true, true, false, 0x1b, 16 },
		/* there may be more than the letters say */
		{ CODE("\x01zR\0\x01\x78\x10\x03\x1b.."), true, true, false, 0x1b, 16 },
		{ CODE("\x02\0\x01\x78\x10"), false, false, false, 0, 0 },
		{ CODE("\x04\0\x04\0\x01\x78\x10"), false, false, false, 0, 0 },
		{ CODE("\x04\0\x08\x02\x01\x78\x10"), false, false, false, 0, 0 },
		{ CODE("\x01"
		       "eh\0\1\2\3\4\5\6\7\x08\x01\x78\x10"),
		  false, false, false, 0, 0 },
		{ CODE("\x01zX\0\x01\x78\x10\x01\x1b"), false, false, false, 0, 0 },
		{ CODE("\x01zP\0\x01\x78\x10\x05\x50\1\2\3\4"), false, false, false, 0, 0 },
		{ CODE("\x01zPR\0\x01\x78\x10\x03\x1b\1\2"), false, false, false, 0, 0 },
		{ CODE("\x01zR\0\x01\x78\x10\x05\x1b"), false, false, false, 0, 0 },
		{ CODE("\x01zR"), false, false, false, 0, 0 },
		{ CODE("\x03\0\x01\x78\x80\x04"), false, false, false, 0, 0 },
		{ CODE("\x01\0\x01\x78\x10\x41"), false, false, false, 0, 0 },
	};
	struct frame_bytes b, body;
	struct cfi_section s;
	struct cfi_cie c;
	size_t i;

	for (i = 0; i < NR(cases); i++) {
		b.len = body.len = 0;
		put_code(&body, cases[i].body);
		put_entry(&b, 0, &body, CODE(""));
		assert_int_equal(read_cie(&b, &s, &c), cases[i].good ? 0 : -EBADMSG);
		assert_int_equal(c.bad, !cases[i].good);
		if (!cases[i].good)
			continue;
		assert_int_equal(c.sized, cases[i].sized);
		assert_int_equal(c.signal, cases[i].signal);
		assert_int_equal(c.encoding, cases[i].encoding);
		assert_int_equal(c.ra, cases[i].ra);
		assert_int_equal(c.data_align, -8);
		assert_int_equal(c.initial.ra.reg, c.ra);
	}
}

static void test_fdes(void **state)
{
	struct frame_bytes b = { .len = 0 }, body = { .len = 0 };
	struct cfi_section s;
	struct cfi_entry e;
	struct cfi_fde f;
	struct cfi_cie c;
	uint32_t fde;

	put_code(&body, CODE("\x01zR\0\x01\x78\x10\x01\x1b"));
	put_entry(&b, 0, &body, CODE(""));
	body.len = 0;
	put_code(&body, CODE("\xf8\xff\xff\xff\x20\0\0\0\x02.."));
	fde = put_entry(&b, (uint32_t)b.len + 4, &body, CODE("\x41\x0a"));
	assert_int_equal(read_cie(&b, &s, &c), 0);
	assert_int_equal(cfi_entry(&s, fde, &e), 1);
	assert_int_equal(cfi_fde_read(&c, &e, &f), 0);
	assert_int_equal(f.start, 0x5000 + fde + 8 - 8);
	assert_int_equal(f.size, 0x20);
	assert_int_equal(f.program.end - f.program.at, 2);
	assert_int_equal(*f.program.at, 0x41);
	b.at[fde + 16] = 20; /* more augmentation data than there is */
	assert_int_equal(cfi_fde_read(&c, &e, &f), -EBADMSG);
	b.at[fde + 16] = 2;
	b.at[fde + 15] = 0x80; /* negative: 4 GiB and more */
	assert_int_equal(cfi_fde_read(&c, &e, &f), -EBADMSG);
}

/* A row as a test wants it: how and value of each rule (a register's number counts too). */
struct wanted {
	uint64_t to; /* from START */
	enum cfi_how cfa;
	uint8_t reg;
	int64_t off;
	enum cfi_how fp;
	int64_t fp_off;
	enum cfi_how ra;
	int64_t ra_off;
};

#define PLAIN CFI_REG, 7, 8, CFI_SAME, 0, CFI_OFFSET, -8

struct code_case {
	struct code code;
	int rows; /* -1: malformed in the end */
	struct wanted want[4];
};

static const struct code_case programs[] = {
	{ CODE(""), 1, { { SIZE, PLAIN } } },
	{ CODE("\x00\x00"), 1, { { SIZE, PLAIN } } },
	/* push %rbp; mov %rsp, %rbp; leave */
	{ CODE("\x41\x0e\x10\x86\x02\x43\x0d\x06\x02\x50\xc6\x0c\x07\x08"),
	  4,
	  { { 1, PLAIN },
	    { 4, CFI_REG, 7, 16, CFI_OFFSET, -16, CFI_OFFSET, -8 },
	    { 0x54, CFI_REG, 6, 16, CFI_OFFSET, -16, CFI_OFFSET, -8 },
	    { SIZE, PLAIN } } },
	/* advances of all widths; nothing moves */
	{ CODE("\x40\x02\x10\x0e\x18\x03\x20\x00\x0e\x20\x04\x10\x00\x00\x00\x0e\x28"),
	  4,
	  { { 0x10, PLAIN },
	    { 0x30, CFI_REG, 7, 0x18, CFI_SAME, 0, CFI_OFFSET, -8 },
	    { 0x40, CFI_REG, 7, 0x20, CFI_SAME, 0, CFI_OFFSET, -8 },
	    { SIZE, CFI_REG, 7, 0x28, CFI_SAME, 0, CFI_OFFSET, -8 } } },
	{ CODE("\x1d\x08\0\0\0\0\0\0\0\x0e\x10"),
	  2,
	  { { 8, PLAIN }, { SIZE, CFI_REG, 7, 16, CFI_SAME, 0, CFI_OFFSET, -8 } } },
	/* set_loc; then past the end, where the rest is of no interest */
	{ CODE("\x01\x20\0\x01\0\0\0\0\0\x0e\x10\x03\0\x10\xff"),
	  2,
	  { { 0x20, PLAIN }, { SIZE, CFI_REG, 7, 16, CFI_SAME, 0, CFI_OFFSET, -8 } } },
	{ CODE("\x0a\x0e\x40\x86\x03\x41\x0b"),
	  2,
	  { { 1, CFI_REG, 7, 0x40, CFI_OFFSET, -24, CFI_OFFSET, -8 }, { SIZE, PLAIN } } },
	/* the long forms of all that sets a register */
	{ CODE("\x05\x06\x04\x42\x06\x06\x42\x11\x06\x7e\x42\x2f\x06\x02"),
	  4,
	  { { 2, CFI_REG, 7, 8, CFI_OFFSET, -32, CFI_OFFSET, -8 },
	    { 4, PLAIN },
	    { 6, CFI_REG, 7, 8, CFI_OFFSET, 16, CFI_OFFSET, -8 },
	    { SIZE, CFI_REG, 7, 8, CFI_OFFSET, 16, CFI_OFFSET, -8 } } },
	{ CODE("\x07\x06\x42\x08\x06\x07\x10\x42\x14\x06\x02\x09\x10\x05\x42\x15\x06\x7f\x08\x10"),
	  4,
	  { { 2, CFI_REG, 7, 8, CFI_UNDEFINED, 0, CFI_OFFSET, -8 },
	    { 4, CFI_REG, 7, 8, CFI_SAME, 0, CFI_UNDEFINED, 0 },
	    { 6, CFI_REG, 7, 8, CFI_VALUE, -16, CFI_REG, 5 },
	    { SIZE, CFI_REG, 7, 8, CFI_VALUE, 8, CFI_REG, 16 } } },
	/* and of all that sets the CFA */
	{ CODE("\x12\x06\x7e\x42\x13\x7c\x42\x0d\x0a\x42\x0f\x02\x77\x08"),
	  4,
	  { { 2, CFI_REG, 6, 16, CFI_SAME, 0, CFI_OFFSET, -8 },
	    { 4, CFI_REG, 6, 32, CFI_SAME, 0, CFI_OFFSET, -8 },
	    { 6, CFI_REG, 10, 32, CFI_SAME, 0, CFI_OFFSET, -8 },
	    { SIZE, CFI_EXPRESSION, 0, 0, CFI_SAME, 0, CFI_OFFSET, -8 } } },
	/* half of a CFA when there is no first half */
	{ CODE("\x0f\x02\x77\x08\x41\x0e\x10\x41\x0c\x07\x08\x0f\x02\x77\x08\x0d\x06"),
	  3,
	  { { 1, CFI_EXPRESSION, 0, 0, CFI_SAME, 0, CFI_OFFSET, -8 },
	    { 2, CFI_BEYOND, 0, 0, CFI_SAME, 0, CFI_OFFSET, -8 },
	    { SIZE, CFI_BEYOND, 0, 0, CFI_SAME, 0, CFI_OFFSET, -8 } } },
	{ CODE("\x10\x06\x02\x76\x00\x41\x16\x06\x02\x76\x00\x09\x10\xac\x02"),
	  2,
	  { { 1, CFI_REG, 7, 8, CFI_EXPRESSION, 0, CFI_OFFSET, -8 },
	    { SIZE, CFI_REG, 7, 8, CFI_BEYOND, 0, CFI_BEYOND, 0 } } },
	/* registers that are not kept; what has no meaning here */
	{ CODE("\x83\x05\x2e\x10\x2d\x2c\xc3\x09\x03\x04\x10\x03\x01\x30\x07\x0c"),
	  1,
	  { { SIZE, PLAIN } } },
	{ CODE("\x41\x0b"), -1, { { 1, PLAIN } } },
	{ CODE("\x41\x1c"), -1, { { 1, PLAIN } } },
	{ CODE("\x41\x0e"), -1, { { 1, PLAIN } } },
	{ CODE("\x41\x0f\x03\x77\x08"), -1, { { 1, PLAIN } } },
	{ CODE("\x41\x01\0\0\0\0\0\0\0\0"), -1, { { 1, PLAIN } } },
	{ CODE("\x41\x02"), -1, { { 1, PLAIN } } },
};

static void check_rule(const struct cfi_rule *r, enum cfi_how how, int64_t value)
{
	assert_int_equal(r->how, how);
	if (how == CFI_REG)
		assert_int_equal(r->reg, value);
	else if (how == CFI_OFFSET || how == CFI_VALUE)
		assert_int_equal(r->value, value);
}

static void check_row(const struct program *p, const struct wanted *w)
{
	assert_int_equal(p->to - START, w->to);
	assert_int_equal(p->state.cfa.how, w->cfa);
	if (w->cfa == CFI_REG) {
		assert_int_equal(p->state.cfa.reg, w->reg);
		assert_int_equal(p->state.cfa.value, w->off);
	}
	check_rule(&p->state.fp, w->fp, w->fp_off);
	check_rule(&p->state.ra, w->ra, w->ra_off);
}

static void make_cie(struct frame_bytes *b, struct cfi_section *s, struct cfi_cie *c)
{
	b->len = 0;
	put_cie(b, "");
	assert_int_equal(read_cie(b, s, c), 0);
}

static void test_programs(void **state)
{
	struct frame_bytes b;
	struct cfi_section s;
	struct cfi_fde f = { .start = START, .size = SIZE };
	struct cfi_cie c;
	struct program p;
	size_t i;
	int k, rows;

	make_cie(&b, &s, &c);
	for (i = 0; i < NR(programs); i++) {
		f.program = bytes_of(programs[i].code);
		rows = programs[i].rows < 0 ? 1 : programs[i].rows;
		program_start(&p, &c, &f);
		for (k = 0; k < rows; k++) {
			assert_int_equal(program_next(&p), 1);
			assert_int_equal(p.from - START, k ? programs[i].want[k - 1].to : 0);
			check_row(&p, &programs[i].want[k]);
		}
		assert_int_equal(program_next(&p), programs[i].rows < 0 ? -EBADMSG : 0);
	}
}

static void test_remember_limit(void **state)
{
	char code[2 * PROGRAM_MAX_REMEMBER + 1];
	struct frame_bytes b;
	struct cfi_section s;
	struct cfi_fde f = { .start = START, .size = SIZE };
	struct cfi_cie c;
	struct program p;

	make_cie(&b, &s, &c);
	memset(code, 0x0a, sizeof(code));
	memset(code + PROGRAM_MAX_REMEMBER, 0x0b, PROGRAM_MAX_REMEMBER);
	f.program = bytes_of((struct code){ code, sizeof(code) - 1 });
	program_start(&p, &c, &f);
	assert_int_equal(program_next(&p), 1);
	code[PROGRAM_MAX_REMEMBER] = 0x0a;
	program_start(&p, &c, &f);
	assert_int_equal(program_next(&p), -EBADMSG);
}

static void test_expressions(void **state)
{
	static const struct {
		struct code code;
		bool good;
		struct expression want;
	} cases[] = {
		{ CODE("\x77\x08"), true, { EXPRESSION_REG, 7, 8, 0 } },
		{ CODE("\x13\x77\x80\x01"), true, { EXPRESSION_REG, 7, 128, 0 } },
		{ CODE("\x76\x78\x06"), true, { EXPRESSION_DEREF, 6, -8, 0 } },
		{ CODE("\x77\x28\x06\x23\x08"), true, { EXPRESSION_DEREF, 7, 40, 8 } },
		{ CODE("\x77\x08\x79\x00\x38\x1e\x22\x06\x23\x08"),
		  true,
		  { EXPRESSION_INDEXED, 9, 8, 8 } },
		{ CODE("\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22"),
		  true,
		  { EXPRESSION_PLT, 7, 11, 0 } },
		{ CODE("\x77\x08\x80\x00\x3f\x1a\x3a\x2a\x33\x24\x22"),
		  true,
		  { EXPRESSION_PLT, 7, 10, 0 } },
		{ CODE("\x77\x10\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22"), false, { 0 } },
		{ CODE("\x77\x08\x80\x01\x3f\x1a\x3b\x2a\x33\x24\x22"), false, { 0 } },
		{ CODE("\x77\x08\x80\x00\x3f\x1a\x30\x2a\x33\x24\x22"), false, { 0 } },
		{ CODE("\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24"), false, { 0 } },
		{ CODE("\x76\x08\x79\x00\x38\x1e\x22\x06"), false, { 0 } },
		{ CODE("\x77\x08\x79\x00\x39\x1e\x22\x06"), false, { 0 } },
		{ CODE("\x77\x08\x23\x08"), false, { 0 } },
		{ CODE("\x77\x08\x06\x06"), false, { 0 } },
		{ CODE("\x77"), false, { 0 } },
		{ CODE("\x57\x08"), false, { 0 } },
		{ CODE(""), false, { 0 } },
	};
	struct expression e;
	struct cfi_rule r;
	size_t i;

	for (i = 0; i < NR(cases); i++) {
		r = (struct cfi_rule){ .how = CFI_EXPRESSION,
				       .len = (uint32_t)cases[i].code.len,
				       .expression = (const uint8_t *)cases[i].code.at };
		assert_int_equal(expression_read(&r, &e), cases[i].good);
		if (!cases[i].good)
			continue;
		assert_int_equal(e.kind, cases[i].want.kind);
		assert_int_equal(e.reg, cases[i].want.reg);
		assert_int_equal(e.off, cases[i].want.off);
		assert_int_equal(e.add, cases[i].want.add);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),	    cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_entries),	    cmocka_unit_test(test_cies),
		cmocka_unit_test(test_fdes),	    cmocka_unit_test(test_programs),
		cmocka_unit_test(test_expressions), cmocka_unit_test(test_remember_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
