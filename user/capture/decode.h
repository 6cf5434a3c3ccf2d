/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of the rings -> samples of the profile, while their processes still live. */
#ifndef CAPTURE_DECODE_H
#define CAPTURE_DECODE_H

#include "bpf/wire.h"
#include "model/profile.h"
#include "proc/kallsyms.h"
#include "proc/process.h"

struct decoder;

struct decoder *decoder_new(struct profile *p, const struct kallsyms *k);
void decoder_free(struct decoder *d);

/* One record of `size` bytes from the kernel; -EBADMSG when it is not whole. now_ns: CLOCK_MONOTONIC. */
int decoder_add(struct decoder *d, const struct wire_sample *s, size_t size, uint64_t now_ns) must_check;

/* Different processes met so far. */
uint64_t decoder_nr_processes(const struct decoder *d);

size_t decoder_nr_objects(const struct decoder *d);
/* The object and its mapping in the profile (0: not in any stack). */
const struct object_file *decoder_object(const struct decoder *d, size_t i, uint32_t *mapping);

#endif
