/* SPDX-License-Identifier: BSD-2-Clause */
/* Comment lines that claim to be ours. */
#include "unit.h"

#include <stdlib.h>

#include "format/pprof_note.h"
#include "pprof_bytes.h"
#include "profile_text.h"

static bool take(struct profile *p, const char *line)
{
	struct pprof_notes notes = { 0 };
	bool ours = pprof_note_read(p, &notes, line);

	pprof_notes_done(&notes);
	return ours;
}

static void test_kinds(void **state)
{
	assert_int_equal(pprof_kind("/usr/bin/x"), MAPPING_FILE);
	assert_int_equal(pprof_kind(""), MAPPING_FILE);
	assert_int_equal(pprof_kind("[kernel.kallsyms]_text"), MAPPING_KERNEL);
	assert_int_equal(pprof_kind("[ext4]"), MAPPING_KERNEL);
	assert_int_equal(pprof_kind("[vdso]"), MAPPING_VDSO);
	assert_int_equal(pprof_kind("//anon"), MAPPING_ANON);
	assert_int_equal(pprof_kind("[anon:jit-cache]"), MAPPING_ANON);
	assert_int_equal(pprof_kind("[stack]"), MAPPING_ANON);
}

static void test_meta(void **state)
{
	struct profile *p = profile_new();

	assert_true(take(p, "dwell: host=db1"));
	assert_true(take(p, "dwell: command=a b=c  d"));
	assert_true(take(p, "dwell: cpus=2 freq=99"));
	assert_true(take(p, "dwell: worker_deaths=18446744073709551615"));
	assert_string_equal(p->meta.host, "db1");
	assert_string_equal(p->meta.command, "a b=c  d");
	assert_int_equal(p->meta.cpus, 2);
	assert_int_equal(p->meta.freq_hz, 99);
	assert_true(p->meta.worker_deaths == UINT64_MAX);
	profile_free(p);
}

/* Lines that are wrong in part change nothing at all. */
static void test_what_is_not_ours(void **state)
{
	static const char *const lines[] = {
		"", "dwell:", "dwell: ", "dwell: x", "dwell: x=1", "Dwell: host=a", "dwell: cpus=2 x=3",
		"dwell: cpus=4294967296", "dwell: cpus=-1", "dwell: cpus= freq=1", "dwell: cpus=1 ",
		"dwell: cpus", "dwell: ledger ", "dwell: ledger ticks=1 x=1", "dwell: ledger ticks=-1",
		"dwell: ledger missed=9223372036854775808", "dwell: ledger missed=--1",
		"dwell: ledger lost.=1", "dwell: ledger lost.x=", "dwell: ledger ticks=99999999999999999999",
		"dwell: mapping kind=file", "dwell: mapping kind=odd unnamed= build_id= file=x",
		"dwell: mapping kind=special unnamed= build_id= file=x",
		"dwell: mapping kind=file build_id= unnamed= file=x",
	};
	struct profile *p = profile_new();

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (take(p, lines[i]))
			assert_string_equal(lines[i], "refused");
	}
	assert_memory_equal(&p->meta, &(struct meta){ 0 }, sizeof(p->meta));
	assert_false(p->ledger.present);
	profile_free(p);
}

static void test_too_long(void **state)
{
	struct profile *p = profile_new();
	struct buf line = { 0 };

	buf_puts(&line, "dwell: host=");
	for (int i = 0; i < 1000; i++)
		buf_puts(&line, "\xc3\xa4");
	assert_true(take(p, buf_text(&line)));
	assert_int_equal(strlen(p->meta.host), sizeof(p->meta.host) - 1);
	assert_string_equal(p->meta.kernel, "");
	buf_clear(&line);
	buf_puts(&line, "dwell: ledger ticks=1");
	for (int i = 0; i < 100; i++)
		buf_printf(&line, " lost.reason-number-%d-is-long=1", i);
	assert_true(take(p, buf_text(&line)));
	assert_true(p->ledger.nr_lost <= LEDGER_MAX_LOST);
	assert_int_equal(ledger_total_lost(&p->ledger), 100);
	buf_done(&line);
	profile_free(p);
}

