/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stack with all that it takes to walk it again, as text (tests/unit/unwind_recorded.c reads it):
 *   regs PC BEHIND-A-CALL REGISTER..      numbers are hexadecimal
 *   map START END FLAGS
 *   rule CFA CFA-REG FP RA CFA-OFF FP-OFF RA-OFF CFA-ADD
 *   page ADDRESS ROW..                    rules by their order here
 *   read ADDRESS BYTES
 *   end STATUS FRAME..
 */
#ifndef ORACLE_RECORDING_H
#define ORACLE_RECORDING_H

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "unwind/replay.h"
#include "unwind/tables.h"

#define RECORDING_READS 4096
#define RECORDING_BYTES 512
#define RECORDING_RULES 64

struct recording {
	struct replay_stack stack;
	const struct tables *tables;
	const struct wire_process *process;	/* as it is published there */
	struct {
		uint64_t from;
		uint32_t len;
		uint8_t bytes[RECORDING_BYTES];
	} read[RECORDING_READS];
	uint32_t nr_reads;
	uint32_t rule[RECORDING_RULES], nr_rules;
};

static inline void recording_read(struct recording *r, const void *bytes, uint32_t len, uint64_t from)
{
	if (r->nr_reads == RECORDING_READS || len > RECORDING_BYTES)
		return;
	r->read[r->nr_reads].from = from;
	r->read[r->nr_reads].len = len;
	memcpy(r->read[r->nr_reads++].bytes, bytes, len);
}

/* The row with its rule by the number that it has in the recording. */
static inline uint32_t recording_row(struct recording *r, uint32_t row, FILE *f)
{
	uint32_t number = row & ROW_RULE_MASK, i;
	const struct wire_rule *rule;

	if (!(row & ROW_ESCAPED) || number < RULE_FIRST_FREE)
		return row;
	for (i = 0; i < r->nr_rules && r->rule[i] != number; i++)
		;
	if (i == r->nr_rules && i < RECORDING_RULES) {
		rule = tables_rule(r->tables, number);
		r->rule[r->nr_rules++] = number;
		fprintf(f, "rule %x %x %x %x %d %d %d %d\n", rule->cfa, rule->cfa_reg, rule->fp, rule->ra,
			rule->cfa_off, rule->fp_off, rule->ra_off, rule->cfa_add);
	}
	return (row & ~ROW_RULE_MASK) | (RULE_FIRST_FREE + i);
}

/* The page of text that an address is in; its rules go before it. */
static inline void recording_page(struct recording *r, const struct wire_map *m, uint64_t address,
				  FILE *f)
{
	uint32_t number = m->pages + (uint32_t)((address - m->start) >> 12), i;
	const struct wire_page *page = tables_chunk(r->tables, number / WIRE_CHUNK_PAGES);
	const uint32_t *row;

	page += number % WIRE_CHUNK_PAGES;
	row = tables_chunk(r->tables, page->first / WIRE_CHUNK_ROWS);
	row += page->first % WIRE_CHUNK_ROWS;
	for (i = 0; i < page->count; i++)
		(void)recording_row(r, row[i], f);
	fprintf(f, "page %llx", address & ~4095ull);
	for (i = 0; i < page->count; i++)
		fprintf(f, " %x", recording_row(r, row[i], f));
	fputc('\n', f);
}

static inline void recording_pages(struct recording *r, const struct wire_map *map,
				   const struct replay_walk *w, FILE *f)
{
	uint32_t i, k;

	r->nr_rules = 0;
	for (i = 0; i < w->nr; i++) {
		for (k = 0; k < i && w->frame[k] >> 12 != w->frame[i] >> 12; k++)
			;
		if (k < i)
			continue;
		for (k = 0; k < r->process->nr; k++)
			if (w->frame[i] >= map[k].start && w->frame[i] < map[k].end &&
			    map[k].pages != WIRE_NO_PAGES)
				recording_page(r, &map[k], w->frame[i], f);
	}
}

/* Into FOLDER/TID; 0, or -1. */
static inline int recording_write(struct recording *r, const struct replay_walk *w, const char *folder,
				  int tid)
{
	const struct wire_process *p = r->process;
	const struct wire_map *map = tables_chunk(r->tables, p->first / WIRE_CHUNK_MAPS);
	char path[256];
	uint32_t i, k;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d", folder, tid);
	f = fopen(path, "w");
	if (!f)
		return -1;
	map += p->first % WIRE_CHUNK_MAPS;
	fprintf(f, "regs %" PRIx64 " %x", r->stack.pc, r->stack.return_address);
	for (i = 0; i < sizeof(r->stack.reg) / sizeof(*r->stack.reg); i++)
		fprintf(f, " %" PRIx64, r->stack.reg[i]);
	fputc('\n', f);
	for (i = 0; i < p->nr; i++)
		fprintf(f, "map %llx %llx %x\n", map[i].start, map[i].end, map[i].flags);
	recording_pages(r, map, w, f);
	for (i = 0; i < r->nr_reads; i++) {
		fprintf(f, "read %" PRIx64 " ", r->read[i].from);
		for (k = 0; k < r->read[i].len; k++)
			fprintf(f, "%02x", r->read[i].bytes[k]);
		fputc('\n', f);
	}
	fprintf(f, "end %x", w->status);
	for (i = 0; i < w->nr; i++)
		fprintf(f, " %" PRIx64, w->frame[i]);
	fputc('\n', f);
	return fclose(f) ? -1 : 0;
}

#endif
