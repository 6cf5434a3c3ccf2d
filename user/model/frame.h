/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mappings and frames of a profile. profile_mapping() and profile_frame*()
 * intern: they return the id of the equal entry, made when new.
 */
#ifndef MODEL_FRAME_H
#define MODEL_FRAME_H

#include "model/tables.h"

/* Equal when kind, file, build_id, start, limit and offset are equal. */
uint32_t profile_mapping(struct profile *p, const struct mapping *m);

/* Equal when mapping and address are equal, also once it is named. A new one has no lines. */
uint32_t profile_frame(struct profile *p, uint32_t mapping, uint64_t address);

/*
 * A frame that carries its lines from the start (a reader's): equal when mapping, address and
 * lines are equal. Readers with frames that have no address use this too.
 */
uint32_t profile_frame_lines(struct profile *p, uint32_t mapping, uint64_t address,
			     const struct line *lines, uint32_t nr);

/* A frame of MAPPING_SPECIAL with just this name: "[truncated: fault]", "[exec]". */
uint32_t profile_special_frame(struct profile *p, const char *name);

/*
 * Naming: gives a frame without lines its lines (copied); one that has some keeps them. The
 * mapping's has_* flags are the caller's.
 */
void profile_name_frame(struct profile *p, uint32_t frame, const struct line *lines, uint32_t nr);

/* A loadable part of an ELF object; offset is the file's. */
struct segment {
	uint64_t offset, size, address;
};

/*
 * Turns all addresses of a mapping from file offsets into the object's own, and sets start, limit
 * and offset. Addresses outside all segments keep their distance to the first one. Frames and
 * the mapping are found by their new keys from then on. One walk over all frames.
 */
void profile_move_mapping(struct profile *p, uint32_t mapping, const struct segment *seg,
			  uint32_t nr);

/*
 * Name of a frame's function at inline depth `i` (0 = innermost), or for a frame
 * without lines "module+0xaddress" in buf. Never NULL.
 */
const char *profile_frame_name(const struct profile *p, uint32_t frame, uint32_t i, char *buf,
			       size_t cap);

/* Last path component of a mapping's file ("libc.so.6"); "-" for mapping 0 and special ones. */
const char *profile_module(const struct profile *p, uint32_t mapping);

#endif
