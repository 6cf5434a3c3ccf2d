/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mappings and frames of a profile, and what naming does to them. A frame is in the
 * index by its address, by its address and lines, or (a named one) by both:
 *   profile_frame()        address          found by address, whatever its lines
 *   profile_frame_lines()  address, lines   found by both; several may share an address
 *   profile_name_frame()   address          is then found by address and lines too
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "model/frame.h"
#include "model/profile.h"

static uint64_t hash_mapping(const struct mapping *m)
{
	uint64_t h = hash_u64(m->start, m->limit);

	h = hash_u64(h ^ m->offset, (uint64_t)m->file << 32 | m->build_id);
	return hash_u64(h, m->kind);
}

static bool equal_mapping(const void *owner, uint32_t id, const void *key)
{
	const struct mapping *a = &((const struct profile *)owner)->mappings[id], *b = key;

	return a->start == b->start && a->limit == b->limit && a->offset == b->offset &&
	       a->file == b->file && a->build_id == b->build_id && a->kind == b->kind;
}

uint32_t profile_mapping(struct profile *p, const struct mapping *m)
{
	struct mapping copy = *m; /* it may lie in the array that grows */
	uint64_t hash = hash_mapping(m);
	uint32_t id = index_find(&p->mapping_index, hash, equal_mapping, p, m);

	if (id != INDEX_NONE)
		return id;
	id = (uint32_t)p->nr_mappings;
	grow(&p->mappings, &p->cap_mappings, p->nr_mappings + 1, sizeof(*m));
	p->mappings[id] = copy;
	p->nr_mappings++;
	index_add(&p->mapping_index, hash, id);
	return id;
}

struct frame_key {
	uint64_t address;
	uint32_t mapping, nr;
	const struct line *lines;
};

static uint64_t hash_address(uint32_t mapping, uint64_t address)
{
	return hash_u64(address, mapping);
}

static uint64_t hash_lines(const struct frame_key *k)
{
	uint64_t h = hash_u64(hash_address(k->mapping, k->address), k->nr);
	uint32_t i;

	for (i = 0; i < k->nr; i++)
		h = hash_u64(h ^ k->lines[i].function, (uint64_t)k->lines[i].line);
	return h;
}

static bool equal_address(const void *owner, uint32_t id, const void *key)
{
	const struct frame *a = &((const struct profile *)owner)->frames[id];
	const struct frame_key *b = key;

	return a->address == b->address && a->mapping == b->mapping;
}

static bool equal_lines(const void *owner, uint32_t id, const void *key)
{
	const struct profile *p = owner;
	const struct frame *a = &p->frames[id];
	const struct frame_key *b = key;
	const struct line *lines;
	uint32_t i;

	if (!equal_address(owner, id, key) || a->nr_lines != b->nr)
		return false;
	lines = &p->lines[a->first_line];
	for (i = 0; i < b->nr; i++) {
		if (lines[i].function != b->lines[i].function || lines[i].line != b->lines[i].line)
			return false;
	}
	return true;
}

static uint32_t new_frame(struct profile *p, uint32_t mapping, uint64_t address, uint64_t hash)
{
	uint32_t id = (uint32_t)p->nr_frames;

	grow(&p->frames, &p->cap_frames, p->nr_frames + 1, sizeof(*p->frames));
	p->frames[id] = (struct frame){ .address = address, .mapping = mapping };
	p->nr_frames++;
	index_add(&p->frame_index, hash, id);
	return id;
}

uint32_t profile_frame(struct profile *p, uint32_t mapping, uint64_t address)
{
	struct frame_key key = { .address = address, .mapping = mapping };
	uint64_t hash = hash_address(mapping, address);
	uint32_t id = index_find(&p->frame_index, hash, equal_address, p, &key);

	if (id == INDEX_NONE && p->limit && p->nr_frames >= p->limit)
		return p->overflow_frame;
	return id != INDEX_NONE ? id : new_frame(p, mapping, address, hash);
}

static void set_lines(struct profile *p, uint32_t frame, const struct line *lines, uint32_t nr)
{
	struct frame *f = &p->frames[frame];

	if (p->nr_lines + nr > UINT32_MAX)
		abort();
	grow(&p->lines, &p->cap_lines, p->nr_lines + nr, sizeof(*lines));
	memcpy(p->lines + p->nr_lines, lines, nr * sizeof(*lines));
	f->first_line = (uint32_t)p->nr_lines;
	f->nr_lines = nr;
	p->nr_lines += nr;
}

