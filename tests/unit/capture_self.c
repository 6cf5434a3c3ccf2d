/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "capture/self.h"

static volatile uint32_t tgid[WIRE_MAX_SELF];

static int setup(void **state)
{
	static struct self s;
	int i;

	for (i = 0; i < WIRE_MAX_SELF; i++)
		tgid[i] = 0;
	self_open(&s, tgid, 1000);
	*state = &s;
	return 0;
}

static int places_of(uint32_t pid)
{
	int i, n = 0;

	for (i = 0; i < WIRE_MAX_SELF; i++)
		n += tgid[i] == pid;
	return n;
}

/* It stays until its last switch has been read, and then its number is anybody's. */
static void a_dead_worker_is_forgotten(void **state)
{
	struct self *s = *state;

	self_add(s, 1);
	self_add(s, 2);
	self_ended(s, 1);
	self_drained(s);
	assert_int_equal(places_of(1), 1);
	self_drained(s);
	assert_int_equal(places_of(1), 0);
	self_drained(s);
	assert_int_equal(places_of(2), 1);
	assert_int_equal(places_of(1000), 1);
	assert_int_equal(places_of(0), WIRE_MAX_SELF - 2);
}

/* A number that comes again, before the one that had it is forgotten. */
static void a_number_comes_again(void **state)
{
	struct self *s = *state;

	self_add(s, 1);
	self_ended(s, 1);
	self_drained(s);
	self_add(s, 1);
	self_drained(s);
	assert_int_equal(places_of(1), 1);
	self_ended(s, 1);
	self_drained(s);
	self_drained(s);
	assert_int_equal(places_of(1), 0);
}

/* Whatever dies, who lives keeps its place. */
static void many_deaths(void **state)
{
	struct self *s = *state;
	uint32_t i;

	self_add(s, 7);
	self_writer(s, 8);
	for (i = 0; i < 100; i++) {
		self_add(s, (pid_t)(100 + i));
		self_ended(s, (pid_t)(100 + i));
	}
	assert_int_equal(places_of(7), 1);
	assert_int_equal(places_of(8), 1);
	assert_int_equal(places_of(1000), 1);
	assert_int_equal(places_of(199), 1);
	self_drained(s);
	self_drained(s);
	assert_int_equal(places_of(0), WIRE_MAX_SELF - 3);
	self_writer(s, 0);
	assert_int_equal(places_of(8), 0);
}

/* More than there are places for: the latest are known. */
static void many_that_live(void **state)
{
	struct self *s = *state;
	uint32_t i;

	for (i = 0; i < 40; i++)
		self_add(s, (pid_t)(100 + i));
	for (i = 40 - (WIRE_MAX_SELF - 2); i < 40; i++)
		assert_int_equal(places_of(100 + i), 1);
	assert_int_equal(places_of(1000), 1);
	assert_int_equal(tgid[WIRE_MAX_SELF - 1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_dead_worker_is_forgotten, setup),
		cmocka_unit_test_setup(a_number_comes_again, setup),
		cmocka_unit_test_setup(many_deaths, setup),
		cmocka_unit_test_setup(many_that_live, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
