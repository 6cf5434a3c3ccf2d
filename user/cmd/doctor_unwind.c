/* SPDX-License-Identifier: BSD-2-Clause */
/* `dwell doctor PID|FILE..`: by what means stacks through each binary are unwound, and what to do. */
#include "cmd/doctor_unwind.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "proc/maps.h"
#include "proc/open.h"
#include "unwind/coverage.h"
#include "view/grid.h"
#include "worker/worker.h"

#define SCHEMA	      "dwell.unwind/1"
#define NAME_LEN      512
/* Code without rows that is worth a word: this many bytes, and this part of all. */
#define MUCH_BYTES    16384u
#define MUCH_PERCENT  20u

enum means {
	MEANS_TABLES,		/* .eh_frame or .debug_frame */
	MEANS_FRAME_POINTERS,	/* a compiler that always keeps them */
	MEANS_TRIED,		/* frame pointers, where the code keeps them; nothing says so */
	MEANS_UNKNOWN,		/* it could not be read */
};

static const char *const means_word[] = {
	[MEANS_TABLES] = "unwind tables",
	[MEANS_FRAME_POINTERS] = "frame pointers",
	[MEANS_TRIED] = "frame pointers, if kept",
	[MEANS_UNKNOWN] = "unknown",
};

struct binary {
	char name[NAME_LEN];
	uint32_t dev_major, dev_minor;
	uint64_t inode;			/* 0: anonymous */
	uint64_t mapped;		/* executable bytes; of a file: its text */
	enum means means;
	struct coverage coverage;
	uint64_t rows;
	char why[128];			/* of MEANS_UNKNOWN */
	const char *advice;		/* static text, NULL: none needed */
};

struct subject {
	char title[NAME_LEN];
	int pid;			/* 0: a file */
	struct binary *binary;
	size_t nr, cap;
};

/* Code that is made at run time: who makes it, by a name among the mapped files, and what helps. */
static const struct runtime {
	const char *part;
	enum means means;
	const char *advice;
} runtimes[] = {
	{ "libjvm.so", MEANS_TRIED, "Java keeps frame pointers in compiled code with -XX:+PreserveFramePointer" },
	{ "libcoreclr.so", MEANS_FRAME_POINTERS, NULL },
	{ "/node", MEANS_FRAME_POINTERS, NULL },
	{ "/chrom", MEANS_FRAME_POINTERS, NULL },
	{ "libnode.so", MEANS_FRAME_POINTERS, NULL },
	{ "beam.smp", MEANS_TRIED, "Erlang keeps frame pointers in compiled code with +JPfp true" },
	{ "luajit", MEANS_TRIED, "LuaJIT's compiled code keeps none: its stacks are cut off there" },
	{ "libpython3", MEANS_TRIED, "Python's -X perf keeps frame pointers where it was built with them" },
	{ "libruby", MEANS_TRIED, "Ruby's YJIT keeps them with --yjit-perf=fp" },
};

static void advise_on_generated(const struct subject *s, struct binary *b)
{
	size_t i, k;

	b->means = MEANS_TRIED;
	b->advice = "code made at run time: have its maker keep frame pointers";
	for (i = 0; i < sizeof(runtimes) / sizeof(*runtimes); i++)
		for (k = 0; k < s->nr; k++)
			if (strstr(s->binary[k].name, runtimes[i].part)) {
				b->means = runtimes[i].means;
				b->advice = runtimes[i].advice;
				return;
			}
}

static bool lacks_much(const struct coverage *c)
{
	uint64_t lacks = c->text - c->covered;

	return lacks >= MUCH_BYTES && lacks > c->text / 100 * MUCH_PERCENT;
}

static void advise(struct binary *b)
{
	if (b->means == MEANS_TRIED && strstr(b->name, "ld-musl"))
		b->advice = "musl without unwind tables: install its debug package, or build it with "
			    "-fasynchronous-unwind-tables";
	else if (b->means == MEANS_TRIED)
		b->advice = "no unwind tables: build it with -fasynchronous-unwind-tables, or with "
			    "-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer";
	else if (b->means == MEANS_TABLES && lacks_much(&b->coverage))
		b->advice = "part of its code has no tables: assembly, or files built with "
			    "-fno-asynchronous-unwind-tables; frame pointers are tried there";
}

