/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame_rows.h"

#include <errno.h>

#include "elf/object.h"
#include "elf/pclntab.h"

#define GO_TEXT	  (IMAGE_BASE + IMAGE_ENTRY)
#define WRITES_SP 2
#define MAGIC_118 0xfffffff0u
#define MAGIC_120 0xfffffff1u

struct go_function {
	const char *name;
	uint32_t place;
	uint8_t flags;
	struct code steps;
};

#define EXIT                                                 \
	{                                                    \
		"runtime.goexit", 0, 1, CODE("\x02\x06\x00") \
	}

/* At most 8 functions; `end` is behind the last of them. */
static struct frame_bytes make_table(uint32_t magic, uint64_t text, const struct go_function *f,
				     uint32_t nr, uint32_t end)
{
	struct frame_bytes b = { .len = 0 }, names = { .len = 0 }, steps = { .len = 0 };
	uint32_t i, entry = magic == MAGIC_118 ? 40 : 44, name[8], step[8];

	put_int(&steps, 0, 1);
	for (i = 0; i < nr; i++) {
		name[i] = (uint32_t)names.len;
		put_bytes(&names, f[i].name, strlen(f[i].name) + 1);
		step[i] = f[i].steps.len ? (uint32_t)steps.len : 0;
		put_code(&steps, f[i].steps);
	}
	put_int(&b, magic, 4);
	put_bytes(&b, "\0\0\1\x08", 4);
	put_int(&b, nr, 8);
	put_int(&b, 0, 8);
	put_int(&b, text, 8);
	put_int(&b, 72, 8);
	put_int(&b, 0, 8);
	put_int(&b, 0, 8);
	put_int(&b, 72 + names.len, 8);
	put_int(&b, 72 + names.len + steps.len, 8);
	put_bytes(&b, names.at, names.len);
	put_bytes(&b, steps.at, steps.len);
	for (i = 0; i < nr; i++) {
		put_int(&b, f[i].place, 4);
		put_int(&b, nr * 8 + 4 + i * entry, 4);
	}
	put_int(&b, end, 4);
	for (i = 0; i < nr; i++) {
		put_int(&b, f[i].place, 4);
		put_int(&b, name[i], 4);
		put_int(&b, 0, 8);
		put_int(&b, step[i], 4);
		put_int(&b, 0, 8);
		put_int(&b, 0, 8);
		if (magic == MAGIC_120)
			put_int(&b, 77, 4);
		put_int(&b, 0, 1);
		put_int(&b, f[i].flags, 1);
		put_int(&b, 0, 2);
	}
	return b;
}

/* The word at a place in Go's text. */
static uint32_t word(const struct rows *r, uint64_t place)
{
	return rows_find(r, GO_TEXT + place) & ROW_BELOW;
}

static char text[0x200];

static void put_text(uint32_t place, struct code c)
{
	memcpy(text + place, c.at, c.len);
}

static struct frame_image make_go(void)
{
	struct frame_image im = make_image();

	im.entry = 0;
	memset(text, 0xcc, sizeof(text));
	put_text(0, CODE("\x90\xe8\x01\x02\x03\x04\x90"));
	im.code = (struct code){ text, sizeof(text) };
	return im;
}

