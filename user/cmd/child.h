/* SPDX-License-Identifier: BSD-2-Clause */
/* COMMAND of `record -- COMMAND`: forked early, held back until the sampler runs. */
#ifndef CMD_CHILD_H
#define CMD_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct child {
	pid_t pid;		/* 0: none */
	int pidfd;
	int go_fd, error_fd;
	bool reaped;
	int status;		/* of waitpid() once reaped */
};

/* Forks; the child waits. To be called before signals are blocked. */
int child_fork(struct child *c, char **argv) must_check;

/*
 * Lets it run. 0: its image was replaced; else the negative errno of execvp() after fail(), and the
 * child is gone.
 */
int child_go(struct child *c) must_check;

/* Waits for its end. Returns the exit status to pass on: its own, or 128 + signal. */
int child_wait(struct child *c);

/* Lets go of the descriptors; a child that still waits for its go ends. */
void child_done(struct child *c);

#endif
