/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "elf_image.h"
#include "symbol/symbol.h"

static pid_t last_pid;

static void started(void *ctx, pid_t pid)
{
	last_pid = pid;
}

/* A profile, a worker and the object that frames of mapping `file` lie in. */
struct scene {
	struct profile *p;
	struct worker *w;
	uint32_t file;
	int fd;
};

static const struct image_symbol symbols[] = {
	FUNC("first", 0x10, 0x20),
	FUNC("_ZN5alpha4betaEi", 0x40, 0x10),
	FUNC("bad\x1b[31mname", 0x80, 0x10),
};

static uint32_t add_mapping(struct profile *p, uint8_t kind, const char *file)
{
	struct mapping m = { .kind = kind, .file = profile_strings(p, file) };

	return profile_mapping(p, &m);
}

static struct scene set_scene(const struct image_symbol *sym, size_t nr)
{
	struct image im = image_make(true, sym, nr);
	struct scene s = { .p = profile_new(), .fd = image_file(&im, im.len) };

	free(im.data);
	assert_int_equal(worker_new(&s.w, started, NULL), 0);
	profile_native(s.p, 1000000);
	s.file = add_mapping(s.p, MAPPING_FILE, "/usr/bin/thing");
	return s;
}

static void clear_scene(struct scene *s)
{
	worker_free(s->w);
	profile_free(s->p);
	close(s->fd);
}

static void name_file(struct scene *s, int fd, const char *reason)
{
	struct symbol_object obj = { s->file, fd, reason };

	symbol_name_profile(s->p, s->w, NULL, &obj, 1);
	assert_int_equal(profile_check(s->p), 0);
}

static const char *name_of(const struct scene *s, uint32_t frame)
{
	static char buf[256];

	return profile_frame_name(s->p, frame, 0, buf, sizeof(buf));
}

static const char *unnamed(const struct scene *s, uint32_t mapping)
{
	return profile_str(s->p, s->p->mappings[mapping].unnamed);
}

static void test_file(void **state)
{
	struct scene s = set_scene(symbols, ARRAY_LEN(symbols));
	uint32_t cxx = profile_frame(s.p, s.file, CODE_OFFSET + 0x48);
	uint32_t none = profile_frame(s.p, s.file, CODE_OFFSET + 0x200);
	uint32_t first = profile_frame(s.p, s.file, CODE_OFFSET + 0x10);
	uint32_t again = profile_frame(s.p, s.file, CODE_OFFSET + 0x2f);
	uint32_t bad = profile_frame(s.p, s.file, CODE_OFFSET + 0x80);
	const struct function *f;
	const struct mapping *m;

	name_file(&s, s.fd, NULL);
	assert_string_equal(name_of(&s, first), "first");
	assert_string_equal(name_of(&s, again), "first");
	assert_string_equal(name_of(&s, cxx), "alpha::beta(int)");
	assert_string_equal(name_of(&s, bad), "bad\xef\xbf\xbd[31mname");
	assert_string_equal(name_of(&s, none), "thing+0x401a00");
	f = &s.p->functions[s.p->lines[s.p->frames[cxx].first_line].function];
	assert_string_equal(profile_str(s.p, f->system_name), "_ZN5alpha4betaEi");
	assert_int_equal(s.p->lines[s.p->frames[first].first_line].function,
			 s.p->lines[s.p->frames[again].first_line].function);
	m = &s.p->mappings[s.file];
	assert_string_equal(profile_str(s.p, m->build_id),
			    "ab0102030405060708090a0b0c0d0e0f101112cd");
	assert_int_equal(m->start, CODE_ADDRESS);
	assert_int_equal(m->offset, CODE_OFFSET);
	assert_int_equal(m->limit, CODE_ADDRESS + CODE_SIZE);
	assert_int_equal(s.p->frames[cxx].address, CODE_ADDRESS + 0x48);
	assert_true(m->has_functions);
	assert_string_equal(unnamed(&s, s.file), "");
	/* the tables still find what they hold */
	assert_int_equal(profile_mapping(s.p, m), s.file);
	assert_int_equal(profile_frame(s.p, s.file, CODE_ADDRESS + 0x48), cxx);
	clear_scene(&s);
}

static void test_reasons(void **state)
{
	struct scene s = set_scene(NULL, 0);
	uint32_t frame = profile_frame(s.p, s.file, CODE_OFFSET + 4);
	int text = memfd_create("text", MFD_CLOEXEC);

	assert_int_equal(write(text, "#!/bin/sh\n", 10), 10);
	name_file(&s, -1, "process gone");
	assert_string_equal(unnamed(&s, s.file), "process gone");
	name_file(&s, text, NULL);
	assert_string_equal(unnamed(&s, s.file), "not an ELF file");
	assert_int_equal(s.p->frames[frame].address, CODE_OFFSET + 4);
	name_file(&s, s.fd, NULL);
	assert_string_equal(unnamed(&s, s.file), "no symbols");
	assert_false(s.p->mappings[s.file].has_functions);
	assert_int_equal(s.p->frames[frame].address, CODE_ADDRESS + 4);
	close(text);
	clear_scene(&s);
}