/* Steps are: twice the change (or twice its opposite, less one), bytes of code. */
static void check_functions(uint32_t magic)
{
	static const struct go_function f[] = {
		EXIT,
		{ "main.stored", 0x20, 0, CODE("\x02\x04\x30\x20\x2f\x02\x30\x05\x00") },
		{ "main.pushed", 0x60, 0, CODE("\x02\x01\x10\x07\x20\x10\x1f\x01\x0f\x01\x00") },
		{ "main.keeps", 0x80, 0, CODE("\x02\x04\x10\x08\x00") },
		{ "runtime.systemstack", 0xa0, WRITES_SP, CODE("\x02\x10\x00") },
		{ "runtime.clone", 0xc0, WRITES_SP, CODE("\x02\x20\x00") },
		{ "runtime.sigreturn__sigaction", 0x100, 0, CODE("\x02\x10\x00") },
		{ "runtime.rt0_go", 0x140, WRITES_SP, CODE("\x02\x10\x00") },
	};
	struct frame_image im = make_go();
	struct rows r;

	put_text(0x24, CODE("\x48\x89\x6c\x24\x10")); /* mov %rbp, 16(%rsp) */
	put_text(0x60, CODE("\x55\x48\x89\xe5"));     /* push %rbp; mov %rsp, %rbp */
	put_text(0xd0, CODE("\x48\x89\xf4"));	      /* mov %rsi, %rsp */
	put_text(0x100, CODE("\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05"));
	im.go = make_table(magic, GO_TEXT, f, NR(f), 0x180);
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(r.nr_malformed, 0);
	assert_int_equal(word(&r, 0), STOP);
	assert_int_equal(word(&r, 0x1f), STOP);
	/* the frame is made, the frame pointer stored, both taken back, and made again */
	assert_int_equal(word(&r, 0x20), SP(8));
	assert_int_equal(word(&r, 0x23), SP(8));
	assert_int_equal(word(&r, 0x24), SP(32));
	assert_int_equal(word(&r, 0x28), SP(32));
	assert_int_equal(word(&r, 0x29), SP(32) | SAVED(16));
	assert_int_equal(word(&r, 0x43), SP(32) | SAVED(16));
	assert_int_equal(word(&r, 0x44), SP(8));
	assert_int_equal(word(&r, 0x46), SP(32) | SAVED(16));
	assert_int_equal(word(&r, 0x4a), SP(32) | SAVED(16));
	/* behind the last step there is nothing */
	assert_int_equal(word(&r, 0x4b), NONE);
	assert_int_equal(word(&r, 0x5f), NONE);
	assert_int_equal(word(&r, 0x60), SP(8));
	assert_int_equal(word(&r, 0x61), SP(16) | SAVED(16));
	assert_int_equal(word(&r, 0x68), SP(32) | SAVED(16));
	assert_int_equal(word(&r, 0x78), SP(16) | SAVED(16));
	assert_int_equal(word(&r, 0x79), SP(8));
	/* a frame that the frame pointer is not saved in */
	assert_int_equal(word(&r, 0x84), SP(16));
	assert_int_equal(word(&r, 0xa0), NONE);
	assert_int_equal(word(&r, 0xaf), NONE);
	assert_int_equal(word(&r, 0xc0), SP(8));
	assert_int_equal(word(&r, 0xcf), SP(8));
	assert_int_equal(word(&r, 0xd0), STOP);
	assert_int_equal(word(&r, 0xfe), STOP);
	assert_int_equal(word(&r, 0x100), SIGNAL);
	assert_int_equal(word(&r, 0x13f), SIGNAL);
	assert_int_equal(word(&r, 0x140), STOP);
	assert_int_equal(word(&r, 0x180), NONE);
	rows_done(&r);
}

static void test_functions(void **state)
{
	check_functions(MAGIC_118);
	check_functions(MAGIC_120);
}

/* What signal handlers return to is looked up a byte before, be there another function. */
static void test_signal(void **state)
{
	static const struct go_function f[] = {
		EXIT,
		{ "main.a", 0x20, 0, CODE("\x02\x20\x00") },
		{ "runtime.sigreturn", 0x40, 0, CODE("\x02\x10\x00") },
		{ "runtime.sigreturn__sigaction", 0x60, 0, CODE("\x02\x10\x00") },
	};
	struct frame_image im = make_go();
	struct rows r;

	put_text(0x40, CODE("\xb8\x0f\x00\x00\x00\x0f\x05"));
	im.go = make_table(MAGIC_118, GO_TEXT, f, NR(f), 0x80);
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(word(&r, 0x3e), SP(8));
	assert_int_equal(word(&r, 0x3f), SIGNAL);
	assert_int_equal(word(&r, 0x5e), SIGNAL);
	assert_int_equal(word(&r, 0x60), SP(8)); /* makes no such system call */
	rows_done(&r);
}

