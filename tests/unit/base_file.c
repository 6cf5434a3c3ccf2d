/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"

static char folder[64];

static int set_up(void **state)
{
	strcpy(folder, "/tmp/dwell-unit-XXXXXX");
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int nr_files(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int nr = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		nr += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	closedir(d);
	return nr;
}

static int tear_down(void **state)
{
	autofree char *command = xasprintf("rm -rf '%s'", folder);

	return chdir("/") || system(command);
}

static void put(const char *path, const char *text, int keep_old)
{
	struct outfile *of = NULL;

	assert_int_equal(outfile_open(&of, path), 0);
	assert_int_equal(outfile_write(of, text, strlen(text)), 0);
	assert_int_equal(outfile_commit(of, keep_old), 0);
}

static void assert_file(const char *path, const char *text)
{
	autofree char *data = NULL;
	size_t len;

	assert_int_equal(read_file(path, 1000, &data, &len), 0);
	assert_string_equal(data, text);
	assert_int_equal(len, strlen(text));
}

static void test_commit(void **state)
{
	autofree char *absolute = xasprintf("%s/out", folder);
	struct outfile *of = NULL;
	struct stat st;

	umask(022);
	assert_int_equal(outfile_open(&of, "out"), 0);
	assert_int_equal(access("out", F_OK), -1);
	assert_int_equal(nr_files("."), 1); /* the temporary one */
	assert_int_equal(outfile_write(of, "ab", 2), 0);
	assert_int_equal(outfile_write(of, "c", 1), 0);
	assert_int_equal(outfile_commit(of, 0), 0);
	assert_file("out", "abc");
	assert_int_equal(stat("out", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(nr_files("."), 1);
	put(absolute, "new", 0);
	assert_file("out", "new");
	assert_int_equal(nr_files("."), 1);
}

static void test_abort_leaves_nothing(void **state)
{
	struct outfile *of = NULL;

	put("out", "former", 0);
	assert_int_equal(outfile_open(&of, "out"), 0);
	assert_int_equal(outfile_write(of, "new", 3), 0);
	outfile_abort(of);
	outfile_abort(NULL);
	assert_file("out", "former");
	assert_int_equal(nr_files("."), 1);
}

static void test_keep_old(void **state)
{
	put("out", "1", 1);
	assert_int_equal(nr_files("."), 1);
	put("out", "2", 1);
	assert_file("out", "2");
	assert_file("out.old", "1");
	put("out", "3", 1);
	assert_file("out", "3");
	assert_file("out.old", "2");
	assert_int_equal(nr_files("."), 2);
	/* both names for one file, as after a crash between link and rename */
	assert_int_equal(unlink("out.old"), 0);
	assert_int_equal(link("out", "out.old"), 0);
	put("out", "4", 1);
	assert_file("out", "4");
	assert_file("out.old", "3");
	assert_int_equal(nr_files("."), 2);
}

static void test_keep_old_fails_without_loss(void **state)
{
	struct outfile *of = NULL;

	put("out", "former", 0);
	assert_int_equal(mkdir("out.old", 0700), 0);
	assert_int_equal(outfile_open(&of, "out"), 0);
	assert_int_equal(outfile_write(of, "new", 3), 0);
	assert_true(outfile_commit(of, 1) < 0);
	assert_file("out", "former");
	assert_int_equal(nr_files("."), 2);
}

static void test_link_is_replaced(void **state)
{
	struct stat st;

	put("target", "theirs", 0);
	assert_int_equal(symlink("target", "out"), 0);
	put("out", "ours", 0);
	assert_file("target", "theirs");
	assert_file("out", "ours");
	assert_int_equal(lstat("out", &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void assert_open_fails(const char *path, int err, const char *text)
{
	struct outfile *of = NULL;

	assert_int_equal(outfile_open(&of, path), err);
	assert_null(of);
	assert_string_equal(error_text(), text);
}

static void test_bad_paths(void **state)
{
	put("plain", "x", 0);
	assert_open_fails("none/out", -ENOENT, "output folder none does not exist");
	assert_open_fails("plain/out", -ENOTDIR, "output folder plain does not exist");
	assert_open_fails(".", -EISDIR, "output file .: Is a directory");
	assert_open_fails("none/", -EISDIR, "output file none/: no file name");
	assert_open_fails("", -EISDIR, "output file : no file name");
	assert_open_fails("/proc/self/none", -ENOENT,
			  "create a file in folder /proc/self: No such file or directory");
	assert_int_equal(nr_files("."), 1);
}

static void test_longest_name(void **state)
{
	char name[NAME_MAX + 2];

	memset(name, 'n', sizeof(name));
	name[NAME_MAX] = '\0';
	put(name, "x", 0);
	assert_file(name, "x");
	assert_int_equal(nr_files("."), 1);
}

static void test_full_device(void **state)
{
	struct outfile *of = NULL;

	assert_int_equal(outfile_open(&of, "/dev/full"), 0);
	assert_int_equal(outfile_write(of, "x", 1), -ENOSPC);
	assert_int_equal(fail_plain(-EIO, "something else"), -EIO);
	assert_int_equal(outfile_write(of, "x", 1), -ENOSPC);
	assert_string_equal(error_text(), "write /dev/full: No space left on device");
	assert_int_equal(outfile_commit(of, 1), -ENOSPC);
	assert_string_equal(error_text(), "write /dev/full: No space left on device");
}

/* A file system's end in the middle of a file: everything later fails, nothing is left. */
static void test_limit_in_the_middle(void **state)
{
	struct rlimit former, small = { 5000, RLIM_INFINITY };
	struct outfile *of = NULL;
	char block[4096] = { 0 };

	put("out", "former", 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &former), 0);
	small.rlim_max = former.rlim_max;
	assert_int_equal(outfile_open(&of, "out"), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(outfile_write(of, block, sizeof(block)), 0);
	assert_int_equal(outfile_write(of, block, sizeof(block)), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &former), 0);
	assert_int_equal(outfile_write(of, block, 1), -EFBIG);
	assert_int_equal(outfile_commit(of, 1), -EFBIG);
	assert_file("out", "former");
	assert_int_equal(nr_files("."), 1);
}

static void test_fifo(void **state)
{
	struct outfile *of = NULL;
	char got[8] = "";
	struct stat st;
	int fd;

	assert_int_equal(mkfifo("pipe", 0600), 0);
	fd = open("pipe", O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(outfile_open(&of, "pipe"), 0);
	assert_int_equal(outfile_write(of, "data", 4), 0);
	assert_int_equal(outfile_commit(of, 1), 0);
	assert_int_equal(read(fd, got, sizeof(got)), 4);
	assert_string_equal(got, "data");
	close(fd);
	assert_int_equal(lstat("pipe", &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(nr_files("."), 1);
}

/* "> file" with -o /dev/stdout: at the stream's place, and the file stays the shell's. */
static void test_stdout_that_is_a_file(void **state)
{
	int saved = dup(STDOUT_FILENO);
	int fd = open("shell", O_WRONLY | O_CREAT, 0644);
	struct stat st;

	assert_true(saved >= 0 && fd >= 0);
	assert_int_equal(write(fd, "before ", 7), 7);
	assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	put("/dev/stdout", "data ", 1);
	assert_int_equal(write(fd, "after", 5), 5);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	close(saved);
	close(fd);
	assert_file("shell", "before data after");
	assert_int_equal(lstat("/dev/stdout", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(nr_files("."), 1);
}

static void test_owner(void **state)
{
	struct outfile *of = NULL;
	struct stat st;

	if (geteuid()) {
		skip();
		return;
	}
	assert_int_equal(outfile_open(&of, "out"), 0);
	outfile_set_owner(of, 1234, 4321);
	assert_int_equal(outfile_commit(of, 0), 0);
	assert_int_equal(stat("out", &st), 0);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 4321);
}

static void test_read_limits(void **state)
{
	char *data = NULL;
	size_t len = 77;
	int fds[2];

	put("ten", "0123456789", 0);
	assert_int_equal(read_file("ten", 9, &data, &len), -EFBIG);
	assert_string_equal(error_text(), "ten: larger than 9 bytes");
	assert_null(data);
	assert_int_equal(len, 77);
	assert_int_equal(read_file("ten", 10, &data, &len), 0);
	assert_int_equal(len, 10);
	free(data);
	assert_int_equal(read_file("none", 10, &data, &len), -ENOENT);
	assert_string_equal(error_text(), "open none: No such file or directory");
	/* no size to be had beforehand */
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "0123456789", 10), 10);
	close(fds[1]);
	assert_int_equal(read_all(fds[0], 10, &data, &len), 0);
	assert_string_equal(data, "0123456789");
	free(data);
	close(fds[0]);
	assert_int_equal(read_file("/proc/self/maps", 1 << 20, &data, &len), 0);
	assert_true(len > 100 && strlen(data) == len);
	free(data);
}

static void test_read_from_offset(void **state)
{
	autofree char *data = NULL;
	size_t len;
	autoclose int fd = -1;

	put("ten", "0123456789", 0);
	fd = open("ten", O_RDONLY);
	assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
	assert_int_equal(read_all(fd, 3, &data, &len), 0);
	assert_string_equal(data, "789");
}

static void test_read_line(void **state)
{
	char buf[6] = "x";

	put("line", "1234\n", 0);
	assert_int_equal(read_line("line", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "1234");
	put("line", "12345", 0);
	assert_int_equal(read_line("line", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "12345");
	put("line", "123456", 0);
	assert_int_equal(read_line("line", buf, sizeof(buf)), -EFBIG);
	assert_string_equal(buf, "");
	put("line", "", 0);
	assert_int_equal(read_line("line", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	strcpy(buf, "x");
	assert_int_equal(read_line("none", buf, sizeof(buf)), -ENOENT);
	assert_string_equal(buf, "");
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_commit),
		test(test_abort_leaves_nothing),
		test(test_keep_old),
		test(test_keep_old_fails_without_loss),
		test(test_link_is_replaced),
		test(test_bad_paths),
		test(test_longest_name),
		test(test_full_device),
		test(test_limit_in_the_middle),
		test(test_fifo),
		test(test_stdout_that_is_a_file),
		test(test_owner),
		test(test_read_limits),
		test(test_read_from_offset),
		test(test_read_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
