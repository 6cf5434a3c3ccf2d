/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "proc/image.h"

#define PAGE 4096ull

static bool put(struct image *i, uint64_t from, uint64_t to, uint64_t offset, uint32_t object)
{
	struct image_map m = { from * PAGE, to * PAGE, offset * PAGE, object, 0 };

	return image_put(i, &m);
}

static void assert_map(const struct image *i, uint32_t k, uint64_t from, uint64_t to,
		       uint64_t offset)
{
	assert_true(k < i->nr_maps);
	assert_int_equal(i->map[k].start, from * PAGE);
	assert_int_equal(i->map[k].end, to * PAGE);
	assert_int_equal(i->map[k].offset, offset * PAGE);
}

static void a_mapping_replaces_what_it_overlaps(void **state)
{
	struct image i = { 0 };

	assert_true(put(&i, 10, 20, 100, 1));
	assert_true(put(&i, 30, 40, 200, 2));
	assert_int_equal(i.nr_maps, 2);
	/* in the middle of one: three parts */
	assert_true(put(&i, 13, 15, 7, 3));
	assert_int_equal(i.nr_maps, 4);
	assert_map(&i, 0, 10, 13, 100);
	assert_map(&i, 1, 13, 15, 7);
	assert_map(&i, 2, 15, 20, 105);
	/* over the end of one, a whole one and the start of the last */
	assert_true(put(&i, 14, 31, 50, 4));
	assert_int_equal(i.nr_maps, 4);
	assert_map(&i, 1, 13, 14, 7);
	assert_map(&i, 2, 14, 31, 50);
	assert_map(&i, 3, 31, 40, 201);
	/* everything */
	assert_true(put(&i, 1, 100, 0, 5));
	assert_int_equal(i.nr_maps, 1);
	free(i.map);
	free(i.former);
}

static void neighbours_stay(void **state)
{
	struct image i = { 0 };

	put(&i, 10, 20, 0, 1);
	put(&i, 20, 30, 0, 2);
	put(&i, 5, 10, 0, 3);
	assert_int_equal(i.nr_maps, 3);
	assert_ptr_equal(image_find(&i, 10 * PAGE, UINT64_MAX), &i.map[1]);
	assert_ptr_equal(image_find(&i, 10 * PAGE - 1, UINT64_MAX), &i.map[0]);
	assert_ptr_equal(image_find(&i, 30 * PAGE - 1, UINT64_MAX), &i.map[2]);
	assert_null(image_find(&i, 30 * PAGE, UINT64_MAX));
	assert_null(image_find(&i, 0, UINT64_MAX));
	free(i.map);
	free(i.former);
}

static void only_changes_make_a_version(void **state)
{
	struct image i = { 0 };
	uint32_t version;
	struct image_map same[2] = { { PAGE, 2 * PAGE, 0, 1, 0 }, { 3 * PAGE, 4 * PAGE, 0, 1, 0 } };

	put(&i, 1, 2, 0, 1);
	put(&i, 3, 4, 0, 1);
	version = i.version;
	assert_false(put(&i, 1, 2, 0, 1));
	assert_false(put(&i, 5, 5, 0, 1));
	assert_false(image_set(&i, same, 2, 50));
	assert_int_equal(i.version, version);
	same[1].offset = PAGE;
	assert_true(image_set(&i, same, 2, 50));
	assert_true(image_set(&i, NULL, 0, 50));
	assert_int_equal(i.nr_maps, 0);
	assert_int_equal(i.version, version + 2);
	assert_true(put(&i, 1, 2, 0, 1));
	free(i.map);
	free(i.former);
}

static void no_more_than_the_limit(void **state)
{
	struct image i = { 0 };
	uint32_t k;

	for (k = 0; k < IMAGE_MAX_MAPS; k++)
		assert_true(put(&i, 2 * k + 1, 2 * k + 2, 0, 1));
	assert_false(put(&i, 2 * k + 1, 2 * k + 2, 0, 1));
	assert_int_equal(i.nr_maps, IMAGE_MAX_MAPS);
	/* in place of another there is room */
	assert_true(put(&i, 1, 2, 0, 2));
	free(i.map);
	free(i.former);
}

