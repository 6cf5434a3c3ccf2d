/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sub-messages are packed one at a time into a scratch buffer; the top level
 * around them is written by hand, so memory does not grow with the profile.
 * Function and location ids are ours. Mappings are numbered anew: pprof calls
 * the first one the program's own file.
 */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "format/format.h"
#include "format/pprof_build.h"
#include "format/pprof_note.h"
#include "profile.pb-c.h"

#define CHUNK	    65536
#define GZIP_WINDOW (15 + 16) /* a gzip header, which zlib makes without name and time */
#define LEVEL	    3	      /* half the time of 6 for 4 % more bytes */

#define WIRE_VARINT 0
#define WIRE_BYTES  2

struct writer {
	const struct profile *p;
	struct outfile *of;
	z_stream z;
	int err; /* sticky */
	struct buf raw, packed;
	struct strtab notes;	 /* strings behind the profile's own */
	uint32_t *mapping_id;	 /* [nr_mappings]: the file's id, 0: not written */
	uint32_t *mapping_order; /* [nr_written] */
	uint32_t nr_written;
	uint64_t *ids; /* scratch: location ids of a sample */
	unsigned char out[CHUNK];
};

/* What was put so far. */
static void deflate_raw(struct writer *w, int flush)
{
	int ret = Z_OK;

	w->z.next_in = (Bytef *)w->raw.data;
	w->z.avail_in = (uInt)w->raw.len;
	while (!w->err && (w->z.avail_in || flush == Z_FINISH) && ret != Z_STREAM_END) {
		w->z.next_out = w->out;
		w->z.avail_out = sizeof(w->out);
		ret = deflate(&w->z, flush);
		if (ret == Z_STREAM_ERROR)
			w->err = fail_plain(-EIO, "zlib cannot compress");
		else
			w->err = outfile_write(w->of, w->out, sizeof(w->out) - w->z.avail_out);
	}
	buf_clear(&w->raw);
}

static void put(struct writer *w, const void *data, size_t len)
{
	buf_put(&w->raw, data, len);
	if (w->raw.len >= CHUNK)
		deflate_raw(w, Z_NO_FLUSH);
}

static size_t put_varint(unsigned char *to, uint64_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		to[n++] = (unsigned char)(v | 0x80);
	to[n++] = (unsigned char)v;
	return n;
}

static void put_number(struct writer *w, enum pprof_field field, uint64_t value)
{
	unsigned char head[20];
	size_t n = put_varint(head, (uint64_t)field << 3 | WIRE_VARINT);

	if (value)
		put(w, head, n + put_varint(head + n, value));
}

static void put_bytes(struct writer *w, enum pprof_field field, const void *data, size_t len)
{
	unsigned char head[20];
	size_t n = put_varint(head, (uint64_t)field << 3 | WIRE_BYTES);

	put(w, head, n + put_varint(head + n, len));
	put(w, data, len);
}

static void put_message(struct writer *w, enum pprof_field field, const ProtobufCMessage *m)
{
	size_t len = protobuf_c_message_get_packed_size(m);

	grow(&w->packed.data, &w->packed.cap, len + 1, 1);
	protobuf_c_message_pack(m, (uint8_t *)w->packed.data);
	put_bytes(w, field, w->packed.data, len);
}

static void write_column(struct writer *w, enum pprof_field field, const struct column *c)
{
	Perftools__Profiles__ValueType m = PERFTOOLS__PROFILES__VALUE_TYPE__INIT;

	m.type = c->type;
	m.unit = c->unit;
	put_message(w, field, &m.base);
}

/* Labels of one sample, as protobuf-c wants them: an array of pointers. */
struct labels {
	Perftools__Profiles__Label *m, **ptr;
	size_t cap, ptr_cap;
};

static void fill_labels(const struct profile *p, const struct label_set *set, struct labels *out)
{
	grow(&out->m, &out->cap, set->nr, sizeof(*out->m));
	grow(&out->ptr, &out->ptr_cap, set->nr, sizeof(*out->ptr));
	for (uint32_t i = 0; i < set->nr; i++) {
		const struct label *l = &p->label_pool[set->first + i];

		perftools__profiles__label__init(&out->m[i]);
		out->m[i].key = l->key;
		out->m[i].str = l->str;
		out->m[i].num = l->num;
		out->m[i].num_unit = l->num_unit;
		out->ptr[i] = &out->m[i];
	}
}

