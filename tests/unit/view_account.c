/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>

#include "base/clock.h"
#include "profile_text.h"
#include "view/table.h"

typedef void (*print_fn)(const struct profile *p, struct buf *out);

static void expect(print_fn print, const struct profile *p, const char *text)
{
	struct buf out = { 0 };

	buf_puts(&out, "x");	/* it appends */
	print(p, &out);
	assert_string_equal(buf_text(&out) + 1, text);
	buf_done(&out);
}

static void test_summary(void **state)
{
	struct profile *p = profile_new();

	expect(summary_print, p, "");
	p->duration_ns = 10049000000;
	expect(summary_print, p, "dwell: 10.0 s\n");
	p->meta = (struct meta){ .processes = 1, .threads = 1021, .cpus = 2, .freq_hz = 99,
				 .event = "cpu-clock" };
	expect(summary_print, p,
	       "dwell: 10.0 s, 1 process, 1,021 threads, 2 CPUs, 99 Hz on-CPU (cpu-clock)\n");
	p->duration_ns = 0;
	expect(summary_print, p,
	       "dwell: 1 process, 1,021 threads, 2 CPUs, 99 Hz on-CPU (cpu-clock)\n");
	profile_free(p);
}

static void test_ledger(void **state)
{
	struct profile *p = profile_new();
	struct ledger *l = &p->ledger;

	expect(ledger_print, p, "dwell: this profile does not say whether samples were lost\n");
	*l = (struct ledger){ .present = true, .ticks = 1974, .counted = 1402, .idle = 568, .self = 4 };
	expect(ledger_print, p,
	       "dwell: 1,974 ticks = 1,402 counted + 568 idle + 4 self; nothing lost\n");
	l->missed = -1;
	l->filtered = 1000000;
	expect(ledger_print, p,
	       "dwell: 1,974 ticks = 1,402 counted + 568 idle + 1,000,000 filtered + 4 self - 1 early; "
	       "nothing lost\n");
	l->missed = 12;
	l->filtered = 0;
	ledger_lost(l, "ring-full", 3);
	ledger_lost(l, "identity", 0);
	ledger_lost(l, "nested", 1200);
	expect(ledger_print, p,
	       "dwell: 1,974 ticks = 1,402 counted + 568 idle + 4 self + 12 missed + 1,203 lost; "
	       "lost by cause: 3 ring-full, 1,200 nested\n");
	profile_free(p);
}

static void test_times_and_waits(void **state)
{
	struct profile *p = profile_new();

	p->times = (struct times){ .present = true, .full = 2, .full_ns = 1260000000 };
	p->waits = (struct waits_ledger){ .present = true, .period = 200000 };
	expect(ledger_print, p,
	       "dwell: thread time 0.0 s = 0.0 on-CPU\n"
	       "dwell: no place in the table of threads: 2 switches and 1.3 s on-CPU are in no row, and those "
	       "threads' waits in no figure\n"
	       "dwell: 0 waits = 0 kept  (T = 0.2 ms)\n");
	p->times.full = 0;
	p->waits.period = 20 * NSEC_PER_MSEC;
	expect(ledger_print, p,
	       "dwell: thread time 0.0 s = 0.0 on-CPU\n"
	       "dwell: 0 waits = 0 kept  (T = 20 ms)\n");
	profile_free(p);
}

static void test_rare_unnamed(void **state)
{
	struct profile *p = profile_new();
	uint32_t m;

	profile_native(p, 1);
	m = a_mapping(p, MAPPING_FILE, "/bin/x", 0);
	p->mappings[m].unnamed = profile_strings(p, "stripped");
	a_sample(p, profile_push(p, 0, profile_frame(p, m, 1)), 0, 1);
	a_sample(p, profile_push(p, 0, a_frame(p, m, 2, "f")), 0, 9999);
	p->ledger = (struct ledger){ .present = true, .ticks = 10000, .counted = 10000 };
	expect(ledger_print, p,
	       "dwell: 10,000 ticks = 10,000 counted; nothing lost\n"
	       "dwell: 100.0 % of 10,000 user stacks whole\n"
	       "dwell: no names for x (in <0.1 % of samples: stripped)\n");
	profile_free(p);
}

static void test_unnamed(void **state)
{
	struct profile *p = profile_new();
	char file[32], text[32];
	uint32_t m, s;

	profile_native(p, 1);
	for (int i = 1; i <= 7; i++) {
		snprintf(file, sizeof(file), "/lib/%d.so", i);
		m = a_mapping(p, MAPPING_FILE, file, 0);
		snprintf(text, sizeof(text), "reason %d", i);
		p->mappings[m].unnamed = i == 7 ? 0 : profile_strings(p, text);
		/* twice in one stack is one sample; a name in it is none without */
		s = profile_push(p, 0, profile_frame(p, m, 1));
		s = profile_push(p, s, profile_frame(p, m, 2));
		a_sample(p, profile_push(p, s, a_frame(p, m, 3, "named")), 0, i == 7 ? 1 : i);
	}
	p->meta.worker_deaths = 2;
	p->ledger = (struct ledger){ .present = true, .ticks = 22, .counted = 22 };
	expect(ledger_print, p,
	       "dwell: 22 ticks = 22 counted; nothing lost\n"
	       "dwell: 100.0 % of 22 user stacks whole\n"
	       "dwell: no names for 6.so (in 27.3 % of samples: reason 6), 5.so (in 22.7 % of samples: "
	       "reason 5), 4.so (in 18.2 % of samples: reason 4), 3.so (in 13.6 % of samples: reason 3), "
	       "2.so (in 9.1 % of samples: reason 2) and 1 more object\n"
	       "dwell: the process that reads symbols died 2 times; names may be missing\n");
	profile_free(p);
}

/* 1 of 3,000 cut off is not 100 %; the reason and the binary are named. */
static void test_completeness(void **state)
{
	struct profile *p = profile_new();
	struct mapping m = { .file = profile_strings(p, "/lib/libfoo.so") };
	int64_t values[NATIVE_COLUMNS] = { [COL_SAMPLES] = 2999 };
	struct buf out = { 0 };
	uint32_t frame, stack;

	profile_native(p, 10);
	frame = profile_frame(p, profile_mapping(p, &m), 1);
	profile_add(p, profile_push(p, 0, frame), 0, values);
	values[COL_SAMPLES] = 1;
	stack = profile_push(p, 0, profile_special_frame(p, "[truncated: too deep]"));
	profile_add(p, profile_push(p, stack, frame), 0, values);
	p->ledger = (struct ledger){ .present = true, .ticks = 3000, .counted = 3000 };
	ledger_print(p, &out);
	assert_string_equal(buf_text(&out), "dwell: 3,000 ticks = 3,000 counted; nothing lost\n"
					    "dwell: 99.9 % of 3,000 user stacks whole; cut off: "
					    "1 too deep (most in libfoo.so)\n");
	buf_done(&out);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_completeness),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_ledger),
		cmocka_unit_test(test_times_and_waits),
		cmocka_unit_test(test_unnamed),
		cmocka_unit_test(test_rare_unnamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
