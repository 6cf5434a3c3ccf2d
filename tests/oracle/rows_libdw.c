/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows_libdw FILE.. - compares the unwind tables of object files with what libdw says at each row's
 * first and last byte: where the frame is, and the caller's frame pointer and return address, all
 * three as values in a machine of random registers and memory. Prints each difference (the first
 * ones of a file) and a last line
 *   FILES files, ROWS rows, POINTS points: EQUAL equal, PADDING padding, DIFFERENT different;
 *   unsupported rows: ...; not ELF or without frames: N
 * Of Go's functions, whose rows are made of Go's own table, .debug_frame has the frame's place only:
 * that is compared; where it is stripped nothing is.
 * Exit status 1 when there is a difference. Files that cannot be read or are no objects are passed
 * over.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf/rows.h"

#define MAX_SHOWN 5  /* differences of a file */
#define MAX_STACK 64 /* of an expression */
#define PADDING	  16
#define UNKNOWN	  0x5eedull /* stands for a register that is lost */

struct machine { /* what the compared rules are evaluated in */
	bool x86;
	unsigned int sp, fp, ra;
	uint64_t reg[32];
};

struct sum {
	uint64_t files, rows, points, equal, padding, different, none;
	uint64_t unsupported, fp_unsaid, stop_made, clone;
	uint64_t go_equal, go_known, go_left, go_alone; /* known: ends of stacks; left without rows */
	uint64_t escaped, table_bytes, frame_bytes;
};

struct file {
	const char *name;
	struct rows rows;
	struct machine machine;
	uint64_t entry;
	Elf *elf;
	Dwarf *dwarf;
	Dwarf_CFI *eh, *debug;
	unsigned int shown;
	bool go;
};

struct point { /* where an expression is evaluated */
	const struct file *file;
	uint64_t pc, cfa;
};

struct caller { /* of a frame, by a rule or by libdw */
	bool stop, signal;
	uint64_t cfa, fp, ra;
};

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x7fb5d329728ea185ull;
	x ^= x >> 27;
	x *= 0x81dadef4bc2dd44dull;
	return x ^ x >> 33;
}

/* Memory is a function of its address. */
static uint64_t load(uint64_t address)
{
	return mix(address + 0x1234567);
}

/* One operation on the stack; false when it is not known here. */
static bool operate(const Dwarf_Op *op, uint64_t *s, size_t *n)
{
	uint64_t b = *n ? s[*n - 1] : 0, a = *n > 1 ? s[*n - 2] : 0;

	switch (op->atom) {
	case DW_OP_deref:
		s[*n - 1] = load(b);
		return *n >= 1;
	case DW_OP_plus_uconst:
		s[*n - 1] = b + op->number;
		return *n >= 1;
	case DW_OP_drop:
		return (*n)--;
	}
	if (*n < 2)
		return false;
	(*n)--;
	switch (op->atom) {
	case DW_OP_plus:
		s[*n - 1] = a + b;
		return true;
	case DW_OP_minus:
		s[*n - 1] = a - b;
		return true;
	case DW_OP_mul:
		s[*n - 1] = a * b;
		return true;
	case DW_OP_and:
		s[*n - 1] = a & b;
		return true;
	case DW_OP_shl:
		s[*n - 1] = b < 64 ? a << b : 0;
		return true;
	case DW_OP_ge:
		s[*n - 1] = (int64_t)a >= (int64_t)b;
		return true;
	}
	return false;
}

static bool push(const struct point *p, const Dwarf_Op *op, uint64_t *out)
{
	const struct machine *m = &p->file->machine;
	unsigned int r;

	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31) {
		*out = op->atom - DW_OP_lit0;
	} else if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
		r = op->atom - DW_OP_breg0;
		*out = (m->x86 && r == m->ra ? p->pc : m->reg[r]) + op->number;
	} else if (op->atom == DW_OP_bregx && op->number < 32) {
		*out = m->reg[op->number] + op->number2;
	} else if (op->atom == DW_OP_call_frame_cfa) {
		*out = p->cfa;
	} else if (op->atom >= DW_OP_const1u && op->atom <= DW_OP_consts) {
		*out = op->number;
	} else {
		return false;
	}
	return true;
}

struct result {
	bool is_value; /* and not an address */
	uint64_t value;
};