/* One sample of 3, and the comment. */
static struct profile *read_with_ledger(const char *comment)
{
	struct buf b = { 0 };
	struct profile *p = NULL;

	PB_MESSAGE(&b, 1, 1, 6, 2, 7);
	PB_MESSAGE(&b, 2, 2, 3);
	pb_strings(&b);
	pb_text(&b, 6, "samples");	/* 6 */
	pb_text(&b, 6, "count");	/* 7 */
	pb_text(&b, 6, comment);	/* 8 */
	pb_number(&b, 13, 8);
	assert_int_equal(read_buf(&b, &p), 0);
	buf_done(&b);
	return p;
}

/* A ledger is believed only as far as the samples bear it out; else it stays a comment. */
static void test_ledger_and_samples(void **state)
{
	static const struct {
		const char *comment;
		bool believed;
	} lines[] = {
		{ "dwell: ledger ticks=10 counted=3 idle=7", true },
		{ "dwell: ledger ticks=9 counted=3 idle=7 missed=-1", true },
		{ "dwell: ledger ticks=11 counted=4 idle=7", false },
		{ "dwell: ledger ticks=11 counted=3 idle=7", false },
		{ "dwell: ledger ticks=2 counted=3 idle=18446744073709551615", false },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct profile *p = read_with_ledger(lines[i].comment);

		assert_int_equal(p->ledger.present, lines[i].believed);
		assert_int_equal(p->nr_comments, !lines[i].believed);
		if (!lines[i].believed)
			assert_string_equal(profile_str(p, p->comments[0]), lines[i].comment);
		profile_free(p);
	}
}

static void test_notes_find_their_mapping(void **state)
{
	struct profile *p = profile_new();
	struct pprof_notes notes = { 0 };
	uint32_t a = profile_strings(p, "/a b"), id = profile_strings(p, "ab");
	const struct mapping_note *n;

	assert_true(pprof_note_read(p, &notes, "dwell: mapping kind=anon unnamed=why so build_id= file=/a b"));
	assert_true(pprof_note_read(p, &notes, "dwell: mapping kind=file unnamed=other build_id=ab file=/a b"));
	pprof_notes_sort(&notes);
	n = pprof_notes_find(&notes, a, 0);
	assert_non_null(n);
	assert_int_equal(n->kind, MAPPING_ANON);
	assert_string_equal(profile_str(p, n->unnamed), "why so");
	n = pprof_notes_find(&notes, a, id);
	assert_non_null(n);
	assert_string_equal(profile_str(p, n->unnamed), "other");
	assert_null(pprof_notes_find(&notes, id, 0));
	pprof_notes_done(&notes);
	assert_null(pprof_notes_find(&notes, a, 0));
	profile_free(p);
}

static void what_unwinding_took_comes_back(void **state)
{
	struct profile *p = profile_new();

	assert_false(take(p, "dwell: unwind objects=1 rows=x"));
	assert_false(take(p, "dwell: unwind objects=1 unknown=2"));
	assert_false(p->meta.unwind.present);
	assert_true(take(p, "dwell: unwind objects=7 table_bytes=18446744073709551615 full=3"));
	assert_true(p->meta.unwind.present);
	assert_int_equal(p->meta.unwind.objects, 7);
	assert_true(p->meta.unwind.table_bytes == UINT64_MAX);
	assert_int_equal(p->meta.unwind.full, 3);
	profile_free(p);
}

#define TIMES "dwell: times window=10 idle=3 other=2 switches=4 full=0 full_ns=0 repaired=1 negative=0"
#define THREAD "# dwell: thread pid=1 tid=2 task=5 stolen=1 runqueue=2 blocked=-1 alive=7 comm="

