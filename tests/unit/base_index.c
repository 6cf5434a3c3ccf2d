/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/index.h"

#define NR 5000u

static bool equal(const void *owner, uint32_t id, const void *key)
{
	return ((const uint64_t *)owner)[id] == *(const uint64_t *)key;
}

/* few: the hashes that keys share; 0: good hashes */
static uint64_t hash_of(uint64_t key, uint64_t few)
{
	return few ? key % few * 0x100000001ull : hash_u64(key, 7);
}

static void check_all(const struct index *ix, const uint64_t *keys, const bool *in, uint64_t few)
{
	uint32_t i;

	for (i = 0; i < NR; i++)
		assert_int_equal(index_find(ix, hash_of(keys[i], few), equal, keys, &keys[i]),
				 in[i] ? i : INDEX_NONE);
}

static void add_and_remove(uint64_t few, uint32_t steps)
{
	uint64_t *keys = xcalloc(NR, sizeof(*keys));
	bool *in = xcalloc(NR, sizeof(*in));
	struct index ix = { 0 };
	uint32_t i, id, nr = 0;

	srandom(42);
	for (i = 0; i < NR; i++)
		keys[i] = (uint64_t)i * 977;
	for (i = 0; i < steps; i++) {
		id = (uint32_t)random() % NR;
		if (in[id]) {
			assert_true(index_remove(&ix, hash_of(keys[id], few), id));
			nr--;
		} else {
			assert_false(index_remove(&ix, hash_of(keys[id], few), id));
			index_add(&ix, hash_of(keys[id], few), id);
			nr++;
		}
		in[id] = !in[id];
		assert_int_equal(ix.used, nr);
		if (i % (steps / 4) == 0)
			check_all(&ix, keys, in, few);
	}
	assert_true(ix.used <= ((uint64_t)ix.mask + 1) * 7 / 10 + 1);
	check_all(&ix, keys, in, few);
	index_clear(&ix);
	memset(in, 0, NR);
	check_all(&ix, keys, in, few);
	index_done(&ix);
	free(keys);
	free(in);
}

static void test_good_hashes(void **state)
{
	add_and_remove(0, 40000);
}

/* Long runs, so that removal has followers of other slots to move, also around the end. */
static void test_bad_hashes(void **state)
{
	add_and_remove(64, 8000);
}

static void test_wraps_around(void **state)
{
	const uint64_t keys[4] = { 15, 15, 15, 0 };
	struct index ix = { 0 };
	uint32_t i;

	/* 16 slots: three entries want the last one, the fourth the first, where the run passes */
	for (i = 0; i < 4; i++)
		index_add(&ix, keys[i], i);
	assert_int_equal(ix.mask, 15);
	assert_true(index_remove(&ix, 15, 0));
	for (i = 1; i < 4; i++)
		assert_true(index_remove(&ix, keys[i], i));
	assert_int_equal(ix.used, 0);
	index_done(&ix);
}

static void test_empty(void **state)
{
	struct index ix = { 0 };
	uint64_t key = 1;

	assert_int_equal(index_find(&ix, 1, equal, &key, &key), INDEX_NONE);
	assert_false(index_remove(&ix, 1, 0));
	index_clear(&ix);
	index_done(&ix);
}

/* The bits that pick a slot change with each byte, and with the length alone. */
static void test_hash_sees_every_byte(void **state)
{
	unsigned char bytes[64] = { 0 };
	uint64_t h[65][2];
	size_t len, i;

	for (len = 0; len <= 64; len++) {
		h[len][0] = hash_bytes(bytes, len);
		for (i = 0; i < len; i++) {
			bytes[i] = 1;
			assert_int_not_equal((uint32_t)hash_bytes(bytes, len), (uint32_t)h[len][0]);
			bytes[i] = 0;
		}
		for (i = 0; i < len; i++)
			assert_int_not_equal(h[i][0], h[len][0]);
	}
	assert_int_equal(hash_bytes("abcdefgh1", 8), hash_bytes("abcdefgh2", 8));
}

/* Neighbouring numbers, as ids and addresses are, spread over the slots. */
static void test_hash_spreads(void **state)
{
	static uint32_t count[1024];
	uint64_t i, a, worst = 0;

	for (a = 0; a < 3; a++) {
		memset(count, 0, sizeof(count));
		for (i = 0; i < 65536; i++)
			count[hash_u64(a == 0 ? i : 5, a == 1 ? i : i << 12) % 1024]++;
		for (i = 0; i < 1024; i++)
			worst = count[i] > worst ? count[i] : worst;
	}
	assert_in_range(worst, 64, 128); /* 64 on average; deviation 8 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_hashes),	     cmocka_unit_test(test_bad_hashes),
		cmocka_unit_test(test_wraps_around),	     cmocka_unit_test(test_empty),
		cmocka_unit_test(test_hash_sees_every_byte), cmocka_unit_test(test_hash_spreads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