static void look_at(struct worker *w, int fd, struct binary *b)
{
	struct worker_rows rows;

	if (worker_rows(w, fd, &rows) < 0) {
		b->means = MEANS_UNKNOWN;
		snprintf(b->why, sizeof(b->why), "%s", error_text());
		return;
	}
	coverage_find(&rows, &b->coverage);
	b->rows = rows.nr_rows;
	b->means = rows.nr_spans ? MEANS_TABLES : rows.keeps_fp ? MEANS_FRAME_POINTERS : MEANS_TRIED;
	worker_rows_done(&rows);
	advise(b);
}

static struct binary *add_binary(struct subject *s, const char *name)
{
	struct binary *b;

	grow(&s->binary, &s->cap, s->nr + 1, sizeof(*s->binary));
	b = &s->binary[s->nr++];
	memset(b, 0, sizeof(*b));
	sanitize(b->name, sizeof(b->name), name, strlen(name));
	return b;
}

static int look_at_file(struct worker *w, const char *path, struct subject *s)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct binary *b;
	struct stat st;

	if (fd < 0)
		return fail(-errno, "%s", path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return fail_plain(-EINVAL, "%s: not a regular file", path);
	sanitize(s->title, sizeof(s->title), path, strlen(path));
	b = add_binary(s, path);
	look_at(w, fd, b);
	b->mapped = b->coverage.text;
	return b->means == MEANS_UNKNOWN ? fail_plain(-EINVAL, "%s: %s", path, b->why) : 0;
}

static bool is_vdso(const struct exec_map *m)
{
	return !strcmp(m->path, "[vdso]");
}

static struct binary *find_binary(struct subject *s, const struct exec_map *m)
{
	size_t i;

	for (i = 0; i < s->nr; i++) {
		struct binary *b = &s->binary[i];

		if (m->inode ? b->inode == m->inode && b->dev_major == m->dev_major &&
				       b->dev_minor == m->dev_minor
			     : !b->inode && is_vdso(m) == !strcmp(b->name, "[vdso]"))
			return b;
	}
	return NULL;
}

static void look_at_mapping(struct worker *w, struct subject *s, const struct exec_map *m)
{
	struct binary *b = find_binary(s, m);
	const char *why = "";
	autoclose int fd = -1;

	if (b) {
		b->mapped += m->end - m->start;
		return;
	}
	b = add_binary(s, m->inode || is_vdso(m) ? m->path : "[anonymous]");
	b->mapped = m->end - m->start;
	b->inode = m->inode;
	b->dev_major = m->dev_major;
	b->dev_minor = m->dev_minor;
	if (!m->inode && !is_vdso(m))
		return;
	fd = m->inode ? open_mapped(s->pid, 0, m, &why) : open_vdso(&why);
	if (fd >= 0) {
		look_at(w, fd, b);
		return;
	}
	b->means = MEANS_UNKNOWN;
	snprintf(b->why, sizeof(b->why), "%s", why);
}

static void name_process(struct subject *s)
{
	char path[40], comm[64], name[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", s->pid);
	if (read_line(path, comm, sizeof(comm)) < 0)
		*comm = 0;
	sanitize(name, sizeof(name), comm, strlen(comm));
	snprintf(s->title, sizeof(s->title), "%s (PID %d)", name, s->pid);
}

static int look_at_process(struct worker *w, int pid, struct subject *s)
{
	autofree struct exec_map *map = NULL;
	autofree char *text = NULL;
	size_t n, i;
	int r = maps_read(pid, &text, &map, &n);

	if (r < 0)
		return r == -ESRCH || r == -ENOENT ? fail_plain(r, "no process %d", pid) : r;
	s->pid = pid;
	name_process(s);
	for (i = 0; i < n; i++)
		look_at_mapping(w, s, &map[i]);
	for (i = 0; i < s->nr; i++)
		if (!s->binary[i].inode && strcmp(s->binary[i].name, "[vdso]"))
			advise_on_generated(s, &s->binary[i]);
	if (!s->nr)
		return fail_plain(-ENOENT, "process %d has no executable memory: a kernel thread, or one that ended",
				  pid);
	return 0;
}

/* ---- output ---- */

static int by_size(const void *a, const void *b)
{
	const struct binary *x = a, *y = b;

	return (x->mapped < y->mapped) - (x->mapped > y->mapped);
}

static void put_size(struct grid *g, uint64_t bytes)
{
	buf_printf(&g->cells, "%.1f", (double)bytes / 1024);
	grid_cell(g);
}

/* Rounded down: 100.0 is all of it. */
static void put_covered(struct grid *g, const struct binary *b)
{
	uint64_t tenths = b->coverage.text ? b->coverage.covered * 1000 / b->coverage.text : 0;

	if (b->means == MEANS_TABLES)
		buf_printf(&g->cells, "%" PRIu64 ".%" PRIu64 " %%", tenths / 10, tenths % 10);
	else
		buf_puts(&g->cells, "-");
	grid_cell(g);
}

static void put_table(const struct subject *s, size_t width, struct buf *out)
{
	struct grid g = { 0 };
	size_t i;

	grid_column(&g, "code KiB", GRID_NUMBER);
	grid_column(&g, "in tables", GRID_NUMBER);
	grid_column(&g, "unwound by", GRID_TEXT);
	grid_column(&g, "binary", GRID_NAME);
	for (i = 0; i < s->nr; i++) {
		const struct binary *b = &s->binary[i];

		put_size(&g, b->mapped);
		put_covered(&g, b);
		buf_puts(&g.cells, means_word[b->means]);
		grid_cell(&g);
		buf_puts(&g.cells, b->name);
		grid_cell(&g);
	}
	grid_print(&g, width, out);
	grid_done(&g);
}

static void put_advice(const struct subject *s, struct buf *out)
{
	size_t i;

	for (i = 0; i < s->nr; i++) {
		const struct binary *b = &s->binary[i];

		if (b->means == MEANS_UNKNOWN)
			buf_printf(out, "%s: cannot be read: %s\n", b->name, b->why);
		else if (b->advice)
			buf_printf(out, "%s: %s\n", b->name, b->advice);
	}
}

static void put_subject(const struct subject *s, size_t width, struct buf *out)
{
	buf_printf(out, "%s\n", s->title);
	put_table(s, width, out);
	put_advice(s, out);
	buf_putc(out, '\n');
}

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		abort();
}

