/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/hotspot.h"
#include "model/select.h"

static struct profile *new_profile(void)
{
	struct profile *p = profile_new();

	profile_native(p, 10);
	return p;
}

static uint32_t mapping_of(struct profile *p, const char *file)
{
	struct mapping m = { .file = profile_strings(p, file) };

	return profile_mapping(p, &m);
}

static struct line line_of(struct profile *p, const char *name)
{
	struct function f = { .name = profile_strings(p, name) };

	return (struct line){ .function = profile_function(p, &f) };
}

/*
 * Pushes a path such as "main;work+inlined;[truncated]": '+' comes before an
 * inlined function, a number is an unnamed frame, '[' a special one.
 */
static uint32_t path(struct profile *p, const char *module, const char *names)
{
	autofree char *copy = xstrdup(names);
	char *save = NULL, *inner, *word, *in_save;
	uint32_t stack = 0, frame, m = mapping_of(p, module), nr;
	struct line lines[32];

	for (word = strtok_r(copy, ";", &save); word; word = strtok_r(NULL, ";", &save)) {
		if (*word == '[') {
			frame = profile_special_frame(p, word);
		} else if (*word >= '0' && *word <= '9') {
			frame = profile_frame(p, m, strtoull(word, NULL, 16));
		} else {
			nr = 32;
			for (inner = strtok_r(word, "+", &in_save); inner;
			     inner = strtok_r(NULL, "+", &in_save))
				lines[--nr] = line_of(p, inner);
			frame = profile_frame_lines(p, m, 0, lines + nr, 32 - nr);
		}
		stack = profile_push(p, stack, frame);
	}
	return stack;
}

static void add(struct profile *p, uint32_t stack, uint32_t labels, int64_t n)
{
	int64_t values[NATIVE_COLUMNS] = { [COL_SAMPLES] = n, [COL_CPU] = n * 10 };

	profile_add(p, stack, labels, values);
}

/* The rows as "symbol module self_samples/total_samples; ". */
static const char *rows_of(const struct hotspots *h, char out[1024])
{
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < h->nr; i++) {
		n += (size_t)snprintf(out + n, 1024 - n, "%s %s %d/%d; ", h->row[i].symbol,
				      h->row[i].module, (int)h->row[i].self_samples,
				      (int)h->row[i].total_samples);
		assert_true(h->row[i].self_ns == h->row[i].self_samples * 10);
		assert_true(h->row[i].total_ns == h->row[i].total_samples * 10);
	}
	return out;
}

static void assert_rows(const struct profile *p, const struct hotspot_query *q, const char *want)
{
	struct hotspots h;
	char out[1024];

	hotspots_find(p, q, &h);
	assert_string_equal(rows_of(&h, out), want);
	hotspots_done(&h);
}

static const struct hotspot_query by_function = { .by = BY_FUNCTION };
static const struct hotspot_query by_total = { .by = BY_FUNCTION, .sort = SORT_TOTAL };
static const struct hotspot_query by_module = { .by = BY_MODULE };

static void test_self_and_total(void **state)
{
	struct profile *p = new_profile();
	uint32_t work = path(p, "/bin/a", "main;work");

	add(p, work, 0, 7);
	add(p, p->stacks[work].parent, 0, 3);
	assert_rows(p, &by_function, "work a 7/7; main a 3/10; ");
	assert_rows(p, &by_total, "main a 3/10; work a 7/7; ");
	profile_free(p);
}

static void test_recursion_counts_once(void **state)
{
	struct profile *p = new_profile();

	add(p, path(p, "/a", "f;g;f;g;f"), 0, 4);
	add(p, path(p, "/a", "f;f"), 0, 1);
	assert_rows(p, &by_function, "f a 5/5; g a 0/4; ");
	assert_rows(p, &by_module, "a a 5/5; ");
	profile_free(p);
}