uint32_t profile_frame_lines(struct profile *p, uint32_t mapping, uint64_t address,
			     const struct line *lines, uint32_t nr)
{
	struct frame_key key = { address, mapping, nr, lines };
	uint64_t hash;
	uint32_t id;

	if (!nr)
		return profile_frame(p, mapping, address);
	hash = hash_lines(&key);
	id = index_find(&p->frame_index, hash, equal_lines, p, &key);
	if (id == INDEX_NONE) {
		id = new_frame(p, mapping, address, hash);
		set_lines(p, id, lines, nr);
	}
	return id;
}

uint32_t profile_special_frame(struct profile *p, const char *name)
{
	struct mapping m = { .kind = MAPPING_SPECIAL, .has_functions = true };
	struct function f = { .name = profile_strings(p, name) };
	struct line line = { .function = profile_function(p, &f) };

	return profile_frame_lines(p, profile_mapping(p, &m), 0, &line, 1);
}

void profile_name_frame(struct profile *p, uint32_t frame, const struct line *lines, uint32_t nr)
{
	struct frame *f = &p->frames[frame];
	struct frame_key key = { f->address, f->mapping, nr, lines };
	uint64_t hash;

	if (f->nr_lines || !nr)
		return;
	set_lines(p, frame, lines, nr);
	hash = hash_lines(&key);
	if (index_find(&p->frame_index, hash, equal_lines, p, &key) == INDEX_NONE)
		index_add(&p->frame_index, hash, frame);
}

static void move_frame(struct profile *p, uint32_t id, uint64_t address)
{
	struct frame *f = &p->frames[id];
	struct frame_key key = { f->address, f->mapping, f->nr_lines,
				 f->nr_lines ? &p->lines[f->first_line] : NULL };
	bool by_address = index_remove(&p->frame_index, hash_address(f->mapping, f->address), id);
	bool by_lines = f->nr_lines && index_remove(&p->frame_index, hash_lines(&key), id);

	f->address = key.address = address;
	if (by_address)
		index_add(&p->frame_index, hash_address(f->mapping, address), id);
	if (by_lines)
		index_add(&p->frame_index, hash_lines(&key), id);
}

static uint64_t moved(uint64_t offset, const struct segment *seg, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		if (offset - seg[i].offset < seg[i].size)
			return offset - seg[i].offset + seg[i].address;
	}
	return offset - seg[0].offset + seg[0].address;
}

/* Where the object's code lies: from its lowest segment to the end of its highest. */
static void set_extent(struct mapping *m, const struct segment *seg, uint32_t nr)
{
	const struct segment *low = seg;
	uint64_t end;
	uint32_t i;

	m->limit = 0;
	for (i = 0; i < nr; i++) {
		if (seg[i].address < low->address)
			low = &seg[i];
		if (__builtin_add_overflow(seg[i].address, seg[i].size, &end))
			end = UINT64_MAX;
		if (end > m->limit)
			m->limit = end;
	}
	m->start = low->address;
	m->offset = low->offset;
}

void profile_move_mapping(struct profile *p, uint32_t mapping, const struct segment *seg,
			  uint32_t nr)
{
	struct mapping *m = &p->mappings[mapping];
	uint32_t i;

	if (!nr || !mapping)
		return;
	for (i = 1; i < p->nr_frames; i++) {
		if (p->frames[i].mapping == mapping)
			move_frame(p, i, moved(p->frames[i].address, seg, nr));
	}
	index_remove(&p->mapping_index, hash_mapping(m), mapping);
	set_extent(m, seg, nr);
	index_add(&p->mapping_index, hash_mapping(m), mapping);
}

const char *profile_module(const struct profile *p, uint32_t mapping)
{
	const struct mapping *m = &p->mappings[mapping];
	const char *file = profile_str(p, m->file), *slash = strrchr(file, '/');

	if (!mapping || m->kind == MAPPING_SPECIAL || !file[0])
		return "-";
	return slash && slash[1] ? slash + 1 : file;
}

const char *profile_frame_name(const struct profile *p, uint32_t frame, uint32_t i, char *buf,
			       size_t cap)
{
	const struct frame *f = &p->frames[frame];
	const struct function *fn;

	if (f->nr_lines) {
		fn = &p->functions[p->lines[f->first_line + (i < f->nr_lines ? i : f->nr_lines - 1)]
					   .function];
		if (fn->name)
			return profile_str(p, fn->name);
		if (fn->system_name)
			return profile_str(p, fn->system_name);
	}
	if (f->mapping && p->mappings[f->mapping].file)
		snprintf(buf, cap, "%s+0x%" PRIx64, profile_module(p, f->mapping), f->address);
	else
		snprintf(buf, cap, "0x%" PRIx64, f->address);
	return buf;
}
