/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of other producers, and files that nobody should make. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "pprof_bytes.h"

/* Two samples main;leaf (3) and main (4); samples before what they refer to, ids out of order. */
static void small_file(struct buf *b)
{
	struct buf m = { 0 };

	PB_MESSAGE(b, 1, 1, S_CPU, 2, S_NS);
	/* packed as the format says */
	pb_bytes(&m, 1, "\x07\xc8\x01", 3);
	pb_bytes(&m, 2, "\x03", 1);
	pb_bytes(b, 2, buf_text(&m), m.len);
	buf_done(&m);
	/* one by one as it allows */
	PB_MESSAGE(b, 2, 1, 200, 2, 4);
	PB_MESSAGE(b, 3, 1, 900, 2, 0x1000, 3, 0x2000, 5, S_FILE, 7, 1);
	PB_MESSAGE(b, 5, 1, 70, 2, S_MAIN);
	PB_MESSAGE(b, 5, 1, 3, 3, S_LEAF);
	pb_number(&m, 1, 7);
	pb_number(&m, 2, 900);
	pb_number(&m, 3, 0x1010);
	PB_MESSAGE(&m, 4, 1, 3, 2, 55);
	pb_bytes(b, 4, buf_text(&m), m.len);
	buf_clear(&m);
	pb_number(&m, 1, 200);
	PB_MESSAGE(&m, 4, 1, 70);
	pb_bytes(b, 4, buf_text(&m), m.len);
	buf_done(&m);
	pb_strings(b);
}

static const char *leaf_name(const struct profile *p, size_t sample)
{
	static char text[64];

	return profile_frame_name(p, p->stacks[p->samples[sample].stack].frame, 0, text, sizeof(text));
}

static void assert_small(const struct profile *p)
{
	assert_int_equal(p->nr_columns, 1);
	assert_string_equal(profile_str(p, p->column[0].unit), "nanoseconds");
	assert_int_equal(p->nr_samples, 2);
	assert_int_equal(profile_values(p, 0)[0], 3);
	assert_int_equal(profile_values(p, 1)[0], 4);
	assert_string_equal(leaf_name(p, 0), "leaf");
	assert_string_equal(leaf_name(p, 1), "main");
	assert_int_equal(p->stacks[p->samples[0].stack].parent, p->samples[1].stack);
	assert_int_equal(p->nr_mappings, 2);
	assert_true(p->mappings[1].has_functions);
	assert_false(p->ledger.present);
}

static void test_plain_and_unordered(void **state)
{
	struct buf b = { 0 };
	struct profile *p = NULL;

	small_file(&b);
	assert_int_equal(read_buf(&b, &p), 0);
	assert_small(p);
	profile_free(p);
	buf_done(&b);
}

static void test_unknown_fields(void **state)
{
	struct buf b = { 0 };
	struct profile *p = NULL;

	pb_number(&b, 16, UINT64_MAX);
	pb_text(&b, 5000, "later invention");
	pb_varint(&b, 17 << 3 | 1);
	buf_put(&b, "12345678", 8);
	pb_varint(&b, 18 << 3 | 5);
	buf_put(&b, "1234", 4);
	small_file(&b);
	assert_int_equal(read_buf(&b, &p), 0);
	assert_small(p);
	profile_free(p);
	buf_done(&b);
}

static void test_gzip_members(void **state)
{
	struct buf b = { 0 }, gz = { 0 };
	struct profile *p = NULL;
	size_t third;

	small_file(&b);
	third = b.len / 3;
	gzip_member(&gz, b.data, third);
	gzip_member(&gz, b.data, 0);
	gzip_member(&gz, b.data + third, b.len - third);
	assert_int_equal(read_buf(&gz, &p), 0);
	assert_small(p);
	profile_free(p);
	/* what follows must be a member too */
	buf_puts(&gz, "trailer");
	p = NULL;
	assert_int_equal(read_buf(&gz, &p), -EBADMSG);
	assert_null(p);
	buf_done(&b);
	buf_done(&gz);
}

/* A file cut anywhere is refused with its size, or (between two fields) lacks what is referred to. */
static void test_truncated_everywhere(void **state)
{
	struct buf b = { 0 }, gz = { 0 };
	struct profile *p = NULL;
	char size[64];

	small_file(&b);
	gzip_member(&gz, b.data, b.len);
	for (size_t len = 0; len < b.len; len++) {
		assert_true(read_bytes(b.data, len, &p) < 0);
		assert_null(p);
		assert_int_equal(strncmp(error_text(), "x.pb.gz: ", 9), 0);
	}
	for (size_t len = 2; len < gz.len; len++) {
		assert_int_equal(read_bytes(gz.data, len, &p), -ENODATA);
		assert_null(p);
		snprintf(size, sizeof(size), "after %zu bytes", len);
		assert_non_null(strstr(error_text(), size));
		assert_non_null(strstr(error_text(), "nothing was read"));
	}
	buf_done(&b);
	buf_done(&gz);
}

