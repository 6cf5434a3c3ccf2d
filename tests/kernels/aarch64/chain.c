/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chain KIND SECONDS - has a chain of calls that is known, and says "ready" before:
 *   leaf      main > descend x 20 > work, which works there without a call
 *   signal    the same, and again and again on_tick > spin, by a signal that strikes work
 *   clock     main > ask_time > clock_gettime(): in the vdso
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define DEPTH 20

static volatile sig_atomic_t stop;
static volatile unsigned long sink;

static void on_alarm(int sig)
{
	stop = 1;
}

static __attribute__((noinline)) void spin(void)
{
	int i;

	for (i = 0; i < 100000; i++)
		sink++;
}

static void on_tick(int sig)
{
	spin();
	sink++;
}

static __attribute__((noinline)) void work(void)
{
	while (!stop)
		sink++;
}

/* what follows each call keeps it from becoming a jump or a loop */
static __attribute__((noinline, noclone)) void descend(int n)
{
	if (n > 1)
		descend(n - 1);
	else
		work();
	sink++;
}

static __attribute__((noinline)) void ask_time(void)
{
	struct timespec t;

	while (!stop)
		sink += (unsigned long)clock_gettime(CLOCK_MONOTONIC, &t);
}

int main(int argc, char **argv)
{
	struct itimerval every = { { 0, 20000 }, { 0, 20000 } };

	if (argc < 3)
		return 2;
	signal(SIGALRM, on_alarm);
	signal(SIGVTALRM, on_tick);
	alarm((unsigned int)atoi(argv[2]));
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	if (!strcmp(argv[1], "signal"))
		setitimer(ITIMER_VIRTUAL, &every, NULL);
	if (!strcmp(argv[1], "clock"))
		ask_time();
	else
		descend(DEPTH);
	return 0;
}