static bool evaluate(const struct point *p, const Dwarf_Op *op, size_t nr, struct result *out)
{
	const struct machine *m = &p->file->machine;
	uint64_t s[MAX_STACK + 1];
	size_t n = 0, i;

	out->is_value = false;
	for (i = 0; i < nr; i++) {
		if (op[i].atom == DW_OP_stack_value) {
			out->is_value = true;
		} else if (op[i].atom >= DW_OP_reg0 && op[i].atom <= DW_OP_reg31) {
			s[n++] = m->reg[op[i].atom - DW_OP_reg0];
			out->is_value = true;
		} else if (op[i].atom == DW_OP_regx && op[i].number < 32) {
			s[n++] = m->reg[op[i].number];
			out->is_value = true;
		} else if (push(p, &op[i], &s[n])) {
			n++;
		} else if (!operate(&op[i], s, &n)) {
			return false;
		}
		if (n > MAX_STACK - 1)
			return false;
	}
	out->value = n ? s[n - 1] : 0;
	return n;
}

/* A register of the caller's, by libdw. */
static bool oracle_register(const struct point *p, Dwarf_Frame *frame, unsigned int reg,
			    uint64_t *out)
{
	const struct machine *m = &p->file->machine;
	Dwarf_Op mem[3], *ops;
	struct result r;
	size_t nr;

	if (dwarf_frame_register(frame, (int)reg, mem, &ops, &nr))
		return false;
	if (!nr) {
		*out = reg == m->fp && ops ? UNKNOWN : m->reg[reg & 31];
		return true;
	}
	if (!evaluate(p, ops, nr, &r))
		return false;
	*out = r.is_value ? r.value : load(r.value);
	return true;
}

enum oracle { NOTHING, SAID, STRANGE };

static enum oracle oracle_frame(const struct file *f, Dwarf_Frame *frame, uint64_t pc,
				struct caller *out)
{
	struct point p = { .file = f, .pc = pc };
	Dwarf_Op mem[3], *ops;
	struct result r;
	size_t nr;
	int ra;

	ra = dwarf_frame_info(frame, NULL, NULL, &out->signal);
	if (ra < 0 || dwarf_frame_register(frame, ra, mem, &ops, &nr))
		return STRANGE;
	/* of other registers that only says that calls do not keep them */
	out->stop = !nr && ops == mem && (unsigned int)ra == f->machine.ra;
	if (out->stop)
		return SAID;
	if (dwarf_frame_cfa(frame, &ops, &nr) || !evaluate(&p, ops, nr, &r))
		return STRANGE;
	p.cfa = out->cfa = r.value;
	if (!oracle_register(&p, frame, f->machine.fp, &out->fp) ||
	    !oracle_register(&p, frame, (unsigned int)ra, &out->ra))
		return STRANGE;
	return SAID;
}

static enum oracle oracle_caller(const struct file *f, uint64_t pc, struct caller *out)
{
	Dwarf_Frame *frame = NULL;
	enum oracle o;

	*out = (struct caller){ 0 };
	if ((!f->eh || dwarf_cfi_addrframe(f->eh, pc, &frame)) &&
	    (!f->debug || dwarf_cfi_addrframe(f->debug, pc, &frame)))
		return NOTHING;
	o = oracle_frame(f, frame, pc, out);
	free(frame);
	return o;
}

static void inline_caller(const struct machine *m, uint32_t word, struct caller *out)
{
	uint64_t unit = m->x86 ? ROW_UNIT_X86_64 : ROW_UNIT_AARCH64;
	uint64_t saved = unit * (word >> ROW_FP_SHIFT & ROW_FP_MASK);

	out->cfa = m->reg[word & ROW_BASE_FP ? m->fp : m->sp] +
		   unit * (word >> ROW_CFA_SHIFT & ROW_CFA_MASK);
	out->fp = saved ? load(out->cfa - saved) : m->reg[m->fp];
	switch (word & ROW_RA_MASK) {
	case ROW_RA_CFA:
		out->ra = load(out->cfa - 8);
		break;
	case ROW_RA_LINK:
		out->ra = m->reg[m->ra];
		break;
	case ROW_RA_ABOVE_FP:
		out->ra = load(out->cfa - saved + 8);
		break;
	case ROW_RA_ALONE:
		out->ra = load(out->cfa - 8ull * (word >> ROW_FP_SHIFT & ROW_FP_MASK));
		out->fp = m->reg[m->fp];
		break;
	}
}