/* No bit that is wrong leads to a crash; a gzip file's are all found by its checksum. */
static void test_flipped_bits(void **state)
{
	struct buf b = { 0 }, gz = { 0 };

	small_file(&b);
	gzip_member(&gz, b.data, b.len);
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		struct profile *p = NULL;

		b.data[bit / 8] ^= (char)(1 << bit % 8);
		if (!read_buf(&b, &p))
			assert_int_equal(profile_check(p), 0);
		profile_free(p);
		b.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t bit = 10 * 8; bit < gz.len * 8; bit++) {
		struct profile *p = NULL;

		gz.data[bit / 8] ^= (char)(1 << bit % 8);
		assert_true(read_buf(&gz, &p) < 0);
		gz.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	buf_done(&b);
	buf_done(&gz);
}

static void expect_refusal(const struct buf *b, int err, const char *text)
{
	struct profile *p = NULL;

	assert_int_equal(read_buf(b, &p), err);
	assert_null(p);
	if (!strstr(error_text(), text))
		assert_string_equal(error_text(), text);
}

/* small_file() and one more message, made of numbers. */
static void expect_bad_message(uint32_t field, const uint64_t *pairs, const char *text)
{
	struct buf b = { 0 };

	small_file(&b);
	pb_message(&b, field, pairs);
	expect_refusal(&b, -EBADMSG, text);
	buf_done(&b);
}

#define BAD(text, field, ...) expect_bad_message(field, (const uint64_t[]){ __VA_ARGS__, 0 }, text)

static void test_bad_references(void **state)
{
	BAD("location 8,", 2, 1, 8, 2, 1);
	BAD("location 0,", 2, 1, 0, 2, 1);
	BAD("0 values", 2, 1, 7);
	BAD("2 values", 2, 1, 7, 2, 1, 2, 1);
	BAD("id 0", 3, 5, S_FILE);
	BAD("two mappings have id 900", 3, 1, 900);
	BAD("two locations have id 7", 4, 1, 7);
	BAD("two functions have id 3", 5, 1, 3);
	BAD("mapping 77,", 4, 1, 8, 2, 77);
	BAD("string 6,", 5, 1, 8, 2, 6);
	BAD("string 18446744073709551615,", 5, 1, 8, 4, UINT64_MAX);
	BAD("string 9,", 3, 1, 8, 5, 9);
	BAD("string 9,", 1, 1, 9);
	BAD("string 9,", 11, 2, 9);
	BAD("ends before it begins", 3, 1, 8, 2, 20, 3, 10);
}

static void test_bad_numbers_of_the_top(void **state)
{
	static const uint32_t fields[] = { 13, 14, 15 };

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		struct buf b = { 0 };

		small_file(&b);
		pb_number(&b, fields[i], 6);
		expect_refusal(&b, -EBADMSG, "string 6,");
		buf_done(&b);
	}
}

static void test_not_pprof(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int err;
		const char *text;
	} files[] = {
		{ "", 0, -ENODATA, "empty" },
		{ "main;work 12\n", 13, -EBADMSG, "not a pprof profile" },
		{ "\x7f" "ELF\2\1\1", 7, -EBADMSG, "not a pprof profile (field 15 of type 7" },
		{ "{\"schema\":1}", 12, -EBADMSG, "not a pprof profile" },
		{ "PERFILE2", 8, -EBADMSG, "not a pprof profile" },
		{ "\x00\x00\x00", 3, -EBADMSG, "field 0" },
		{ "\x32\x00", 2, -EBADMSG, "no sample types" },
		{ "\x0a\x00", 2, -EBADMSG, "no strings" },
		{ "\x32\x01x", 3, -EBADMSG, "first string is not empty" },
		{ "\x0a\x80\x80\x80\x80\x10", 6, -EFBIG, "beyond the limit" },
		{ "\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11, -EBADMSG, "no number at byte" },
		{ "\x1f\x8b\x08\x00 a gzip file, but no deflate", 32, -EBADMSG, "damaged gzip data" },
		{ "\x0a\x02\x08\xff\x32\x00", 6, -EBADMSG, "damaged ValueType 1" },
		{ "\x6a\x02\x80\x80\x01", 5, -EBADMSG, "damaged comments" },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct buf b = { 0 };

		buf_put(&b, files[i].bytes, files[i].len);
		expect_refusal(&b, files[i].err, files[i].text);
		buf_done(&b);
	}
}

static void test_many_columns_and_labels(void **state)
{
	struct buf b = { 0 }, m = { 0 };

	for (int i = 0; i <= PROFILE_MAX_COLUMNS; i++)
		PB_MESSAGE(&b, 1, 1, S_CPU, 2, S_NS);
	pb_strings(&b);
	expect_refusal(&b, -E2BIG, "32 value columns");
	buf_done(&b);
	small_file(&b);
	pb_number(&m, 2, 1);
	for (int i = 0; i <= FORMAT_MAX_LABELS; i++)
		PB_MESSAGE(&m, 3, 1, S_CPU, 3, 9);
	pb_bytes(&b, 2, m.data, m.len);
	expect_refusal(&b, -EFBIG, "labels");
	buf_done(&b);
	buf_done(&m);
}

