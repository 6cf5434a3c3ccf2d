/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "elf/object.h"
#include "elf_image.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))

/* The name at an address, "" when there is none. */
static const char *name_at(struct object *o, uint64_t address)
{
	static char name[SYMTAB_MAX_NAME];
	const struct elf_symbol *s = symtab_find(&o->symtab, address);
	int r = s ? symtab_name(&o->symtab, &o->reader, s, name) : 0;

	return r > 0 ? name : "";
}

struct expected {
	uint64_t at; /* from CODE_ADDRESS */
	const char *name;
};

static void check_image(bool wide, const struct image_symbol *sym, size_t nr,
			const struct expected *want, size_t nr_want)
{
	struct image im = image_make(wide, sym, nr);
	int fd = image_file(&im, im.len);
	struct object o;
	size_t i;

	assert_true(fd >= 0);
	assert_int_equal(object_read(&o, fd), 0);
	for (i = 0; i < nr_want; i++)
		assert_string_equal(name_at(&o, CODE_ADDRESS + want[i].at), want[i].name);
	object_done(&o);
	close(fd);
	free(im.data);
}

static const struct image_symbol plain[] = {
	FUNC("first", 0x10, 0x20),
	FUNC("second", 0x40, 0x10),
	LOCAL("third", 0x50, 1),
};
static const struct expected plain_want[] = {
	{ 0x0f, "" },	    { 0x10, "first" },	{ 0x2f, "first" }, { 0x30, "" }, { 0x3f, "" },
	{ 0x40, "second" }, { 0x4f, "second" }, { 0x50, "third" }, { 0x51, "" }, { 0x100000, "" },
};

static void test_plain(void **state)
{
	check_image(true, plain, NR(plain), plain_want, NR(plain_want));
}

static void test_narrow(void **state)
{
	check_image(false, plain, NR(plain), plain_want, NR(plain_want));
}

/* The order in the file does not matter. */
static void test_aliases(void **state)
{
	static const struct image_symbol sym[] = {
		FUNC("__write", 0, 8),	      LOCAL("aaa_local", 0, 8),
		WEAK("write", 0, 8),	      FUNC("open64", 0x10, 8),
		FUNC("open", 0x10, 8),	      FUNC("__open", 0x10, 8),
		WEAK("weak", 0x20, 8),	      FUNC("strong", 0x20, 8),
		LOCAL("only_local", 0x30, 8), LOCAL("_l", 0x30, 8),
		FUNC("_ZN1AC2Ev", 0x40, 8),   FUNC("_ZN1AC1Ev", 0x40, 8),
		FUNC("short", 0x50, 4),	      LOCAL("_long_one", 0x50, 8),
		LABEL("label", 0x60, 0),      LOCAL("__typed", 0x60, 8),
		FUNC("_under", 0x70, 8),      FUNC("_Z1fv", 0x70, 8),
	};
	static const struct expected want[] = {
		{ 0, "write" },		{ 0x11, "open" },      { 0x21, "strong" },
		{ 0x31, "only_local" }, { 0x41, "_ZN1AC1Ev" }, { 0x51, "_long_one" },
		{ 0x61, "__typed" },	{ 0x71, "_Z1fv" },
	};
	struct image_symbol reversed[NR(sym)];
	size_t i;

	check_image(true, sym, NR(sym), want, NR(want));
	for (i = 0; i < NR(sym); i++)
		reversed[i] = sym[NR(sym) - 1 - i];
	check_image(true, reversed, NR(reversed), want, NR(want));
}

static void test_nested(void **state)
{
	static const struct image_symbol sym[] = {
		FUNC("outer", 0, 0x100),   FUNC("inner", 0x20, 0x20),	FUNC("innermost", 0x28, 8),
		FUNC("after", 0x80, 0x10), FUNC("overlap", 0xf0, 0x30), FUNC("last", 0x118, 0x4),
	};
	static const struct expected want[] = {
		{ 0, "outer" },	      { 0x20, "inner" }, { 0x28, "innermost" }, { 0x30, "inner" },
		{ 0x40, "outer" },    { 0x85, "after" }, { 0x95, "outer" },	{ 0xf8, "overlap" },
		{ 0x110, "overlap" }, { 0x119, "last" }, { 0x11f, "overlap" },	{ 0x120, "" },
	};

	check_image(true, sym, NR(sym), want, NR(want));
}

