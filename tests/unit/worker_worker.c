/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "elf_image.h"
#include "worker/worker.h"

#define NR 3000

/* The processes that were started; the last one and how many. */
static volatile pid_t last_pid;
static int nr_started, nr_ended;
static bool kill_at_once;

static void started(void *ctx, pid_t pid)
{
	last_pid = pid;
	nr_started++;
	assert_ptr_equal(ctx, &nr_started);
	if (kill_at_once)
		kill(pid, SIGKILL);
}

/* Nobody has its number any more, but it may be another's soon. */
static void ended(void *ctx, pid_t pid)
{
	nr_ended++;
	assert_ptr_equal(ctx, &nr_started);
	assert_int_equal(kill(pid, 0), -1);
}

static struct worker *new_worker(void)
{
	struct worker *w = NULL;

	nr_started = nr_ended = 0;
	assert_int_equal(worker_new(&w, started, &nr_started), 0);
	worker_tell_ends(w, ended);
	assert_int_equal(nr_started, 1);
	return w;
}

/* Frees it, and sees that none of its processes is left. */
static void end(struct worker *w)
{
	worker_free(w);
	assert_int_equal(nr_ended, nr_started);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Where a function of this program lies in its file. */
struct place {
	uint64_t address, offset;
};

static int find_place(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct place *p = ctx;
	uint64_t at = p->address - info->dlpi_addr;
	int i;

	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];

		if (h->p_type == PT_LOAD && at - h->p_vaddr < h->p_filesz)
			p->offset = at - h->p_vaddr + h->p_offset;
	}
	p->address = at;
	return 1;
}

static uint64_t own_offset(uintptr_t function)
{
	struct place p = { .address = function };

	dl_iterate_phdr(find_place, &p);
	assert_int_not_equal(p.offset, 0);
	return p.offset;
}

/* In Rust's style, so that there is something to demangle in a C program. */
__attribute__((used, noinline)) static int mangled(int x) __asm__("_ZN5alpha4betaEi");
static int mangled(int x)
{
	__asm__ volatile("");
	return x + 1;
}

static void test_names(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint64_t offset[4] = { own_offset((uintptr_t)new_worker), own_offset((uintptr_t)mangled),
			       UINT64_MAX, own_offset((uintptr_t)new_worker) + 3 };
	struct worker *w = new_worker();
	struct object_names o;

	assert_int_equal(worker_name(w, fd, offset, 4, &o), 0);
	assert_int_equal(o.nr_names, 4);
	assert_string_equal(o.name[0].name, "new_worker");
	assert_string_equal(o.name[0].system_name, "new_worker");
	assert_string_equal(o.name[1].name, "alpha::beta(int)");
	assert_string_equal(o.name[1].system_name, "_ZN5alpha4betaEi");
	assert_null(o.name[2].name);
	assert_int_equal(o.name[2].address, UINT64_MAX);
	assert_string_equal(o.name[3].name, "new_worker");
	assert_int_equal(o.name[3].start, o.name[0].start);
	assert_int_equal(o.name[3].address, o.name[0].start + 3);
	assert_true(o.nr_segments >= 1);
	assert_true(o.nr_symbols > 30);
	object_names_done(&o);
	assert_int_equal(worker_deaths(w), 0);
	assert_int_equal(nr_started, 1);
	close(fd);
	end(w);
}

static void test_version(void **state)
{
	static const struct image_symbol sym[] = { FUNC("copy@@LIB_2", 0, 8), FUNC("@odd", 8, 8) };
	struct image im = image_make(true, sym, 2);
	int fd = image_file(&im, im.len);
	uint64_t offset[] = { CODE_OFFSET, CODE_OFFSET + 8 };
	struct worker *w = new_worker();
	struct object_names o;

	assert_int_equal(worker_name(w, fd, offset, 2, &o), 0);
	assert_string_equal(o.build_id, "ab0102030405060708090a0b0c0d0e0f101112cd");
	assert_string_equal(o.name[0].name, "copy");
	assert_string_equal(o.name[0].system_name, "copy@@LIB_2");
	assert_string_equal(o.name[1].name, "@odd");
	object_names_done(&o);
	free(im.data);
	close(fd);
	end(w);
}

