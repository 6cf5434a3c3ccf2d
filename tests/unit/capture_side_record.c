/* SPDX-License-Identifier: BSD-2-Clause */
/* Records as the kernel writes them, made by hand, and what is none. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "capture/side_record.h"

/* Words of 8 bytes; the last of a record is its time. */
struct bytes {
	union {
		struct perf_event_header h;
		uint64_t word[64];
		uint32_t half[128];
		char c[512];
	};
};

static struct bytes record(uint32_t type, uint16_t misc, uint16_t size)
{
	struct bytes b = { 0 };

	b.h = (struct perf_event_header){ .type = type, .misc = misc, .size = size };
	b.word[size / 8 - 1] = 4711;
	return b;
}

static struct bytes mmap2(uint32_t prot, const char *path)
{
	size_t len = (strlen(path) + 8) & ~(size_t)7;
	struct bytes b = record(PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER, (uint16_t)(72 + len + 8));

	b.half[2] = 100;
	b.half[3] = 101;
	b.word[2] = 0x7000;
	b.word[3] = 0x3000;
	b.word[4] = 0x1000;
	b.half[10] = 254;
	b.half[11] = 3;
	b.word[6] = 12345;
	b.word[7] = 9;
	b.half[16] = prot;
	b.half[17] = 2;
	strcpy(&b.c[72], path);
	return b;
}

/* Parses a copy that ends where the record does, so that ASan sees what is read beyond. */
static int parse(struct side_record *out, const struct bytes *b)
{
	void *copy = malloc(b->h.size);
	int r;

	memcpy(copy, b, b->h.size);
	r = side_record_parse(out, copy);
	if (!r && out->kind == SIDE_MMAP)
		out->map.path = b->c + ((const char *)out->map.path - (const char *)copy);
	free(copy);
	return r;
}

static void a_mapping(void **state)
{
	struct bytes b = mmap2(PROT_READ | PROT_EXEC, "/usr/lib/libx.so");
	struct side_record r;

	assert_int_equal(parse(&r, &b), 0);
	assert_int_equal(r.kind, SIDE_MMAP);
	assert_int_equal(r.pid, 100);
	assert_int_equal(r.tid, 101);
	assert_int_equal(r.time, 4711);
	assert_int_equal(r.map.start, 0x7000);
	assert_int_equal(r.map.end, 0xa000);
	assert_int_equal(r.map.offset, 0x1000);
	assert_int_equal(r.map.dev_major, 254);
	assert_int_equal(r.map.dev_minor, 3);
	assert_int_equal(r.map.inode, 12345);
	assert_string_equal(r.map.path, "/usr/lib/libx.so");
}

static void mappings_of_no_interest(void **state)
{
	struct bytes b = mmap2(PROT_READ, "/usr/lib/libx.so");
	struct side_record r;

	assert_int_equal(parse(&r, &b), 0);
	assert_int_equal(r.kind, SIDE_OTHER);
	b = mmap2(PROT_EXEC, "/usr/lib/libx.so");
	b.h.misc |= PERF_RECORD_MISC_MMAP_BUILD_ID;
	assert_int_equal(parse(&r, &b), 0);
	assert_int_equal(r.kind, SIDE_OTHER);
	b = mmap2(PROT_EXEC, "/usr/lib/libx.so");
	b.word[3] = UINT64_MAX;		/* goes round the end of memory */
	assert_int_equal(parse(&r, &b), 0);
	assert_int_equal(r.kind, SIDE_OTHER);
}

static void a_path_without_an_end(void **state)
{
	struct bytes b = mmap2(PROT_EXEC, "/usr/lib/libx.so");
	struct side_record r;

	memset(&b.c[72], 'x', b.h.size - 8u - 72);
	assert_int_equal(parse(&r, &b), -EBADMSG);
	b.h.size = 72;			/* no room for a path */
	assert_int_equal(parse(&r, &b), -EBADMSG);
}

static struct bytes task(uint32_t type, uint32_t pid, uint32_t ppid, uint32_t tid)
{
	struct bytes b = record(type, 0, 40);

	b.half[2] = pid;
	b.half[3] = ppid;
	b.half[4] = tid;
	b.half[5] = ppid;
	b.word[3] = 4710;
	return b;
}

static void tasks(void **state)
{
	struct bytes b = task(PERF_RECORD_FORK, 100, 7, 100);
	struct side_record r;

	assert_int_equal(parse(&r, &b), 0);
	assert_int_equal(r.kind, SIDE_FORK);
	assert_int_equal(r.pid, 100);
	assert_int_equal(r.parent, 7);
	assert_int_equal(r.time, 4710);
	b = task(PERF_RECORD_EXIT, 100, 7, 105);
	assert_int_equal(parse(&r, &b), 0);
	assert_int_equal(r.kind, SIDE_EXIT);
	assert_int_equal(r.tid, 105);
	b.h.size = 32;
	assert_int_equal(parse(&r, &b), -EBADMSG);
}

static void only_names_by_exec_count(void **state)
{
	struct bytes b = record(PERF_RECORD_COMM, 0, 40);
	struct side_record r;

	b.half[2] = 100;
	b.half[3] = 100;
	strcpy(&b.c[16], "name");
	assert_int_equal(parse(&r, &b), 0);
	assert_int_equal(r.kind, SIDE_OTHER);
	b.h.misc = PERF_RECORD_MISC_COMM_EXEC;
	assert_int_equal(parse(&r, &b), 0);
	assert_int_equal(r.kind, SIDE_EXEC);
	assert_int_equal(r.pid, 100);
	assert_int_equal(r.time, 4711);
	b.h.size = 16;
	assert_int_equal(parse(&r, &b), -EBADMSG);
}

static void losses(void **state)
{
	struct bytes b = record(PERF_RECORD_LOST, 0, 32);
	struct side_record r;

	b.word[2] = 12;
	assert_int_equal(parse(&r, &b), 0);
	assert_int_equal(r.kind, SIDE_LOST);
	assert_int_equal(r.lost, 12);
	b.h.size = 24;
	assert_int_equal(parse(&r, &b), -EBADMSG);
}

static void unknown_kinds_pass(void **state)
{
	struct bytes b = record(PERF_RECORD_THROTTLE, 0, 40);
	struct side_record r;

	assert_int_equal(parse(&r, &b), 0);
	assert_int_equal(r.kind, SIDE_OTHER);
	b.h.type = 0xffffffff;
	assert_int_equal(parse(&r, &b), 0);
	b.h.size = 8;
	assert_int_equal(parse(&r, &b), -EBADMSG);
}

static void any_bytes(void **state)
{
	uint32_t seed = 3, i, k;
	struct side_record r;
	struct bytes b;

	for (i = 0; i < 200000; i++) {
		for (k = 0; k < 20; k++) {
			seed = seed * 1664525 + 1013904223;
			b.half[k] = seed >> 24 ? 0 : seed;
		}
		seed = seed * 1664525 + 1013904223;
		b.h.type = seed >> 28;
		b.h.size = (uint16_t)((seed >> 20 & 31) * 8 + 8);
		b.half[16] |= PROT_EXEC;
		if (!parse(&r, &b) && r.kind == SIDE_MMAP)
			assert_true(strlen(r.map.path) < b.h.size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping),
		cmocka_unit_test(mappings_of_no_interest),
		cmocka_unit_test(a_path_without_an_end),
		cmocka_unit_test(tasks),
		cmocka_unit_test(only_names_by_exec_count),
		cmocka_unit_test(losses),
		cmocka_unit_test(unknown_kinds_pass),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