static void write_samples(struct writer *w)
{
	const struct profile *p = w->p;
	struct labels labels = { 0 };

	for (size_t i = 0; i < p->nr_samples && !w->err; i++) {
		const struct label_set *set = &p->label_sets[p->samples[i].labels];
		Perftools__Profiles__Sample m = PERFTOOLS__PROFILES__SAMPLE__INIT;

		for (uint32_t s = p->samples[i].stack; s; s = p->stacks[s].parent)
			w->ids[m.n_location_id++] = p->stacks[s].frame;
		m.location_id = w->ids;
		m.n_value = p->nr_columns;
		m.value = profile_values(p, i);
		fill_labels(p, set, &labels);
		m.n_label = set->nr;
		m.label = labels.ptr;
		put_message(w, PPROF_SAMPLE, &m.base);
	}
	free(labels.m);
	free(labels.ptr);
}

static void write_mappings(struct writer *w)
{
	for (uint32_t i = 0; i < w->nr_written; i++) {
		const struct mapping *from = &w->p->mappings[w->mapping_order[i]];
		Perftools__Profiles__Mapping m = PERFTOOLS__PROFILES__MAPPING__INIT;

		m.id = i + 1;
		m.memory_start = from->start;
		m.memory_limit = from->limit;
		m.file_offset = from->offset;
		m.filename = from->file;
		m.build_id = from->build_id;
		m.has_functions = from->has_functions;
		m.has_filenames = from->has_filenames;
		m.has_line_numbers = from->has_line_numbers;
		m.has_inline_frames = from->has_inline_frames;
		put_message(w, PPROF_MAPPING, &m.base);
	}
}

/* Lines of one location, as protobuf-c wants them. */
struct lines {
	Perftools__Profiles__Line *m, **ptr;
	size_t cap, ptr_cap;
};

static void fill_lines(const struct profile *p, const struct frame *f, struct lines *out)
{
	grow(&out->m, &out->cap, f->nr_lines, sizeof(*out->m));
	grow(&out->ptr, &out->ptr_cap, f->nr_lines, sizeof(*out->ptr));
	for (uint32_t i = 0; i < f->nr_lines; i++) {
		const struct line *l = &p->lines[f->first_line + i];

		perftools__profiles__line__init(&out->m[i]);
		out->m[i].function_id = l->function;
		out->m[i].line = l->line;
		out->ptr[i] = &out->m[i];
	}
}

static void write_locations(struct writer *w)
{
	struct lines lines = { 0 };

	for (size_t i = 1; i < w->p->nr_frames && !w->err; i++) {
		const struct frame *f = &w->p->frames[i];
		Perftools__Profiles__Location m = PERFTOOLS__PROFILES__LOCATION__INIT;

		m.id = i;
		m.mapping_id = w->mapping_id[f->mapping];
		m.address = f->address;
		fill_lines(w->p, f, &lines);
		m.n_line = f->nr_lines;
		m.line = lines.ptr;
		put_message(w, PPROF_LOCATION, &m.base);
	}
	free(lines.m);
	free(lines.ptr);
}

static void write_functions(struct writer *w)
{
	for (size_t i = 1; i < w->p->nr_functions; i++) {
		const struct function *f = &w->p->functions[i];
		Perftools__Profiles__Function m = PERFTOOLS__PROFILES__FUNCTION__INIT;

		m.id = i;
		m.name = f->name;
		m.system_name = f->system_name;
		m.filename = f->file;
		m.start_line = f->start_line;
		put_message(w, PPROF_FUNCTION, &m.base);
	}
}

/*
 * The profile's strings, then those of our notes that are not among them (they are when the
 * profile was read from a file). note_id gets the string of each note, from the second on.
 */
static void write_strings(struct writer *w, uint64_t *note_id)
{
	const struct strtab *st = &w->p->strings, *notes = &w->notes;
	uint64_t next = st->n;

	for (size_t i = 0; i < st->n; i++)
		put_bytes(w, PPROF_STRING_TABLE, st->str[i], st->len[i]);
	for (size_t i = 1; i < notes->n; i++) {
		uint32_t known = strtab_find(st, notes->str[i]);

		note_id[i] = known != INDEX_NONE ? known : next++;
		if (known == INDEX_NONE)
			put_bytes(w, PPROF_STRING_TABLE, notes->str[i], notes->len[i]);
	}
}

/* Our notes, then what other producers had commented. */
static void write_comments(struct writer *w, const uint64_t *note_id)
{
	size_t nr = w->notes.n - 1 + w->p->nr_comments, len = 0;
	autofree unsigned char *packed = xmalloc(nr * 10 + 1);

	for (size_t i = 1; i < w->notes.n; i++)
		len += put_varint(packed + len, note_id[i]);
	for (size_t i = 0; i < w->p->nr_comments; i++)
		len += put_varint(packed + len, w->p->comments[i]);
	if (nr)
		put_bytes(w, PPROF_COMMENT, packed, len);
}

