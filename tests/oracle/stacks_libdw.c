/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stacks_libdw PID [TIMES [FOLDER]] - stops each thread of a process, walks its stack with dwell's tables and
 * walk, and with libdw, and compares address by address; TIMES (1) times, which for a program that
 * runs are different places. Prints what differs and a last line
 *   stacks N equal N longer N different N
 * longer: libdw gave up with an error on the way, and all that it said is equal. Exit status 1 when
 * stacks differ or none was compared. Stacks that are equal are written into FOLDER, with all that it
 * takes to walk them again (tests/unit/unwind_recorded.c).
 */
#include <dirent.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proc/images.h"
#include "recording.h"
#include "unwind/unwinder.h"
#include "worker/worker.h"

#define MAX_THREADS 256
#define MAX_FRAMES  (WIRE_FRAME_SLOTS - 1)

struct chain {
	uint64_t frame[MAX_FRAMES];
	uint32_t nr;
	const char *error;	/* libdw's */
};

struct subject {
	int pid, tid[MAX_THREADS], mem;
	size_t nr;
	struct images *images;
	struct unwinder *unwinder;
	const char *folder;	/* to record into; NULL: nowhere */
	struct recording rec;
};

static struct {
	unsigned int stacks, equal, longer, different;
} sum;

static struct tables_memory memory;

static void *new_chunk(void *ctx, uint32_t n)
{
	return xcalloc(1, WIRE_CHUNK_BYTES);
}

static void stop_threads(struct subject *s)
{
	char path[40];
	struct dirent *e;
	int status;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", s->pid);
	d = opendir(path);
	for (s->nr = 0; d && (e = readdir(d)) && s->nr < MAX_THREADS;) {
		int tid = atoi(e->d_name);

		if (tid <= 0 || ptrace(PTRACE_SEIZE, tid, NULL, NULL))
			continue;
		if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) || waitpid(tid, &status, __WALL) != tid ||
		    !WIFSTOPPED(status))
			continue;
		s->tid[s->nr++] = tid;
	}
	if (d)
		closedir(d);
}

static void let_go(struct subject *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		(void)ptrace(PTRACE_DETACH, s->tid[i], NULL, NULL);
}

/* ---- libdw's ---- */

static int on_frame(Dwfl_Frame *state, void *arg)
{
	struct chain *c = arg;
	bool activation;
	Dwarf_Addr pc;

	if (!dwfl_frame_pc(state, &pc, &activation) || c->nr == MAX_FRAMES)
		return DWARF_CB_ABORT;
	c->frame[c->nr++] = activation ? pc : pc - 1;
	return DWARF_CB_OK;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_proc_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
};

static Dwfl *open_dwfl(int pid)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);

	if (!dwfl || dwfl_linux_proc_report(dwfl, pid) || dwfl_report_end(dwfl, NULL, NULL) ||
	    dwfl_linux_proc_attach(dwfl, pid, true)) {
		fprintf(stderr, "libdw cannot look at process %d: %s\n", pid, dwfl_errmsg(-1));
		exit(2);
	}
	return dwfl;
}

static void theirs(Dwfl *dwfl, int tid, struct chain *c)
{
	c->nr = 0;
	c->error = dwfl_getthread_frames(dwfl, tid, on_frame, c) ? dwfl_errmsg(-1) : NULL;
}

/* ---- ours ---- */

static int read_memory(void *ctx, void *to, uint32_t len, uint64_t from)
{
	struct subject *s = ctx;

	if (pread(s->mem, to, len, (off_t)from) != (ssize_t)len)
		return -1;
	if (s->folder)
		recording_read(&s->rec, to, len, from);
	return 0;
}

static void ours(struct subject *s, struct image *image, int tid, struct replay_walk *walk)
{
	struct replay_stack stack = { .max = 127, .read = read_memory, .ctx = s };
	struct user_regs_struct r;

	memset(walk, 0, sizeof(*walk));
	if (ptrace(PTRACE_GETREGS, tid, NULL, &r))
		return;
	stack.pc = r.rip;
	memcpy(stack.reg,
	       (uint64_t[]){ r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp, r.r8, r.r9, r.r10,
			     r.r11, r.r12, r.r13, r.r14, r.r15 },
	       sizeof(stack.reg));
	s->rec.nr_reads = 0;
	unwinder_walk(s->unwinder, image, clock_mono(), &stack, walk);
	s->rec.stack = stack;
}