static void test_inlined_lines(void **state)
{
	struct profile *p = new_profile();

	/* one frame whose instruction came from "in", inlined in "mid", inlined in "out" */
	add(p, path(p, "/a", "main;out+mid+in"), 0, 2);
	add(p, path(p, "/a", "main;out+out"), 0, 1);
	assert_rows(p, &by_function, "in a 2/2; out a 1/3; main a 0/3; mid a 0/2; ");
	profile_free(p);
}

static void test_unnamed_frames(void **state)
{
	struct profile *p = new_profile();

	add(p, path(p, "/lib/x.so", "1000;2000"), 0, 2);
	add(p, path(p, "/lib/x.so", "1000"), 0, 1);
	assert_rows(p, &by_function, "x.so+0x2000 x.so 2/2; x.so+0x1000 x.so 1/3; ");
	profile_free(p);
}

static void test_same_name_in_two_modules(void **state)
{
	struct profile *p = new_profile();

	add(p, path(p, "/b", "main"), 0, 1);
	add(p, path(p, "/a", "main"), 0, 1);
	add(p, path(p, "/elsewhere/a", "main"), 0, 1);
	assert_rows(p, &by_function, "main a 2/2; main b 1/1; ");
	profile_free(p);
}

static void test_special_frames(void **state)
{
	struct profile *p = new_profile();

	/* a mark at the root says something of the stack, it is no place where time goes */
	add(p, path(p, "/a", "[truncated: x];f"), 0, 5);
	add(p, path(p, "/a", "[truncated: x]"), 0, 2);
	add(p, path(p, "", "main;[exec]"), 0, 1);
	add(p, 0, 0, 3);
	assert_rows(p, &by_function,
		    "f a 5/5; [no stack] - 3/3; [truncated: x] - 2/2; [exec] - 1/1; main - 0/1; ");
	assert_rows(p, &by_module,
		    "a a 5/5; [no stack] - 3/3; [truncated: x] - 2/2; [exec] - 1/1; "
		    "[no module] - 0/1; ");
	profile_free(p);
}

static uint32_t labels_of(struct profile *p, const char *process, const char *comm, int pid,
			  int tid)
{
	struct label l[4];
	uint32_t nr = 0;

	if (pid)
		l[nr++] = (struct label){ .key = profile_strings(p, "pid"), .num = pid };
	if (tid)
		l[nr++] = (struct label){ .key = profile_strings(p, "tid"), .num = tid };
	if (comm)
		l[nr++] = (struct label){ .key = profile_strings(p, "comm"),
					  .str = profile_strings(p, comm) };
	if (process)
		l[nr++] = (struct label){ .key = profile_strings(p, "process"),
					  .str = profile_strings(p, process) };
	return profile_labels(p, l, nr);
}

static void test_processes_and_threads(void **state)
{
	static const struct hotspot_query by_process = { .by = BY_PROCESS };
	static const struct hotspot_query by_thread = { .by = BY_THREAD };
	struct profile *p = new_profile();
	uint32_t f = path(p, "/a", "main;f"), g = path(p, "/a", "main;g");

	add(p, f, labels_of(p, "web", "worker", 10, 11), 4);
	add(p, g, labels_of(p, "web", "worker", 10, 11), 1);
	add(p, f, labels_of(p, "web", "main", 10, 10), 2);
	add(p, f, labels_of(p, "web", "main", 20, 20), 1);
	assert_rows(p, &by_process, "web (10) - 7/7; web (20) - 1/1; ");
	assert_rows(p, &by_thread, "worker (11) web 5/5; main (10) web 2/2; main (20) web 1/1; ");
	add(p, f, 0, 9);
	add(p, f, labels_of(p, NULL, NULL, 5, 6), 8);
	add(p, f, labels_of(p, "x", NULL, 0, 0), 7);
	assert_rows(
		p, &by_process,
		"[no process label] - 9/9; pid 5 - 8/8; web (10) - 7/7; x - 7/7; web (20) - 1/1; ");
	assert_rows(p, &by_thread,
		    "[no thread label] - 9/9; tid 6 - 8/8; [no thread label] x 7/7; "
		    "worker (11) web 5/5; main (10) web 2/2; main (20) web 1/1; ");
	profile_free(p);
}

