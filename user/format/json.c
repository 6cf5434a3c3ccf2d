/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/sum.h"
#include "format/format.h"
#include "model/completeness.h"

#define SCHEMA		"dwell.hotspots/1"
#define MAX_CUT_MODULES 20

/* Keys keep the order in which they are set; percentages are rounded so that 7 digits hold them. */
#define DUMP_FLAGS (JSON_INDENT(2) | JSON_REAL_PRECISION(7))

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		abort(); /* no memory: as xmalloc() */
}

/* Names in a profile are valid UTF-8; should one not be, the rest still comes out. */
static void set_text(json_t *object, const char *key, const char *text)
{
	json_t *value = json_string(text);

	set(object, key, value ? value : json_string("\xef\xbf\xbd"));
}

/* Text that is known; null where it is not. */
static void set_known(json_t *object, const char *key, const char *text)
{
	if (*text)
		set_text(object, key, text);
	else
		set(object, key, json_null());
}

static void set_int(json_t *object, const char *key, int64_t n)
{
	set(object, key, json_integer(n));
}

static void set_known_count(json_t *object, const char *key, uint32_t n)
{
	set(object, key, n ? json_integer(n) : json_null());
}

static void set_u64(json_t *object, const char *key, uint64_t n)
{
	set_int(object, key, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

/* n as percent of base, to 4 decimals; null where there is no base. */
static void set_percent(json_t *object, const char *key, int64_t n, int64_t base)
{
	double percent = base ? 100.0 * (double)n / (double)base : 0;
	double units = percent * 1e4;

	if (!base || units > 1e15 || units < -1e15)
		set(object, key, json_null());
	else
		set(object, key,
		    json_real((double)(int64_t)(units + (units < 0 ? -0.5 : 0.5)) / 1e4));
}

/* Wall clock as "2026-11-20T21:45:02.123456789Z"; null when it is not known. */
static void set_start(json_t *object, int64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / (int64_t)NSEC_PER_SEC);
	char day[32], text[64];
	struct tm tm;

	if (time_ns <= 0 || !gmtime_r(&seconds, &tm) ||
	    !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm)) {
		set(object, "start", json_null());
		return;
	}
	snprintf(text, sizeof(text), "%s.%09" PRId64 "Z", day, time_ns % (int64_t)NSEC_PER_SEC);
	set_text(object, "start", text);
}

static bool is_ns(const struct profile *p, const struct column *c)
{
	return !strcmp(profile_str(p, c->unit), "nanoseconds");
}

static json_t *meta_json(const struct profile *p)
{
	const struct meta *m = &p->meta;
	json_t *o = json_object();

	set_known(o, "host", m->host);
	set_known(o, "kernel", m->kernel);
	set_known(o, "version", m->version);
	set_known(o, "command", m->command);
	set_known(o, "event", m->event);
	set_start(o, p->time_ns);
	set_int(o, "duration_ns", p->duration_ns);
	if (is_ns(p, &p->period_type))
		set_int(o, "period_ns", p->period);
	else
		set(o, "period_ns", json_null());
	set_known_count(o, "freq_hz", m->freq_hz);
	set_known_count(o, "cpus", m->cpus);
	set_known_count(o, "processes", m->processes);
	set_known_count(o, "threads", m->threads);
	set_u64(o, "worker_deaths", m->worker_deaths);
	set_u64(o, "cpu_changes", m->cpu_changes);
	set_u64(o, "cpus_missing", m->cpus_missing);
	set_u64(o, "suspended_ns", m->suspended_ns);
	set_u64(o, "throttled_hz", m->throttled_hz);
	return o;
}

static json_t *ledger_json(const struct ledger *l)
{
	json_t *o, *lost;

	if (!l->present)
		return json_null();
	o = json_object();
	set_u64(o, "ticks", l->ticks);
	set_u64(o, "counted", l->counted);
	set_u64(o, "idle", l->idle);
	set_u64(o, "filtered", l->filtered);
	set_u64(o, "self", l->self);
	set_int(o, "missed", l->missed);
	lost = json_object();
	for (uint32_t i = 0; i < l->nr_lost; i++)
		set_u64(lost, l->lost[i].reason, l->lost[i].n);
	set(o, "lost", lost);
	return o;
}