static void show(const struct chain *c, const struct replay_walk *w, int tid)
{
	uint32_t i;

	printf("thread %d differs; dwell (status %u, %u by frame pointer, %u guessed), libdw (%s):\n", tid,
	       w->status, w->by_fp, w->by_guess, c->error ? c->error : "complete");
	for (i = 0; i < w->nr || i < c->nr; i++)
		printf("  %3u  %16" PRIx64 "  %16" PRIx64 "\n", i, i < w->nr ? w->frame[i] : 0,
		       i < c->nr ? c->frame[i] : 0);
}

/* True: equal. */
static bool compare(const struct chain *c, const struct replay_walk *w, int tid)
{
	uint32_t i, n = c->nr < w->nr ? c->nr : w->nr;

	sum.stacks++;
	for (i = 0; i < n && c->frame[i] == w->frame[i]; i++)
		;
	if (i == n && w->nr == c->nr && (w->status == WIRE_USER_COMPLETE || c->error)) {
		sum.equal++;
		return true;
	} else if (i == n && (c->error || c->nr >= 127) && w->nr >= n) {
		sum.longer++;
	} else {
		sum.different++;
		show(c, w, tid);
	}
	return false;
}

/* Its maps as they are published. */
static void record(struct subject *s, struct image *image, int tid, const struct replay_walk *walk)
{
	image->identified = true;	/* by its number, here */
	unwinder_publish(s->unwinder, image, clock_mono());
	s->rec.tables = unwinder_tables(s->unwinder);
	s->rec.process = tables_process(s->rec.tables, (uint32_t)s->pid);
	if (!s->rec.process || recording_write(&s->rec, walk, s->folder, tid)) {
		fprintf(stderr, "cannot record into %s\n", s->folder);
		exit(2);
	}
}

static void compare_once(struct subject *s)
{
	struct replay_walk walk;
	struct image *image;
	struct chain chain;
	Dwfl *dwfl;
	size_t i;

	stop_threads(s);
	dwfl = open_dwfl(s->pid);
	image = images_find(s->images, s->pid, 0, 0, clock_mono());
	if (image && images_read(s->images, image, clock_mono())) {
		(void)unwinder_prepare(s->unwinder, image, UINT64_MAX);
		for (i = 0; i < s->nr; i++) {
			theirs(dwfl, s->tid[i], &chain);
			ours(s, image, s->tid[i], &walk);
			if (compare(&chain, &walk, s->tid[i]) && s->folder)
				record(s, image, s->tid[i], &walk);
		}
	}
	dwfl_end(dwfl);
	let_go(s);
}

int main(int argc, char **argv)
{
	struct subject s = { .pid = argc > 1 ? atoi(argv[1]) : 0, .folder = argc > 3 ? argv[3] : NULL };
	int times = argc > 2 ? atoi(argv[2]) : 1;
	struct worker *w = NULL;
	char path[40];

	if (s.pid <= 0 || worker_new(&w, NULL, NULL)) {
		fprintf(stderr, "usage: stacks_libdw PID [TIMES [FOLDER]]\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", s.pid);
	s.mem = open(path, O_RDONLY | O_CLOEXEC);
	if (s.mem < 0) {
		perror(path);
		return 2;
	}
	memory.rules = xcalloc(WIRE_MAX_RULES, sizeof(*memory.rules));
	memory.processes = xcalloc(WIRE_PROCESS_SLOTS, sizeof(*memory.processes));
	memory.chunk = new_chunk;
	s.images = images_new();
	s.unwinder = unwinder_new(&memory, w, images_objects(s.images));
	for (; times > 0; times--) {
		compare_once(&s);
		usleep(1000);
	}
	printf("stacks %u equal %u longer %u different %u\n", sum.stacks, sum.equal, sum.longer, sum.different);
	unwinder_free(s.unwinder);
	images_free(s.images);
	worker_free(w);
	return sum.different || !sum.stacks;
}
