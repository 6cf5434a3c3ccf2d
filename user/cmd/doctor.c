/* SPDX-License-Identifier: BSD-2-Clause */
/* `dwell doctor`: what this kernel, these rights and this machine allow, and each cure. */
#include "cmd/doctor.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/option.h"
#include "cmd/cmd.h"
#include "cmd/doctor_unwind.h"
#include "cmd/output.h"

#define SCHEMA	 "dwell.doctor/1"
#define MARGIN	 30 /* column at which texts begin */
#define MIN_ROOM 30 /* narrower terminals wrap by themselves */

static const char *const verdict_word[] = {
	[VERDICT_YES] = "yes",
	[VERDICT_LIMITED] = "limited",
	[VERDICT_NO] = "no",
	[VERDICT_UNKNOWN] = "unknown",
};

struct check *checkup_add(struct checkup *c, const char *name, enum verdict verdict)
{
	grow(&c->check, &c->cap, c->nr + 1, sizeof(*c->check));
	c->check[c->nr] = (struct check){ .name = name, .verdict = verdict };
	return &c->check[c->nr++];
}

void checkup_done(struct checkup *c)
{
	size_t i;

	for (i = 0; i < c->nr; i++) {
		buf_done(&c->check[i].text);
		buf_done(&c->check[i].note);
		buf_done(&c->check[i].fix);
	}
	free(c->check);
	free(c->right);
	free(c->trial.cpu);
	free(c->program);
}

/* What keeps dwell from recording: the first needed check that says no. NULL: nothing does. */
static const struct check *obstacle(const struct checkup *c)
{
	size_t i;

	for (i = 0; i < c->nr; i++)
		if (c->check[i].needed && c->check[i].verdict == VERDICT_NO)
			return &c->check[i];
	return NULL;
}

/* Lines of `width` columns (0: one line) from MARGIN on; the first begins at the cursor. */
static void put_wrapped(struct buf *out, const char *text, int width)
{
	size_t room = width > MARGIN + MIN_ROOM ? (size_t)(width - MARGIN) : SIZE_MAX, column = 0;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column && column + 1 + word > room) {
			buf_printf(out, "\n%*s", MARGIN, "");
			column = 0;
		} else if (column) {
			buf_putc(out, ' ');
			column++;
		}
		buf_put(out, text, word);
		column += word;
		text += word;
		text += strspn(text, " ");
	}
	buf_putc(out, '\n');
}

/* The row before this one that has the same cure, or NULL. */
static const struct check *same_fix(const struct checkup *c, const struct check *k)
{
	const struct check *before;

	for (before = c->check; before < k; before++)
		if (!strcmp(buf_text(&before->fix), buf_text(&k->fix)))
			return before;
	return NULL;
}

/* A cure is never wrapped: it is to be copied. */
static void put_row(const struct checkup *c, const struct check *k, int width, struct buf *out)
{
	const struct check *before;

	buf_printf(out, "%-20s %-8s ", k->name, verdict_word[k->verdict]);
	put_wrapped(out, buf_text(&k->text), width);
	if (k->note.len) {
		buf_printf(out, "%*s", MARGIN, "");
		put_wrapped(out, buf_text(&k->note), width);
	}
	if (!k->fix.len)
		return;
	before = same_fix(c, k);
	if (before)
		buf_printf(out, "%*sfix: as for %s\n", MARGIN, "", before->name);
	else
		buf_printf(out, "%*sfix: %s\n", MARGIN, "", buf_text(&k->fix));
}

static void put_text(const struct checkup *c, int width, struct buf *out)
{
	const struct check *bad = obstacle(c);
	size_t i;

	for (i = 0; i < c->nr; i++)
		put_row(c, &c->check[i], width, out);
	if (bad)
		buf_printf(out, "\ndwell cannot record here: %s\n", buf_text(&bad->text));
	else
		buf_puts(out, "\ndwell can record here, for instance: dwell record -d 5\n");
}

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		abort(); /* no memory: as xmalloc() */
}

static void set_text(json_t *object, const char *key, const struct buf *text)
{
	set(object, key, text->len ? json_string(buf_text(text)) : json_null());
}

static json_t *check_json(const struct check *k)
{
	json_t *o = json_object();

	set(o, "name", json_string(k->name));
	set(o, "verdict", json_string(verdict_word[k->verdict]));
	set(o, "needed", json_boolean(k->needed));
	set_text(o, "text", &k->text);
	set_text(o, "note", &k->note);
	set_text(o, "fix", &k->fix);
	return o;
}

static json_t *rights_json(const struct checkup *c)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < c->nr_rights; i++) {
		json_t *o = json_object();

		set(o, "name", json_string(c->right[i].name));
		set(o, "held", json_boolean(c->right[i].held));
		set(o, "use", json_string(c->right[i].use));
		json_array_append_new(list, o);
	}
	return list;
}