static int64_t column_total(const struct profile *p, uint32_t column)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->nr_samples; i++)
		sum_add(&sum, profile_values(p, i)[column]);
	return sum;
}

/*
 * Of the whole profile, whatever the rows were selected by. A column of zeros says that nobody
 * measured it, not that it took no time, and is left out.
 */
static json_t *totals_json(const struct profile *p)
{
	json_t *o = json_object();

	for (uint32_t i = 0; i < p->nr_columns; i++) {
		int64_t total = column_total(p, i);

		if (is_ns(p, &p->column[i]) && (total || i == p->default_column))
			set_int(o, profile_str(p, p->column[i].type), total);
	}
	return o;
}

/* Keys of values: in ns by that name; other units are named by "ranked_by". */
struct keys {
	const char *self, *total, *base;
};

static json_t *base_json(const struct hotspots *h, const struct keys *k)
{
	json_t *o = json_object();

	set_int(o, k->base, h->base);
	set_int(o, "samples", h->base_samples);
	if (h->off)
		set_int(o, "error_ns", h->base_error_ns);
	set(o, "filtered", json_boolean(h->filtered));
	return o;
}

static json_t *hidden_json(const struct hotspots *h, const struct keys *k)
{
	json_t *o = json_object();

	set_int(o, "rows", (int64_t)h->nr_hidden);
	set_int(o, k->self, h->hidden_self);
	set_int(o, "self_samples", h->hidden_self_samples);
	set_percent(o, "self_pct", h->hidden_self, h->base);
	return o;
}

static json_t *row_json(const struct hotspots *h, size_t i, const struct keys *k)
{
	const struct hotspot *row = &h->row[i];
	json_t *o = json_object();

	set_int(o, "rank", (int64_t)i + 1);
	set_text(o, "symbol", row->symbol);
	set_text(o, "module", row->module);
	set_text(o, "category", row->category);
	set_int(o, k->self, row->self_ns);
	set_int(o, k->total, row->total_ns);
	if (h->off) {
		set_int(o, "self_error_ns", row->self_error_ns);
		set_int(o, "total_error_ns", row->total_error_ns);
	}
	set_int(o, "self_samples", row->self_samples);
	set_int(o, "total_samples", row->total_samples);
	set_percent(o, "self_pct", row->self_ns, h->base);
	set_percent(o, "children_pct", row->total_ns, h->base);
	return o;
}

static json_t *ranked_json(const struct profile *p, const struct hotspots *h)
{
	const struct column *c = &p->column[h->value_column];
	json_t *o = json_object();

	set_text(o, "type", profile_str(p, c->type));
	set_text(o, "unit", profile_str(p, c->unit));
	return o;
}

static int put(const char *text, size_t len, void *out)
{
	buf_put(out, text, len);
	return 0;
}

/* The binaries in which stacks were cut off, most first. */
static json_t *cut_modules_json(const struct profile *p, const struct completeness *c)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < c->nr_modules && i < MAX_CUT_MODULES && c->module[i].stopped; i++) {
		const struct completeness_module *m = &c->module[i];
		json_t *o = json_object();

		set_text(o, "module", profile_module(p, m->mapping));
		set_int(o, "through", m->through);
		set_int(o, "stopped", m->stopped);
		set_percent(o, "complete_pct", sum_difference(m->through, m->stopped), m->through);
		if (json_array_append_new(list, o) < 0)
			abort();
	}
	return list;
}

/* How many stacks are whole; null for profiles of others, who do not say. */
static json_t *completeness_json(const struct profile *p)
{
	json_t *o = json_object(), *reasons = json_object();
	struct completeness c;
	char buf[COMPLETENESS_MAX_NAME];
	uint32_t i;

	completeness_find(p, &c);
	set_int(o, "samples", c.samples);
	set_int(o, "complete", c.complete);
	set_percent(o, "complete_pct", c.complete, c.samples);
	set_int(o, "guessed", c.guessed);
	set_int(o, "between", c.between);
	for (i = 0; i < c.nr_reasons; i++)
		set_int(reasons, completeness_reason_text(p, c.reason[i].name, buf),
			c.reason[i].samples);
	set(o, "truncated", reasons);
	set(o, "modules", cut_modules_json(p, &c));
	completeness_done(&c);
	return o;
}

