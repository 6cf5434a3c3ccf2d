/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/go.h"

#include <string.h>

#include "base/alloc.h"

/* Sections of interest. */
struct found {
	Elf64_Shdr table;
	uint64_t text; /* address of .text; 0: none */
	bool has_table;
};

static bool is_table(const char *name)
{
	/* the other one is of position-independent executables */
	return !strcmp(name, ".gopclntab") || !strcmp(name, ".data.rel.ro.gopclntab");
}

bool go_is_mark(const char *section)
{
	return !strcmp(section, ".note.go.buildid") || is_table(section);
}

static void note_section(void *ctx, const Elf64_Shdr *s, const char *name)
{
	struct found *f = ctx;

	if (s->sh_type == SHT_NOBITS || s->sh_flags & SHF_COMPRESSED)
		return;
	if (!strcmp(name, ".text"))
		f->text = s->sh_addr;
	if (is_table(name)) {
		f->table = *s;
		f->has_table = true;
	}
}

/* Are these bytes at an address? 1, 0, or a negative errno. */
static int is_at(struct reader *r, const struct headers *h, uint64_t address, const char bytes[2])
{
	char there[2];
	Elf64_Phdr p;
	uint32_t i;
	int err;

	for (i = 0; i < h->phnum; i++) {
		err = headers_program(r, h, i, &p);
		if (err)
			return err;
		if (p.p_type != PT_LOAD || address < p.p_vaddr ||
		    address - p.p_vaddr >= p.p_filesz || p.p_offset > UINT64_MAX - p.p_filesz ||
		    !reader_has(r, p.p_offset + (address - p.p_vaddr), sizeof(there)))
			continue;
		err = reader_get(r, p.p_offset + (address - p.p_vaddr), there, sizeof(there));
		return err ? err : !memcmp(there, bytes, sizeof(there));
	}
	return 0;
}

/*
 * The address that places in the text count from. The table's header may not have it: then it is
 * where .text begins, if that is Go's. Both are believed when runtime.goexit begins as it must,
 * with nop and call.
 */
static int find_text(struct go *g, struct reader *r, const struct headers *h, uint64_t text)
{
	uint64_t candidate[] = { g->table.text, text };
	struct pclntab_function exit;
	uint32_t i;
	int is = 0;

	for (i = 0; i < g->table.nr; i++)
		if (pclntab_function(&g->table, i, &exit) &&
		    pclntab_is(&g->table, &exit, "runtime.goexit"))
			break;
	if (i == g->table.nr)
		return 0;
	for (i = 0; !is && i < ARRAY_LEN(candidate); i++) {
		if (candidate[i])
			is = is_at(r, h, candidate[i] + exit.start, "\x90\xe8");
		g->table.text = candidate[i];
	}
	return is;
}

int go_read(struct go *g, struct reader *r, const struct headers *h)
{
	struct found found = { 0 };
	int err;

	*g = (struct go){ .data = NULL };
	err = headers_named(r, h, note_section, &found);
	if (err || !found.has_table || found.table.sh_size > GO_MAX_TABLE ||
	    !reader_has(r, found.table.sh_offset, found.table.sh_size))
		return err;
	g->offset = found.table.sh_offset;
	g->data = xmalloc(found.table.sh_size + 1);
	err = reader_get(r, g->offset, g->data, found.table.sh_size);
	if (!err && pclntab_read(&g->table, g->data, found.table.sh_size))
		err = find_text(g, r, h, found.text);
	if (err <= 0)
		g->table.nr = 0;
	return err < 0 ? err : 0;
}

void go_done(struct go *g)
{
	free(g->data);
	memset(g, 0, sizeof(*g));
}