#define PAGES 64

/* Against the plainest account: what each page holds. */
static void random_mappings_are_as_by_page(void **state)
{
	uint64_t object[PAGES] = { 0 }, offset[PAGES] = { 0 };
	struct image i = { 0 };
	uint32_t seed = 1, n, k;

	for (n = 1; n < 20000; n++) {
		uint32_t from, len;

		seed = seed * 1664525 + 1013904223;
		from = seed >> 8 & (PAGES - 1);
		len = 1 + (seed >> 16) % (n % 7 ? 6 : PAGES);
		if (from + len > PAGES)
			len = PAGES - from;
		put(&i, from, from + len, n, n);
		for (k = from; k < from + len; k++) {
			object[k] = n;
			offset[k] = n + k - from;
		}
		for (k = 0; k < PAGES; k++) {
			const struct image_map *m = image_find(&i, k * PAGE + 17, UINT64_MAX);

			assert_int_equal(m ? m->object : 0, object[k]);
			if (m)
				assert_int_equal(m->offset + k * PAGE - m->start, offset[k] * PAGE);
		}
		for (k = 1; k < i.nr_maps; k++)
			assert_true(i.map[k - 1].end <= i.map[k].start);
	}
	free(i.map);
	free(i.former);
}

/* A library that came where another was: a sample finds what was there at its time. */
static void what_was_replaced_is_found_for_its_time(void **state)
{
	struct image i = { 0 };
	struct image_map a = { PAGE, 3 * PAGE, 0, 1, 10 }, b = { PAGE, 3 * PAGE, 0, 2, 20 };
	struct image_map c = { 2 * PAGE, 4 * PAGE, 0, 3, 30 };

	assert_true(image_put(&i, &a));
	assert_true(image_put(&i, &b));
	assert_true(image_put(&i, &c));
	assert_null(image_find(&i, PAGE, 9));
	assert_int_equal(image_find(&i, PAGE, 10)->object, 1);
	assert_int_equal(image_find(&i, 2 * PAGE, 19)->object, 1);
	assert_int_equal(image_find(&i, 2 * PAGE, 20)->object, 2);
	assert_int_equal(image_find(&i, 2 * PAGE, 29)->object, 2);
	assert_int_equal(image_find(&i, 2 * PAGE, 30)->object, 3);
	assert_int_equal(image_find(&i, PAGE, 35)->object, 2);
	assert_null(image_find(&i, 3 * PAGE, 29));
	free(i.map);
	free(i.former);
}

/* mprotect() of a part, or of more: it is still the code that it was. */
static void the_same_code_again_is_not_new(void **state)
{
	struct image i = { 0 };
	struct image_map a = { 4 * PAGE, 8 * PAGE, 0, 1, 10 };
	struct image_map part = { 5 * PAGE, 6 * PAGE, 1 * PAGE, 1, 20 };
	struct image_map jit = { 20 * PAGE, 24 * PAGE, 0, 2, 0 };
	struct image_map more = { 22 * PAGE, 25 * PAGE, 22 * PAGE, 2, 30 };

	assert_true(image_put(&i, &a));
	assert_true(image_put(&i, &part));
	assert_true(image_put(&i, &jit));
	assert_true(image_put(&i, &more));
	assert_int_equal(i.nr_former, 0);
	assert_int_equal(image_find(&i, 5 * PAGE, 15)->from_ns, 10);
	assert_int_equal(image_find(&i, 7 * PAGE, 15)->from_ns, 10);
	assert_int_equal(image_find(&i, 23 * PAGE, 5)->from_ns, 0);
	assert_int_equal(image_unrest(&i, &part, 21), 0);
	/* another part of the file is other code */
	part.offset = 3 * PAGE;
	part.from_ns = 40;
	assert_true(image_put(&i, &part));
	assert_int_equal(i.nr_former, 1);
	assert_int_equal(image_find(&i, 5 * PAGE, 39)->from_ns, 10);
	assert_int_equal(image_find(&i, 5 * PAGE, 40)->offset, 3 * PAGE);
	assert_int_equal(image_unrest(&i, &part, 41), 40 + IMAGE_UNREST_NS);
	free(i.map);
	free(i.former);
}