static void test_times_come_back(void **state)
{
	struct profile *p = profile_new(), *q = profile_new();
	struct strtab lines;

	/* no account yet: whose would the thread be? */
	assert_false(take(p, THREAD "a"));
	assert_true(take(p, TIMES));
	assert_true(take(p, THREAD "a name of  three"));
	assert_int_equal(p->times.nr, 1);
	strtab_init(&lines);
	pprof_notes_write(p, &lines);
	assert_string_equal(strtab_get(&lines, 1), TIMES);
	assert_string_equal(strtab_get(&lines, 2), THREAD "a name of  three");
	assert_true(take(q, strtab_get(&lines, 1)));
	assert_true(take(q, strtab_get(&lines, 2)));
	assert_int_equal(q->times.window, 10);
	assert_int_equal(q->times.repaired, 1);
	assert_int_equal(q->times.row[0].blocked, -1);
	assert_int_equal(q->times.row[0].alive, 7);
	strtab_done(&lines);
	profile_free(p);
	profile_free(q);
}

static void test_times_that_are_not_ours(void **state)
{
	static const char *const lines[] = {
		"dwell: times", "dwell: times ", "dwell: times window=1", TIMES " ", TIMES " x=1",
		"dwell: times idle=3 window=10 other=2 switches=4 full=0 full_ns=0 repaired=1 negative=0",
		"dwell: times window=99999999999999999999 idle=3 other=2 switches=4 full=0 full_ns=0 repaired=1 negative=0",
	};
	static const char *const threads[] = {
		"# dwell: thread ", "# dwell: thread pid=1", "# dwell: thread pid=1 comm=x",
		"# dwell: thread pid=1 tid=2 task=5 stolen=1 runqueue=2 blocked=-1 alive=7",
		"# dwell: thread pid=1 tid=2 task=5 stolen=1 runqueue=2 blocked=--1 alive=7 comm=a",
	};
	struct profile *p = profile_new();

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (take(p, lines[i]))
			assert_string_equal(lines[i], "refused");
	assert_false(p->times.present);
	assert_true(take(p, TIMES));
	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++)
		if (take(p, threads[i]))
			assert_string_equal(threads[i], "refused");
	assert_int_equal(p->times.nr, 0);
	profile_free(p);
}

/* Of merged files: accounts of two windows say nothing together. */
static void test_several_times(void **state)
{
	struct pprof_notes notes = { 0 };
	struct profile *p = profile_new();

	assert_true(pprof_note_read(p, &notes, TIMES));
	assert_true(pprof_note_read(p, &notes, THREAD "a"));
	assert_true(pprof_note_read(p, &notes, "dwell: times window=11 idle=3 other=2 switches=4 full=0 full_ns=0 "
					       "repaired=1 negative=0"));
	assert_true(pprof_note_read(p, &notes, THREAD "b"));
	assert_false(p->times.present);
	assert_int_equal(p->times.nr, 0);
	pprof_notes_done(&notes);
	profile_free(p);
}

/* As with -C: waits are sampled, and threads have no account. (The sanitizers look for what is not freed.) */
static void test_waits_alone(void **state)
{
	struct profile *p = profile_new(), *q = profile_new();
	struct pprof_notes notes = { 0 };
	struct strtab lines;
	uint32_t i;

	strtab_init(&lines);
	p->waits = (struct waits_ledger){ .present = true, .seen = { 3, 30 }, .under = { 1, 5 }, .kept = { 2, 25 }, .walked = 2 };
	pprof_notes_write(p, &lines);
	for (i = 1; i < lines.n; i++)
		(void)pprof_note_read(q, &notes, strtab_get(&lines, i));
	assert_true(q->waits.present);
	assert_int_equal(q->waits.under.ns, 5);
	assert_false(q->times.present);
	pprof_notes_done(&notes);
	strtab_done(&lines);
	profile_free(p);
	profile_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_meta),
		cmocka_unit_test(test_what_is_not_ours),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_ledger_and_samples),
		cmocka_unit_test(test_notes_find_their_mapping),
		cmocka_unit_test(what_unwinding_took_comes_back),
		cmocka_unit_test(test_times_come_back),
		cmocka_unit_test(test_times_that_are_not_ours),
		cmocka_unit_test(test_several_times),
		cmocka_unit_test(test_waits_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