static json_t *binary_json(const struct binary *b)
{
	static const char *const word[] = { "tables", "frame-pointers", "frame-pointers-if-kept", "unknown" };
	json_t *o = json_object();

	set(o, "name", json_string(b->name));
	set(o, "unwound_by", json_string(word[b->means]));
	set(o, "code_bytes", json_integer((json_int_t)b->mapped));
	set(o, "text_bytes", json_integer((json_int_t)b->coverage.text));
	set(o, "covered_bytes", json_integer((json_int_t)b->coverage.covered));
	set(o, "unsupported_bytes", json_integer((json_int_t)b->coverage.beyond));
	set(o, "rows", json_integer((json_int_t)b->rows));
	set(o, "error", *b->why ? json_string(b->why) : json_null());
	set(o, "advice", b->advice ? json_string(b->advice) : json_null());
	return o;
}

static json_t *subject_json(const struct subject *s)
{
	json_t *o = json_object(), *list = json_array();
	size_t i;

	set(o, "subject", json_string(s->title));
	set(o, "pid", s->pid ? json_integer(s->pid) : json_null());
	for (i = 0; i < s->nr; i++)
		json_array_append_new(list, binary_json(&s->binary[i]));
	set(o, "binaries", list);
	return o;
}

static void put_json(json_t *subjects, struct buf *out)
{
	json_t *o = json_object();
	autofree char *text = NULL;

	set(o, "schema", json_string(SCHEMA));
	set(o, "subjects", subjects);
	text = json_dumps(o, JSON_INDENT(2));
	json_decref(o);
	if (!text)
		abort();
	buf_printf(out, "%s\n", text);
}

/* "1234" is a process, "./1234" a file. */
static int look(struct worker *w, const char *operand, struct subject *s)
{
	uint64_t pid;

	if (strspn(operand, "0123456789") != strlen(operand) || !*operand)
		return look_at_file(w, operand, s);
	if (parse_u64(operand, &pid) < 0 || !pid || pid > INT32_MAX)
		return fail_plain(-EINVAL, "no process %s", operand);
	return look_at_process(w, (int)pid, s);
}

int doctor_unwind(char *const *operand, size_t n, const struct doctor_output *how, struct buf *out)
{
	json_t *subjects = json_array();
	struct worker *w = NULL;
	int r = worker_new(&w, NULL, NULL);
	size_t i;

	for (i = 0; !r && i < n; i++) {
		struct subject s = { 0 };

		r = look(w, operand[i], &s);
		if (!r && s.nr) {
			qsort(s.binary, s.nr, sizeof(*s.binary), by_size);
			if (how->json)
				json_array_append_new(subjects, subject_json(&s));
			else
				put_subject(&s, how->width, out);
		}
		free(s.binary);
	}
	worker_free(w);
	if (how->json)
		put_json(subjects, out);
	else
		json_decref(subjects);
	return r;
}