/* Where frame pointers are: nothing is taken for what it is not. */
static void test_frame_pointers(void **state)
{
	static const struct go_function f[] = {
		EXIT,
		{ "main.small", 0x20, 0, CODE("\x02\x04\x10\x0c\x00") },
		{ "main.large", 0x40, 0, CODE("\x02\x04\x80\x20\x10\x00") },
		{ "main.pushes", 0x60, 0, CODE("\x02\x02\x10\x0c\x00") },
		{ "main.unseen", 0x20000, 0, CODE("\x02\x04\x10\x0c\x00") },
	};
	struct frame_image im = make_go();
	struct rows r;

	put_text(0x24, CODE("\x48\x89\x2c\x24"));		  /* mov %rbp, (%rsp) */
	put_text(0x44, CODE("\x48\x89\xac\x24\xf8\x07\x00\x00")); /* mov %rbp, 2040(%rsp) */
	put_text(0x60, CODE("\x41\x55"));			  /* push %r13 */
	im.go = make_table(MAGIC_118, GO_TEXT, f, NR(f), 0x20010);
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(word(&r, 0x24), SP(16));
	assert_int_equal(word(&r, 0x28), SP(16) | SAVED(16));
	assert_int_equal(word(&r, 0x44), SP(0x808));
	assert_int_equal(word(&r, 0x4c), SP(0x808) | SAVED(16));
	assert_int_equal(word(&r, 0x62), SP(16));
	/* its bytes are not in the file */
	assert_int_equal(word(&r, 0x20000), SP(8));
	assert_int_equal(word(&r, 0x20004) & ROW_ESCAPED, ROW_ESCAPED);
	assert_int_equal(r.rule[word(&r, 0x20004) & ROW_RULE_MASK].fp, FP_UNDEFINED);
	rows_done(&r);
}

/* Where g0's stacks begin. Other ways to load the stack pointer are none of these. */
static void test_scheduler(void **state)
{
	static const struct go_function f[] = {
		EXIT,
		{ "runtime.mstart", 0x20, 1, CODE("\x02\x06\x00") },
		{ "runtime.mcall", 0x40, WRITES_SP, CODE("\x02\x20\x00") },
		{ "runtime.morestack", 0x80, WRITES_SP, CODE("\x02\x20\x00") },
	};
	struct frame_image im = make_go();
	struct rows r;

	put_text(0x48, CODE("\x48\x8b\x64\x24\x38")); /* mov 0x38(%rsp), %rsp */
	put_text(0x50, CODE("\x49\x8b\x66\x38"));     /* mov 0x38(%r14), %rsp */
	put_text(0x90, CODE("\x49\x8b\x66\x38"));
	im.go = make_table(MAGIC_118, GO_TEXT, f, NR(f), 0xc0);
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(word(&r, 0x20), STOP);
	assert_int_equal(word(&r, 0x24), STOP);
	assert_int_equal(word(&r, 0x40), SP(8));
	assert_int_equal(word(&r, 0x53), SP(8));
	assert_int_equal(word(&r, 0x54), STOP);
	assert_int_equal(word(&r, 0x7f), STOP);
	assert_int_equal(word(&r, 0x80), NONE);
	rows_done(&r);
	/* one that is switched to in another way is left */
	text[0x53] = 0x40;
	r = read_rows(&im);
	assert_int_equal(word(&r, 0x40), NONE);
	assert_int_equal(word(&r, 0x54), NONE);
	rows_done(&r);
}

