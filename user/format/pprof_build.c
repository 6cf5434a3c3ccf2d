/* SPDX-License-Identifier: BSD-2-Clause */
#include "format/pprof_build.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "format/format.h"
#include "format/ids.h"
#include "format/pprof_note.h"
#include "profile.pb-c.h"

struct builder {
	struct pprof_parts *parts;
	struct profile *p;
	struct ids mappings, functions, locations;
	struct pprof_notes notes;
	uint32_t ledger_comment;      /* string: the one that p->ledger came from */
	ProtobufCAllocator allocator; /* refuses beyond FORMAT_MAX_UNPACKED for one message */
	size_t unpacked;
	struct line *lines;
	size_t cap_lines;
};

typedef int (*build_fn)(struct builder *b, const ProtobufCMessage *m);

static void *limited_alloc(void *ctx, size_t size)
{
	struct builder *b = ctx;

	if (size > FORMAT_MAX_UNPACKED - b->unpacked)
		return NULL;
	b->unpacked += size;
	return malloc(size);
}

static void limited_free(void *ctx, void *p)
{
	free(p);
}

/* Unpacks the sub-messages of one field one after the other, and has each built. */
static int build_each(struct builder *b, enum pprof_field field,
		      const ProtobufCMessageDescriptor *d, build_fn build)
{
	const struct held *h = &b->parts->held[field];
	const uint8_t *at = (const uint8_t *)h->bytes.data;
	int err = 0;

	for (uint32_t i = 0; i < h->nr && !err; i++) {
		ProtobufCMessage *m;
		uint32_t len;

		memcpy(&len, at, sizeof(len));
		b->unpacked = 0;
		m = protobuf_c_message_unpack(d, &b->allocator, len, at + sizeof(len));
		if (!m)
			return fail_plain(-EBADMSG, "%s: damaged %s %u; nothing was read",
					  b->parts->name, d->short_name, i + 1);
		err = build(b, m);
		protobuf_c_message_free_unpacked(m, &b->allocator);
		at += sizeof(len) + len;
	}
	return err;
}

static int bad_reference(const struct builder *b, const char *from, const char *to, uint64_t id)
{
	return fail_plain(-EBADMSG, "%s: a %s refers to %s %llu, which the file does not have",
			  b->parts->name, from, to, (unsigned long long)id);
}

static int find_string(const struct builder *b, const char *from, int64_t index, uint32_t *id)
{
	if (index < 0 || (uint64_t)index >= b->parts->nr_strings)
		return bad_reference(b, from, "string", (uint64_t)index);
	*id = b->parts->string[index];
	return 0;
}

static int find_id(const struct builder *b, const struct ids *ids, uint64_t theirs, uint32_t *id)
{
	uint32_t ours = ids_find(ids, theirs);

	if (ours != INDEX_NONE) {
		*id = ours;
		return 0;
	}
	if (ids == &b->locations)
		return bad_reference(b, "sample", "location", theirs);
	return bad_reference(b, "location", ids == &b->mappings ? "mapping" : "function", theirs);
}

/* Is that a new id of its kind? */
static int check_new_id(const struct builder *b, const struct ids *ids, const char *kind,
			uint64_t id)
{
	if (!id)
		return fail_plain(-EBADMSG, "%s: a %s has id 0", b->parts->name, kind);
	if (ids_find(ids, id) != INDEX_NONE)
		return fail_plain(-EBADMSG, "%s: two %ss have id %llu", b->parts->name, kind,
				  (unsigned long long)id);
	return 0;
}

static int build_column(struct builder *b, const ProtobufCMessage *message)
{
	const Perftools__Profiles__ValueType *m = (const void *)message;
	uint32_t type = 0, unit = 0;
	int err = find_string(b, "sample type", m->type, &type);

	if (!err)
		err = find_string(b, "sample type", m->unit, &unit);
	if (!err)
		err = profile_add_column(b->p, profile_str(b->p, type), profile_str(b->p, unit));
	return err;
}

static int build_period_type(struct builder *b, const ProtobufCMessage *message)
{
	const Perftools__Profiles__ValueType *m = (const void *)message;
	struct column c;
	int err = find_string(b, "period type", m->type, &c.type);

	if (!err)
		err = find_string(b, "period type", m->unit, &c.unit);
	if (!err)
		b->p->period_type = c;
	return err;
}

static int build_mapping(struct builder *b, const ProtobufCMessage *message)
{
	const Perftools__Profiles__Mapping *m = (const void *)message;
	struct mapping new = {
		.start = m->memory_start,
		.limit = m->memory_limit,
		.offset = m->file_offset,
	};
	const struct mapping_note *note;
	struct mapping *ours;
	uint32_t id;
	int err = check_new_id(b, &b->mappings, "mapping", m->id);

	if (!err)
		err = find_string(b, "mapping", m->filename, &new.file);
	if (!err)
		err = find_string(b, "mapping", m->build_id, &new.build_id);
	if (err)
		return err;
	note = pprof_notes_find(&b->notes, new.file, new.build_id);
	new.kind = note ? note->kind : pprof_kind(profile_str(b->p, new.file));
	id = profile_mapping(b->p, &new);
	ours = &b->p->mappings[id];
	ours->unnamed = note ? note->unnamed : 0;
	ours->has_functions |= m->has_functions;
	ours->has_filenames |= m->has_filenames;
	ours->has_line_numbers |= m->has_line_numbers;
	ours->has_inline_frames |= m->has_inline_frames;
	ids_add(&b->mappings, m->id, id);
	return 0;
}

