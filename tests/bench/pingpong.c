/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pingpong CPU SECONDS [PID] - two processes on one CPU that wake one another up over pipes; the second is the first
 * that is free from PID on. Prints the CPU time of both in ns for each switch, the least of windows of some 75 ms, for
 * what disturbs only adds: what a hook on the switch path costs shows there.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WINDOW (1 << 14) /* there and back again */

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

int main(int argc, char **argv)
{
	int there[2], back[2], cpu = argc > 1 ? atoi(argv[1]) : 0, seconds = argc > 2 ? atoi(argv[2]) : 1;
	time_t end = time(NULL) + seconds;
	double before = 0, now, least = 0;
	clockid_t of_child;
	cpu_set_t set;
	unsigned long n;
	pid_t child;
	char c = 0;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) || pipe(there) || pipe(back))
		return 1;
	child = fork_as(argc > 3 ? atol(argv[3]) : 0);
	if (!child) {
		close(there[1]);
		while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
			;
		_exit(0);
	}
	if (child < 0 || clock_getcpuclockid(child, &of_child))
		return 1;
	for (n = 0; n <= WINDOW || n % WINDOW != 1 || time(NULL) < end; n++) {
		if (n % WINDOW == 0) {
			now = clock_ns(CLOCK_PROCESS_CPUTIME_ID) + clock_ns(of_child);
			if (n && (!least || now - before < least))
				least = now - before;
			before = now;
		}
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			return 1;
	}
	close(there[1]);
	waitpid(child, NULL, 0);
	printf("%.1f\n", least / WINDOW / 2);
	return 0;
}