static void test_refused(void **state)
{
	struct image im = image_make(true, NULL, 0);
	int fd = image_file(&im, im.len - 10), text = memfd_create("text", 0);
	struct object_names o = { .nr_names = 77 };
	struct worker *w = new_worker();
	uint64_t offset = 0;

	assert_int_equal(write(text, "#!/bin/sh\n", 10), 10);
	assert_int_equal(worker_name(w, text, &offset, 1, &o), -ENOEXEC);
	assert_string_equal(error_text(), "not an ELF file");
	assert_int_equal(worker_name(w, fd, &offset, 1, &o), -ENODATA);
	assert_string_equal(error_text(), "truncated");
	assert_int_equal(worker_name(w, fd, &offset, WORKER_MAX_OFFSETS + 1, &o), -E2BIG);
	assert_int_equal(o.nr_names, 77);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, im.data, im.len, 0), im.len);
	assert_int_equal(worker_name(w, fd, &offset, 0, &o), 0);
	assert_int_equal(o.nr_names, 0);
	assert_int_equal(o.nr_symbols, 0);
	object_names_done(&o);
	assert_int_equal(nr_started, 1);
	free(im.data);
	close(fd);
	close(text);
	end(w);
}

/* Offsets all over the biggest file at hand, the C library. */
static int find_libc(struct dl_phdr_info *info, size_t size, void *ctx)
{
	if (!strstr(info->dlpi_name, "libc.so"))
		return 0;
	*(int *)ctx = open(info->dlpi_name, O_RDONLY | O_CLOEXEC);
	return 1;
}

static int open_libc(uint64_t offset[NR])
{
	int fd = -1, i;
	off_t size;

	dl_iterate_phdr(find_libc, &fd);
	assert_true(fd >= 0);
	size = lseek(fd, 0, SEEK_END);
	for (i = 0; i < NR; i++)
		offset[i] = (uint64_t)size / NR * (uint64_t)i;
	return fd;
}

static void assert_equal_names(const struct object_names *a, const struct object_names *b)
{
	size_t i;

	assert_string_equal(a->build_id, b->build_id);
	assert_int_equal(a->nr_names, b->nr_names);
	for (i = 0; i < a->nr_names; i++) {
		assert_int_equal(a->name[i].address, b->name[i].address);
		assert_int_equal(!a->name[i].name, !b->name[i].name);
		if (a->name[i].name)
			assert_string_equal(a->name[i].name, b->name[i].name);
	}
}

static volatile sig_atomic_t killed;

static void kill_last(int signal)
{
	kill(last_pid, SIGKILL);
	killed = 1;
}

/*
 * By a signal, not by a thread: who is forked while a thread ends waits for ever for the sanitizer's locks, which the
 * thread held.
 */
static void kill_in(unsigned int delay_us)
{
	struct itimerval once = { .it_value.tv_usec = delay_us };

	killed = 0;
	if (delay_us)
		assert_int_equal(setitimer(ITIMER_REAL, &once, NULL), 0);
	else
		kill_last(SIGALRM);
}

/*
 * Killed once at any moment of each request or after it: each answer is whole and right. Deaths
 * are counted: all processes that were started died but the one that is running.
 */
static void test_killed(void **state)
{
	static uint64_t offset[NR];
	int fd = open_libc(offset), i;
	struct worker *w = new_worker();
	struct object_names want, got;

	signal(SIGALRM, kill_last);
	assert_int_equal(worker_name(w, fd, offset, NR, &want), 0);
	for (i = 0; i < 60; i++) {
		kill_in((unsigned int)i * 100);
		assert_int_equal(worker_name(w, fd, offset, NR, &got), 0);
		assert_equal_names(&got, &want);
		object_names_done(&got);
		while (!killed)
			usleep(100);
	}
	signal(SIGALRM, SIG_DFL);
	usleep(20000);
	assert_int_equal(worker_name(w, fd, offset, NR, &got), 0);
	object_names_done(&got);
	assert_in_range(worker_deaths(w), 30, 60);
	assert_int_equal(worker_deaths(w) + 1, nr_started);
	assert_int_equal(nr_ended + 1, nr_started);
	object_names_done(&want);
	close(fd);
	end(w);
}

static void test_always_killed(void **state)
{
	static uint64_t offset[NR];
	int fd = open_libc(offset);
	struct worker *w = new_worker();
	struct object_names o;

	kill_at_once = true;
	kill(last_pid, SIGKILL);
	assert_int_equal(worker_name(w, fd, offset, NR, &o), -EPIPE);
	assert_string_equal(error_text(), "worker died");
	assert_in_range(nr_started, WORKER_TRIES, WORKER_TRIES + 1);
	assert_int_equal(worker_deaths(w), nr_started);
	kill_at_once = false;
	assert_int_equal(worker_name(w, fd, offset, NR, &o), 0);
	object_names_done(&o);
	close(fd);
	end(w);
}

static void test_stuck(void **state)
{
	static uint64_t offset[NR];
	int fd = open_libc(offset);
	struct worker *w = new_worker();
	uint64_t begun = clock_mono(), took;
	struct object_names o;

	kill(last_pid, SIGSTOP);
	assert_int_equal(worker_name(w, fd, offset, NR, &o), -ETIMEDOUT);
	assert_string_equal(error_text(), "worker timed out");
	took = (clock_mono() - begun) / NSEC_PER_MSEC;
	assert_in_range(took, WORKER_DEADLINE_MS, WORKER_DEADLINE_MS + 1000);
	assert_int_equal(worker_name(w, fd, offset, NR, &o), 0);
	object_names_done(&o);
	assert_int_equal(nr_started, 2);
	assert_int_equal(worker_deaths(w), 0);
	close(fd);
	end(w);
}

