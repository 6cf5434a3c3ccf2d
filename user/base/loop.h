/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one epoll loop: descriptors, timers and signals. Callbacks return 0 to
 * go on, else the loop ends with what they return.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <signal.h>
#include <stdint.h>

#include "base/error.h"

struct loop;

typedef int (*loop_fn)(void *ctx, uint64_t arg);

int loop_new(struct loop **out) must_check;
void loop_free(struct loop *l);

/* fn(ctx, events) when fd is readable or hung up. The caller owns fd. */
int loop_add_fd(struct loop *l, int fd, loop_fn fn, void *ctx) must_check;

/* The same for a descriptor that wakes on purpose: fn is called once for each time, whatever is left to read. */
int loop_add_waker(struct loop *l, int fd, loop_fn fn, void *ctx) must_check;

/*
 * fn(ctx, expirations) each period_ns from now on (0 = once after first_ns).
 * Returns the timer's descriptor (>= 0), owned by the loop.
 */
int loop_add_timer(struct loop *l, uint64_t first_ns, uint64_t period_ns, loop_fn fn,
		   void *ctx) must_check;

/* Sets a timer of this loop anew: once, in first_ns. */
int loop_set_timer(struct loop *l, int timer, uint64_t first_ns) must_check;

/* fn(ctx, signal number) for each of the signals in set, which are blocked by this call. */
int loop_add_signals(struct loop *l, const sigset_t *set, loop_fn fn, void *ctx) must_check;

/* Runs until a callback returns non-zero (that value), or fails. */
int loop_run(struct loop *l) must_check;

#endif