static int build_function(struct builder *b, const ProtobufCMessage *message)
{
	const Perftools__Profiles__Function *m = (const void *)message;
	struct function new = { .start_line = m->start_line };
	int err = check_new_id(b, &b->functions, "function", m->id);

	if (!err)
		err = find_string(b, "function", m->name, &new.name);
	if (!err)
		err = find_string(b, "function", m->system_name, &new.system_name);
	if (!err)
		err = find_string(b, "function", m->filename, &new.file);
	if (err)
		return err;
	if (!new.name)
		new.name = new.system_name;
	ids_add(&b->functions, m->id, profile_function(b->p, &new));
	return 0;
}

/* To b->lines; lines without a function, or with one that has no name, say nothing. */
static int build_lines(struct builder *b, const Perftools__Profiles__Location *m, uint32_t *nr)
{
	if (b->p->nr_lines + m->n_line > FORMAT_MAX_LINES)
		return fail_plain(-EFBIG, "%s: more than %u lines", b->parts->name,
				  FORMAT_MAX_LINES);
	grow(&b->lines, &b->cap_lines, m->n_line, sizeof(*b->lines));
	for (size_t i = 0; i < m->n_line; i++) {
		struct line line = { .line = m->line[i]->line };
		int err = 0;

		if (m->line[i]->function_id)
			err = find_id(b, &b->functions, m->line[i]->function_id, &line.function);
		if (err)
			return err;
		if (b->p->functions[line.function].name)
			b->lines[(*nr)++] = line;
	}
	return 0;
}

/* A frame that is no code at all: dwell writes it without mapping and address. */
static const char *special_name(const struct builder *b, const Perftools__Profiles__Location *m,
				uint32_t nr_lines)
{
	const char *name;

	if (m->mapping_id || m->address || nr_lines != 1)
		return NULL;
	name = profile_str(b->p, b->p->functions[b->lines[0].function].name);
	return name[0] == '[' ? name : NULL;
}

static int build_location(struct builder *b, const ProtobufCMessage *message)
{
	const Perftools__Profiles__Location *m = (const void *)message;
	uint32_t mapping = 0, nr_lines = 0, frame;
	const char *special;
	int err = check_new_id(b, &b->locations, "location", m->id);

	if (!err && m->mapping_id)
		err = find_id(b, &b->mappings, m->mapping_id, &mapping);
	if (!err)
		err = build_lines(b, m, &nr_lines);
	if (err)
		return err;
	special = special_name(b, m, nr_lines);
	if (special)
		frame = profile_special_frame(b->p, special);
	else
		frame = profile_frame_lines(b->p, mapping, m->address, b->lines, nr_lines);
	ids_add(&b->locations, m->id, frame);
	return 0;
}

static int build_stack(struct builder *b, const Perftools__Profiles__Sample *m, uint32_t *out)
{
	size_t i = m->n_location_id;
	uint32_t stack = 0, frame = 0;

	if (i > PROFILE_MAX_DEPTH) {
		i = PROFILE_MAX_DEPTH - 1;
		stack = profile_push(b->p, 0, profile_special_frame(b->p, "[truncated: depth]"));
	}
	while (i--) {
		int err = find_id(b, &b->locations, m->location_id[i], &frame);

		if (err)
			return err;
		stack = profile_push(b->p, stack, frame);
	}
	*out = stack;
	return 0;
}

static int build_labels(struct builder *b, const Perftools__Profiles__Sample *m, uint32_t *out)
{
	struct label labels[FORMAT_MAX_LABELS];
	uint32_t nr = 0;

	if (m->n_label > FORMAT_MAX_LABELS)
		return fail_plain(-EFBIG, "%s: a sample has more than %u labels", b->parts->name,
				  FORMAT_MAX_LABELS);
	for (size_t i = 0; i < m->n_label; i++) {
		const Perftools__Profiles__Label *from = m->label[i];
		struct label to = { 0 };
		int err = find_string(b, "label", from->key, &to.key);

		if (!err)
			err = find_string(b, "label", from->str, &to.str);
		if (!err)
			err = find_string(b, "label", from->num_unit, &to.num_unit);
		if (err)
			return err;
		to.num = to.str ? 0 : from->num;
		if (to.key) /* without one it says nothing */
			labels[nr++] = to;
	}
	*out = profile_labels(b->p, labels, nr);
	return 0;
}