/* The status file's line that starts with `key`, "" when there is none. */
static const char *status_of(pid_t pid, const char *key)
{
	static char line[128];
	autofclose FILE *f = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key))) {
			line[strcspn(line, "\n")] = '\0';
			return line + strlen(key) + strspn(line + strlen(key), "\t ");
		}
	}
	return "";
}

static bool has(unsigned int capability)
{
	return strtoull(status_of(getpid(), "CapEff:"), NULL, 16) >> capability & 1;
}

/* A user namespace may have no id for nobody: "inside outside count". */
static bool has_nobody(void)
{
	autofree char *map = NULL;
	char *p;
	size_t len;

	assert_int_equal(read_file("/proc/self/uid_map", 4096, &map, &len), 0);
	strtoul(map, &p, 10);
	strtoul(p, &p, 10);
	return strtoul(p, NULL, 10) > 65534;
}

static void test_rights(void **state)
{
	static uint64_t offset[NR];
	int fd = open_libc(offset), nr = 0;
	struct worker *w = new_worker();
	struct object_names o;
	struct dirent *e;
	char path[64];
	DIR *d;

	assert_int_equal(worker_name(w, fd, offset, NR, &o), 0);
	object_names_done(&o);
	assert_string_equal(status_of(last_pid, "Name:"), "dwell-worker");
	assert_string_equal(status_of(last_pid, "CapEff:"), "0000000000000000");
	assert_string_equal(status_of(last_pid, "CapPrm:"), "0000000000000000");
	assert_string_equal(status_of(last_pid, "CapInh:"), "0000000000000000");
	assert_string_equal(status_of(last_pid, "CapAmb:"), "0000000000000000");
	assert_string_equal(status_of(last_pid, "NoNewPrivs:"), "1");
	assert_string_equal(status_of(last_pid, "Seccomp:"), "2");
	if (has(CAP_SETPCAP))
		assert_string_equal(status_of(last_pid, "CapBnd:"), "0000000000000000");
	if (has(CAP_SETUID) && has(CAP_SETGID) && has_nobody()) {
		assert_string_equal(status_of(last_pid, "Uid:"), "65534\t65534\t65534\t65534");
		assert_string_equal(status_of(last_pid, "Gid:"), "65534\t65534\t65534\t65534");
		assert_string_equal(status_of(last_pid, "Groups:"), "");
	}
	if (has(CAP_SYS_PTRACE) && geteuid() == 0) {
		snprintf(path, sizeof(path), "/proc/%d/fd", (int)last_pid);
		d = opendir(path);
		assert_non_null(d);
		while ((e = readdir(d)))
			nr += e->d_name[0] != '.' && strcmp(e->d_name, "2");
		closedir(d);
		assert_int_equal(nr, 1);
	}
	close(fd);
	end(w);
}

/* A worker does not outlive the process that it works for. */
static void test_orphan(void **state)
{
	int out[2], i;
	pid_t pid, child;

	assert_int_equal(pipe(out), 0);
	child = fork();
	if (child == 0) {
		new_worker();
		pid = last_pid;
		_exit(write(out[1], &pid, sizeof(pid)) != sizeof(pid));
	}
	assert_int_equal(read(out[0], &pid, sizeof(pid)), sizeof(pid));
	assert_int_equal(waitpid(child, &i, 0), child);
	for (i = 0; i < 2000 && status_of(pid, "State:")[0] && status_of(pid, "State:")[0] != 'Z';
	     i++)
		usleep(1000);
	assert_true(i < 2000);
	close(out[0]);
	close(out[1]);
}

/* It neither takes other children's ends away nor dies of a closed socket. */
static void test_other_children(void **state)
{
	static uint64_t offset[NR];
	int fd = open_libc(offset), status;
	struct worker *w = new_worker();
	pid_t other = fork();
	struct object_names o;

	if (other == 0)
		_exit(42);
	kill(last_pid, SIGKILL);
	assert_int_equal(worker_name(w, fd, offset, NR, &o), 0);
	object_names_done(&o);
	worker_free(w);
	assert_int_equal(waitpid(other, &status, 0), other);
	assert_int_equal(WEXITSTATUS(status), 42);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	       cmocka_unit_test(test_version),
		cmocka_unit_test(test_refused),	       cmocka_unit_test(test_killed),
		cmocka_unit_test(test_always_killed),  cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_rights),	       cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_other_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
