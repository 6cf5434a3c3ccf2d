/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <jansson.h>
#include <stdlib.h>

#include "format/format.h"
#include "profile_text.h"

static void print(const struct profile *p, struct hotspot_query q, struct buf *out)
{
	struct hotspots h;

	hotspots_find(p, &q, &h);
	hotspots_json(p, &h, out);
	hotspots_done(&h);
}

static json_t *parse(const struct profile *p, struct hotspot_query q)
{
	struct buf out = { 0 };
	json_error_t error;
	json_t *o;

	print(p, q, &out);
	assert_int_equal(out.data[out.len - 1], '\n');
	o = json_loads(buf_text(&out), JSON_REJECT_DUPLICATES, &error);
	assert_non_null(o);
	buf_done(&out);
	return o;
}

static json_t *at(json_t *o, const char *a, const char *b)
{
	o = json_object_get(o, a);
	o = b ? json_object_get(o, b) : o;
	assert_non_null(o);
	return o;
}

/* 2/3 in leaf, 1/3 in main. */
static struct profile *small_profile(void)
{
	struct profile *p = profile_new();
	uint32_t exe, s;

	profile_native(p, 10101010);
	exe = a_mapping(p, MAPPING_FILE, "/opt/srv", 0);
	s = profile_push(p, 0, a_frame(p, exe, 1, "main"));
	a_sample(p, profile_push(p, s, a_frame(p, exe, 2, "le\"af\\")), 0, 2);
	a_sample(p, s, 0, 1);
	p->time_ns = 1795000000000000042;
	p->duration_ns = 5000000000;
	p->meta = (struct meta){ .host = "db1", .command = "a \"b\"", .cpus = 2 };
	p->ledger = (struct ledger){ .present = true, .ticks = 12, .counted = 3, .idle = 8, .missed = -1 };
	ledger_lost(&p->ledger, "ring-full", 2);
	return p;
}

static void test_document(void **state)
{
	struct profile *p = small_profile();
	json_t *o = parse(p, (struct hotspot_query){ 0 }), *row = json_array_get(at(o, "hotspots", NULL), 0);

	assert_string_equal(json_string_value(at(o, "schema", NULL)), "dwell.hotspots/1");
	assert_string_equal(json_string_value(at(o, "meta", "host")), "db1");
	assert_true(json_is_null(at(o, "meta", "kernel")));
	assert_string_equal(json_string_value(at(o, "meta", "command")), "a \"b\"");
	assert_string_equal(json_string_value(at(o, "meta", "start")), "2026-11-18T11:06:40.000000042Z");
	assert_int_equal(json_integer_value(at(o, "meta", "duration_ns")), 5000000000);
	assert_int_equal(json_integer_value(at(o, "meta", "period_ns")), 10101010);
	assert_int_equal(json_integer_value(at(o, "meta", "cpus")), 2);
	assert_int_equal(json_integer_value(at(o, "ledger", "ticks")), 12);
	assert_int_equal(json_integer_value(at(o, "ledger", "missed")), -1);
	assert_int_equal(json_integer_value(at(at(o, "ledger", "lost"), "ring-full", NULL)), 2);
	assert_int_equal(json_integer_value(at(o, "totals_ns", "cpu")), 30000000);
	assert_int_equal(json_array_size(at(o, "hotspots", NULL)), 2);
	assert_int_equal(json_integer_value(at(row, "rank", NULL)), 1);
	assert_string_equal(json_string_value(at(row, "symbol", NULL)), "le\"af\\");
	assert_string_equal(json_string_value(at(row, "module", NULL)), "srv");
	assert_string_equal(json_string_value(at(row, "category", NULL)), "cpu");
	assert_int_equal(json_integer_value(at(row, "self_ns", NULL)), 20000000);
	assert_int_equal(json_integer_value(at(row, "total_ns", NULL)), 20000000);
	assert_int_equal(json_integer_value(at(row, "self_samples", NULL)), 2);
	assert_int_equal(json_integer_value(at(row, "total_samples", NULL)), 2);
	json_decref(o);
	profile_free(p);
}

/* 2/3 is 66.6667, not 66.666666666666671. */
static void test_rounding_and_same_bytes(void **state)
{
	struct profile *p = small_profile(), *q = small_profile();
	struct buf a = { 0 }, b = { 0 };

	print(p, (struct hotspot_query){ 0 }, &a);
	print(q, (struct hotspot_query){ 0 }, &b);
	assert_string_equal(buf_text(&a), buf_text(&b));
	assert_non_null(strstr(buf_text(&a), "\"self_pct\": 66.6667,"));
	assert_non_null(strstr(buf_text(&a), "\"children_pct\": 100.0"));
	buf_done(&a);
	buf_done(&b);
	profile_free(p);
	profile_free(q);
}

static void test_hidden_and_filtered(void **state)
{
	struct profile *p = small_profile();
	regex_t re;
	json_t *o;

	assert_int_equal(regcomp(&re, "af", REG_NOSUB), 0);
	o = parse(p, (struct hotspot_query){ .limit = 1 });
	assert_int_equal(json_array_size(at(o, "hotspots", NULL)), 1);
	assert_int_equal(json_integer_value(at(o, "hidden", "rows")), 1);
	assert_int_equal(json_integer_value(at(o, "hidden", "self_ns")), 10000000);
	assert_true(json_is_false(at(o, "base", "filtered")));
	json_decref(o);
	o = parse(p, (struct hotspot_query){ .focus = &re });
	assert_true(json_is_true(at(o, "base", "filtered")));
	assert_int_equal(json_integer_value(at(o, "base", "ns")), 20000000);
	assert_int_equal(json_integer_value(at(o, "totals_ns", "cpu")), 30000000);
	json_decref(o);
	regfree(&re);
	profile_free(p);
}

static void test_unknown_and_other_units(void **state)
{
	struct profile *p = profile_new();
	int64_t value = INT64_MAX;
	json_t *o, *row;

	assert_int_equal(profile_add_column(p, "space", "bytes"), 0);
	profile_add(p, profile_push(p, 0, a_frame(p, 0, 1, "\xff\x1b<script>")), 0, &value);
	o = parse(p, (struct hotspot_query){ 0 });
	row = json_array_get(at(o, "hotspots", NULL), 0);
	assert_true(json_is_null(at(o, "ledger", NULL)));
	assert_true(json_is_null(at(o, "meta", "start")));
	assert_true(json_is_null(at(o, "meta", "period_ns")));
	assert_int_equal(json_object_size(at(o, "totals_ns", NULL)), 0);
	assert_null(json_object_get(row, "self_ns"));
	assert_true(json_integer_value(at(row, "self_value", NULL)) == INT64_MAX);
	assert_string_equal(json_string_value(at(o, "ranked_by", "unit")), "bytes");
	json_decref(o);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_rounding_and_same_bytes),
		cmocka_unit_test(test_hidden_and_filtered),
		cmocka_unit_test(test_unknown_and_other_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
