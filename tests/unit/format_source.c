/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "format/source.h"
#include "pprof_bytes.h"

static struct source *open_bytes(const void *p, size_t len, int *fd)
{
	struct source *s = NULL;

	*fd = file_of(p, len);
	assert_int_equal(source_new(&s, *fd, "x"), 0);
	return s;
}

static void test_varints(void **state)
{
	static const uint64_t numbers[] = {
		0, 1, 127, 128, 300, UINT32_MAX, 1ull << 62, (1ull << 63) - 1, 1ull << 63, UINT64_MAX,
	};
	struct buf b = { 0 };
	struct source *s;
	uint64_t n;
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		pb_varint(&b, numbers[i]);
	buf_put(&b, "\x80\x00", 2);	/* longer than need be */
	s = open_bytes(b.data, b.len, &fd);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		assert_int_equal(source_varint(s, &n), 0);
		assert_true(n == numbers[i]);
	}
	assert_int_equal(source_varint(s, &n), 0);
	assert_true(n == 0);
	assert_int_equal(source_at_end(s), 1);
	assert_int_equal(source_offset(s), b.len);
	source_free(s);
	close(fd);
	buf_done(&b);
}

static void test_bad_varints(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int err;
	} bad[] = {
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, -EBADMSG },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11, -EBADMSG },
		{ "\x80", 1, -ENODATA },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint64_t n = 42;
		int fd;
		struct source *s = open_bytes(bad[i].bytes, bad[i].len, &fd);

		assert_int_equal(source_varint(s, &n), bad[i].err);
		assert_true(n == 42);
		source_free(s);
		close(fd);
	}
}

/* A pipe hands out what it has: here byte by byte. */
static int slow_pipe(const char *p, size_t len)
{
	int fd[2];
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		while (len-- && write(fd[1], p++, 1) == 1)
			usleep(100);
		_exit(0);
	}
	close(fd[1]);
	return fd[0];
}

static void test_pipe(void **state)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog";
	struct buf gz = { 0 };
	char got[sizeof(text)];
	struct source *s;
	int fd;

	gzip_member(&gz, text, 20);
	gzip_member(&gz, text + 20, sizeof(text) - 20);
	fd = slow_pipe(gz.data, gz.len);
	assert_int_equal(source_new(&s, fd, "pipe"), 0);
	assert_int_equal(source_read(s, got, 10), 0);
	assert_int_equal(source_skip(s, 5), 0);
	assert_int_equal(source_read(s, got + 15, sizeof(text) - 15), 0);
	assert_memory_equal(got, text, 10);
	assert_memory_equal(got + 15, text + 15, sizeof(text) - 15);
	assert_int_equal(source_at_end(s), 1);
	assert_int_equal(source_read(s, got, 1), -ENODATA);
	source_free(s);
	close(fd);
	wait(NULL);
	buf_done(&gz);
}

/* 40 members of 64 MiB of zeros each: 2.5 GiB in 2.5 MB. */
static void test_bomb(void **state)
{
	size_t len = 64 << 20;
	autofree char *zeros = calloc(1, len);
	struct buf gz = { 0 }, bomb = { 0 };
	struct source *s;
	int fd, err = 0;

	gzip_member(&gz, zeros, len);
	for (int i = 0; i < 40; i++)
		buf_put(&bomb, gz.data, gz.len);
	s = open_bytes(bomb.data, bomb.len, &fd);
	for (int i = 0; i < 40 && !err; i++)
		err = source_skip(s, len);
	assert_int_equal(err, -EFBIG);
	assert_non_null(strstr(error_text(), "2048 MiB"));
	assert_true(source_offset(s) <= FORMAT_MAX_INFLATED);
	source_free(s);
	close(fd);
	buf_done(&gz);
	buf_done(&bomb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_varints),
		cmocka_unit_test(test_bad_varints),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_bomb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
