/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch [-m] SECONDS COMMAND [ARG..] - runs a profiler until SECONDS after its first sample, ends
 * it with SIGINT, and prints what it cost, one 'KEY VALUE' a line:
 *   first_ms     start to the first run of its BPF program (perf: to its mapped buffers)
 *   cpu_ns       its CPU time and its children's, from then to the SIGINT
 *   span_ns      the time in between
 *   cpu_life_ns  CPU time of its whole life
 *   exit_ms      SIGINT to its end
 *   bpf_ns bpf_runs   time and runs of its perf_event programs in that span, by the kernel
 *   pss_peak_kib pss_steady_kib   -m: memory with its children, every 20 ms: the largest, also at
 *                the end; the median of the span's second half
 *   status       as a shell has it
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_LIMIT_NS 60000000000ull
#define MEMORY_NS      20000000ull
#define POLL_NS	       2000000ull
#define REMIND_NS      5000000000ull  /* a profiler that does not hear SIGINT is told again ... */
#define KILL_NS	       30000000000ull /* ... and then killed */
#define MAX_TREE       64
#define MAX_SAMPLES    100000

struct tree {
	pid_t pid[MAX_TREE];
	int nr;
};

struct memory {
	bool wanted;
	uint64_t next_ns, peak, *kib;
	size_t nr;
};

struct programs {
	uint64_t ns, runs;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	nanosleep(&t, NULL);
}

/* Counts the runs of BPF programs while this process lives. */
static void enable_stats(void)
{
	union bpf_attr attr = { .enable_stats.type = BPF_STATS_RUN_TIME };

	if (syscall(SYS_bpf, BPF_ENABLE_STATS, &attr, sizeof(attr)) < 0)
		perror("watch: BPF_ENABLE_STATS");
}

static void add_children(struct tree *t, pid_t pid)
{
	char path[64];
	FILE *f;
	int child;

	if (t->nr == MAX_TREE)
		return;
	t->pid[t->nr++] = pid;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &child) == 1)
		add_children(t, child);
	if (f)
		fclose(f);
}

static uint64_t task_cpu(pid_t pid, const char *tid)
{
	char path[300];
	uint64_t ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, tid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%" SCNu64, &ns) != 1)
		ns = 0;
	if (f)
		fclose(f);
	return ns;
}

static uint64_t tree_cpu(pid_t pid)
{
	struct tree t = { .nr = 0 };
	uint64_t ns = 0;
	int i;

	add_children(&t, pid);
	for (i = 0; i < t.nr; i++) {
		char path[40];
		struct dirent *e;
		DIR *d;

		snprintf(path, sizeof(path), "/proc/%d/task", t.pid[i]);
		d = opendir(path);
		while (d && (e = readdir(d)))
			if (*e->d_name != '.')
				ns += task_cpu(t.pid[i], e->d_name);
		if (d)
			closedir(d);
	}
	return ns;
}

static uint64_t process_pss(pid_t pid)
{
	char path[40], line[256];
	uint64_t kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Pss: %" SCNu64, &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

static void sample_memory(struct memory *m, pid_t pid)
{
	struct tree t = { .nr = 0 };
	uint64_t kib = 0, at = now();
	int i;

	if (!m->wanted || at < m->next_ns || m->nr == MAX_SAMPLES)
		return;
	m->next_ns = at + MEMORY_NS;
	add_children(&t, pid);
	for (i = 0; i < t.nr; i++)
		kib += process_pss(t.pid[i]);
	m->kib[m->nr++] = kib;
	if (kib > m->peak)
		m->peak = kib;
}

/* Adds up the perf_event programs that the process has open. Their number; 0: none yet. */
static int read_programs(pid_t pid, struct programs *p)
{
	char path[300], line[256];
	struct dirent *e;
	int n = 0;
	DIR *d;

	*p = (struct programs){ 0, 0 };
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		uint64_t type = 0, ns = 0, runs = 0;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, e->d_name);
		f = *e->d_name == '.' ? NULL : fopen(path, "re");
		while (f && fgets(line, sizeof(line), f)) {
			sscanf(line, "prog_type: %" SCNu64, &type);
			sscanf(line, "run_time_ns: %" SCNu64, &ns);
			sscanf(line, "run_cnt: %" SCNu64, &runs);
		}
		if (f)
			fclose(f);
		if (type != BPF_PROG_TYPE_PERF_EVENT)
			continue;
		n++;
		p->ns += ns;
		p->runs += runs;
	}
	if (d)
		closedir(d);
	return n;
}

