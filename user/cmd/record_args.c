/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/record_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/option.h"
#include "bpf/wire.h"
#include "capture/event.h"

#define DEFAULT_HZ	99
#define DEFAULT_LIMIT	20
#define MAX_IDS		4096
#define MAX_PERIOD_NS	2000000000ull
#define MIN_ROTATE_NS	1000000000ull
#define MIN_STACKS	100u
#define MAX_STACKS	100000000u
#define DEFAULT_STACKS	1000000u
#define MAX_KEEP	1000000u
#define MAX_DURATION_NS (366ull * 86400 * 1000000000)

static int add_ids(struct ids *ids, const char *value, const char *option, const char *what)
{
	autofree char *list = xstrdup(value);
	char *rest = NULL, *one;
	uint64_t id;

	for (one = strtok_r(list, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
		if (parse_u64(one, &id) || !id || id > INT32_MAX)
			return fail_plain(-EINVAL, "'%s' is no %s id (%s)", one, what, option);
		if (ids->nr >= MAX_IDS)
			return fail_plain(-EINVAL, "more than %d ids", MAX_IDS);
		grow(&ids->id, &ids->cap, ids->nr + 1, sizeof(*ids->id));
		ids->id[ids->nr++] = (pid_t)id;
	}
	return ids->nr ? 0 : fail_plain(-EINVAL, "%.2s needs a %s id", option, what);
}

static int set_pid(void *ctx, const char *value)
{
	return add_ids(&((struct record_args *)ctx)->pids, value, "-p PID,..", "process");
}

static int set_tid(void *ctx, const char *value)
{
	return add_ids(&((struct record_args *)ctx)->tids, value, "-t TID,..", "thread");
}

static int set_cgroup(void *ctx, const char *value)
{
	struct record_args *a = ctx;

	if (!*value)
		return fail_plain(-EINVAL, "--cgroup needs a folder or an id");
	grow(&a->cgroups, &a->cap_cgroups, a->nr_cgroups + 1, sizeof(*a->cgroups));
	a->cgroups[a->nr_cgroups++] = value;
	return 0;
}

static int set_comm(void *ctx, const char *value)
{
	return glob_add(&((struct record_args *)ctx)->comms, value, WIRE_COMM_LEN - 1);
}

static int set_cpus(void *ctx, const char *value)
{
	struct record_args *a = ctx;

	if (event_cpu_list(value, NULL, INT32_MAX) <= 0)
		return fail_plain(-EINVAL, "'%s' is no list of CPUs: -C takes one like 0-3,6", value);
	a->capture.cpus = value;
	return 0;
}

static int set_all(void *ctx, const char *value)
{
	((struct record_args *)ctx)->all = true;
	return 0;
}

static int set_freq(void *ctx, const char *value)
{
	struct record_args *a = ctx;
	uint32_t max = event_max_rate();
	uint64_t hz;

	if (parse_u64(value, &hz) || !hz)
		return fail_plain(-EINVAL, "'%s' is no frequency: -F takes samples per second, from 1 to %u",
				  value, max ? max : 100000);
	if (hz > (max ? max : 100000))
		return fail_plain(-EINVAL, "-F %s is over this kernel's limit of %u (sysctl "
					   "kernel.perf_event_max_sample_rate)", value, max);
	a->capture.freq_hz = (uint32_t)hz;
	a->has_freq = true;
	return 0;
}

static int set_on_cpu(void *ctx, const char *value)
{
	struct record_args *a = ctx;

	a->capture.account = false;
	return 0;
}

static int set_off_cpu(void *ctx, const char *value)
{
	struct record_args *a = ctx;

	if (value && (parse_duration(value, &a->capture.waits.min_ns) || a->capture.waits.min_ns > MAX_PERIOD_NS))
		return fail_plain(-EINVAL, "'%s' is no least length of waits: --off-cpu takes 0 to 2s, like 1ms or 50us", value);
	a->capture.take_ticks = false;
	return 0;
}

static int set_off_period(void *ctx, const char *value)
{
	struct record_args *a = ctx;

	a->has_off = true;
	if (parse_duration(value, &a->capture.waits.period_ns) || a->capture.waits.period_ns > MAX_PERIOD_NS)
		return fail_plain(-EINVAL, "'%s' is no period: --off-period takes 0 to 2s, like 1ms or 500us", value);
	return 0;
}

static int set_budget(void *ctx, const char *value)
{
	struct record_args *a = ctx;
	char *end;
	double percent = strtod(value, &end);

	if (end == value || *end || !(percent >= 0 && percent <= 100))
		return fail_plain(-EINVAL, "'%s' is no budget: --budget takes 0 to 100 percent of a CPU", value);
	a->capture.waits.budget_ns = (uint64_t)(percent * 1e7);
	a->has_off = true;
	return 0;
}

static int set_max_frames(void *ctx, const char *value)
{
	struct record_args *a = ctx;
	uint64_t n;

	if (parse_u64(value, &n) || !n || n > WIRE_MAX_USER)
		return fail_plain(-EINVAL, "'%s': --max-frames takes 1 to %u frames", value, WIRE_MAX_USER);
	a->capture.max_user = (uint32_t)n;
	return 0;
}

static int set_max_stacks(void *ctx, const char *value)
{
	struct record_args *a = ctx;
	uint64_t n;

	if (parse_u64(value, &n) || n < MIN_STACKS || n > MAX_STACKS)
		return fail_plain(-EINVAL, "'%s': --max-stacks takes %u to %u stacks", value, MIN_STACKS, MAX_STACKS);
	a->capture.max_stacks = (size_t)n;
	return 0;
}

static int set_duration(void *ctx, const char *value)
{
	struct record_args *a = ctx;

	if (parse_duration(value, &a->duration_ns) || !a->duration_ns ||
	    a->duration_ns > MAX_DURATION_NS)
		return fail_plain(-EINVAL, "'%s' is no duration: -d takes 5, 5s, 250ms, 2m or 1h", value);
	return 0;
}

static int set_rotate(void *ctx, const char *value)
{
	struct record_args *a = ctx;

	if (parse_duration(value, &a->rotate_ns) || a->rotate_ns < MIN_ROTATE_NS || a->rotate_ns > MAX_DURATION_NS)
		return fail_plain(-EINVAL, "'%s' is no interval: --rotate takes 1s or more, like 10s or 5m", value);
	return 0;
}

static int set_keep(void *ctx, const char *value)
{
	struct record_args *a = ctx;

	if (parse_u64(value, &a->keep) || !a->keep || a->keep > MAX_KEEP)
		return fail_plain(-EINVAL, "'%s' is no number of files: --keep takes 1 to %u", value, MAX_KEEP);
	return 0;
}

static int set_output(void *ctx, const char *value)
{
	((struct record_args *)ctx)->output = value;
	return *value ? 0 : fail_plain(-EINVAL, "-o needs a file name");
}

static int set_user(void *ctx, const char *value)
{
	((struct record_args *)ctx)->capture.take_kernel = false;
	return 0;
}

static int set_kernel(void *ctx, const char *value)
{
	((struct record_args *)ctx)->capture.take_user = false;
	return 0;
}

static int set_buffer(void *ctx, const char *value)
{
	struct record_args *a = ctx;
	uint64_t kib;

	if (parse_u64(value, &kib) || kib < 4 || kib > CAPTURE_MAX_RING >> 10 || (kib & (kib - 1)))
		return fail_plain(-EINVAL, "'%s' is no buffer size: --buffer takes KiB per CPU, a power of two "
					   "from 4 to %u", value, CAPTURE_MAX_RING >> 10);
	a->capture.ring_bytes = (uint32_t)kib << 10;
	return 0;
}

static int set_limit(void *ctx, const char *value)
{
	struct record_args *a = ctx;
	uint64_t n;

	if (parse_u64(value, &n) || n > UINT32_MAX)
		return fail_plain(-EINVAL, "'%s' is no number of rows", value);
	a->limit = (uint32_t)n;
	a->has_limit = true;
	return 0;
}

static int set_quiet(void *ctx, const char *value)
{
	((struct record_args *)ctx)->quiet = true;
	return 0;
}

static const struct option_def options[] = {
	{ 'a', "all", NULL, "the whole box (the default without -p and COMMAND)", set_all },
	{ 'p', "pid", "PID,..", "these processes and their children", set_pid },
	{ 't', "tid", "TID,..", "these threads alone", set_tid },
	{ 0, "cgroup", "PATH|ID", "only tasks of this cgroup (v2) and those below; may be repeated", set_cgroup },
	{ 0, "comm", "GLOB", "only threads with a name like this; may be repeated", set_comm },
	{ 'C', "cpu", "LIST", "only these CPUs, like 0-3,6; waits count where they end", set_cpus },
	{ 'F', "freq", "HZ", "samples per second and CPU (99)", set_freq },
	{ 'd', "duration", "TIME", "stop after 5, 5s, 250ms, 2m, 1h (else: Ctrl-C, or the targets' end)",
	  set_duration },
	{ 'o', "output", "FILE", "the profile (dwell.pb.gz); a former one is kept as FILE.old",
	  set_output },
	{ 0, "rotate", "TIME", "a profile for each interval, FILE-TIMESTAMP, until it is stopped", set_rotate },
	{ 0, "keep", "N", "of these files, the newest N (all)", set_keep },
	{ 0, "on-cpu", NULL, "only where CPU time goes, and no account of waiting", set_on_cpu },
	{ 0, "off-cpu", "[=MIN]", "only where threads wait; waits under MIN are one row together", set_off_cpu },
	{ 0, "off-period", "TIME", "waits as long are kept for certain, shorter ones by chance (10ms)", set_off_period },
	{ 0, "budget", "PERCENT", "of a CPU for stacks of waits: the period grows beyond; 0: no limit (0.5)", set_budget },
	{ 'U', "user", NULL, "user part of the stacks only", set_user },
	{ 'K', "kernel", NULL, "kernel part of the stacks only", set_kernel },
	{ 0, "max-frames", "N", "of a user stack, from the innermost on (512)", set_max_frames },
	{ 0, "max-stacks", "N", "nodes of the call tree; what comes beyond is [overflow] (1000000)", set_max_stacks },
	{ 0, "limit", "N", "rows of the table (20; 0: all)", set_limit },
	{ 0, "buffer", "KIB", "ring buffer per CPU (fits the rate)", set_buffer },
	{ 'q', "quiet", NULL, "no table, only errors", set_quiet },
	{ 0 },
};

static void print_help(struct buf *help)
{
	buf_puts(help, "usage: dwell record [OPTIONS] [-- COMMAND [ARG..]]\n\n"
		       "Samples where the CPU time goes and where threads wait, writes a profile and prints its\n"
		       "hottest functions.\n\n");
	options_help(options, help);
	buf_puts(help, "\nexamples:\n"
		       "  dwell record -d 5                  the whole box for 5 seconds\n"
		       "  dwell record -p 1234 -d 10         a process and its children\n"
		       "  dwell record -F 999 -- make -j4    a command from its first instruction\n"
		       "  dwell record --cgroup /system.slice/nginx.service --comm 'nginx*' -d 10\n"
		       "  dwell record --off-cpu=1ms -p 1234 -d 10\n"
		       "  dwell record -q --rotate 1m --keep 1440 -o /var/tmp/box.pb.gz   for ever\n");
}

static char *join(int argc, char **argv)
{
	struct buf b = { 0 };
	int i;

	buf_puts(&b, "dwell");
	for (i = 0; i < argc; i++) {
		buf_putc(&b, ' ');
		buf_puts(&b, argv[i]);
	}
	return b.data;
}

int record_args_parse(struct record_args *a, int argc, char **argv, struct buf *help)
{
	struct operands rest;
	int r;

	*a = (struct record_args){ .capture = { .freq_hz = DEFAULT_HZ, .take_user = true, .take_kernel = true,
						.take_ticks = true, .account = true, .max_stacks = DEFAULT_STACKS, .waits = { .period_ns = 10000000, .budget_ns = 5000000 } },
				   .limit = DEFAULT_LIMIT,
				   .output = "dwell.pb.gz" };
	a->line = join(argc, argv);
	r = options_parse(options, a, argc, argv, &rest);
	if (r == 1)
		print_help(help);
	if (r)
		return r;
	if (rest.first < (rest.behind ? rest.behind : argc))
		return fail_plain(-EINVAL, "unexpected '%s': a command to run comes after --",
				  argv[rest.first]);
	if (rest.behind >= argc)
		return fail_plain(-EINVAL, "-- needs a command to run");
	if (rest.behind)
		a->command = argv + rest.behind;
	if (!!a->command + !!a->pids.nr + !!a->tids.nr + a->all > 1)
		return fail_plain(-EINVAL, "-a, -p, -t and a command exclude each other");
	if (!a->capture.take_ticks && !a->capture.account)
		return fail_plain(-EINVAL, "--on-cpu and --off-cpu exclude each other: without them both are sampled");
	if (!a->capture.take_ticks && a->has_freq)
		return fail_plain(-EINVAL, "-F is of the sampling clock, which --off-cpu does without");
	if (!a->capture.account && a->has_off)
		return fail_plain(-EINVAL, "--off-period and --budget are of waits, which --on-cpu leaves out");
	if (a->keep && !a->rotate_ns)
		return fail_plain(-EINVAL, "--keep is of the files of --rotate");
	if (a->has_limit && a->rotate_ns)
		return fail_plain(-EINVAL, "--limit is of the table, which --rotate does not print");
	if (!a->capture.take_user && !a->capture.take_kernel)
		return fail_plain(-EINVAL, "-U and -K exclude each other");
	a->capture.only_targets = a->command || a->pids.nr;
	a->capture.only_threads = a->tids.nr;
	a->capture.only_cgroups = a->nr_cgroups;
	a->capture.comms = a->comms.used ? &a->comms : NULL;
	return 0;
}

void record_args_done(struct record_args *a)
{
	free(a->pids.id);
	free(a->tids.id);
	free(a->cgroups);
	free(a->line);
}