static json_t *unwind_json(const struct meta_unwind *u)
{
	json_t *o;

	if (!u->present)
		return json_null();
	o = json_object();
	set_u64(o, "objects", u->objects);
	set_u64(o, "without_tables", u->without_tables);
	set_u64(o, "failed", u->failed);
	set_u64(o, "rows", u->rows);
	set_u64(o, "table_bytes", u->table_bytes);
	set_u64(o, "build_ns", u->build_ns);
	set_u64(o, "processes", u->processes);
	set(o, "ready_ns", u->ready_ns && u->ready_ns <= INT64_MAX ? json_integer((json_int_t)u->ready_ns) : json_null());
	set_u64(o, "copied", u->copied);
	set_u64(o, "not_copied", u->not_copied);
	set_u64(o, "events_lost", u->events_lost);
	set_u64(o, "full", u->full);
	return o;
}

static json_t *thread_json(const struct profile *p, const struct thread_time *t)
{
	json_t *o = json_object();

	set_int(o, "pid", t->pid);
	set_int(o, "tid", t->tid);
	set_text(o, "comm", profile_str(p, t->comm));
	set_int(o, "task_ns", t->task);
	set_int(o, "stolen_ns", t->stolen);
	set_int(o, "runqueue_ns", t->runqueue);
	set_int(o, "blocked_ns", t->blocked);
	set_int(o, "alive_ns", t->alive);
	return o;
}

/* What threads did with their time, exactly (law L2). */
static json_t *times_json(const struct profile *p)
{
	const struct times *t = &p->times;
	json_t *o, *rows;
	size_t i;

	if (!t->present)
		return json_null();
	o = json_object();
	rows = json_array();
	set_int(o, "window_ns", t->window);
	set_int(o, "idle_ns", t->idle);
	set_int(o, "other_ns", t->other);
	set_u64(o, "switches", t->switches);
	set_u64(o, "full", t->full);
	set_int(o, "full_ns", t->full_ns);
	set_u64(o, "repaired", t->repaired);
	set_u64(o, "negative", t->negative);
	for (i = 0; i < t->nr; i++) {
		if (json_array_append_new(rows, thread_json(p, &t->row[i])) < 0)
			abort();
	}
	set(o, "threads", rows);
	return o;
}

static json_t *some_json(const struct waits_some *s)
{
	json_t *o = json_object();

	set_u64(o, "n", s->n);
	set_u64(o, "ns", s->ns);
	return o;
}

/* What became of each wait (law L1). */
static json_t *waits_json(const struct waits_ledger *w)
{
	json_t *o;

	if (!w->present)
		return json_null();
	o = json_object();
	set_u64(o, "period_ns", w->period);
	set(o, "seen", some_json(&w->seen));
	set(o, "below", some_json(&w->below));
	set(o, "under", some_json(&w->under));
	set(o, "self", some_json(&w->self));
	set(o, "filtered", some_json(&w->filtered));
	set(o, "kept", some_json(&w->kept));
	set_u64(o, "walked", w->walked);
	set_u64(o, "stackless", w->stackless);
	set(o, "open", some_json(&w->open));
	return o;
}

void hotspots_json(const struct profile *p, const struct hotspots *h, struct buf *out)
{
	static const struct keys ns = { "self_ns", "total_ns", "ns" };
	static const struct keys other = { "self_value", "total_value", "value" };
	const struct keys *k = is_ns(p, &p->column[h->value_column]) ? &ns : &other;
	json_t *o = json_object(), *rows = json_array();

	for (size_t i = 0; i < h->nr; i++) {
		if (json_array_append_new(rows, row_json(h, i, k)) < 0)
			abort();
	}
	set_text(o, "schema", SCHEMA);
	set(o, "meta", meta_json(p));
	set(o, "ledger", ledger_json(&p->ledger));
	set(o, "completeness", p->ledger.present ? completeness_json(p) : json_null());
	set(o, "unwind", unwind_json(&p->meta.unwind));
	set(o, "times", times_json(p));
	set(o, "waits", waits_json(&p->waits));
	set(o, "totals_ns", totals_json(p));
	set(o, "ranked_by", ranked_json(p, h));
	set(o, "base", base_json(h, k));
	set(o, "hidden", hidden_json(h, k));
	set(o, "hotspots", rows);
	json_dump_callback(o, put, out, DUMP_FLAGS);
	buf_putc(out, '\n');
	json_decref(o);
}