static int build_sample(struct builder *b, const ProtobufCMessage *message)
{
	const Perftools__Profiles__Sample *m = (const void *)message;
	struct profile *p = b->p;
	uint32_t stack = 0, labels = 0;
	int err;

	if (m->n_value != p->nr_columns)
		return fail_plain(-EBADMSG,
				  "%s: a sample has %zu values, but the file has %u sample types",
				  b->parts->name, m->n_value, p->nr_columns);
	err = build_stack(b, m, &stack);
	if (!err)
		err = build_labels(b, m, &labels);
	if (err)
		return err;
	profile_add(p, stack, labels, m->value);
	if (p->nr_stacks > FORMAT_MAX_STACKS || p->nr_label_pool > FORMAT_MAX_LABEL_POOL ||
	    (uint64_t)p->nr_samples * p->nr_columns > FORMAT_MAX_VALUES)
		return fail_plain(-EFBIG, "%s: more different samples than dwell takes",
				  b->parts->name);
	return 0;
}

static void keep_comment(struct profile *p, uint32_t id)
{
	grow(&p->comments, &p->cap_comments, p->nr_comments + 1, sizeof(*p->comments));
	p->comments[p->nr_comments++] = id;
}

/* Comments come first: what they note on mappings is needed when those are built. */
static int build_comments(struct builder *b)
{
	struct pprof_parts *parts = b->parts;

	for (size_t i = 0; i < parts->nr_comments; i++) {
		bool had_ledger = b->p->ledger.present;
		uint32_t id = 0;
		int err = find_string(b, "comment", (int64_t)parts->comment[i], &id);

		if (err)
			return err;
		if (!pprof_note_read(b->p, &b->notes, profile_str(b->p, id)))
			keep_comment(b->p, id);
		else if (!had_ledger && b->p->ledger.present)
			b->ledger_comment = id;
	}
	pprof_notes_sort(&b->notes);
	return 0;
}

static int build_rest(struct builder *b)
{
	const struct pprof_parts *parts = b->parts;
	struct profile *p = b->p;
	uint32_t type = 0;
	int column, err;

	err = find_string(b, "profile", (int64_t)parts->number[PPROF_DEFAULT_SAMPLE_TYPE], &type);
	if (!err)
		err = find_string(b, "profile", (int64_t)parts->number[PPROF_DOC_URL], &p->doc_url);
	if (err)
		return err;
	column = type ? profile_column(p, profile_str(p, type)) : -1;
	p->default_column = column >= 0 ? (uint32_t)column : p->nr_columns - 1;
	p->time_ns = (int64_t)parts->number[PPROF_TIME_NANOS];
	p->duration_ns = (int64_t)parts->number[PPROF_DURATION_NANOS];
	p->period = (int64_t)parts->number[PPROF_PERIOD];
	return 0;
}

static int build_all(struct builder *b)
{
	static const struct {
		enum pprof_field field;
		const ProtobufCMessageDescriptor *message;
		build_fn build;
	} order[] = {
		/* what is referred to comes first */
		{ PPROF_SAMPLE_TYPE, &perftools__profiles__value_type__descriptor, build_column },
		{ PPROF_PERIOD_TYPE, &perftools__profiles__value_type__descriptor,
		  build_period_type },
		{ PPROF_MAPPING, &perftools__profiles__mapping__descriptor, build_mapping },
		{ PPROF_FUNCTION, &perftools__profiles__function__descriptor, build_function },
		{ PPROF_LOCATION, &perftools__profiles__location__descriptor, build_location },
		{ PPROF_SAMPLE, &perftools__profiles__sample__descriptor, build_sample },
	};
	int err = build_comments(b);

	for (size_t i = 0; i < ARRAY_LEN(order) && !err; i++) {
		err = build_each(b, order[i].field, order[i].message, order[i].build);
		buf_done(&b->parts->held[order[i].field].bytes);
	}
	return err ? err : build_rest(b);
}

/*
 * Whoever filters or merges a file keeps its comments: a ledger that does not match the samples
 * any more goes back to being a comment.
 */
static int check_built(struct builder *b)
{
	struct profile *p = b->p;
	int err;

	if (times_check(&p->times))
		times_done(&p->times);
	err = profile_check(p);
	if (err && p->ledger.present) {
		p->ledger = (struct ledger){ 0 };
		keep_comment(p, b->ledger_comment);
		err = profile_check(p);
	}
	return err ? fail_in(-EBADMSG, "%s", b->parts->name) : 0;
}

int pprof_build(struct pprof_parts *parts)
{
	struct builder b = {
		.parts = parts,
		.p = parts->p,
		.allocator = { limited_alloc, limited_free, &b },
	};
	int err = build_all(&b);

	if (!err)
		err = check_built(&b);
	ids_done(&b.mappings);
	ids_done(&b.functions);
	ids_done(&b.locations);
	pprof_notes_done(&b.notes);
	free(b.lines);
	return err;
}
