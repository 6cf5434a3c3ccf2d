/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>

#include "profile_text.h"
#include "view/table.h"

/* 6 samples (60 ms) in leaf below main, 4 in main itself, of process "srv". */
static struct profile *small_profile(void)
{
	struct profile *p = profile_new();
	uint32_t exe, main_only;

	profile_native(p, 10000000);
	exe = a_mapping(p, MAPPING_FILE, "/opt/srv", 0);
	main_only = profile_push(p, 0, a_frame(p, exe, 1, "main"));
	a_sample(p, profile_push(p, main_only, a_frame(p, exe, 2, "leaf")), a_label_set(p, "srv", 9), 6);
	a_sample(p, main_only, a_label_set(p, "srv", 9), 4);
	return p;
}

static void table(const struct profile *p, struct hotspot_query q, int width, struct buf *out)
{
	struct hotspots h;

	hotspots_find(p, &q, &h);
	table_print(p, &q, &h, width, out);
	hotspots_done(&h);
}

static void expect_table(const struct profile *p, struct hotspot_query q, int width, const char *text)
{
	struct buf out = { 0 };

	table(p, q, width, &out);
	assert_string_equal(buf_text(&out), text);
	buf_done(&out);
}

static void test_rows(void **state)
{
	struct profile *p = small_profile();

	expect_table(p, (struct hotspot_query){ 0 }, 0,
		     "WHERE THE TIME GOES  (100.0 ms of CPU time sampled = 100 %)\n"
		     "#  self %     self  total %  samples  where  module  category\n"
		     "1  60.0 %  60.0 ms   60.0 %        6  leaf   srv     cpu\n"
		     "2  40.0 %  40.0 ms  100.0 %        4  main   srv     cpu\n");
	expect_table(p, (struct hotspot_query){ .sort = SORT_TOTAL }, 0,
		     "WHERE THE TIME GOES, WITH CALLEES  (100.0 ms of CPU time sampled = 100 %)\n"
		     "#  total %     total  self %  samples  where  module  category\n"
		     "1  100.0 %  100.0 ms  40.0 %       10  main   srv     cpu\n"
		     "2   60.0 %   60.0 ms  60.0 %        6  leaf   srv     cpu\n");
	expect_table(p, (struct hotspot_query){ .by = BY_PROCESS }, 0,
		     "WHERE THE TIME GOES BY PROCESS  (100.0 ms of CPU time sampled = 100 %)\n"
		     "#   self %      self  samples  process  category\n"
		     "1  100.0 %  100.0 ms       10  srv (9)  cpu\n");
	profile_free(p);
}

/* L6: what the limit cuts off and what the filter drops is said. */
static void test_hidden_and_filtered(void **state)
{
	struct profile *p = small_profile();
	regex_t leaf, none;

	assert_int_equal(regcomp(&leaf, "leaf", REG_NOSUB), 0);
	assert_int_equal(regcomp(&none, "absent", REG_NOSUB), 0);
	expect_table(p, (struct hotspot_query){ .limit = 1 }, 0,
		     "WHERE THE TIME GOES  (100.0 ms of CPU time sampled = 100 %)\n"
		     "#  self %     self  total %  samples  where  module  category\n"
		     "1  60.0 %  60.0 ms   60.0 %        6  leaf   srv     cpu\n"
		     "     and 1 more row: 40.0 ms self, 40.0 %  (--limit 0 shows them)\n");
	expect_table(p, (struct hotspot_query){ .limit = 1, .focus = &leaf }, 0,
		     "WHERE THE TIME GOES  (60.0 ms of CPU time kept by the filter = 100 %; 60.0 % of the "
		     "100.0 ms sampled)\n"
		     "#   self %     self  total %  samples  where  module  category\n"
		     "1  100.0 %  60.0 ms  100.0 %        6  leaf   srv     cpu\n"
		     "     and 1 more row: 0.0 ms self, 0.0 %  (--limit 0 shows them)\n");
	expect_table(p, (struct hotspot_query){ .focus = &none }, 0,
		     "WHERE THE TIME GOES  (0.0 us of CPU time kept by the filter = 100 %; 0.0 % of the "
		     "100.0 ms sampled)\n     no sample passes the filter\n");
	regfree(&leaf);
	regfree(&none);
	profile_free(p);
}

static void test_empty(void **state)
{
	struct profile *p = profile_new();

	profile_native(p, 1);
	expect_table(p, (struct hotspot_query){ 0 }, 80,
		     "WHERE THE TIME GOES  (0.0 us of CPU time sampled = 100 %)\n     no samples\n");
	profile_free(p);
}

