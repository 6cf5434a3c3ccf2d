/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "proc/image.h"

#define PAGE 4096ull

static bool put(struct image *i, uint64_t from, uint64_t to, uint64_t offset, uint32_t object)
{
	struct image_map m = { from * PAGE, to * PAGE, offset * PAGE, object };

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
}

static void neighbours_stay(void **state)
{
	struct image i = { 0 };

	put(&i, 10, 20, 0, 1);
	put(&i, 20, 30, 0, 2);
	put(&i, 5, 10, 0, 3);
	assert_int_equal(i.nr_maps, 3);
	assert_ptr_equal(image_find(&i, 10 * PAGE), &i.map[1]);
	assert_ptr_equal(image_find(&i, 10 * PAGE - 1), &i.map[0]);
	assert_ptr_equal(image_find(&i, 30 * PAGE - 1), &i.map[2]);
	assert_null(image_find(&i, 30 * PAGE));
	assert_null(image_find(&i, 0));
	free(i.map);
}

static void only_changes_make_a_version(void **state)
{
	struct image i = { 0 };
	uint32_t version;
	struct image_map same[2] = { { PAGE, 2 * PAGE, 0, 1 }, { 3 * PAGE, 4 * PAGE, 0, 1 } };

	put(&i, 1, 2, 0, 1);
	put(&i, 3, 4, 0, 1);
	version = i.version;
	assert_false(put(&i, 1, 2, 0, 1));
	assert_false(put(&i, 5, 5, 0, 1));
	assert_false(image_set(&i, same, 2));
	assert_int_equal(i.version, version);
	same[1].offset = PAGE;
	assert_true(image_set(&i, same, 2));
	assert_true(image_set(&i, NULL, 0));
	assert_int_equal(i.nr_maps, 0);
	assert_int_equal(i.version, version + 2);
	assert_true(put(&i, 1, 2, 0, 1));
	free(i.map);
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
			const struct image_map *m = image_find(&i, k * PAGE + 17);

			assert_int_equal(m ? m->object : 0, object[k]);
			if (m)
				assert_int_equal(m->offset + k * PAGE - m->start, offset[k] * PAGE);
		}
		for (k = 1; k < i.nr_maps; k++)
			assert_true(i.map[k - 1].end <= i.map[k].start);
	}
	free(i.map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_replaces_what_it_overlaps),
		cmocka_unit_test(neighbours_stay),
		cmocka_unit_test(only_changes_make_a_version),
		cmocka_unit_test(no_more_than_the_limit),
		cmocka_unit_test(random_mappings_are_as_by_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
