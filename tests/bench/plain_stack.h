/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * In front of sampler.bpf.c: the same program, but user stacks by bpf_get_stack(), which follows
 * frame pointers whether there are any or not. What walk-cost measures beside.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "bpf/raw.bpf.h"

static __always_inline void plain_stack(void *ctx, struct walk *w)
{
	__u64 *to = w->frame + (w->first & (WIRE_FRAME_SLOTS / 2 - 1));
	long n = bpf_get_stack(ctx, to, 127 * 8, BPF_F_USER_STACK);

	w->nr = n > 0 ? n >> 3 : 0;
	w->status = WIRE_USER_COMPLETE;
}

#define walk_user(w, cpu) plain_stack(ctx, w)
