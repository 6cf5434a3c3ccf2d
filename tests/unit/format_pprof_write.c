/* SPDX-License-Identifier: BSD-2-Clause */
/* What is written is read back as it was: every table, ledger and notes. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "pprof_bytes.h"
#include "profile_text.h"

static void fill_meta(struct profile *p)
{
	p->meta = (struct meta){
		.host = "db1", .kernel = "6.1.0 x", .version = "0.1.0",
		.command = "dwell record -- sh -c 'a=b; kind=x unnamed=y file=z'",
		.event = "cpu-clock", .cpus = 2, .freq_hz = 99, .processes = 3, .threads = 21,
		.worker_deaths = 1,
	};
	p->ledger = (struct ledger){
		.present = true, .counted = 12, .idle = 568, .filtered = 1, .self = 4, .missed = -1,
	};
	ledger_lost(&p->ledger, "ring-full", 3);
	ledger_lost(&p->ledger, "nested", 0);
	p->ledger.ticks = 12 + 568 + 1 + 4 - 1 + 3;
	p->time_ns = 1795000000123456789;
	p->duration_ns = 10000000001;
	p->doc_url = profile_strings(p, "https://example.org/");
	grow(&p->comments, &p->cap_comments, 2, sizeof(*p->comments));
	p->comments[p->nr_comments++] = profile_strings(p, "a stranger's comment");
	p->comments[p->nr_comments++] = profile_strings(p, "dwell: what=ever");
}

static uint32_t inlined_frame(struct profile *p, uint32_t mapping)
{
	struct line lines[] = {
		{ .function = a_function(p, "inner", "in.h", 1), .line = 2 },
		{ .function = a_function(p, "outer", "out.c", 30), .line = 44 },
	};

	p->mappings[mapping].has_inline_frames = p->mappings[mapping].has_line_numbers = true;
	return profile_frame_lines(p, mapping, 0x1234, lines, 2);
}

/* Every kind of mapping, frames with and without names, addresses and lines. */
static struct profile *full_profile(void)
{
	struct profile *p = profile_new();
	uint32_t lib, kernel, module, vdso, jit, odd, exe, s;

	profile_native(p, 10101010);
	lib = a_mapping(p, MAPPING_FILE, "/usr/lib/libc.so.6", 0x1000);
	p->mappings[lib].unnamed = profile_strings(p, "no symbols (stripped)");
	p->mappings[lib].offset = 0x1000;
	kernel = a_mapping(p, MAPPING_KERNEL, "[kernel.kallsyms]", 0xffffffff81000000);
	module = a_mapping(p, MAPPING_KERNEL, "[ext4]", 0xffffffffc0000000);
	vdso = a_mapping(p, MAPPING_VDSO, "[vdso]", 0);
	jit = a_mapping(p, MAPPING_ANON, "//anon", 0x7f0000000000);
	odd = a_mapping(p, MAPPING_FILE, "[a file] of=odd name", 0);
	exe = a_mapping(p, MAPPING_FILE, "/opt/srv (deleted)", 0x400000);
	p->mappings[exe].build_id = profile_strings(p, "00ff");
	p->mappings[exe].unnamed = profile_strings(p, "process gone");
	s = profile_push(p, 0, profile_special_frame(p, "[truncated: fault]"));
	s = profile_push(p, s, a_frame(p, exe, 0x400100, "main"));
	s = profile_push(p, s, profile_frame(p, lib, 0x1010));
	s = profile_push(p, s, inlined_frame(p, exe));
	a_sample(p, s, a_label_set(p, "srv", 12), 3);
	s = profile_push(p, s, a_frame(p, kernel, 0xffffffff81000010, "do_it"));
	a_sample(p, s, a_label_set(p, "srv", 13), 4);
	s = profile_push(p, profile_push(p, 0, a_frame(p, module, 7, "ext4_read")),
			 profile_frame(p, vdso, 9));
	a_sample(p, s, 0, 5);
	s = profile_push(p, profile_push(p, 0, profile_frame(p, jit, 0x7f0000000010)),
			 profile_frame(p, odd, 3));
	a_sample(p, profile_push(p, s, profile_frame(p, 0, 0x99)), 0, 0);
	a_sample(p, 0, a_label_set(p, "idle", 0), 0);
	fill_meta(p);
	return p;
}

