/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/text.h"
#include "proc/kallsyms.h"

/* Opens this text as a file; what kallsyms_open() returned. */
static int open_text(struct kallsyms **k, const char *text, size_t len)
{
	autoclose int fd = memfd_create("kallsyms", MFD_CLOEXEC);
	char path[64];

	assert_int_equal(write(fd, text, len), len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return kallsyms_open(k, path);
}

static struct kallsyms *good(const char *text)
{
	struct kallsyms *k = NULL;

	assert_int_equal(open_text(&k, text, strlen(text)), 0);
	return k;
}

static void check(const struct kallsyms *k, uint64_t address, const char *name, const char *module)
{
	struct kernel_symbol sym;

	assert_int_equal(kallsyms_find(k, address, &sym), 1);
	assert_string_equal(sym.name, name);
	assert_string_equal(sym.module, module);
	assert_true(sym.start <= address);
}

static void check_none(const struct kallsyms *k, uint64_t address)
{
	struct kernel_symbol sym = { .start = 77 };

	assert_int_equal(kallsyms_find(k, address, &sym), 0);
	assert_int_equal(sym.start, 77);
}

static const char kernel[] = "ffffffff81000000 T _stext\n"
			     "ffffffff81000000 T startup_64\n"
			     "ffffffff81000000 T __pi_startup_64\n"
			     "ffffffff81000100 t __pfx_do_work\n"
			     "ffffffff81000110 T do_work\n"
			     "ffffffff81000200 W weak_one\n"
			     "ffffffff81000208 D some_data\n"
			     "ffffffff81000300 T last_one\n"
			     "ffffffff81000400 T _etext\n"
			     "ffffffff81800000 R rodata\n"
			     "ffffffff82000000 t init_it\n"
			     "ffffffff82000100 T _einittext\n"
			     "ffffffffc0301000 t ext4_iget\t[ext4]\n"
			     "ffffffffc0300000 t ext4_open\t[ext4]\n"
			     "ffffffffc0200000 t snd_play\t[snd]\n"
			     "ffffffffc0301800 d ext4_data\t[ext4]\n"
			     "ffffffffc0400000 t bpf_prog_6deef7357e7b4530_sample\t[bpf]\n"
			     "ffffffffc0400100 t bpf_prog_6deef7357e7b4530\t[bpf]\n"
			     "ffffffffc0400200 t bpf_prog_6deef7357e7b453x_odd\t[bpf]\n"
			     "ffffffffc0400300 t bpf_prog_6deef7357e7b4530_not\t[ext4]\n";

static void test_find(void **state)
{
	struct kallsyms *k = good(kernel);

	assert_int_equal(kallsyms_count(k), 13);
	check(k, 0xffffffff81000000, "startup_64", "");
	check(k, 0xffffffff81000105, "__pfx_do_work", "");
	check(k, 0xffffffff81000110, "do_work", "");
	check(k, 0xffffffff810001ff, "do_work", "");
	check(k, 0xffffffff81000209, "weak_one", "");
	check(k, 0xffffffff810003ff, "last_one", "");
	check(k, 0xffffffff82000000, "init_it", "");
	check(k, 0xffffffffc0200010, "snd_play", "snd");
	check(k, 0xffffffffc0300fff, "ext4_open", "ext4");
	check(k, 0xffffffffc0301900, "ext4_iget", "ext4");
	check(k, 0xffffffffc0400001, "sample", "bpf");
	check(k, 0xffffffffc0400100, "bpf_prog_6deef7357e7b4530", "bpf");
	check(k, 0xffffffffc0400200, "bpf_prog_6deef7357e7b453x_odd", "bpf");
	check(k, 0xffffffffc0400300, "bpf_prog_6deef7357e7b4530_not", "ext4");
	kallsyms_free(k);
}

static void test_nothing_there(void **state)
{
	struct kallsyms *k = good(kernel);

	check_none(k, 0);
	check_none(k, 0xffffffff80ffffff);
	/* behind the text, before the modules, behind the last */
	check_none(k, 0xffffffff81000400);
	check_none(k, 0xffffffff81900000);
	check_none(k, 0xffffffff82000100);
	check_none(k, 0xffffffffc0000000);
	check(k, 0xffffffffc0400300 + KALLSYMS_MAX_FUNCTION - 1, "bpf_prog_6deef7357e7b4530_not",
	      "ext4");
	check_none(k, 0xffffffffc0400300 + KALLSYMS_MAX_FUNCTION);
	check_none(k, UINT64_MAX);
	kallsyms_free(k);
}

/* Modules below the kernel, as on arm64, and a last line without its newline. */
static void test_unsorted(void **state)
{
	struct kallsyms *k = good("ffff800080000000 T first\n"
				  "ffff800080001000 T second\n"
				  "ffff80007a002000 t mod_b\t[m]\n"
				  "ffff80007a001000 t mod_a\t[m]\n"
				  "ffff800080000800 t between\t[n]\n"
				  "ffff80007a001000 t __mod_a\t[m]\n"
				  "ffff800080002000 T third");

	assert_int_equal(kallsyms_count(k), 6);
	check(k, 0xffff800080000001, "first", "");
	check(k, 0xffff800080000801, "between", "n");
	check(k, 0xffff800080001001, "second", "");
	check(k, 0xffff800080002001, "third", "");
	check(k, 0xffff80007a001001, "mod_a", "m");
	check(k, 0xffff80007a002001, "mod_b", "m");
	kallsyms_free(k);
}

static void refuse(const char *text, int err, const char *reason)
{
	struct kallsyms *k = (void *)&open_text, *former = k;

	assert_int_equal(open_text(&k, text, strlen(text)), err);
	assert_ptr_equal(k, former);
	assert_non_null(strstr(error_text(), reason));
}

static void test_refused(void **state)
{
	struct kallsyms *k;

	refuse("0000000000000000 T _text\n0000000000000000 t do_work\n", -EACCES, "kptr_restrict");
	refuse("0000000000000000 T _text\n0000000000000000 t do_work\n", -EACCES, "CAP_SYSLOG");
	refuse("", -ENODATA, "no functions");
	refuse("ffffffff81800000 R rodata\n", -ENODATA, "no functions");
	refuse("\n", -EINVAL, "unexpected line");
	refuse("ffffffff81800000\n", -EINVAL, "unexpected line");
	refuse("ffffffff81800000 T\n", -EINVAL, "unexpected line");
	refuse("ffffffff81800000 T \n", -EINVAL, "unexpected line");
	refuse("ffffffff818000001 T x\n", -EINVAL, "unexpected line");
	refuse("x T x\n", -EINVAL, "unexpected line");
	assert_int_equal(open_text(&k, "ffffffffc0000000 t a\0b\t[m]\n", 27), -EINVAL);
	assert_int_equal(open_text(&k, "ffffffffc0000000 t ab\t[\0]\n", 27), -EINVAL);
	assert_int_equal(kallsyms_open(&k, "/nowhere/kallsyms"), -ENOENT);
	assert_non_null(strstr(error_text(), "/nowhere/kallsyms"));
}

/* Longer than the read buffer, and lines that lie across its end. */
static void test_many(void **state)
{
	struct buf text = { 0 };
	struct kallsyms *k;
	char name[300];
	uint64_t i;

	for (i = 0; i < 10000; i++) {
		memset(name, 'a' + (int)(i % 26), sizeof(name));
		snprintf(name + i % 250, 20, "_%" PRIu64, i);
		buf_printf(&text, "%016" PRIx64 " t %s\n", 0xffffffff81000000 + i * 16, name);
	}
	k = good(buf_text(&text));
	assert_int_equal(kallsyms_count(k), 10000);
	for (i = 0; i < 10000; i++) {
		memset(name, 'a' + (int)(i % 26), sizeof(name));
		snprintf(name + i % 250, 20, "_%" PRIu64, i);
		check(k, 0xffffffff81000000 + i * 16 + 15, name, "");
	}
	kallsyms_free(k);
	buf_clear(&text);
	buf_puts(&text, "ffffffff81000000 t ");
	for (i = 0; i < 100000; i++)
		buf_putc(&text, 'x');
	refuse(buf_text(&text), -EINVAL, "line of more than");
	buf_done(&text);
}

/* Each length of a prefix: an error, or a table of whole lines and one cut name. */
static void test_prefixes(void **state)
{
	struct kernel_symbol sym;
	struct kallsyms *k;
	size_t len;

	for (len = 0; len < sizeof(kernel); len++) {
		if (open_text(&k, kernel, len)) {
			assert_true(error_text()[0]);
			continue;
		}
		assert_true(kallsyms_count(k) <= 13);
		kallsyms_find(k, 0xffffffff81000110, &sym);
		kallsyms_free(k);
	}
}

static void test_own_kernel(void **state)
{
	struct kernel_symbol sym;
	struct kallsyms *k;

	if (kallsyms_open(&k, "/proc/kallsyms"))
		skip();
	assert_true(kallsyms_count(k) > 1000);
	assert_int_equal(kallsyms_find(k, 0x400000, &sym), 0);
	kallsyms_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),	   cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_unsorted),   cmocka_unit_test(test_refused),
		cmocka_unit_test(test_many),	   cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_own_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