static void test_order_and_limit(void **state)
{
	struct hotspot_query q = { .by = BY_FUNCTION, .limit = 2 };
	struct profile *p = new_profile();
	struct hotspots h;
	char out[1024];

	add(p, path(p, "/m", "d"), 0, 1);
	add(p, path(p, "/m", "b"), 0, 1);
	add(p, path(p, "/a", "c;a"), 0, 3);
	add(p, path(p, "/a", "b"), 0, 1);
	assert_rows(p, &by_function, "a a 3/3; b a 1/1; b m 1/1; d m 1/1; c a 0/3; ");
	hotspots_find(p, &q, &h);
	assert_string_equal(rows_of(&h, out), "a a 3/3; b a 1/1; ");
	assert_int_equal(h.nr_hidden, 3);
	assert_true(h.hidden_self == 20 && h.hidden_self_samples == 2);
	assert_true(h.base == 60 && h.base_samples == 6 && h.all == 60 && h.all_samples == 6);
	assert_int_equal(h.value_column, COL_CPU);
	assert_int_equal(h.count_column, COL_SAMPLES);
	assert_string_equal(h.row[0].category, "cpu");
	assert_false(h.filtered);
	hotspots_done(&h);
	profile_free(p);
}

static void test_focus_and_ignore(void **state)
{
	struct hotspot_query q = { .by = BY_FUNCTION };
	struct profile *p = new_profile();
	regex_t parse, lib, web;
	struct hotspots h;
	char out[1024];

	assert_int_equal(regcomp(&parse, "^parse", REG_EXTENDED | REG_NOSUB), 0);
	assert_int_equal(regcomp(&lib, "lib.so\\+0x10|\\[trunc", REG_EXTENDED | REG_NOSUB), 0);
	assert_int_equal(regcomp(&web, "^web$", REG_EXTENDED | REG_NOSUB), 0);
	add(p, path(p, "/a", "main;parse_x;leaf"), 0, 4);
	add(p, path(p, "/a", "main;out+parse_in"), 0, 2);
	add(p, path(p, "/a", "main;parse_out+in"), 0, 32);
	add(p, path(p, "/a", "main;reparse"), 0, 1);
	add(p, path(p, "/lib.so", "main;parse;1000"), labels_of(p, "web", "w", 1, 1), 8);
	add(p, path(p, "/lib.so", "[truncated];f"), 0, 16);
	q.focus = &parse;
	hotspots_find(p, &q, &h);
	assert_string_equal(rows_of(&h, out),
			    "in a 32/32; lib.so+0x1000 lib.so 8/8; leaf a 4/4; parse_in a 2/2; "
			    "main a 0/38; parse_out a 0/32; main lib.so 0/8; parse lib.so 0/8; "
			    "parse_x a 0/4; out a 0/2; ");
	assert_true(h.filtered && h.base_samples == 46 && h.all_samples == 63);
	hotspots_done(&h);
	q.ignore = &lib;
	assert_rows(p, &q,
		    "in a 32/32; leaf a 4/4; parse_in a 2/2; main a 0/38; parse_out a 0/32; "
		    "parse_x a 0/4; out a 0/2; ");
	q.focus = NULL;
	assert_rows(p, &q,
		    "in a 32/32; leaf a 4/4; parse_in a 2/2; reparse a 1/1; main a 0/39; "
		    "parse_out a 0/32; parse_x a 0/4; out a 0/2; ");
	q.ignore = NULL;
	q.focus = &web;
	q.by = BY_PROCESS;
	assert_rows(p, &q, "web (1) - 8/8; ");
	regfree(&parse);
	regfree(&lib);
	regfree(&web);
	profile_free(p);
}