/* A message that would take far more memory than its bytes is refused before it takes it. */
static void test_swelling_message(void **state)
{
	struct buf b = { 0 }, m = { 0 };

	small_file(&b);
	while (m.len < FORMAT_MAX_MESSAGE)
		buf_put(&m, "\x1a\x00", 2);
	pb_bytes(&b, 2, m.data, m.len);
	expect_refusal(&b, -EBADMSG, "damaged Sample 3");
	buf_done(&b);
	buf_done(&m);
}

/* The deepest frames stay, and the root says that there were more. */
static void test_deep_stack(void **state)
{
	struct buf b = { 0 }, ids = { 0 }, m = { 0 };
	struct profile *p = NULL;
	uint32_t s;

	small_file(&b);
	for (int i = 0; i < PROFILE_MAX_DEPTH; i++)
		pb_varint(&ids, 200);
	pb_varint(&ids, 7);
	pb_bytes(&m, 1, ids.data, ids.len);
	pb_number(&m, 2, 1);
	pb_bytes(&b, 2, m.data, m.len);
	assert_int_equal(read_buf(&b, &p), 0);
	s = p->samples[2].stack;
	assert_int_equal(p->stacks[s].depth, PROFILE_MAX_DEPTH);
	assert_string_equal(leaf_name(p, 2), "main");
	while (p->stacks[s].parent)
		s = p->stacks[s].parent;
	assert_int_equal(p->mappings[p->frames[p->stacks[s].frame].mapping].kind, MAPPING_SPECIAL);
	profile_free(p);
	buf_done(&b);
	buf_done(&ids);
	buf_done(&m);
}

static void test_hostile_names(void **state)
{
	static const char evil[] = "\x1b[2J\xe2\x80\xae evil\n\xff</script>";
	struct buf b = { 0 };
	struct profile *p = NULL;
	size_t len = FORMAT_MAX_STRING + 100;
	autofree char *longest = xmalloc(len);

	memset(longest, 'x', len);
	small_file(&b);
	pb_bytes(&b, 6, evil, sizeof(evil));	/* string 6, with a NUL at its end */
	pb_bytes(&b, 6, longest, len);		/* 7 */
	PB_MESSAGE(&b, 5, 1, 8, 2, 6, 4, 7);
	assert_int_equal(read_buf(&b, &p), 0);
	assert_string_equal(profile_str(p, p->functions[3].name),
			    "\xef\xbf\xbd[2J\xef\xbf\xbd evil\xef\xbf\xbd\xef\xbf\xbd</script>\xef\xbf\xbd");
	assert_int_equal(strlen(profile_str(p, p->functions[3].file)), FORMAT_MAX_STRING);
	profile_free(p);
	buf_done(&b);
}

static void test_default_column(void **state)
{
	struct buf b = { 0 };
	struct profile *p = NULL;

	PB_MESSAGE(&b, 1, 1, S_MAIN, 2, S_LEAF);
	PB_MESSAGE(&b, 1, 1, S_CPU, 2, S_NS);
	pb_strings(&b);
	assert_int_equal(read_buf(&b, &p), 0);
	assert_int_equal(p->default_column, 1);		/* the last one, where nothing is said */
	profile_free(p);
	pb_number(&b, 14, S_MAIN);
	assert_int_equal(read_buf(&b, &p), 0);
	assert_int_equal(p->default_column, 0);
	profile_free(p);
	buf_done(&b);
}

/* Addresses without any mapping, and lines without a name, are shown as addresses. */
static void test_nameless(void **state)
{
	struct buf b = { 0 }, m = { 0 };
	struct profile *p = NULL;

	small_file(&b);
	PB_MESSAGE(&b, 5, 1, 8);
	pb_number(&m, 1, 8);
	pb_number(&m, 3, 0xabc);
	PB_MESSAGE(&m, 4, 1, 8);
	PB_MESSAGE(&m, 4, 2, 9);
	pb_bytes(&b, 4, m.data, m.len);
	PB_MESSAGE(&b, 2, 1, 8, 2, 1);
	assert_int_equal(read_buf(&b, &p), 0);
	assert_string_equal(leaf_name(p, 2), "0xabc");
	profile_free(p);
	buf_done(&b);
	buf_done(&m);
}

static void test_directory(void **state)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct profile *p = NULL;

	assert_int_equal(pprof_read(fd, "/", &p), -EISDIR);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_and_unordered),
		cmocka_unit_test(test_unknown_fields),
		cmocka_unit_test(test_gzip_members),
		cmocka_unit_test(test_truncated_everywhere),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_bad_references),
		cmocka_unit_test(test_bad_numbers_of_the_top),
		cmocka_unit_test(test_not_pprof),
		cmocka_unit_test(test_many_columns_and_labels),
		cmocka_unit_test(test_swelling_message),
		cmocka_unit_test(test_deep_stack),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_default_column),
		cmocka_unit_test(test_nameless),
		cmocka_unit_test(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