/* Other producers' units are named, and not taken for time. */
static void test_other_units(void **state)
{
	struct profile *p = profile_new();
	int64_t value = 1234567;

	assert_int_equal(profile_add_column(p, "inuse_space", "bytes"), 0);
	profile_add(p, profile_push(p, 0, a_frame(p, 0, 1, "new")), 0, &value);
	expect_table(p, (struct hotspot_query){ 0 }, 0,
		     "WHERE inuse_space GOES  (1,234,567 bytes of inuse_space sampled = 100 %)\n"
		     "#   self %             self  total %  where  module  category\n"
		     "1  100.0 %  1,234,567 bytes  100.0 %  new    -       inuse_space\n");
	profile_free(p);
}

static void expect_first_value(int64_t ns, const char *text)
{
	struct profile *p = profile_new();
	struct buf out = { 0 };

	assert_int_equal(profile_add_column(p, "cpu", "nanoseconds"), 0);
	profile_add(p, profile_push(p, 0, a_frame(p, 0, 1, "f")), 0, &ns);
	table(p, (struct hotspot_query){ 0 }, 0, &out);
	if (!strstr(buf_text(&out), text))
		assert_string_equal(buf_text(&out), text);
	buf_done(&out);
	profile_free(p);
}

static void test_scales(void **state)
{
	expect_first_value(123456789012345, "  123,456.79 s  ");
	expect_first_value(10000000000, "  10.00 s  ");
	expect_first_value(9999499999, "  9,999 ms  ");
	expect_first_value(50000000, "  50.0 ms  ");
	expect_first_value(1006000, "  1.01 ms  ");
	expect_first_value(999940, "  999.9 us  ");
	expect_first_value(-1500, "  -1.5 us  ");
	expect_first_value(-40000000000, "  -40.00 s  ");
	expect_first_value(INT64_MIN, "  -9,223,372,036.85 s  ");
}

/* Names give way, digits never; no line is wider than asked while names can shrink. */
static void test_width(void **state)
{
	struct profile *p = small_profile();
	struct buf out = { 0 };
	const char *line, *end;
	uint32_t exe = 1;

	a_sample(p, profile_push(p, 0, a_frame(p, exe, 3, "a_function_with_a_name_that_is_longer_than_most_lines_are")),
		 0, 123456);
	for (int width = 70; width < 130; width += 7) {
		buf_clear(&out);
		table(p, (struct hotspot_query){ 0 }, width, &out);
		line = strchr(buf_text(&out), '\n') + 1;	/* the title is prose */
		for (; *line; line = end + 1) {
			end = strchr(line, '\n');
			assert_true(end - line <= width);
		}
		assert_non_null(strstr(buf_text(&out), "1,234.56 s"));
		assert_non_null(strstr(buf_text(&out), "123,456"));
		assert_non_null(strstr(buf_text(&out), "a_f"));
		assert_non_null(strstr(buf_text(&out), "are"));
	}
	buf_done(&out);
	profile_free(p);
}

static void test_times(void **state)
{
	struct profile *p = small_profile();
	struct buf out = { 0 };

	p->times.present = true;
	p->times.window = 2500000000;
	times_add(&p->times, &(struct thread_time){ .pid = 9, .tid = 9, .comm = profile_strings(p, "srv"), .task = 1000000,
						     .blocked = 2499000000, .alive = 2500000000 });
	times_add(&p->times, &(struct thread_time){ .pid = 9, .tid = 10, .comm = profile_strings(p, "work er"),
						     .task = 1234560000, .stolen = -40000, .runqueue = 65480000,
						     .blocked = 1200000000, .alive = 2500000000 });
	times_add(&p->times, &(struct thread_time){ 0 });
	times_print(p, 0, 0, &out);
	assert_string_equal(buf_text(&out),
			    "EACH THREAD'S TIME, EXACT  (2.500 s)\n"
			    "#  on-CPU ms  stolen  run queue  blocked    alive  thread           process\n"
			    "1    1,234.5     0.0       65.4  1,200.0  2,500.0  work er (10)     srv\n"
			    "2        1.0     0.0        0.0  2,499.0  2,500.0  srv (9)          srv\n"
			    "3        0.0     0.0        0.0      0.0      0.0  [other threads]  -\n");
	buf_clear(&out);
	times_print(p, 1, 0, &out);
	assert_non_null(strstr(buf_text(&out), "\n     and 2 more threads  (--limit 0 shows them)\n"));
	buf_done(&out);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_hidden_and_filtered),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_other_units),
		cmocka_unit_test(test_scales),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