/* Heap profiles and their like: values without a time, counts that belong to them. */
/* Whatever number of rows is there when the one for no stack is added: it may make them move. */
static void test_no_stack_beside_any_number_of_rows(void **state)
{
	int nr, i;

	for (nr = 1; nr <= 130; nr++) {
		struct profile *p = new_profile();
		struct hotspots h;
		int64_t sum = 0;
		char name[16];
		size_t k;

		for (i = 0; i < nr; i++) {
			snprintf(name, sizeof(name), "f%d", i);
			add(p, path(p, "/bin/a", name), 0, 1);
		}
		add(p, 0, 0, 5);
		hotspots_find(p, &by_function, &h);
		assert_int_equal(h.nr, nr + 1);
		for (k = 0; k < h.nr; k++)
			sum += h.row[k].self_samples;
		assert_int_equal(sum, nr + 5);
		hotspots_done(&h);
		profile_free(p);
	}
}

static void test_foreign_columns(void **state)
{
	static const int64_t values[4] = { 1, 10, 2, 20 };
	struct profile *p = profile_new();
	struct hotspots h;

	assert_int_equal(profile_add_column(p, "alloc_objects", "count"), 0);
	assert_int_equal(profile_add_column(p, "alloc_space", "bytes"), 0);
	assert_int_equal(profile_add_column(p, "inuse_objects", "count"), 0);
	assert_int_equal(profile_add_column(p, "inuse_space", "bytes"), 0);
	p->default_column = 3;
	profile_add(p, path(p, "/a", "f"), 0, values);
	hotspots_find(p, &by_function, &h);
	assert_true(h.nr == 1 && h.row[0].self_ns == 20 && h.row[0].self_samples == 2);
	assert_string_equal(h.row[0].category, "inuse_space");
	hotspots_done(&h);
	p->default_column = 1;
	hotspots_find(p, &by_function, &h);
	assert_true(h.row[0].self_ns == 10 && h.row[0].self_samples == 1);
	hotspots_done(&h);
	profile_free(p);

	p = profile_new();
	assert_int_equal(profile_add_column(p, "space", "bytes"), 0);
	profile_add(p, path(p, "/a", "f"), 0, values);
	hotspots_find(p, &by_function, &h);
	assert_true(h.count_column == -1 && h.row[0].self_ns == 1 && h.row[0].self_samples == 0);
	hotspots_done(&h);
	profile_free(p);
}

/* Waits count where the program waits, not in the scheduler; CPU time where it is spent. */
static void test_kinds(void **state)
{
	struct profile *p = new_profile();
	struct mapping kernel = { .file = profile_strings(p, "[kernel.kallsyms]"), .kind = MAPPING_KERNEL };
	uint32_t k = profile_mapping(p, &kernel), in[3], user = path(p, "a", "main;flush"), wait = user, own = 0, i;
	static const char *const names[] = { "do_fsync", "io_schedule", "schedule" };
	int64_t cpu[NATIVE_COLUMNS] = { [COL_SAMPLES] = 1, [COL_CPU] = 10 };
	int64_t off[NATIVE_COLUMNS] = { [COL_WAITS] = 3, [COL_BLOCKED] = 20, [COL_RUNQUEUE] = 7, [COL_KEPT] = 1,
					[COL_WAIT_VAR] = 8 };
	struct hotspot_query q = { .kind = KIND_OFF };
	struct hotspots h;

	for (i = 0; i < 3; i++) {
		struct line l = line_of(p, names[i]);

		in[i] = profile_frame_lines(p, k, i + 1, &l, 1);
		wait = profile_push(p, wait, in[i]);
		own = profile_push(p, own, in[i]);
	}
	profile_add(p, wait, 0, off);
	profile_add(p, own, 0, off);
	profile_add(p, wait, 0, cpu);
	hotspots_find(p, &q, &h);
	assert_int_equal(h.base, 54);
	assert_int_equal(h.base_samples, 6);
	/* variances add up: us^2; of the standard error ns are shown */
	assert_int_equal(h.base_error_ns, 4000);
	assert_int_equal(h.row[0].self_error_ns, 2828);
	assert_int_equal(h.nr, 3);
	/* of a kernel thread: the innermost that is not about scheduling */
	assert_string_equal(h.row[0].symbol, "do_fsync");
	assert_int_equal(h.row[0].self_ns, 27);
	assert_string_equal(h.row[1].symbol, "flush");
	assert_int_equal(h.row[1].self_ns, 27);
	assert_string_equal(h.row[2].symbol, "main");
	hotspots_done(&h);
	q.kind = KIND_CPU;
	hotspots_find(p, &q, &h);
	assert_int_equal(h.base, 10);
	assert_string_equal(h.row[0].symbol, "schedule");
	hotspots_done(&h);
	q.kind = KIND_ALL;
	hotspots_find(p, &q, &h);
	assert_int_equal(h.base, 64);
	hotspots_done(&h);
	profile_free(p);
}

