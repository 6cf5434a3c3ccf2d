/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "worker/answer.h"

#define TEXT "first\0second"

struct sound_body {
	struct answer_segment segment[1];
	struct answer_name name[2];
	char text[sizeof(TEXT)];
};

static const struct request_head request = { ANSWER_MAGIC, 7, 2 };
static const struct answer_head sound = {
	.magic = ANSWER_MAGIC,
	.seq = 7,
	.nr_symbols = 9,
	.nr_segments = 1,
	.nr_names = 2,
	.text_len = sizeof(TEXT),
	.build_id_len = 3,
	.build_id = { 0xab, 0, 0x1f },
};
static const struct sound_body sound_body = {
	{ { 0x1000, 0x2000, 0x401000 } },
	{ { 0x401010, 0x401000, 0, 6 }, { 5, 0, ANSWER_NONE, ANSWER_NONE } },
	TEXT,
};

/* What answer_decode() makes of this answer; the body is copied to memory that ends where it ends.
 */
static int decode(const struct answer_head *h, const struct sound_body *b, struct object_names *out)
{
	int64_t size = answer_body_size(h, &request);
	char *body;
	int err;

	if (size < 0)
		return (int)size;
	assert_true((size_t)size <= sizeof(*b));
	body = xmalloc((size_t)size);
	memcpy(body, b, (size_t)size);
	err = answer_decode(h, body, out);
	if (err)
		free(body);
	return err;
}

static void test_sound(void **state)
{
	struct object_names o = { 0 };

	assert_int_equal(answer_body_size(&sound, &request),
			 sizeof(struct answer_segment) + 2 * sizeof(struct answer_name) +
				 sizeof(TEXT));
	assert_int_equal(decode(&sound, &sound_body, &o), 0);
	assert_string_equal(o.build_id, "ab001f");
	assert_int_equal(o.nr_symbols, 9);
	assert_int_equal(o.nr_segments, 1);
	assert_int_equal(o.segment[0].offset, 0x1000);
	assert_int_equal(o.segment[0].size, 0x2000);
	assert_int_equal(o.segment[0].address, 0x401000);
	assert_int_equal(o.nr_names, 2);
	assert_string_equal(o.name[0].name, "first");
	assert_string_equal(o.name[0].system_name, "second");
	assert_int_equal(o.name[0].address, 0x401010);
	assert_int_equal(o.name[0].start, 0x401000);
	assert_null(o.name[1].name);
	assert_null(o.name[1].system_name);
	assert_int_equal(o.name[1].address, 5);
	object_names_done(&o);
}

static void test_reason(void **state)
{
	struct answer_head h = { .magic = ANSWER_MAGIC, .seq = 7, .err = -ENOEXEC, .text_len = 4 };

	assert_int_equal(answer_body_size(&h, &request), 4);
	assert_string_equal(answer_reason(&h, "why"), "why");
	assert_string_equal(answer_reason(&h, "whyy"), "worker gave no reason");
	assert_string_equal(answer_reason(&h, "\0hy"), "worker gave no reason");
	h.text_len = 0;
	assert_string_equal(answer_reason(&h, "why"), "worker gave no reason");
	h.nr_names = 1;
	assert_int_equal(answer_body_size(&h, &request), -EPROTO);
}

#define REFUSE_HEAD(field, value)                                           \
	do {                                                                \
		struct answer_head h_ = sound;                              \
		h_.field = (value);                                         \
		assert_int_equal(answer_body_size(&h_, &request), -EPROTO); \
		assert_string_not_equal(error_text(), "");                  \
	} while (0)

static void test_heads(void **state)
{
	REFUSE_HEAD(magic, 0);
	REFUSE_HEAD(seq, 6);
	REFUSE_HEAD(err, 1);
	REFUSE_HEAD(err, INT32_MIN);
	REFUSE_HEAD(err, -4096);
	REFUSE_HEAD(err, -EINVAL); /* with tables */
	REFUSE_HEAD(nr_names, 1);
	REFUSE_HEAD(nr_names, 3);
	REFUSE_HEAD(nr_names, UINT32_MAX);
	REFUSE_HEAD(nr_segments, ANSWER_MAX_SEGMENTS + 1);
	REFUSE_HEAD(text_len, ANSWER_MAX_TEXT + 1);
	REFUSE_HEAD(build_id_len, ANSWER_MAX_BUILD_ID + 1);
}

#define REFUSE_BODY(field, value)                                    \
	do {                                                         \
		struct sound_body b_ = sound_body;                   \
		struct object_names o_ = { .nr_names = 77 };         \
		b_.field = (value);                                  \
		assert_int_equal(decode(&sound, &b_, &o_), -EPROTO); \
		assert_int_equal(o_.nr_names, 77);                   \
	} while (0)

static void test_bodies(void **state)
{
	REFUSE_BODY(segment[0].size, UINT64_MAX);
	REFUSE_BODY(segment[0].offset, UINT64_MAX);
	REFUSE_BODY(segment[0].address, UINT64_MAX);
	REFUSE_BODY(name[0].name, sizeof(TEXT));
	REFUSE_BODY(name[0].system_name, sizeof(TEXT));
	REFUSE_BODY(name[0].name, ANSWER_NONE);
	REFUSE_BODY(name[0].system_name, ANSWER_NONE);
	REFUSE_BODY(name[0].start, 0x401011);
	REFUSE_BODY(name[1].name, 0);
	REFUSE_BODY(text[sizeof(TEXT) - 1], 'x');
}

/* Any bytes: refused, or of a shape in which all strings end inside the text. */
static void random_answer(uint64_t *x)
{
	struct answer_head h = sound;
	struct sound_body b = sound_body;
	unsigned char *bytes = (void *)&b;
	struct object_names o;
	size_t i;

	for (i = 0; i < 1 + *x % 4; i++) {
		*x ^= *x << 13;
		*x ^= *x >> 7;
		*x ^= *x << 17;
		bytes[*x % sizeof(b)] = (unsigned char)(*x >> 40);
	}
	if (*x % 5 == 0)
		h.text_len = (uint32_t)(*x >> 20) % (sizeof(TEXT) + 1);
	if (decode(&h, &b, &o))
		return;
	for (i = 0; i < o.nr_names; i++) {
		if (o.name[i].name)
			assert_true(strlen(o.name[i].name) + strlen(o.name[i].system_name) <
				    2 * sizeof(TEXT));
	}
	object_names_done(&o);
}

static void test_random(void **state)
{
	uint64_t x = 88172645463325252ull;
	int i;

	for (i = 0; i < 20000; i++)
		random_answer(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),  cmocka_unit_test(test_reason),
		cmocka_unit_test(test_heads),  cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
