/* SPDX-License-Identifier: BSD-2-Clause */
/* What blocked.c opens at run time. */
int call(int (*fn)(void), int n);

static __attribute__((noinline)) int down(int (*fn)(void), volatile int *n)
{
	return (--*n > 0 ? down(fn, n) : fn()) + *n;
}

int call(int (*fn)(void), int n)
{
	volatile int left = n;

	return down(fn, &left);
}