static void write_all(struct writer *w)
{
	const struct profile *p = w->p;
	autofree uint64_t *note_id = xcalloc(w->notes.n, sizeof(*note_id));

	for (uint32_t i = 0; i < p->nr_columns; i++)
		write_column(w, PPROF_SAMPLE_TYPE, &p->column[i]);
	write_samples(w);
	write_mappings(w);
	write_locations(w);
	write_functions(w);
	write_strings(w, note_id);
	put_number(w, PPROF_TIME_NANOS, (uint64_t)p->time_ns);
	put_number(w, PPROF_DURATION_NANOS, (uint64_t)p->duration_ns);
	write_column(w, PPROF_PERIOD_TYPE, &p->period_type);
	put_number(w, PPROF_PERIOD, (uint64_t)p->period);
	write_comments(w, note_id);
	if (p->nr_columns)
		put_number(w, PPROF_DEFAULT_SAMPLE_TYPE, p->column[p->default_column].type);
	put_number(w, PPROF_DOC_URL, p->doc_url);
}

/* What each mapping's frames take part in, in the default column. */
static int64_t *weigh_mappings(const struct profile *p)
{
	int64_t *weight = xcalloc(p->nr_mappings, sizeof(*weight));
	size_t *last = xcalloc(p->nr_mappings, sizeof(*last)); /* sample + 1 that was added last */

	for (size_t i = 0; i < p->nr_samples; i++) {
		int64_t value = profile_values(p, i)[p->default_column];

		for (uint32_t s = p->samples[i].stack; s; s = p->stacks[s].parent) {
			uint32_t m = p->frames[p->stacks[s].frame].mapping;

			if (last[m] != i + 1 &&
			    __builtin_add_overflow(weight[m], value, &weight[m]))
				weight[m] = INT64_MAX;
			last[m] = i + 1;
		}
	}
	free(last);
	return weight;
}

/* Programs before libraries before what is no file: who is to be first. */
static int main_rank(const struct profile *p, const struct mapping *m)
{
	const char *file = profile_str(p, m->file);

	if (m->kind != MAPPING_FILE || !*file)
		return 0;
	return strstr(file, ".so") ? 1 : 2;
}

/* The mapping that pprof is to call the main one: the hottest program. 0: none was seen. */
static uint32_t main_mapping(const struct profile *p)
{
	int64_t *weight = weigh_mappings(p);
	uint32_t best = 0;
	int best_rank = 0;

	for (uint32_t i = 1; i < p->nr_mappings; i++) {
		int rank = main_rank(p, &p->mappings[i]);

		if (rank && (rank > best_rank || (rank == best_rank && weight[i] > weight[best]))) {
			best = i;
			best_rank = rank;
		}
	}
	free(weight);
	return best;
}

static void number_mapping(struct writer *w, uint32_t mapping)
{
	w->mapping_order[w->nr_written++] = mapping;
	w->mapping_id[mapping] = w->nr_written;
}

static void number_mappings(struct writer *w)
{
	const struct profile *p = w->p;
	uint32_t first = main_mapping(p);

	w->mapping_id = xcalloc(p->nr_mappings, sizeof(*w->mapping_id));
	w->mapping_order = xcalloc(p->nr_mappings, sizeof(*w->mapping_order));
	if (first)
		number_mapping(w, first);
	for (uint32_t i = 1; i < p->nr_mappings; i++) {
		if (i != first && p->mappings[i].kind != MAPPING_SPECIAL)
			number_mapping(w, i);
	}
}

static uint32_t deepest_stack(const struct profile *p)
{
	uint32_t depth = 0;

	for (size_t i = 0; i < p->nr_stacks; i++)
		depth = p->stacks[i].depth > depth ? p->stacks[i].depth : depth;
	return depth;
}

int pprof_write(const struct profile *p, struct outfile *of)
{
	struct writer *w = xcalloc(1, sizeof(*w));
	int err;

	w->p = p;
	w->of = of;
	strtab_init(&w->notes);
	pprof_notes_write(p, &w->notes);
	number_mappings(w);
	w->ids = xcalloc(deepest_stack(p) + 1, sizeof(*w->ids));
	if (deflateInit2(&w->z, LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		w->err = fail_plain(-ENOMEM, "zlib cannot start");
	} else {
		write_all(w);
		deflate_raw(w, Z_FINISH);
		deflateEnd(&w->z);
	}
	err = w->err;
	strtab_done(&w->notes);
	free(w->mapping_id);
	free(w->mapping_order);
	free(w->ids);
	buf_done(&w->raw);
	buf_done(&w->packed);
	free(w);
	return err;
}
