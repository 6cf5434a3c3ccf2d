/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits that have not ended when sampling does: each with its stack, kernel part and registers from the task
 * iterator, the rest from the memory of the process, as long as its thread sleeps.
 */
#ifndef CAPTURE_SLEEPERS_H
#define CAPTURE_SLEEPERS_H

#include "capture/state.h"

/* Prepares the list for the end of an account: no bpf(2) then. */
int sleepers_open(struct capture *c) must_check;
void sleepers_close(struct capture *c);

/* After threads_close_account(): into the profile, those without a stack as [still waiting]. */
void sleepers_add(struct capture *c);

#endif