/* perf has no program, but mapped buffers once it samples. */
static bool has_buffers(pid_t pid)
{
	char path[40], line[600];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, "anon_inode:[perf_event]");
	if (f)
		fclose(f);
	return found;
}

/* Waits for the first sample. Returns when it was, 0 when the profiler ended before. */
static uint64_t wait_first(pid_t pid, struct memory *m, uint64_t start)
{
	struct programs p;

	while (now() - start < START_LIMIT_NS) {
		siginfo_t ended = { .si_pid = 0 };

		if (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) || ended.si_pid)
			return 0;
		if (read_programs(pid, &p) ? p.runs > 0 : has_buffers(pid))
			return now();
		sample_memory(m, pid);
		sleep_ns(POLL_NS);
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print_memory(struct memory *m, size_t first, size_t last)
{
	size_t from = first + (last - first) / 2, n = last - from;

	if (!m->wanted || !n)
		return;
	printf("pss_peak_kib %" PRIu64 "\n", m->peak);
	qsort(m->kib + from, n, sizeof(*m->kib), compare);
	printf("pss_steady_kib %" PRIu64 "\n", m->kib[from + n / 2]);
}

/* Ends it and waits, still looking at its memory. */
static int stop(pid_t pid, struct memory *m, struct rusage *use)
{
	uint64_t start = now(), remind = start + REMIND_NS;
	int status;

	kill(pid, SIGINT);
	while (wait4(pid, &status, WNOHANG, use) == 0) {
		if (now() > remind) {
			kill(pid, now() - start > KILL_NS ? SIGKILL : SIGINT);
			remind = now() + REMIND_NS;
		}
		sample_memory(m, pid);
		sleep_ns(POLL_NS / 4);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static uint64_t life_ns(const struct rusage *u)
{
	return (uint64_t)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000000 +
	       (uint64_t)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1000;
}

static int watch(pid_t pid, uint64_t start, double seconds, struct memory *m)
{
	uint64_t first = wait_first(pid, m, start), cpu, end, wanted_end;
	struct programs before, after;
	struct rusage use = { 0 };
	size_t first_sample = m->nr, last_sample;
	int status;

	if (!first) {
		fprintf(stderr, "watch: no sample was taken\n");
		kill(pid, SIGKILL);
		return 1;
	}
	cpu = tree_cpu(pid);
	read_programs(pid, &before);
	wanted_end = first + (uint64_t)(seconds * 1e9);
	while (m->wanted && now() < wanted_end) {
		sample_memory(m, pid);
		sleep_ns(POLL_NS);
	}
	if (now() < wanted_end)
		sleep_ns(wanted_end - now());
	read_programs(pid, &after);
	cpu = tree_cpu(pid) - cpu;
	last_sample = m->nr;
	end = now();
	status = stop(pid, m, &use);
	printf("first_ms %.1f\ncpu_ns %" PRIu64 "\nspan_ns %" PRIu64 "\nexit_ms %.1f\n",
	       (double)(first - start) / 1e6, cpu, end - first, (double)(now() - end) / 1e6);
	printf("cpu_life_ns %" PRIu64 "\nbpf_ns %" PRIu64 "\nbpf_runs %" PRIu64 "\n", life_ns(&use),
	       after.ns - before.ns, after.runs - before.runs);
	print_memory(m, first_sample, last_sample);
	printf("status %d\n", status);
	return 0;
}

int main(int argc, char **argv)
{
	struct memory m = { .wanted = argc > 1 && !strcmp(argv[1], "-m") };
	uint64_t start;
	pid_t pid;

	argv += m.wanted;
	argc -= m.wanted;
	if (argc < 3)
		return 2;
	m.kib = calloc(MAX_SAMPLES, sizeof(*m.kib));
	enable_stats();
	start = now();
	pid = fork();
	if (!pid) {
		/* a shell's background job ignores it */
		signal(SIGINT, SIG_DFL);
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	return m.kib && pid > 0 ? watch(pid, start, strtod(argv[1], NULL), &m) : 1;
}