static void rule_caller(const struct machine *m, const struct wire_rule *r, uint64_t pc,
			struct caller *out)
{
	uint64_t reg = m->reg[r->cfa_reg], off = (uint64_t)(int64_t)r->cfa_off;

	if (r->cfa == CFA_PLT)
		out->cfa = m->reg[m->sp] + 8 + ((pc & 15) >= off ? 8 : 0);
	else if (r->cfa == CFA_INDEXED)
		out->cfa = load(m->reg[m->sp] + off + 8 * reg) + (uint64_t)(int64_t)r->cfa_add;
	else if (r->cfa == CFA_DEREF)
		out->cfa = load(reg + off) + (uint64_t)(int64_t)r->cfa_add;
	else
		out->cfa = reg + off;
	out->fp = UNKNOWN;
	if (r->fp == FP_SAME)
		out->fp = m->reg[m->fp];
	else if (r->fp == FP_CFA)
		out->fp = load(out->cfa + (uint64_t)(int64_t)r->fp_off);
	else if (r->fp == FP_FP)
		out->fp = load(m->reg[m->fp] + (uint64_t)(int64_t)r->fp_off);
	if (r->ra == RA_REG)
		out->ra = m->reg[r->ra_off & 31];
	else if (r->ra == RA_ABOVE_FP)
		out->ra = load(out->cfa + (uint64_t)(int64_t)r->fp_off + 8);
	else
		out->ra = load(out->cfa + (uint64_t)(int64_t)r->ra_off);
}

/* NULL: equal. */
static const char *compare(const struct file *f, uint32_t word, uint64_t pc,
			   const struct caller *want, struct sum *sum)
{
	struct caller got = { 0 };
	uint32_t rule = word & ROW_RULE_MASK;

	if (!(word & ROW_ESCAPED))
		inline_caller(&f->machine, word, &got);
	else if (rule == RULE_STOP || rule == RULE_SIGNAL)
		got = (struct caller){ .stop = rule == RULE_STOP, .signal = rule == RULE_SIGNAL };
	else if (rule == RULE_NONE)
		return "no row";
	else
		rule_caller(&f->machine, &f->rows.rule[rule], pc, &got);
	if (got.stop != want->stop)
		return "stop";
	if (got.signal != want->signal)
		return "signal";
	if (got.stop || got.signal)
		return NULL;
	if (got.cfa != want->cfa)
		return "cfa";
	if (got.ra != want->ra)
		return "return address";
	if (got.fp == want->fp)
		return NULL;
	if (got.fp != UNKNOWN)
		return "frame pointer";
	sum->fp_unsaid++;
	return NULL;
}

static void differ(struct file *f, uint64_t pc, uint32_t word, const char *what, struct sum *sum)
{
	sum->different++;
	if (f->shown++ < MAX_SHOWN)
		printf("%s: 0x%llx row %05x: %s\n", f->name, (unsigned long long)pc, word, what);
}

/* A row at a place of which libdw knows nothing. */
static void check_unknown(struct file *f, uint64_t pc, uint32_t word, struct sum *sum)
{
	uint64_t next = (pc + PADDING - 1) & ~(uint64_t)(PADDING - 1);
	struct caller want;
	const char *what;

	if (word == (ROW_ESCAPED | RULE_NONE)) {
		sum->equal++;
	} else if (word == (ROW_ESCAPED | RULE_CLONE)) {
		sum->clone++;
	} else if (word == (ROW_ESCAPED | RULE_STOP) && pc - f->entry < 64) {
		sum->stop_made++;
	} else if (next != pc && oracle_caller(f, next, &want) == SAID) {
		what = compare(f, word, next, &want, sum);
		if (what)
			differ(f, pc, word, what, sum);
		else
			sum->padding++;
	} else {
		differ(f, pc, word, "row where there is nothing", sum);
	}
}