static void maps_that_are_read_anew_begin_where_others_were(void **state)
{
	struct image i = { 0 };
	struct image_map first[2] = { { PAGE, 2 * PAGE, 0, 1, 0 }, { 4 * PAGE, 5 * PAGE, 0, 2, 0 } };
	struct image_map then[3] = { { PAGE, 2 * PAGE, 0, 1, 0 }, { 4 * PAGE, 6 * PAGE, 0, 3, 0 },
				     { 8 * PAGE, 9 * PAGE, 0, 4, 0 } };

	assert_true(image_set(&i, first, 2, 100));
	assert_true(image_set(&i, then, 3, 200));
	assert_int_equal(image_find(&i, PAGE, 5)->object, 1);
	assert_int_equal(image_find(&i, 4 * PAGE, 199)->object, 2);
	assert_int_equal(image_find(&i, 4 * PAGE, 200)->object, 3);
	assert_int_equal(image_find(&i, 8 * PAGE, 5)->object, 4);
	free(i.map);
	free(i.former);
}

/* At most IMAGE_MAX_FORMER of them, and none that is long gone. */
static void former_maps_are_few(void **state)
{
	struct image i = { 0 };
	uint32_t n;

	for (n = 1; n <= 3 * IMAGE_MAX_FORMER; n++) {
		struct image_map m = { PAGE, 2 * PAGE, 0, n, n };

		assert_true(image_put(&i, &m));
		assert_in_range(i.nr_former, 0, IMAGE_MAX_FORMER);
	}
	assert_int_equal(image_find(&i, PAGE, 3 * IMAGE_MAX_FORMER - 1)->object, 3 * IMAGE_MAX_FORMER - 1);
	assert_null(image_find(&i, PAGE, 5));
	assert_true(image_put(&i, &(struct image_map){ PAGE, 2 * PAGE, 0, 0, 2 * IMAGE_FORMER_NS }));
	assert_int_equal(i.nr_former, 1);
	free(i.map);
	free(i.former);
}

/* Tables of before a map was made say nothing of it; which were in force, the time tells. */
static void tables_know_what_was_mapped_before_them(void **state)
{
	struct image i = { .tables = { { 100, 90 }, { 50, 40 } } };
	struct image_map old = { .from_ns = 0 }, m = { .from_ns = 45 };

	assert_false(image_outran_tables(&i, &old, 10));
	assert_true(image_outran_tables(&i, &m, 99));
	assert_false(image_outran_tables(&i, &m, 100));
	m.from_ns = 95;
	assert_true(image_outran_tables(&i, &m, 100));
	m.from_ns = 30;
	assert_false(image_outran_tables(&i, &m, 60));
	assert_true(image_outran_tables(&i, &m, 40));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_replaces_what_it_overlaps),
		cmocka_unit_test(neighbours_stay),
		cmocka_unit_test(only_changes_make_a_version),
		cmocka_unit_test(no_more_than_the_limit),
		cmocka_unit_test(random_mappings_are_as_by_page),
		cmocka_unit_test(what_was_replaced_is_found_for_its_time),
		cmocka_unit_test(the_same_code_again_is_not_new),
		cmocka_unit_test(maps_that_are_read_anew_begin_where_others_were),
		cmocka_unit_test(former_maps_are_few),
		cmocka_unit_test(tables_know_what_was_mapped_before_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