static void assert_same(const struct profile *a, const struct profile *b)
{
	struct buf ta = { 0 }, tb = { 0 };

	describe(a, &ta);
	describe(b, &tb);
	assert_string_equal(buf_text(&ta), buf_text(&tb));
	buf_done(&ta);
	buf_done(&tb);
}

static void test_round_trip(void **state)
{
	struct profile *p = full_profile(), *q = NULL, *r = NULL;
	autofree char *once = NULL, *again = NULL, *third = NULL;
	size_t len, len_again, len_third;

	assert_int_equal(profile_check(p), 0);
	write_profile(p, &once, &len);
	assert_int_equal(read_bytes(once, len, &q), 0);
	assert_same(p, q);
	/* and from then on the bytes do not change either */
	write_profile(q, &again, &len_again);
	assert_int_equal(read_bytes(again, len_again, &r), 0);
	assert_same(p, r);
	write_profile(r, &third, &len_third);
	assert_int_equal(len_again, len_third);
	assert_memory_equal(again, third, len_third);
	profile_free(p);
	profile_free(q);
	profile_free(r);
}

/* The gzip header has no time, so that equal profiles are equal files. */
static void test_same_bytes(void **state)
{
	struct profile *p = full_profile(), *q = full_profile();
	autofree char *a = NULL, *b = NULL;
	size_t len_a, len_b;

	write_profile(p, &a, &len_a);
	write_profile(q, &b, &len_b);
	assert_int_equal(len_a, len_b);
	assert_memory_equal(a, b, len_a);
	assert_memory_equal(a, "\x1f\x8b\x08\0\0\0\0\0", 8);
	profile_free(p);
	profile_free(q);
}

/* pprof calls the first mapping the program: an executable, whatever is hot in libraries. */
static void test_main_mapping_is_first(void **state)
{
	struct profile *p = full_profile(), *q = NULL;
	autofree char *data = NULL;
	size_t len;

	write_profile(p, &data, &len);
	assert_int_equal(read_bytes(data, len, &q), 0);
	assert_string_equal(profile_str(q, q->mappings[1].file), "/opt/srv (deleted)");
	profile_free(p);
	profile_free(q);
}

static void test_no_ledger_and_no_samples(void **state)
{
	struct profile *p = profile_new(), *q = NULL;
	autofree char *data = NULL;
	size_t len;

	profile_native(p, 1);
	write_profile(p, &data, &len);
	assert_int_equal(read_bytes(data, len, &q), 0);
	assert_false(q->ledger.present);
	assert_int_equal(q->nr_samples, 0);
	assert_true(profile_is_native(q));
	assert_same(p, q);
	profile_free(p);
	profile_free(q);
}

/* Long output, so that the compressor's buffers fill more than once. */
static void test_many_samples(void **state)
{
	struct profile *p = profile_new(), *q = NULL;
	autofree char *data = NULL;
	uint32_t m, i;
	char name[32];
	size_t len;

	profile_native(p, 1);
	m = a_mapping(p, MAPPING_FILE, "/bin/big", 0);
	for (i = 0; i < 50000; i++) {
		uint32_t f;

		snprintf(name, sizeof(name), "f%u", i * 2654435761u);
		f = a_frame(p, m, i, name);
		a_sample(p, profile_push(p, i / 3, f), a_label_set(p, "big", i % 7), i + 1);
	}
	write_profile(p, &data, &len);
	assert_int_equal(read_bytes(data, len, &q), 0);
	assert_same(p, q);
	profile_free(p);
	profile_free(q);
}

static void test_full_disk(void **state)
{
	struct profile *p = full_profile();
	struct outfile *of;

	assert_int_equal(outfile_open(&of, "/dev/full"), 0);
	assert_int_equal(pprof_write(p, of), -ENOSPC);
	assert_non_null(strstr(error_text(), "No space left"));
	outfile_abort(of);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_main_mapping_is_first),
		cmocka_unit_test(test_no_ledger_and_no_samples),
		cmocka_unit_test(test_many_samples),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