/* A point of Go's; false: it is of C, or of nobody. */
static bool check_go(struct file *f, uint64_t pc, uint32_t word, struct sum *sum)
{
	struct caller want = { 0 }, got = { 0 };
	Dwarf_Frame *frame = NULL;

	if (!f->go || (f->eh && !dwarf_cfi_addrframe(f->eh, pc, &frame))) {
		free(frame);
		return false;
	}
	if (!f->debug) {
		sum->go_alone++;
		return true;
	}
	/* padding behind the last instruction is the function's, too */
	if (word == (ROW_ESCAPED | RULE_STOP) || word == (ROW_ESCAPED | RULE_SIGNAL)) {
		sum->go_known++;
		return true;
	}
	if (oracle_caller(f, pc, &want) != SAID)
		return false;
	if (word == (ROW_ESCAPED | RULE_NONE)) {
		sum->go_left++;
		return true;
	}
	if (word & ROW_ESCAPED)
		rule_caller(&f->machine, &f->rows.rule[word & ROW_RULE_MASK], pc, &got);
	else
		inline_caller(&f->machine, word, &got);
	if (got.cfa != want.cfa || got.ra != want.ra)
		differ(f, pc, word, "frame of Go", sum);
	else
		sum->go_equal++;
	return true;
}

static void check_point(struct file *f, uint64_t pc, uint32_t word, struct sum *sum)
{
	struct caller want;
	const char *what;

	word &= ROW_BELOW;
	if (check_go(f, pc, word, sum))
		return;
	sum->points++;
	if (word == (ROW_ESCAPED | RULE_UNSUPPORTED)) {
		sum->unsupported++;
		return;
	}
	switch (oracle_caller(f, pc, &want)) {
	case NOTHING:
		check_unknown(f, pc, word, sum);
		break;
	case STRANGE:
		differ(f, pc, word, "libdw gives what is not known here", sum);
		break;
	case SAID:
		what = compare(f, word, pc, &want, sum);
		if (what)
			differ(f, pc, word, what, sum);
		else
			sum->equal++;
	}
}

/* Nor may libdw know of anything between. */
static void check_nothing(struct file *f, uint64_t start, uint64_t end, struct sum *sum)
{
	uint64_t pc = start + 1;

	while (pc < end) {
		check_point(f, pc, ROW_ESCAPED | RULE_NONE, sum);
		pc = (pc | (PADDING - 1)) + 1;
	}
}

static void check_page(struct file *f, const struct wire_page *p, uint64_t address, struct sum *sum)
{
	uint64_t start, end;
	uint32_t i;

	if (!p->count)
		check_nothing(f, address, address + ROWS_PAGE_BYTES, sum);
	else if (f->rows.row[p->first] >> ROW_PC_SHIFT)
		differ(f, address, 0, "no row where the page begins", sum);
	for (i = p->first; i < p->first + p->count; i++) {
		start = address + (f->rows.row[i] >> ROW_PC_SHIFT);
		end = address + (i + 1 < p->first + p->count ? f->rows.row[i + 1] >> ROW_PC_SHIFT
							     : ROWS_PAGE_BYTES);
		check_point(f, start, f->rows.row[i], sum);
		if (end - 1 != start)
			check_point(f, end - 1, f->rows.row[i], sum);
		if ((f->rows.row[i] & ROW_BELOW) == (ROW_ESCAPED | RULE_NONE))
			check_nothing(f, start, end, sum);
		if (rows_find(&f->rows, start) != f->rows.row[i] ||
		    rows_find(&f->rows, end - 1) != f->rows.row[i])
			differ(f, start, f->rows.row[i], "not found", sum);
	}
}

static void check_file(struct file *f, struct sum *sum)
{
	size_t i, k;

	for (i = 0; i < f->rows.nr_spans; i++) {
		const struct rows_span *s = &f->rows.span[i];
		uint64_t end = s->address + (uint64_t)s->nr_pages * ROWS_PAGE_BYTES;

		if (i + 1 < f->rows.nr_spans)
			check_nothing(f, end, s[1].address, sum);
		for (k = 0; k < s->nr_pages; k++)
			check_page(f, &f->rows.page[s->first_page + k],
				   s->address + k * ROWS_PAGE_BYTES, sum);
	}
	for (i = 0; i < f->rows.nr_rows; i++)
		sum->escaped += f->rows.row[i] & ROW_ESCAPED &&
				(f->rows.row[i] & ROW_RULE_MASK) >= RULE_FIRST_FREE;
	sum->files++;
	sum->rows += f->rows.nr_rows;
	sum->table_bytes += f->rows.nr_rows * sizeof(*f->rows.row) +
			    f->rows.nr_pages * sizeof(*f->rows.page);
	sum->frame_bytes += f->rows.frame_bytes;
}

