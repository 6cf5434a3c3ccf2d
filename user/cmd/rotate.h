/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of `record --rotate`: one for each interval, written by a process of its own while sampling goes on,
 * whole or not at all. What cannot be written is said, counted, and lost.
 */
#ifndef CMD_ROTATE_H
#define CMD_ROTATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/profile.h"

struct rotate;

/* output: as -o says. keep: only so many of the newest files, 0: all. Fails where no file can be made. */
int rotate_open(struct rotate **out, const char *output, uint64_t keep) must_check;
/* Waits for the writer. */
void rotate_close(struct rotate *r);

/*
 * Begins to write a profile that is finished, under NAME-20261121T181500.042Z.EXT of its time; say: to stderr, when it
 * is there. To be called when no writer is at work. Returns the writer's process.
 */
pid_t rotate_write(struct rotate *r, const struct profile *p, bool say) must_check;

/* Is a writer at work? wait: until it is not. */
bool rotate_busy(struct rotate *r, bool wait);

/* 0, or negative after fail_plain() that says how many profiles were lost. */
int rotate_result(const struct rotate *r) must_check;

#endif