/* Unsized ones reach to the next symbol or the end of their section, and give way to sized ones. */
static void test_unsized(void **state)
{
	static const struct image_symbol sym[] = {
		FUNC("start", 0, 0),
		LABEL("label", 0x10, 0),
		FUNC("sized", 0x20, 0x20),
		LABEL("in_sized", 0x28, 0),
		FUNC("entry", 0x30, 0),
		LABEL("tail", 0x40, 0),
		LABEL("$x", 0x60, 0),
		FUNC("upper", 0x400, 0),
		LABEL("sized_label", 0x500, 0x10),
		FUNC("in_label", 0x508, 4),
	};
	static const struct expected want[] = {
		{ 0, "start" },
		{ 0xf, "start" },
		{ 0x10, "label" },
		{ 0x1f, "label" },
		{ 0x20, "sized" },
		{ 0x2f, "sized" },
		{ 0x3f, "sized" },
		{ 0x40, "tail" },
		{ 0x5f, "tail" },
		{ 0x60, "" },
		{ 0x400, "upper" },
		{ 0x4ff, "upper" },
		{ 0x500, "sized_label" },
		{ 0x509, "in_label" },
		{ 0x50d, "sized_label" },
		{ 0x510, "" },
		{ 0x7ff, "" },
	};

	check_image(true, sym, NR(sym), want, NR(want));
}

static void test_tables(void **state)
{
	static const struct image_symbol dynamic[] = { DYN("exported", 0, 8) };
	static const struct image_symbol thin[] = { DYN("exported", 0, 8), DYN("other", 0x20, 8),
						    LOCAL("kept", 0x10, 8) };
	static const struct expected want[] = { { 0, "exported" } };
	static const struct expected both[] = { { 0, "exported" },
						{ 0x10, "kept" },
						{ 0x20, "other" } };
	static const struct expected none[] = { { 0, "" } };

	check_image(true, dynamic, 1, want, 1);
	check_image(true, thin, NR(thin), both, NR(both));
	check_image(true, NULL, 0, none, 1);
}

static void test_outside_of_code(void **state)
{
	static const struct image_symbol sym[] = {
		FUNC("below", -0x100ull, 8),
		FUNC("far", 0x10000, 8),
		FUNC("huge", 0x700, UINT64_MAX),
		{ "data", CODE_ADDRESS + 0x100, 8, STT_OBJECT, STB_GLOBAL, false },
		{ "resolver", CODE_ADDRESS + 0x200, 8, STT_GNU_IFUNC, STB_GLOBAL, false },
	};
	static const struct expected want[] = {
		{ -0x100ull, "" }, { 0x10000, "" }, { 0x700, "huge" },	   { 0x7ff, "huge" },
		{ 0x800, "" },	   { 0x100, "" },   { 0x200, "resolver" },
	};

	check_image(true, sym, NR(sym), want, NR(want));
}

static void test_names_are_cut(void **state)
{
	autofree char *name = xcalloc(1, 10000);
	struct image_symbol sym[] = { FUNC(name, 0, 8), FUNC("b", 8, 8) };
	struct image im;
	struct object o;
	int fd;

	memset(name, 'n', 9999);
	im = image_make(true, sym, 2);
	fd = image_file(&im, im.len);
	assert_int_equal(object_read(&o, fd), 0);
	assert_int_equal(strlen(name_at(&o, CODE_ADDRESS)), SYMTAB_MAX_NAME - 1);
	assert_string_equal(name_at(&o, CODE_ADDRESS + 8), "b");
	object_done(&o);
	close(fd);
	free(im.data);
}

static void test_object(void **state)
{
	struct image im = image_make(true, plain, NR(plain));
	int fd = image_file(&im, im.len);
	struct object o;
	uint64_t address = 7;

	assert_int_equal(object_read(&o, fd), 0);
	assert_int_equal(o.build_id_len, 20);
	assert_int_equal(o.build_id[0], 0xab);
	assert_int_equal(o.build_id[19], 0xcd);
	assert_int_equal(o.nr_segments, 1);
	assert_int_equal(object_address(&o, CODE_OFFSET - 1, &address), 0);
	assert_int_equal(object_address(&o, CODE_OFFSET + CODE_SIZE, &address), 0);
	assert_int_equal(address, 7);
	assert_int_equal(object_address(&o, CODE_OFFSET + 0x41, &address), 1);
	assert_int_equal(address, CODE_ADDRESS + 0x41);
	object_done(&o);
	close(fd);
	free(im.data);
}

static void refuse(const struct image *im, int err, const char *reason)
{
	int fd = image_file(im, im->len);
	struct object o;

	assert_int_equal(object_read(&o, fd), err);
	assert_string_equal(error_text(), reason);
	close(fd);
}

