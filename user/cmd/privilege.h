/* SPDX-License-Identifier: BSD-2-Clause */
/* What dwell may do, and gives up when it needs it no more. */
#ifndef CMD_PRIVILEGE_H
#define CMD_PRIVILEGE_H

#include <stdbool.h>

#include "base/error.h"

/* -EINVAL after fail_plain() in a PID namespace of its own, where the kernel's ids are not /proc's. */
int privilege_check_namespace(void) must_check;

/* As many open files as the hard limit allows: each sampled object is one. */
void privilege_raise_files(void);

/* Keeps only what reading other processes' files and writing the profile takes. */
int privilege_drop_after_attach(void) must_check;

/* Has the process behind this pidfd ended? */
bool privilege_pidfd_ended(int pidfd);

#endif