static void test_no_symbol_there(void **state)
{
	struct scene s = set_scene(symbols, ARRAY_LEN(symbols));

	profile_frame(s.p, s.file, CODE_OFFSET + 0x300);
	name_file(&s, s.fd, NULL);
	assert_string_equal(unnamed(&s, s.file), "no symbol there");
	clear_scene(&s);
}

static void test_dead_worker(void **state)
{
	struct scene s = set_scene(symbols, ARRAY_LEN(symbols));
	uint32_t first = profile_frame(s.p, s.file, CODE_OFFSET + 0x10);

	kill(last_pid, SIGKILL);
	name_file(&s, s.fd, NULL);
	assert_string_equal(name_of(&s, first), "first");
	assert_true(worker_deaths(s.w) >= 1);
	clear_scene(&s);
}

/* JIT code and made-up frames have no file to look into, whatever is handed in with them. */
static void test_left_alone(void **state)
{
	struct scene s = set_scene(symbols, ARRAY_LEN(symbols));
	uint32_t anon = add_mapping(s.p, MAPPING_ANON, "[anon]");
	uint32_t frame = profile_frame(s.p, anon, CODE_OFFSET + 0x10);
	uint32_t special = profile_special_frame(s.p, "[truncated: fault]");
	struct symbol_object obj[] = { { anon, s.fd, NULL },
				       { s.p->frames[special].mapping, s.fd, NULL } };

	symbol_name_profile(s.p, s.w, NULL, obj, 2);
	assert_int_equal(s.p->frames[frame].nr_lines, 0);
	assert_int_equal(s.p->frames[frame].address, CODE_OFFSET + 0x10);
	assert_string_equal(name_of(&s, special), "[truncated: fault]");
	assert_string_equal(unnamed(&s, anon), "");
	clear_scene(&s);
}

static struct kallsyms *make_kallsyms(void)
{
	static const char text[] = "ffffffff81000000 T do_work\n"
				   "ffffffff81000100 T _etext\n"
				   "ffffffffc0300000 t ext4_open\t[ext4]\n";
	autoclose int fd = memfd_create("kallsyms", MFD_CLOEXEC);
	struct kallsyms *k;
	char path[64];

	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(kallsyms_open(&k, path), 0);
	return k;
}

static void test_kernel(void **state)
{
	struct scene s = set_scene(symbols, ARRAY_LEN(symbols));
	uint32_t kernel = add_mapping(s.p, MAPPING_KERNEL, "[kernel.kallsyms]");
	uint32_t module = add_mapping(s.p, MAPPING_KERNEL, "[ext4]");
	uint32_t other = add_mapping(s.p, MAPPING_KERNEL, "[other]");
	uint32_t a = profile_frame(s.p, kernel, 0xffffffff81000010);
	uint32_t b = profile_frame(s.p, kernel, 0xffffffff81000200);
	uint32_t c = profile_frame(s.p, module, 0xffffffffc0300010);
	struct kallsyms *k = make_kallsyms();

	profile_frame(s.p, other, 0xffffffffd0000000);
	symbol_name_profile(s.p, s.w, k, NULL, 0);
	assert_int_equal(profile_check(s.p), 0);
	assert_string_equal(name_of(&s, a), "do_work");
	assert_string_equal(name_of(&s, c), "ext4_open");
	assert_int_equal(s.p->frames[b].nr_lines, 0);
	assert_int_equal(s.p->frames[a].address, 0xffffffff81000010);
	assert_true(s.p->mappings[kernel].has_functions);
	assert_string_equal(unnamed(&s, kernel), "");
	assert_string_equal(unnamed(&s, other), "no symbol there");
	kallsyms_free(k);
	clear_scene(&s);
}

static void test_no_kernel_symbols(void **state)
{
	struct scene s = set_scene(symbols, ARRAY_LEN(symbols));
	uint32_t kernel = add_mapping(s.p, MAPPING_KERNEL, "[kernel.kallsyms]");
	uint32_t a = profile_frame(s.p, kernel, 0xffffffff81000010);

	symbol_name_profile(s.p, s.w, NULL, NULL, 0);
	assert_int_equal(s.p->frames[a].nr_lines, 0);
	assert_string_equal(unnamed(&s, kernel), "no kernel symbols");
	clear_scene(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_no_symbol_there),
		cmocka_unit_test(test_dead_worker),
		cmocka_unit_test(test_left_alone),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_no_kernel_symbols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
