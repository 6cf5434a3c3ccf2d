/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of files that are made, written to and replaced under the table's eyes. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proc/object.h"
#include "proc/open.h"

#define SECOND NSEC_PER_SEC
#define NOBODY 0x7ffffff0		/* a pid that nobody has */

struct fixture {
	struct objects *os;
	char path[64];
	struct exec_map map;
};

static const struct object_owner nobody = { NOBODY, 0, 1 };

/* A mapping of the file as it is now. */
static void map_file(struct fixture *f)
{
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	f->map = (struct exec_map){ .start = 0x1000,
				    .end = 0x2000,
				    .dev_major = major(st.st_dev),
				    .dev_minor = minor(st.st_dev),
				    .inode = st.st_ino,
				    .path = f->path };
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	int fd;

	f->os = objects_new();
	strcpy(f->path, "/tmp/dwell-object.XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	map_file(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	objects_free(f->os);
	free(f);
	return 0;
}

static void write_file(const struct fixture *f, const char *text)
{
	int fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void a_file_is_one_object(void **state)
{
	struct fixture *f = *state;
	uint32_t id = objects_of(f->os, &nobody, &f->map, SECOND);

	assert_true(objects_get(f->os, id)->fd >= 0);
	f->map.start += 0x10000;
	f->map.end += 0x10000;
	assert_int_equal(objects_of(f->os, &nobody, &f->map, 100 * SECOND), id);
	assert_int_equal(objects_count(f->os), 1);
}

static void a_file_that_was_written_to_is_another(void **state)
{
	struct fixture *f = *state;
	uint32_t id = objects_of(f->os, &nobody, &f->map, SECOND), other;

	write_file(f, "new");
	/* it is not looked at each time */
	assert_int_equal(objects_of(f->os, &nobody, &f->map, SECOND + SECOND / 2), id);
	other = objects_of(f->os, &nobody, &f->map, 5 * SECOND);
	assert_int_not_equal(other, id);
	assert_true(objects_get(f->os, id)->changed);
	assert_false(objects_get(f->os, other)->changed);
	assert_int_equal(objects_get(f->os, other)->size, 3);
	assert_int_equal(objects_of(f->os, &nobody, &f->map, 10 * SECOND), other);
}

/* The same size, another time. */
static void a_file_of_another_time_is_another(void **state)
{
	struct fixture *f = *state;
	uint32_t id = objects_of(f->os, &nobody, &f->map, SECOND);
	struct timespec t[2] = { { 1000, 0 }, { 1000, 7 } };

	assert_int_equal(utimensat(AT_FDCWD, f->path, t, 0), 0);
	assert_int_not_equal(objects_of(f->os, &nobody, &f->map, 5 * SECOND), id);
}

static void a_replaced_file_has_another_inode(void **state)
{
	struct fixture *f = *state;
	uint32_t id = objects_of(f->os, &nobody, &f->map, SECOND);
	const char *reason;
	struct exec_map former = f->map;

	/* while the table has it open no new file gets its inode */
	assert_int_equal(unlink(f->path), 0);
	write_file(f, "new");
	map_file(f);
	assert_int_not_equal(f->map.inode, former.inode);
	assert_int_not_equal(objects_of(f->os, &nobody, &f->map, SECOND), id);
	/* by its path the former one is not found any more */
	assert_int_equal(open_mapped(NOBODY, 0, &former, &reason), -1);
	assert_string_equal(reason, "file replaced");
	assert_int_equal(objects_of(f->os, &nobody, &former, 5 * SECOND), id);
	assert_true(objects_get(f->os, id)->fd >= 0);
}

/* A short-lived process can be gone when its file is to be opened; the next one helps. */
static void what_could_not_be_opened_is_tried_again(void **state)
{
	struct fixture *f = *state;
	char aside[80];
	uint32_t id;

	snprintf(aside, sizeof(aside), "%s.aside", f->path);
	assert_int_equal(rename(f->path, aside), 0);
	id = objects_of(f->os, &nobody, &f->map, SECOND);
	assert_int_equal(objects_get(f->os, id)->fd, -1);
	assert_string_equal(objects_get(f->os, id)->reason, "file gone");
	assert_int_equal(rename(aside, f->path), 0);
	/* not at once, and as the same object */
	assert_int_equal(objects_of(f->os, &nobody, &f->map, SECOND + 1), id);
	assert_int_equal(objects_get(f->os, id)->fd, -1);
	assert_int_equal(objects_of(f->os, &nobody, &f->map, SECOND + SECOND / 10), id);
	assert_true(objects_get(f->os, id)->fd >= 0);
	assert_null(objects_get(f->os, id)->reason);
}

static void a_parents_root_serves_when_the_process_is_gone(void **state)
{
	struct fixture *f = *state;
	const char *reason = NULL;
	int fd = open_mapped(NOBODY, getpid(), &f->map, &reason);

	assert_true(fd >= 0);
	close(fd);
	f->map.dev_minor ^= 1;
	assert_int_equal(open_mapped(NOBODY, getpid(), &f->map, &reason), -1);
	assert_string_equal(reason, "file replaced");
}

static void anonymous_code_is_its_processs(void **state)
{
	struct fixture *f = *state;
	struct exec_map m = { .start = 0x5000, .end = 0x6000, .path = "//anon" };
	struct object_owner other = { NOBODY, 0, 2 };
	uint32_t id = objects_of(f->os, &nobody, &m, SECOND);

	m.start = 0x1000;
	m.end = 0x2000;
	assert_int_equal(objects_of(f->os, &nobody, &m, SECOND), id);
	assert_int_equal(objects_get(f->os, id)->start, 0x1000);
	assert_int_equal(objects_get(f->os, id)->end, 0x6000);
	assert_int_equal(objects_get(f->os, id)->kind, OBJECT_ANON);
	/* the number's next process */
	assert_int_not_equal(objects_of(f->os, &other, &m, SECOND), id);
}

static void there_is_one_vdso(void **state)
{
	struct fixture *f = *state;
	struct exec_map m = { .start = 0x5000, .end = 0x6000, .path = "[vdso]" };
	struct object_owner other = { NOBODY + 1, 0, 2 };
	uint32_t id = objects_of(f->os, &nobody, &m, SECOND);

	assert_int_equal(objects_of(f->os, &other, &m, 100 * SECOND), id);
	assert_int_equal(objects_get(f->os, id)->kind, OBJECT_VDSO);
	assert_true(objects_get(f->os, id)->fd >= 0);
	assert_null(objects_get(f->os, id)->reason);
}

static void too_many_are_refused_and_counted(void **state)
{
	struct fixture *f = *state;
	struct exec_map m = { .start = 0x5000, .end = 0x6000, .path = "//anon" };
	uint64_t i;

	for (i = 0; i < OBJECTS_MAX; i++) {
		struct object_owner w = { NOBODY, 0, i };

		assert_int_equal(objects_of(f->os, &w, &m, SECOND), i);
	}
	assert_int_equal(objects_refused(f->os), 0);
	assert_int_equal(objects_of(f->os, &nobody, &f->map, SECOND), OBJECT_NONE);
	assert_int_equal(objects_refused(f->os), 1);
	assert_int_equal(objects_of(f->os, &nobody, &m, SECOND), 1);
}

/* What nobody needs is closed; whoever maps it next has it opened at once, and it is the same object. */
static void what_nobody_needs_is_closed(void **state)
{
	struct fixture *f = *state;
	uint32_t id = objects_of(f->os, &nobody, &f->map, SECOND);
	const bool yes = true, no = false;
	int fd = objects_get(f->os, id)->fd;

	objects_release(f->os, &yes);
	assert_int_equal(objects_get(f->os, id)->fd, fd);
	objects_release(f->os, &no);
	assert_int_equal(objects_get(f->os, id)->fd, -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	objects_release(f->os, &no);
	assert_int_equal(objects_of(f->os, &nobody, &f->map, SECOND), id);
	assert_true(objects_get(f->os, id)->fd >= 0);
	assert_null(objects_get(f->os, id)->reason);
	assert_false(objects_get(f->os, id)->changed);
}

/* While it was closed its inode may have become another file's, or it may be out of reach now. */
static void a_closed_one_that_is_not_as_it_was_is_another(void **state)
{
	struct fixture *f = *state;
	uint32_t id = objects_of(f->os, &nobody, &f->map, SECOND), other;
	const bool no[2] = { false };

	objects_release(f->os, no);
	write_file(f, "new");
	other = objects_of(f->os, &nobody, &f->map, SECOND);
	assert_int_not_equal(other, id);
	assert_true(objects_get(f->os, id)->changed);
	assert_int_equal(objects_get(f->os, id)->fd, -1);
	assert_int_equal(objects_get(f->os, other)->size, 3);
	objects_release(f->os, no);
	unlink(f->path);
	id = objects_of(f->os, &nobody, &f->map, SECOND);
	assert_int_not_equal(id, other);
	assert_int_equal(objects_get(f->os, id)->fd, -1);
	assert_string_equal(objects_get(f->os, id)->reason, "file gone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_is_one_object, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_was_written_to_is_another, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_file_of_another_time_is_another, setup, teardown),
		cmocka_unit_test_setup_teardown(a_replaced_file_has_another_inode, setup, teardown),
		cmocka_unit_test_setup_teardown(what_could_not_be_opened_is_tried_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_parents_root_serves_when_the_process_is_gone,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_needs_is_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_closed_one_that_is_not_as_it_was_is_another, setup, teardown),
		cmocka_unit_test_setup_teardown(anonymous_code_is_its_processs, setup, teardown),
		cmocka_unit_test_setup_teardown(there_is_one_vdso, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_are_refused_and_counted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