static void test_refused(void **state)
{
	struct image im = image_make(true, plain, NR(plain)), empty = { im.data, 0, 0, true };
	Elf64_Ehdr *e = (void *)im.data;
	Elf64_Phdr *load = (void *)(im.data + 64);

	refuse(&empty, -ENOEXEC, "not an ELF file");
	im.data[0] = '#';
	refuse(&im, -ENOEXEC, "not an ELF file");
	im.data[0] = 0x7f;
	im.data[EI_DATA] = ELFDATA2MSB;
	refuse(&im, -ENOEXEC, "big-endian ELF file");
	im.data[EI_DATA] = ELFDATA2LSB;
	im.data[EI_CLASS] = 3;
	refuse(&im, -ENOEXEC, "unknown kind of ELF file");
	im.data[EI_CLASS] = ELFCLASS64;
	e->e_machine = EM_MIPS;
	refuse(&im, -ENOEXEC, "ELF file of machine 8, not of x86 or aarch64");
	e->e_machine = EM_AARCH64;
	load->p_flags = PF_R;
	refuse(&im, -ENOEXEC, "no code");
	load->p_flags = PF_R | PF_X;
	load->p_filesz = UINT64_MAX - 1;
	refuse(&im, -ENOEXEC, "no code");
	load->p_filesz = CODE_SIZE;
	e->e_phentsize = 8;
	refuse(&im, -EBADMSG, "malformed headers");
	e->e_phentsize = sizeof(Elf64_Phdr);
	e->e_phnum = 2000;
	refuse(&im, -EFBIG, "more than 1024 program headers");
	e->e_phnum = 2;
	e->e_shoff += im.len;
	refuse(&im, -ENODATA, "truncated");
	free(im.data);
}

static void test_no_file(void **state)
{
	struct object o;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(object_read(&o, fd[0]), -ESPIPE);
	assert_int_equal(object_read(&o, -1), -EBADF);
	close(fd[0]);
	close(fd[1]);
}

/* Sizes beyond the limits, in a file that has holes. */
static void test_limits(void **state)
{
	struct image im = image_make(true, plain, NR(plain));
	Elf64_Ehdr *e = (void *)im.data;
	Elf64_Shdr *s = (void *)(im.data + e->e_shoff);
	int fd = image_file(&im, im.len);
	struct object o;

	assert_int_equal(ftruncate(fd, (off_t)READER_MAX_FILE), 0);
	assert_int_equal(object_read(&o, fd), -EFBIG);
	assert_int_equal(ftruncate(fd, 1ll << 31), 0);
	assert_int_equal(object_read(&o, fd), 0);
	object_done(&o);
	assert_int_equal(s[3].sh_type, SHT_SYMTAB);
	s[3].sh_size = (SYMTAB_MAX_SYMBOLS + 1ull) * sizeof(Elf64_Sym);
	assert_true(pwrite(fd, im.data, im.len, 0) > 0);
	assert_int_equal(object_read(&o, fd), -EFBIG);
	s[3].sh_size = UINT64_MAX - 100;
	assert_true(pwrite(fd, im.data, im.len, 0) > 0);
	assert_int_equal(object_read(&o, fd), -ENODATA);
	close(fd);
	free(im.data);
}

/* What a hostile file may cost: many aliases, deep nests, in a bounded time. */
static void test_crowds(void **state)
{
	enum { CROWD = 20000 };
	struct image_symbol *sym = xcalloc(CROWD, sizeof(*sym));
	uint64_t begun = clock_mono();
	struct image im;
	struct object o;
	uint64_t at;
	int fd, i;

	for (i = 0; i < CROWD / 2; i++)
		sym[i] = (struct image_symbol)FUNC("alias", 0, 0x400);
	for (; i < CROWD; i++)
		sym[i] = (struct image_symbol)FUNC("nest", (uint64_t)i % 0x200,
						   0x400 - i % 0x200 * 2);
	im = image_make(true, sym, CROWD);
	fd = image_file(&im, im.len);
	assert_int_equal(object_read(&o, fd), 0);
	assert_string_equal(name_at(&o, CODE_ADDRESS), "alias");
	assert_string_equal(name_at(&o, CODE_ADDRESS + 0x1ff), "nest");
	for (at = 0; at < CODE_SIZE; at++)
		name_at(&o, CODE_ADDRESS + at);
	object_done(&o);
	close(fd);
	free(im.data);
	free(sym);
	assert_true(clock_mono() - begun < 5 * NSEC_PER_SEC);
}

/* Reads and names what there is; all results are fine, but for crashes and reads out of bounds. */
static void read_any(int fd)
{
	struct object o;
	uint64_t at, address;

	if (object_read(&o, fd) < 0) {
		assert_true(error_text()[0]);
		return;
	}
	for (at = 0; at < CODE_SIZE; at += 8) {
		if (object_address(&o, CODE_OFFSET + at, &address))
			name_at(&o, address);
		name_at(&o, CODE_ADDRESS + at);
	}
	object_done(&o);
}

static void test_truncated(void **state)
{
	struct image im = image_make(true, plain, NR(plain));
	struct object o;
	size_t len;
	int fd;

	for (len = 0; len < im.len; len++) {
		fd = image_file(&im, len);
		/* the section headers come last */
		assert_true(object_read(&o, fd) < 0);
		assert_string_equal(error_text(), len < 4 ? "not an ELF file" : "truncated");
		close(fd);
	}
	free(im.data);
}

