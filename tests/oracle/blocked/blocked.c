/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocked WAY - calls itself in WAY, says "ready", and waits there for good; "spin" runs instead.
 * For stacks that are compared with another unwinder's; built in several ways by ../stacks.
 */
#include <alloca.h>
#include <dlfcn.h>
#include <immintrin.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define noinline __attribute__((noinline))

static volatile int depth = 20;
static volatile double sink;

static noinline int block(void)
{
	static const char ready[] = "ready\n";

	if (write(1, ready, sizeof(ready) - 1) < 0)
		return 1;
	for (;;)
		pause();
	return 0;
}

static noinline int in_alloca(int n)
{
	char *p = alloca((size_t)n * 16 + 1);
	int r;

	memset(p, n, (size_t)n * 16 + 1);
	r = n ? in_alloca(n - 1) : block();
	return r + p[0];
}

static noinline int in_recursion(int n)
{
	volatile int local[3] = { n, n, n };

	return (n ? in_recursion(n - 1) : block()) + local[1];
}

static int compare(const void *a, const void *b)
{
	static int calls;

	if (++calls == 5)
		block();
	return *(const int *)a - *(const int *)b;
}

static noinline int in_qsort(int n)
{
	int v[32];

	for (int i = 0; i < 32; i++)
		v[i] = (i * 7 + n) % 32;
	qsort(v, 32, sizeof(*v), compare);
	return v[0];
}

static void on_signal(int sig)
{
	in_recursion(5);
}

static noinline int in_signal(int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };
	stack_t alt = { .ss_sp = malloc(65536), .ss_size = 65536 };

	sigaltstack(&alt, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	return 1;
}

/* A fault: the interrupted instruction is in the middle of a function, no call. */
static noinline int in_fault(volatile int *p)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGSEGV, &sa, NULL);
	return *p + 1;
}

/* More alignment than the stack has: the frame is realigned, the old one kept elsewhere (DRAP). */
static noinline int in_realigned(int n, ...)
{
	_Alignas(128) volatile char buf[256];
	char *more = alloca((size_t)depth);
	int r;

	buf[n] = 1;
	more[0] = 2;
	r = n ? in_realigned(n - 1, n, n) : block();
	return r + buf[n] + more[0];
}

static void *thread(void *arg)
{
	in_recursion(7);
	return arg;
}

static noinline int in_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	return 1;
}

static noinline int in_vfork(void)
{
	if (!vfork()) {
		block();
		_exit(0);
	}
	return 1;
}

static noinline int in_library(const char *path)
{
	void *lib = dlopen(path, RTLD_NOW);
	int (*call)(int (*fn)(void), int n) = lib ? (int (*)(int (*)(void), int))dlsym(lib, "call") : NULL;

	return call ? call(block, 10) : 2;
}

static noinline double spin_step(int n)
{
	struct timespec t;
	char text[40];

	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(text, sizeof(text), "%ld %d %g", t.tv_nsec, n, (double)n / 7);
	return strlen(text) + (n > 0 ? spin_step(n - 1) : strtod(text, NULL));
}

static noinline int spin(void)
{
	if (write(1, "ready\n", 6) < 0)
		return 1;
	for (;;)
		sink += spin_step(6) + in_qsort(3);
	return 0;
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";

	alarm(120);
	if (!strcmp(way, "recursion"))
		return in_recursion(depth);
	if (!strcmp(way, "alloca"))
		return in_alloca(depth);
	if (!strcmp(way, "qsort"))
		return in_qsort(depth);
	if (!strcmp(way, "signal"))
		return in_signal(0);
	if (!strcmp(way, "altstack"))
		return in_signal(SA_ONSTACK);
	if (!strcmp(way, "fault"))
		return in_fault(NULL);
	if (!strcmp(way, "realigned"))
		return in_realigned(3);
	if (!strcmp(way, "thread"))
		return in_thread();
	if (!strcmp(way, "vfork"))
		return in_vfork();
	if (!strcmp(way, "library") && argc > 2)
		return in_library(argv[2]);
	if (!strcmp(way, "spin"))
		return spin();
	return 2;
}
