/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pingpong CPU SECONDS [PID [N]] - N (2) processes on one CPU of which each wakes up the next over a pipe, and the last
 * one the first; the second is the first that is free from PID on, unless that is 0, and those behind it are as far
 * apart as there are pids for. Prints the CPU time of all in ns for each switch, the least of windows of some 75 ms,
 * for what disturbs only adds: what a hook on the switch path costs shows there.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WINDOW	      (1 << 15) /* switches, at most: times round are a power of two */
#define MAX_PROCESSES 1024

static double clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The next process of this box is that one, or the first after it that is free. */
static pid_t fork_as(long pid)
{
	FILE *f = pid ? fopen("/proc/sys/kernel/ns_last_pid", "w") : NULL;

	if (pid && (!f || fprintf(f, "%ld", pid - 1) < 0 || fclose(f))) {
		perror("ns_last_pid");
		exit(1);
	}
	return fork();
}

/* How far apart N are that begin at this pid. */
static long stride_of(long pid, int n)
{
	FILE *f = pid ? fopen("/proc/sys/kernel/pid_max", "r") : NULL;
	long max = 0;

	if (pid && (!f || fscanf(f, "%ld", &max) != 1 || fclose(f))) {
		perror("pid_max");
		exit(1);
	}
	return max > pid ? (max - pid) / n : 0;
}

/* Hands on what comes until nothing does any more. */
static void pass(int from, int to)
{
	char c;

	while (read(from, &c, 1) == 1 && write(to, &c, 1) == 1)
		;
	_exit(0);
}

/* The first one's end of the way to the others; *back: where it comes back from them. Their clocks. */
static int make_others(int n, long pid, int *back, clockid_t *clock)
{
	long stride = n > 2 ? stride_of(pid, n) : 0;
	int there[2], next[2], from, i;
	pid_t child;

	if (pipe(there))
		return -1;
	from = there[0];
	for (i = 0; i < n - 1; i++) {
		if (pipe(next))
			return -1;
		child = fork_as(pid ? pid + i * stride : 0);
		if (!child) {
			close(there[1]);
			close(next[0]);
			pass(from, next[1]);
		}
		if (child < 0 || clock_getcpuclockid(child, &clock[i]))
			return -1;
		close(from);
		close(next[1]);
		from = next[0];
	}
	*back = from;
	return there[1];
}

static double all_clocks(int n, const clockid_t *of_others)
{
	double sum = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	int i;

	for (i = 0; i < n - 1; i++)
		sum += clock_ns(of_others[i]);
	return sum;
}

int main(int argc, char **argv)
{
	int cpu = argc > 1 ? atoi(argv[1]) : 0, seconds = argc > 2 ? atoi(argv[2]) : 1;
	int nr = argc > 4 ? atoi(argv[4]) : 2, there, back;
	time_t end = time(NULL) + seconds;
	double before = 0, now, least = 0;
	clockid_t clock[MAX_PROCESSES];
	unsigned long n, window = 1;
	cpu_set_t set;
	char c = 0;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (nr < 2 || nr > MAX_PROCESSES || sched_setaffinity(0, sizeof(set), &set))
		return 1;
	there = make_others(nr, argc > 3 ? atol(argv[3]) : 0, &back, clock);
	if (there < 0)
		return 1;
	while (window * 2 * (unsigned long)nr <= WINDOW)
		window *= 2;
	for (n = 0; n <= window || (n & (window - 1)) != 1 || time(NULL) < end; n++) {
		if ((n & (window - 1)) == 0) {
			now = all_clocks(nr, clock);
			if (n && (!least || now - before < least))
				least = now - before;
			before = now;
		}
		if (write(there, &c, 1) != 1 || read(back, &c, 1) != 1)
			return 1;
	}
	close(there);
	while (wait(NULL) > 0)
		;
	printf("%.1f\n", least / (double)window / nr);
	return 0;
}
