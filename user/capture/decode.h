/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of the rings -> samples of the profile. A sample whose stack could
 * not be walked for want of tables waits, with its copy of the stack, until
 * they are there, for PENDING_MAX_NS at most.
 */
#ifndef CAPTURE_DECODE_H
#define CAPTURE_DECODE_H

#include "bpf/wire.h"
#include "model/profile.h"
#include "proc/images.h"
#include "proc/kallsyms.h"
#include "unwind/unwinder.h"

#define PENDING_MAX_NS 3000000000ull
/* Samples that wait, and their bytes; more are cut short, and say so. */
#define PENDING_MAX	  4096
#define PENDING_MAX_BYTES (8u << 20)

/* The root frames of WIRE_NO_STACK records. */
#define DECODE_NOT_TOLD	 "[stack lost: switch not told]"
#define DECODE_NO_WALKER "[stack lost: no walker]"

struct decoder;

/*
 * All but the profile may be without: kallsyms NULL, unwinder NULL (stacks end where the kernel side ended them).
 * max_user: frames of a user stack.
 */
struct decoder *decoder_new(struct profile *p, const struct kallsyms *k, struct images *im,
			    struct unwinder *u, uint32_t max_user);
void decoder_free(struct decoder *d);

/* One record of `size` bytes from the kernel; -EBADMSG when it is not whole. now_ns: CLOCK_MONOTONIC. */
int decoder_add(struct decoder *d, const struct wire_sample *s, size_t size, uint64_t now_ns) must_check;

/*
 * Makes tables for what waits, for about budget_ns, and adds the samples that have theirs now, or
 * have waited too long. all: every one, as it can be.
 */
void decoder_settle(struct decoder *d, uint64_t now_ns, uint64_t budget_ns, bool all);

size_t decoder_nr_pending(const struct decoder *d);

/* Marks the objects that its profile's frames are in. */
void decoder_need(const struct decoder *d, bool *needed);

size_t decoder_nr_objects(const struct decoder *d);
/* The object and its mapping in the profile (0: not in any stack). */
const struct object_file *decoder_object(const struct decoder *d, size_t i, uint32_t *mapping);

#endif