static void test_malformed(void **state)
{
	static const struct go_function f[] = {
		EXIT,
		{ "main.odd", 0x20, 0, CODE("\x02\x04\x06\x04\x00") },
		{ "main.popped", 0x40, 0, CODE("\x02\x04\x0f\x04\x10\x04\x00") },
		{ "main.stands", 0x60, 0, CODE("\x02\x04\x10\x00\x00") },
		{ "main.long", 0x80, 0, CODE("\x02\x90\x90\x90\x01\x00") },
		{ "main.huge", 0xa0, 0, CODE("\x02\x04\x80\x80\x80\x80\x80\x01\x04\x00") },
		{ "main.none", 0xc0, 0, CODE("") },
		{ "main.cut", 0xe0, 0, CODE("\x02") },
	};
	struct frame_image im = make_go();
	struct pclntab t;
	struct rows r;

	im.go = make_table(MAGIC_118, GO_TEXT, f, NR(f), 0x100);
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(r.nr_malformed, 4);
	assert_int_equal(word(&r, 0x20), NONE);
	/* it took the return address off the stack, and laid it back */
	assert_int_equal(word(&r, 0x40), SP(8));
	assert_int_equal(word(&r, 0x44), NONE);
	assert_int_equal(word(&r, 0x48), SP(8));
	assert_int_equal(word(&r, 0x60), NONE);
	assert_int_equal(word(&r, 0x80), SP(8));
	assert_int_equal(word(&r, 0x9f), SP(8));
	assert_int_equal(word(&r, 0xa0), NONE);
	assert_int_equal(word(&r, 0xc0), NONE);
	rows_done(&r);
	/* any part of it is refused, or whole */
	while (im.go.len--) {
		if (pclntab_read(&t, im.go.at, im.go.len))
			assert_true(im.go.len >= t.functions + NR(f) * 8 + 4);
	}
}

/* Where the text begins is believed only if runtime.goexit is there. */
static void test_text(void **state)
{
	static const struct go_function f[] = { EXIT, { "main.a", 0x20, 0, CODE("\x02\x04\x00") } };
	static const struct go_function outside[] = {
		{ "main.a", 0, WRITES_SP, CODE("\x02\x04\x00") },
		{ "runtime.goexit", 0x40, 1, CODE("\x02\x04\x00") },
	};
	struct frame_image im = make_go();
	struct rows r;

	im.go = make_table(MAGIC_120, 0, f, NR(f), 0x40);
	r = read_rows(&im);
	assert_int_equal(word(&r, 0x20), SP(8));
	rows_done(&r);
	im.go = make_table(MAGIC_120, GO_TEXT + 0x40, f, NR(f), 0x40);
	r = read_rows(&im);
	assert_int_equal(word(&r, 0x20), SP(8));
	assert_int_equal(word(&r, 0x60), NONE);
	rows_done(&r);
	text[1] = 0x20;
	assert_int_equal(read_error(&im), -ENOENT);
	text[1] = (char)0xe8;
	im.go = make_table(MAGIC_120, GO_TEXT, f + 1, 1, 0x40);
	assert_int_equal(read_error(&im), -ENOENT);
	im.go = make_table(MAGIC_120 + 1, GO_TEXT, f, NR(f), 0x40);
	assert_int_equal(read_error(&im), -ENOENT);
	/* of what lies in the code nothing can be said */
	put_text(0x40, CODE("\x90\xe8"));
	im.text = IMAGE_ENTRY + 0x20;
	im.go = make_table(MAGIC_120, GO_TEXT, outside, NR(outside), 0x80);
	assert_int_equal(read_error(&im), -ENOENT);
	im.text = 0;
	im.go = make_table(MAGIC_120, GO_TEXT, f, NR(f), 0x40);
	im.machine = EM_AARCH64;
	assert_int_equal(read_error(&im), -ENOENT);
}