static void set_machine(struct file *f)
{
	GElf_Ehdr h = { 0 };
	size_t i;

	gelf_getehdr(f->elf, &h);
	f->entry = h.e_entry;
	f->machine.x86 = h.e_machine == EM_X86_64;
	f->machine.fp = f->machine.x86 ? 6 : 29;
	f->machine.sp = f->machine.x86 ? 7 : 31;
	f->machine.ra = f->machine.x86 ? 16 : 30;
	for (i = 0; i < 32; i++)
		f->machine.reg[i] = mix(i + 1);
}

static bool is_go(Elf *elf)
{
	Elf_Scn *section = NULL;
	GElf_Shdr h;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		const char *name = gelf_getshdr(section, &h) ? elf_strptr(elf, names, h.sh_name) : NULL;

		if (name && (!strcmp(name, ".note.go.buildid") || !strcmp(name, ".gopclntab")))
			return true;
	}
	return false;
}

/* Rows that a file has none or cannot say all of. */
static void tell(const struct file *f)
{
	static const char *const reason[ROWS_REASONS] = {
		[ROWS_CFA] = "CFA",
		[ROWS_RA] = "return address",
		[ROWS_SP] = "stack pointer",
		[ROWS_SIGNAL] = "signal",
		[ROWS_RULES] = "too many rules",
		[ROWS_FP] = "frame pointer",
	};
	size_t i;

	for (i = 0; i < ROWS_REASONS; i++) {
		if (f->rows.nr_beyond[i])
			printf("%s: %llu rows beyond a rule: %s\n", f->name,
			       (unsigned long long)f->rows.nr_beyond[i], reason[i]);
	}
	if (f->rows.nr_malformed)
		printf("%s: %llu malformed entries\n", f->name,
		       (unsigned long long)f->rows.nr_malformed);
}

static void run(const char *path, struct sum *sum)
{
	struct file f = { .name = path };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : rows_read_any(&f.rows, fd);

	if (err) {
		sum->none++;
		if (fd >= 0 && strcmp(error_text(), "not an ELF file"))
			printf("%s: %s\n", path, error_text());
		if (fd >= 0)
			close(fd);
		return;
	}
	f.elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	f.dwarf = dwarf_begin_elf(f.elf, DWARF_C_READ, NULL);
	f.eh = dwarf_getcfi_elf(f.elf);
	f.debug = f.dwarf ? dwarf_getcfi(f.dwarf) : NULL;
	f.go = is_go(f.elf);
	set_machine(&f);
	check_file(&f, sum);
	tell(&f);
	dwarf_cfi_end(f.eh);
	dwarf_end(f.dwarf);
	elf_end(f.elf);
	rows_done(&f.rows);
	close(fd);
}

int main(int argc, char **argv)
{
	struct sum sum = { 0 };
	int i;

	elf_version(EV_CURRENT);
	for (i = 1; i < argc; i++)
		run(argv[i], &sum);
	if (sum.go_equal || sum.go_alone)
		printf("Go: %llu points equal, %llu ends of stacks, %llu without a row; "
		       "%llu in stripped files\n",
		       (unsigned long long)sum.go_equal, (unsigned long long)sum.go_known,
		       (unsigned long long)sum.go_left, (unsigned long long)sum.go_alone);
	printf("files %llu rows %llu points %llu equal %llu padding %llu unsupported %llu "
	       "fp_unsaid %llu stop_made %llu clone %llu different %llu none %llu escaped %llu "
	       "table_bytes %llu frame_bytes %llu\n",
	       (unsigned long long)sum.files, (unsigned long long)sum.rows,
	       (unsigned long long)sum.points, (unsigned long long)sum.equal,
	       (unsigned long long)sum.padding, (unsigned long long)sum.unsupported,
	       (unsigned long long)sum.fp_unsaid, (unsigned long long)sum.stop_made,
	       (unsigned long long)sum.clone, (unsigned long long)sum.different, (unsigned long long)sum.none,
	       (unsigned long long)sum.escaped, (unsigned long long)sum.table_bytes,
	       (unsigned long long)sum.frame_bytes);
	return sum.different ? 1 : 0;
}
