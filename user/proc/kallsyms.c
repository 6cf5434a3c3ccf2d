/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

#define BUFFER	   65536
#define IN_MODULE  0x80000000u /* in entry.name: the module's number follows the name's NUL */
#define NO_NAME	   0	       /* text starts with a NUL: here a text ends */
#define PADDING	   "__pfx_"    /* of "foo", 16 bytes before it: "foo" is the tail of its name */
#define BPF_PREFIX "bpf_prog_"
#define BPF_TAG	   16 /* hex digits */

/* Packed: 120,000 of them, and names that take twice as much. */
struct entry {
	uint64_t start;
	uint32_t name; /* offset in text, and IN_MODULE */
} __attribute__((packed));

struct kallsyms {
	struct entry *entry; /* sorted by start, one per address */
	size_t nr, cap, nr_named;
	char *text;
	size_t len, text_cap;
	char **module;
	size_t nr_modules, modules_cap;
	bool nonzero; /* some address was */
};

/* One line, in parts that point into it. */
struct symbol_line {
	uint64_t address;
	const char *name, *module;
	size_t name_len, module_len;
	char type;
};

static const unsigned char hex_value[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* "ffffffffc0201000 t ext4_iget	[ext4]"; false when it is not like that. */
static bool split(const char *s, const char *end, struct symbol_line *l)
{
	const char *p;
	int digit;

	l->address = 0;
	for (p = s; p < end && (digit = hex_value[(unsigned char)*p]); p++)
		l->address = l->address << 4 | (uint64_t)(digit - 1);
	if (p == s || p - s > 16 || end - p < 4 || p[0] != ' ' || p[2] != ' ')
		return false;
	l->type = p[1];
	l->name = p + 3;
	for (p = l->name; p < end && *p != '\t' && *p != ' ' && *p;)
		p++;
	l->name_len = (size_t)(p - l->name);
	l->module = "";
	l->module_len = 0;
	if (end - p > 3 && p[1] == '[' && end[-1] == ']') {
		l->module = p + 2;
		l->module_len = (size_t)(end - p - 3);
	}
	/* texts end at a NUL: there may be none inside */
	return l->name_len > 0 && !memchr(p, '\0', (size_t)(end - p));
}

static bool is_function(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W';
}

static bool is(const struct symbol_line *l, const char *name)
{
	return l->name_len == strlen(name) && !memcmp(l->name, name, l->name_len);
}

/* "bpf_prog_6deef7357e7b4530_name" to "name". */
static void shorten_bpf(struct symbol_line *l)
{
	size_t tag = strlen(BPF_PREFIX), i;

	if (l->name_len <= tag + BPF_TAG + 1 || memcmp(l->name, BPF_PREFIX, tag) ||
	    l->name[tag + BPF_TAG] != '_')
		return;
	for (i = tag; i < tag + BPF_TAG; i++) {
		if (!hex_value[(unsigned char)l->name[i]])
			return;
	}
	l->name += tag + BPF_TAG + 1;
	l->name_len -= tag + BPF_TAG + 1;
}

/* The number of a module; the lines of one follow each other. */
static int find_module(struct kallsyms *k, const char *name, size_t len)
{
	const char *last = k->nr_modules ? k->module[k->nr_modules - 1] : "";
	size_t i;

	if (strlen(last) == len && !memcmp(last, name, len))
		return (int)k->nr_modules - 1;
	for (i = 0; i < k->nr_modules; i++) {
		if (strlen(k->module[i]) == len && !memcmp(k->module[i], name, len))
			return (int)i;
	}
	if (k->nr_modules == KALLSYMS_MAX_MODULES)
		return fail_plain(-EFBIG, "more than %d kernel modules", KALLSYMS_MAX_MODULES);
	grow(&k->module, &k->modules_cap, k->nr_modules + 1, sizeof(*k->module));
	k->module[k->nr_modules] = xmalloc(len + 1);
	memcpy(k->module[k->nr_modules], name, len);
	k->module[k->nr_modules][len] = '\0';
	return (int)k->nr_modules++;
}

static uint32_t put_text(struct kallsyms *k, const char *s, size_t len)
{
	uint32_t at = (uint32_t)k->len;

	grow(&k->text, &k->text_cap, k->len + len + 1, 1);
	memcpy(k->text + k->len, s, len);
	k->text[k->len + len] = '\0';
	k->len += len + 1;
	return at;
}

/* The last name put in, where it is this one or ends with it behind PADDING; else a new one. */
static uint32_t put_kernel_name(struct kallsyms *k, const struct symbol_line *l)
{
	const struct entry *last = k->nr ? &k->entry[k->nr - 1] : NULL;
	size_t skip = strlen(PADDING), len;

	if (last && last->name && !(last->name & IN_MODULE)) {
		len = k->len - 1 - last->name;
		if (len == skip + l->name_len && !memcmp(k->text + last->name, PADDING, skip) &&
		    !memcmp(k->text + last->name + skip, l->name, l->name_len))
			return last->name + (uint32_t)skip;
	}
	return put_text(k, l->name, l->name_len);
}

static int add_module_name(struct kallsyms *k, struct symbol_line *l, uint32_t *name)
{
	int module = find_module(k, l->module, l->module_len);
	uint16_t number = (uint16_t)module;

	if (module < 0)
		return module;
	if (l->module_len == strlen("bpf") && !memcmp(l->module, "bpf", l->module_len))
		shorten_bpf(l);
	*name = put_text(k, l->name, l->name_len) | IN_MODULE;
	put_text(k, (const char *)&number, sizeof(number));
	return 0;
}

static int add_line(struct kallsyms *k, const char *s, const char *end)
{
	struct symbol_line l;
	uint32_t name = NO_NAME;
	bool ends;
	int err = 0;

	if (!split(s, end, &l))
		return fail_plain(-EINVAL, "unexpected line \"%.*s\"",
				  (int)(end - s < 60 ? end - s : 60), s);
	ends = !l.module_len && (is(&l, "_etext") || is(&l, "_einittext"));
	if (!ends && !is_function(l.type))
		return 0;
	k->nonzero |= l.address != 0;
	if (k->nr == KALLSYMS_MAX_SYMBOLS || k->len + (size_t)(end - s) + 8 > KALLSYMS_MAX_TEXT)
		return fail_plain(-EFBIG, "too many kernel symbols");
	if (l.module_len)
		err = add_module_name(k, &l, &name);
	else if (!ends)
		name = put_kernel_name(k, &l);
	if (err)
		return err;
	grow(&k->entry, &k->cap, k->nr + 1, sizeof(*k->entry));
	k->entry[k->nr++] = (struct entry){ l.address, name };
	return 0;
}

/* Line by line through one buffer: the text is larger than the table, and nobody needs it. */
static int read_lines(struct kallsyms *k, int fd)
{
	autofree char *buf = xmalloc(BUFFER);
	size_t have = 0;
	char *s, *end;
	ssize_t n;
	int err;

	for (;;) {
		n = read(fd, buf + have, BUFFER - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(-errno, "read");
		if (n == 0)
			return have ? add_line(k, buf, buf + have) : 0;
		have += (size_t)n;
		for (s = buf; (end = memchr(s, '\n', (size_t)(buf + have - s))); s = end + 1) {
			err = add_line(k, s, end);
			if (err)
				return err;
		}
		have -= (size_t)(s - buf);
		if (have == BUFFER)
			return fail_plain(-EINVAL, "line of more than %d bytes", BUFFER);
		memmove(buf, s, have);
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* The kernel's own come sorted; modules and BPF programs follow, in no order. */
static void sort_entries(struct kallsyms *k)
{
	size_t sorted = 1, tail, i, at;
	autofree struct entry *rest = NULL;

	while (sorted < k->nr && k->entry[sorted - 1].start <= k->entry[sorted].start)
		sorted++;
	if (sorted >= k->nr)
		return;
	tail = k->nr - sorted;
	rest = xmalloc(tail * sizeof(*rest));
	memcpy(rest, k->entry + sorted, tail * sizeof(*rest));
	qsort(rest, tail, sizeof(*rest), compare_entries);
	/* from the back, so that nothing is written over before it was moved */
	for (i = sorted, at = k->nr; tail; at--) {
		if (i && k->entry[i - 1].start > rest[tail - 1].start) {
			k->entry[at - 1] = k->entry[i - 1];
			i--;
		} else {
			k->entry[at - 1] = rest[tail - 1];
			tail--;
		}
	}
}

static const char *entry_name(const struct kallsyms *k, const struct entry *e)
{
	return k->text + (e->name & ~IN_MODULE);
}

/* Does a come before b? An end of text comes before any name. */
static bool is_preferred(const struct kallsyms *k, const struct entry *a, const struct entry *b)
{
	const char *x = entry_name(k, a), *y = entry_name(k, b);
	size_t i, j;

	if (a->name == NO_NAME || b->name == NO_NAME)
		return a->name == NO_NAME;
	i = strspn(x, "_");
	j = strspn(y, "_");
	if (i != j)
		return i < j;
	i = strlen(x);
	j = strlen(y);
	return i != j ? i < j : strcmp(x, y) < 0;
}

static void drop_aliases(struct kallsyms *k)
{
	size_t i, n = 0;

	for (i = 0; i < k->nr; i++) {
		if (!n || k->entry[n - 1].start != k->entry[i].start)
			k->entry[n++] = k->entry[i];
		else if (is_preferred(k, &k->entry[i], &k->entry[n - 1]))
			k->entry[n - 1] = k->entry[i];
	}
	k->nr = n;
	for (i = 0; i < n; i++)
		k->nr_named += k->entry[i].name != NO_NAME;
}

static int read_table(struct kallsyms *k, int fd)
{
	int err;

	put_text(k, "", 0);
	err = read_lines(k, fd);
	if (err)
		return err;
	if (k->nr && !k->nonzero)
		return fail_plain(-EACCES, "addresses are hidden: needs CAP_SYSLOG, and "
					   "kernel.kptr_restrict below 2 (sysctl)");
	sort_entries(k);
	drop_aliases(k);
	if (!k->nr_named)
		return fail_plain(-ENODATA, "no functions in it");
	k->entry = xreallocarray(k->entry, k->nr, sizeof(*k->entry));
	k->text = xreallocarray(k->text, k->len, 1);
	return 0;
}

int kallsyms_open(struct kallsyms **out, const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct kallsyms *k;
	int err;

	if (fd < 0)
		return fail(-errno, "open %s", path);
	k = xcalloc(1, sizeof(*k));
	err = read_table(k, fd);
	if (err) {
		kallsyms_free(k);
		return fail_in(err, "%s", path);
	}
	*out = k;
	return 0;
}

void kallsyms_free(struct kallsyms *k)
{
	size_t i;

	if (!k)
		return;
	for (i = 0; i < k->nr_modules; i++)
		free(k->module[i]);
	free(k->module);
	free(k->entry);
	free(k->text);
	free(k);
}

size_t kallsyms_count(const struct kallsyms *k)
{
	return k->nr_named;
}

int kallsyms_find(const struct kallsyms *k, uint64_t address, struct kernel_symbol *sym)
{
	size_t lo = 0, hi = k->nr, mid;
	const struct entry *e;
	uint16_t module;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (k->entry[mid].start <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return 0;
	e = &k->entry[lo - 1];
	if (e->name == NO_NAME || address - e->start >= KALLSYMS_MAX_FUNCTION)
		return 0;
	sym->start = e->start;
	sym->name = entry_name(k, e);
	sym->module = "";
	if (e->name & IN_MODULE) {
		memcpy(&module, sym->name + strlen(sym->name) + 1, sizeof(module));
		sym->module = k->module[module];
	}
	return 1;
}