/* C's functions keep the rows of their .eh_frame; nothing of Go's .debug_frame is used. */
static void test_beside_c(void **state)
{
	static const struct go_function f[] = { EXIT,
						{ "main.a", 0x20, 0, CODE("\x02\x04\x00") },
						{ "c", 0x40, 0, CODE("\x02\x04\x00") } };
	struct frame_image im = make_go();
	struct frame_bytes body = { .len = 0 };
	uint32_t cie = put_cie(&im.eh, "");
	struct rows r;

	put_fde(&im.eh, cie, GO_TEXT + 0x40, 0x20, CODE("\x0e\x40"));
	put_bytes(&body, "\x03\0\x01\x78\x10", 5);
	put_entry(&im.debug, UINT32_MAX, &body, CODE("\x0c\x07\x08\x90\x01"));
	body.len = 0;
	put_int(&body, GO_TEXT + 0x80, 8);
	put_int(&body, 0x20, 8);
	put_entry(&im.debug, 0, &body, CODE("\x0e\x40"));
	im.go = make_table(MAGIC_118, GO_TEXT, f, NR(f), 0x60);
	r = read_rows(&im);
	check_tables(&r);
	assert_int_equal(word(&r, 0), STOP);
	assert_int_equal(word(&r, 0x20), SP(8));
	assert_int_equal(word(&r, 0x40), SP(0x40));
	assert_int_equal(word(&r, 0x80), NONE);
	rows_done(&r);
}

/* The object with the note of Go's linker, in place of its interpreter. */
static int go_file(struct frame_image *im)
{
	static const Elf64_Nhdr note = { .n_namesz = 4, .n_descsz = 4, .n_type = 4 };
	Elf64_Phdr p = { .p_type = PT_NOTE, .p_offset = 0x300, .p_filesz = 20, .p_align = 4 };
	int fd;

	im->interpreter = true;
	fd = frame_file(im);
	assert_int_equal(pwrite(fd, &p, sizeof(p), sizeof(Elf64_Ehdr) + sizeof(p)), sizeof(p));
	assert_int_equal(pwrite(fd, &note, sizeof(note), 0x300), sizeof(note));
	assert_int_equal(pwrite(fd, "Go\0\0 id ", 8, 0x300 + sizeof(note)), 8);
	return fd;
}

/* Functions have their names without any symbol table. */
static void test_names(void **state)
{
	static const struct go_function f[] = {
		EXIT,
		{ "main.a", 0x20, 0, CODE("\x02\x04\x00") },
		{ "main.(*T).b[...]", 0x40, WRITES_SP, CODE("\x02\x04\x00") },
	};
	static const struct {
		uint64_t place;
		const char *name;
	} want[] = { { 0, "runtime.goexit" },
		     { 0x20, "main.a" },
		     { 0x3f, "main.a" },
		     { 0x40, "main.(*T).b[...]" },
		     { 0x5f, "main.(*T).b[...]" } };
	struct frame_image im = make_go();
	const struct elf_symbol *s;
	char name[SYMTAB_MAX_NAME];
	struct object o;
	size_t i;
	int fd;

	im.go = make_table(MAGIC_120, GO_TEXT, f, NR(f), 0x60);
	fd = go_file(&im);
	assert_int_equal(object_read(&o, fd), 0);
	assert_true(o.is_go);
	for (i = 0; i < NR(want); i++) {
		s = symtab_find(&o.symtab, GO_TEXT + want[i].place);
		assert_non_null(s);
		assert_int_equal(symtab_name(&o.symtab, &o.reader, s, name), 1);
		assert_string_equal(name, want[i].name);
	}
	assert_null(symtab_find(&o.symtab, GO_TEXT + 0x60));
	object_done(&o);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),      cmocka_unit_test(test_signal),
		cmocka_unit_test(test_malformed),      cmocka_unit_test(test_text),
		cmocka_unit_test(test_beside_c),       cmocka_unit_test(test_names),
		cmocka_unit_test(test_frame_pointers), cmocka_unit_test(test_scheduler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