static void set_ledger(json_t *o, const struct ledger *l)
{
	json_t *lost = json_object();
	uint32_t i;

	set(o, "ticks", json_integer((json_int_t)l->ticks));
	set(o, "counted", json_integer((json_int_t)l->counted));
	set(o, "idle", json_integer((json_int_t)l->idle));
	set(o, "filtered", json_integer((json_int_t)l->filtered));
	set(o, "self", json_integer((json_int_t)l->self));
	set(o, "missed", json_integer((json_int_t)l->missed));
	for (i = 0; i < l->nr_lost; i++)
		set(lost, l->lost[i].reason, json_integer((json_int_t)l->lost[i].n));
	set(o, "lost", lost);
}

static json_t *trial_json(const struct trial *t)
{
	json_t *o, *list, *ledger, *cpu;
	size_t i;

	if (!t->done)
		return json_null();
	o = json_object();
	set(o, "freq_hz", json_integer(t->freq_hz));
	set(o, "duration_ns", json_integer((json_int_t)t->duration_ns));
	set(o, "load_ns", json_integer((json_int_t)t->open_ns));
	set(o, "identity", json_string(t->uses_slots ? "switch-program" : "sampler"));
	set(o, "busy_cpu", t->busy_cpu < 0 ? json_null() : json_integer(t->busy_cpu));
	ledger = json_object();
	set_ledger(ledger, &t->ledger);
	set(o, "ledger", ledger);
	list = json_array();
	for (i = 0; i < t->nr_cpus; i++) {
		cpu = json_object();
		set(cpu, "cpu", json_integer(t->cpu[i].cpu));
		set_ledger(cpu, &t->cpu[i].ledger);
		json_array_append_new(list, cpu);
	}
	set(o, "cpus", list);
	return o;
}

static json_t *programs_json(const struct checkup *c)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < c->nr_programs; i++) {
		json_t *o = json_object();
		uint32_t n = c->program[i].verified;

		set(o, "name", json_string(c->program[i].name));
		set(o, "verified_instructions", n ? json_integer(n) : json_null());
		json_array_append_new(list, o);
	}
	return list;
}

static void put_json(const struct checkup *c, struct buf *out)
{
	json_t *o = json_object(), *list = json_array();
	autofree char *text = NULL;
	size_t i;

	set(o, "schema", json_string(SCHEMA));
	set(o, "version", json_string(DWELL_VERSION));
	set(o, "can_record", json_boolean(!obstacle(c)));
	for (i = 0; i < c->nr; i++)
		json_array_append_new(list, check_json(&c->check[i]));
	set(o, "checks", list);
	set(o, "rights", rights_json(c));
	set(o, "programs", programs_json(c));
	set(o, "sampling", trial_json(&c->trial));
	text = json_dumps(o, JSON_INDENT(2));
	json_decref(o);
	if (!text)
		abort();
	buf_printf(out, "%s\n", text);
}

static int set_json(void *ctx, const char *value)
{
	*(bool *)ctx = true;
	return 0;
}

static const struct option_def options[] = {
	{ 0, "json", NULL, "the same as JSON", set_json },
	{ 0 },
};

static void put_help(struct buf *out)
{
	buf_puts(out, "usage: dwell doctor [--json] [PID|FILE..]\n\n"
		      "Says what this kernel, these rights and this machine allow, and how to mend "
		      "what they\n"
		      "don't; samples for a tenth of a second. Of processes and files it says by what "
		      "means\n"
		      "stacks through them are unwound, and what to do about those that are cut off.\n"
		      "Exit status: 0 recording works (PID, FILE: could be looked at), 1 not.\n\n");
	options_help(options, out);
}

int cmd_doctor(int argc, char **argv)
{
	struct checkup c = { 0 };
	struct buf out = { 0 };
	struct operands rest;
	bool json = false;
	int status = 0, e = options_parse(options, &json, argc, argv, &rest);

	if (e < 0)
		return usage_error();
	if (e) {
		put_help(&out);
	} else if (rest.first < argc) {
		struct doctor_output how = { json, (size_t)output_width(stdout) };

		if (doctor_unwind(argv + rest.first, (size_t)(argc - rest.first), &how, &out) < 0)
			status = failed();
	} else {
		check_system(&c);
		check_by_trial(&c);
		if (json)
			put_json(&c, &out);
		else
			put_text(&c, output_width(stdout), &out);
		status = obstacle(&c) ? 1 : 0;
	}
	if (output_text(buf_text(&out)) < 0)
		status = failed();
	buf_done(&out);
	checkup_done(&c);
	return status;
}