static void mutate(bool wide, uint32_t seed)
{
	static const struct image_symbol sym[] = {
		FUNC("first", 0x10, 0x20), LABEL("label", 0x30, 0),    DYN("_ZN1AC1Ev", 0x40, 8),
		LOCAL("inner", 0x14, 4),   WEAK("_first", 0x10, 0x20),
	};
	struct image im = image_make(wide, sym, NR(sym));
	uint64_t x = seed * 0x9e3779b97f4a7c15ull + 1, end = im.len - CODE_OFFSET - CODE_SIZE;
	int fd, i, flips = 1 + (int)(seed % 5);

	for (i = 0; i < flips; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		/* half into the headers in front, half into tables and headers behind the code */
		im.data[x & 1 ? x / 2 % 0x100 : CODE_OFFSET + CODE_SIZE + x / 2 % end] =
			(unsigned char)(x >> (40 + x / 4 % 3 * 8));
	}
	fd = image_file(&im, im.len);
	read_any(fd);
	close(fd);
	free(im.data);
}

static void test_mutated(void **state)
{
	uint32_t seed;

	for (seed = 0; seed < 4000; seed++)
		mutate(seed % 4 != 0, seed);
}

/* One line of nm -S: "address size type name", of code with a size. */
static bool parse_nm(const char *line, uint64_t *start, uint64_t *size, char name[4096])
{
	/* without a size there are three fields, and letters of types are digits too */
	if (strlen(line) < 36 || line[16] != ' ' || line[33] != ' ')
		return false;
	*start = strtoull(line, NULL, 16);
	*size = strtoull(line + 17, NULL, 16);
	/* nm appends its version to a dynamic name; 'i' is an indirect function */
	snprintf(name, 4096, "%.*s", (int)strcspn(line + 36, "@\n"), line + 36);
	return *size && strchr("tTwWi", line[34]);
}

/* At each start that nm lists there is a symbol of ours, which has one of its names and sizes. */
static size_t compare_with_nm(const char *path, const char *options)
{
	autofree char *command = xasprintf("nm -n -S --defined-only %s '%s' 2>/dev/null", options,
					   path);
	char line[8192], name[4096], ours[4096];
	const struct elf_symbol *s;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	FILE *nm = popen(command, "r");
	uint64_t start, size, last = 0;
	size_t seen = 0;
	bool matched = true;
	struct object o;

	assert_non_null(nm);
	assert_int_equal(object_read(&o, fd), 0);
	while (fgets(line, sizeof(line), nm)) {
		if (!parse_nm(line, &start, &size, name))
			continue;
		/* a weak thread-local variable is 'W' too */
		if (!range_find(o.loaded, o.nr_segments, start))
			continue;
		if (start != last)
			assert_true(matched);
		matched = matched && start == last;
		s = symtab_find(&o.symtab, start);
		assert_non_null(s);
		assert_int_equal(s->start, start);
		assert_true(s->size >= size);
		strcpy(ours, name_at(&o, start));
		ours[strcspn(ours, "@")] = '\0';
		matched |= !strcmp(ours, name) && s->size == size;
		last = start;
		seen++;
	}
	pclose(nm);
	assert_true(matched);
	object_done(&o);
	close(fd);
	return seen;
}

static int compare_library(struct dl_phdr_info *info, size_t size, void *ctx)
{
	size_t *seen = ctx;

	if (info->dlpi_name[0] == '/')
		*seen += compare_with_nm(info->dlpi_name, "-D");
	return 0;
}

static void test_real_files(void **state)
{
	autofree char *self = realpath("/proc/self/exe", NULL);
	size_t seen = 0;

	if (system("nm --version >/dev/null 2>&1"))
		skip();
	assert_true(compare_with_nm(self, "") > 30);
	dl_iterate_phdr(compare_library, &seen);
	assert_true(seen > 1000);
}

/* The addresses of functions of this program, by the loader's word. */
static int own_base(struct dl_phdr_info *info, size_t size, void *ctx)
{
	*(uint64_t *)ctx = info->dlpi_addr;
	return 1;
}

static void test_self(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct object o;
	uint64_t base;

	dl_iterate_phdr(own_base, &base);
	assert_int_equal(object_read(&o, fd), 0);
	assert_string_equal(name_at(&o, (uintptr_t)test_self - base), "test_self");
	assert_string_equal(name_at(&o, (uintptr_t)test_self - base + 9), "test_self");
	assert_string_equal(name_at(&o, (uintptr_t)object_read - base + 1), "object_read");
	object_done(&o);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_unsized),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_outside_of_code),
		cmocka_unit_test(test_names_are_cut),
		cmocka_unit_test(test_object),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_crowds),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_real_files),
		cmocka_unit_test(test_self),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
