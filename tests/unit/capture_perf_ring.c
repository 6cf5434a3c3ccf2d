/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring in plain memory, written to as the kernel does. */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "capture/perf_ring.h"

#define SIZE 4096u

struct fixture {
	struct perf_event_mmap_page page;
	struct perf_ring ring;
	uint8_t *data;			/* SIZE bytes and no more, for ASan */
	uint8_t next;			/* what the next record is filled with */
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->data = xcalloc(1, SIZE);
	perf_ring_init(&f->ring, &f->page, f->data, SIZE);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	perf_ring_done(&f->ring);
	free(f->data);
	free(f);
	return 0;
}

static void put(struct fixture *f, const void *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		f->data[(f->page.data_head + i) % SIZE] = ((const uint8_t *)p)[i];
	f->page.data_head += len;
}

/* False: there is no room. */
static bool write_record(struct fixture *f, uint16_t size)
{
	uint8_t bytes[SIZE];
	struct perf_event_header h = { .type = 77, .size = size };

	if (f->page.data_head - f->page.data_tail + size > SIZE)
		return false;
	memset(bytes, ++f->next, size);
	memcpy(bytes, &h, sizeof(h));
	put(f, bytes, size);
	return true;
}

static void assert_record(struct fixture *f, uint16_t size, uint8_t filler)
{
	const struct perf_event_header *h;
	uint16_t i;

	assert_int_equal(perf_ring_peek(&f->ring, &h), 0);
	assert_non_null(h);
	assert_int_equal(h->type, 77);
	assert_int_equal(h->size, size);
	assert_int_equal((uintptr_t)h % 8, 0);
	for (i = sizeof(*h); i < size; i++)
		assert_int_equal(((const uint8_t *)h)[i], filler);
}

static void assert_end(struct fixture *f)
{
	const struct perf_event_header *h;

	assert_int_equal(perf_ring_peek(&f->ring, &h), 0);
	assert_null(h);
}

static void records_come_in_order(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(perf_ring_begin(&f->ring), 0);
	assert_end(f);
	write_record(f, 40);
	write_record(f, 8);
	assert_end(f);			/* written after the beginning */
	assert_int_equal(perf_ring_begin(&f->ring), 0);
	assert_record(f, 40, 1);
	assert_record(f, 40, 1);	/* a look takes nothing away */
	assert_int_equal(f->page.data_tail, 0);
	perf_ring_next(&f->ring);
	assert_int_equal(f->page.data_tail, 40);
	assert_record(f, 8, 2);
	perf_ring_next(&f->ring);
	assert_end(f);
	assert_int_equal(f->page.data_tail, 48);
}

/* Many times round, with records of all sizes over the end. */
static void records_go_round_the_end(void **state)
{
	struct fixture *f = *state;
	uint16_t size[16];
	uint32_t seed = 1;
	int round, n, i;
	uint8_t first;

	for (round = 0; round < 5000; round++) {
		first = (uint8_t)(f->next + 1);
		for (n = 0; n < 16; n++) {
			seed = seed * 1664525 + 1013904223;
			size[n] = (uint16_t)(8 + (seed >> 20) % 120 * 8);
			if (!write_record(f, size[n]))
				break;
		}
		assert_int_equal(perf_ring_begin(&f->ring), 0);
		for (i = 0; i < n; i++) {
			assert_record(f, size[i], (uint8_t)(first + i));
			perf_ring_next(&f->ring);
		}
		assert_end(f);
	}
	assert_true(f->page.data_tail > 1000 * SIZE);
}

static void a_record_as_large_as_the_ring(void **state)
{
	struct fixture *f = *state;

	write_record(f, 16);
	assert_int_equal(perf_ring_begin(&f->ring), 0);
	assert_record(f, 16, 1);
	perf_ring_next(&f->ring);
	assert_true(write_record(f, SIZE));
	assert_int_equal(perf_ring_begin(&f->ring), 0);
	assert_record(f, SIZE, 2);
	perf_ring_next(&f->ring);
	assert_end(f);
}

static void sizes_that_cannot_be(void **state)
{
	static const uint16_t bad[] = { 0, 4, 7, 12, 17, 48, 4096, 65535 };
	struct fixture *f = *state;
	const struct perf_event_header *h;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		struct perf_event_header header = { .type = 77, .size = bad[i] };

		put(f, &header, sizeof(header));
		put(f, "12345678901234567890123456789012", 32);
		assert_int_equal(perf_ring_begin(&f->ring), 0);
		assert_int_equal(perf_ring_peek(&f->ring, &h), -EBADMSG);
		assert_null(h);
		/* all of it is skipped, and what comes then is read again */
		assert_int_equal(f->page.data_tail, f->page.data_head);
		perf_ring_next(&f->ring);
		assert_int_equal(f->page.data_tail, f->page.data_head);
		write_record(f, 64);
		assert_int_equal(perf_ring_begin(&f->ring), 0);
		assert_record(f, 64, f->next);
		perf_ring_next(&f->ring);
	}
}

static void heads_that_cannot_be(void **state)
{
	struct fixture *f = *state;
	const struct perf_event_header *h;

	write_record(f, 64);
	f->page.data_head += SIZE;
	assert_int_equal(perf_ring_begin(&f->ring), -EBADMSG);
	assert_end(f);
	/* backwards */
	f->page.data_head -= 8;
	assert_int_equal(perf_ring_begin(&f->ring), -EBADMSG);
	assert_end(f);
	/* in the middle of a word */
	f->page.data_head += 4;
	assert_int_equal(perf_ring_begin(&f->ring), 0);
	assert_int_equal(perf_ring_peek(&f->ring, &h), -EBADMSG);
	f->page.data_head += 64;
	assert_int_equal(perf_ring_begin(&f->ring), 0);
	assert_int_equal(perf_ring_peek(&f->ring, &h), -EBADMSG);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(records_come_in_order),
		T(records_go_round_the_end),
		T(a_record_as_large_as_the_ring),
		T(sizes_that_cannot_be),
		T(heads_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