static void test_empty_profile(void **state)
{
	struct profile *p = new_profile();
	struct hotspots h;

	hotspots_find(p, &by_function, &h);
	assert_true(h.nr == 0 && h.base == 0 && h.all == 0);
	hotspots_done(&h);
	assert_null(samples_select(p, NULL, NULL));
	profile_free(p);
}

/* The same the slow way: each sample's frames, one after the other. */
static void count_slowly(const struct profile *p, int64_t self[26], int64_t total[26])
{
	uint32_t stack, i;
	size_t s;
	char buf[32];

	memset(self, 0, 26 * sizeof(*self));
	memset(total, 0, 26 * sizeof(*total));
	for (s = 0; s < p->nr_samples; s++) {
		bool seen[26] = { false };

		for (stack = p->samples[s].stack; stack; stack = p->stacks[stack].parent) {
			const uint32_t frame = p->stacks[stack].frame;

			for (i = 0; i < p->frames[frame].nr_lines; i++) {
				const char c = profile_frame_name(p, frame, i, buf, sizeof(buf))[0];

				if (!i && stack == p->samples[s].stack)
					self[c - 'a'] += profile_values(p, s)[0];
				if (!seen[c - 'a'])
					total[c - 'a'] += profile_values(p, s)[0];
				seen[c - 'a'] = true;
			}
		}
	}
}

static void test_against_the_slow_way(void **state)
{
	struct profile *p = new_profile();
	int64_t self[26], total[26], base = 0;
	struct hotspots h;
	char text[128];
	unsigned int i, j, depth;
	size_t r;

	srandom(7);
	for (i = 0; i < 3000; i++) {
		depth = 1 + (unsigned int)random() % 20;
		for (j = 0; j < depth; j++) {
			/* few names near the root: a tree, not a bush */
			text[2 * j] = (char)('a' + random() % (j < 6 ? 2 : 26));
			text[2 * j + 1] = random() % 5 ? ';' : '+';
		}
		text[2 * depth - 1] = '\0';
		add(p, path(p, "/a", text), labels_of(p, "x", NULL, 1 + (int)(random() % 3), 0),
		    1 + random() % 9);
	}
	count_slowly(p, self, total);
	for (r = 0; r < p->nr_samples; r++)
		base += profile_values(p, r)[0];
	hotspots_find(p, &by_function, &h);
	assert_int_equal(h.nr, 26);
	assert_true(h.base_samples == base);
	for (r = 0; r < h.nr; r++) {
		assert_true(h.row[r].self_samples == self[h.row[r].symbol[0] - 'a']);
		assert_true(h.row[r].total_samples == total[h.row[r].symbol[0] - 'a']);
		base -= h.row[r].self_samples;
		assert_true(!r || h.row[r].self_ns <= h.row[r - 1].self_ns);
	}
	assert_true(base == 0);
	hotspots_done(&h);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self_and_total),
		cmocka_unit_test(test_recursion_counts_once),
		cmocka_unit_test(test_inlined_lines),
		cmocka_unit_test(test_unnamed_frames),
		cmocka_unit_test(test_same_name_in_two_modules),
		cmocka_unit_test(test_special_frames),
		cmocka_unit_test(test_processes_and_threads),
		cmocka_unit_test(test_order_and_limit),
		cmocka_unit_test(test_focus_and_ignore),
		cmocka_unit_test(test_no_stack_beside_any_number_of_rows),
		cmocka_unit_test(test_foreign_columns),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_empty_profile),
		cmocka_unit_test(test_against_the_slow_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
