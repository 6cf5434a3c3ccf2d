/* SPDX-License-Identifier: BSD-2-Clause */
/* `dwell record`: the order of things, from arguments to the table. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/loop.h"
#include "cmd/child.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "cmd/privilege.h"
#include "cmd/record_args.h"
#include "cmd/rotate.h"
#include "format/format.h"
#include "symbol/symbol.h"
#include "view/table.h"

#define EXIT_OWN	 125	/* dwell's own failure, where a command's status is passed on */
#define EXIT_NOT_EXEC	 126
#define EXIT_NOT_FOUND	 127
#define STOP		 1

struct record {
	struct record_args args;
	struct profile *p;		/* that is sampled into */
	struct profile *former;		/* that ended, and is not written; NULL: none */
	struct rotate *rotate;		/* NULL: one profile, one file */
	bool cut_due, writing;
	uint64_t former_deaths;		/* of the worker, in former profiles */
	struct kallsyms *kallsyms;
	char *no_kallsyms;		/* why there are none */
	struct worker *worker;
	pid_t worker_pid;		/* the first one */
	struct capture *capture;
	struct child child;
	int not_run;			/* exit status when the command could not be executed */
	struct outfile *out;
	struct loop *loop;
	int drain_timer;
	int *pidfd;			/* of args.pids; -1: gone */
	pid_t *tgid;			/* of args.tids; 0: gone */
	size_t nr_alive;
};

static void worker_started(void *ctx, pid_t pid)
{
	struct record *r = ctx;

	r->worker_pid = pid;
	if (r->capture)
		capture_self(r->capture, pid);
}

static void worker_ended(void *ctx, pid_t pid)
{
	struct record *r = ctx;

	if (r->capture)
		capture_self_ended(r->capture, pid);
}

/* One of -t's threads ended: go on while another lives. (No descriptor tells of it before 6.9.) */
static int check_threads(struct record *r)
{
	size_t i;

	for (i = 0; i < r->args.tids.nr; i++) {
		pid_t tid = capture_thread_now(r->capture, r->args.tids.id[i]);

		if (!r->tgid[i] || !syscall(SYS_tgkill, r->tgid[i], tid, 0) || errno != ESRCH)
			continue;
		r->tgid[i] = 0;
		r->nr_alive--;
	}
	return r->nr_alive ? 0 : STOP;
}

static void describe(struct record *r, struct profile *p)
{
	struct meta *m = &p->meta;
	struct utsname u;

	if (!uname(&u)) {
		sanitize(m->host, sizeof(m->host), u.nodename, strlen(u.nodename));
		sanitize(m->kernel, sizeof(m->kernel), u.release, strlen(u.release));
	}
	snprintf(m->version, sizeof(m->version), "%s", DWELL_VERSION);
	sanitize(m->command, sizeof(m->command), r->args.line, strlen(r->args.line));
	snprintf(m->event, sizeof(m->event), "%s", r->args.capture.take_ticks ? "cpu-clock" : "waits");
	m->cpus = capture_cpus(r->capture);
	m->freq_hz = r->args.capture.take_ticks ? r->args.capture.freq_hz : 0;
	m->worker_deaths = worker_deaths(r->worker) - r->former_deaths;
	r->former_deaths += m->worker_deaths;
	output_count_tasks(p);
}

/* The profile that ended last gets its names; meanwhile, with go_on, sampling goes on. */
static int name_all(struct record *r, struct profile *p, bool go_on)
{
	size_t i, n = capture_nr_objects(r->capture);
	int e = 0;

	symbol_name_kernel(p, r->kallsyms);
	for (i = 0; !e && i < n; i++) {
		uint32_t mapping;
		const struct object_file *o = capture_object(r->capture, i, &mapping);
		struct symbol_object obj = { mapping, o->fd, o->reason };

		if (!mapping || o->kind == OBJECT_ANON)
			continue;
		symbol_name_object(p, r->worker, &obj);
		if (go_on)
			e = capture_drain(r->capture);
	}
	return e;
}

/* The profile that ended, to its writer. */
static int write_former(struct record *r, bool go_on)
{
	struct profile *p = r->former;
	pid_t writer;
	int e = name_all(r, p, go_on);

	if (!e) {
		capture_former_done(r->capture);
		describe(r, p);
		e = profile_check(p);
	}
	if (e)
		return e;
	writer = rotate_write(r->rotate, p, !r->args.quiet);
	capture_writer(r->capture, writer);
	r->writing = writer;
	profile_free(p);
	r->former = NULL;
	return 0;
}

/* Each step waits for the one before: all samples are there, the former file is written, the interval is over. */
static int rotate(struct record *r)
{
	struct profile *next;
	int e;

	/* it stays dwell's own for one drain more, which may bring its last switch */
	if (!r->writing)
		capture_writer(r->capture, 0);
	r->writing = rotate_busy(r->rotate, false);
	if (r->writing)
		return 0;
	if (r->former) {
		if (capture_former_waits(r->capture) && !r->cut_due)
			return 0;
		capture_former_settle(r->capture);
		return write_former(r, true);
	}
	if (!r->cut_due)
		return 0;
	next = profile_new();
	e = capture_cut(r->capture, next);
	r->former = r->p;
	r->p = next;
	r->cut_due = false;
	return e;
}

static int on_drain(void *ctx, uint64_t expirations)
{
	struct record *r = ctx;
	int e = capture_drain(r->capture);

	if (!e && r->args.tids.nr)
		e = check_threads(r);
	if (!e && r->rotate)
		e = rotate(r);
	return e ? e : loop_set_timer(r->loop, r->drain_timer, capture_drain_period(r->capture));
}

static int on_rotate(void *ctx, uint64_t expirations)
{
	struct record *r = ctx;

	r->cut_due = true;
	return rotate(r);
}

static int on_end(void *ctx, uint64_t arg)
{
	return STOP;
}

/* A stop that was meant for dwell alone is handed on to the command; the terminal's Ctrl-C it has. */
static int on_signal(void *ctx, uint64_t sig)
{
	struct record *r = ctx;

	if (r->child.pid && sig == SIGTERM)
		kill(r->child.pid, SIGTERM);
	return STOP;
}

static int on_command_end(void *ctx, uint64_t events)
{
	child_wait(&((struct record *)ctx)->child);
	return STOP;
}

/* One of -p's processes ended: go on while another lives. */
static int on_target_end(void *ctx, uint64_t events)
{
	struct record *r = ctx;
	size_t i;

	for (i = 0; i < r->args.pids.nr; i++) {
		if (r->pidfd[i] < 0 || !privilege_pidfd_ended(r->pidfd[i]))
			continue;
		close(r->pidfd[i]);	/* which takes it out of the loop */
		r->pidfd[i] = -1;
		r->nr_alive--;
	}
	return r->nr_alive ? 0 : STOP;
}

static int watch_targets(struct record *r)
{
	size_t i;
	int e;

	r->pidfd = xcalloc(r->args.pids.nr, sizeof(*r->pidfd));
	for (i = 0; i < r->args.pids.nr; i++) {
		pid_t pid = r->args.pids.id[i];

		r->pidfd[i] = -1;
		e = capture_target(r->capture, pid, false);
		if (e)
			return e;
		r->pidfd[i] = (int)syscall(SYS_pidfd_open, pid, 0);
		if (r->pidfd[i] < 0 && errno == ESRCH)
			return fail_plain(-ESRCH, "no process %d", pid);
		if (r->pidfd[i] < 0)
			return fail(-errno, "watch process %d: pidfd_open", pid);
		r->nr_alive++;
		e = loop_add_fd(r->loop, r->pidfd[i], on_target_end, r);
		if (e)
			return e;
	}
	return 0;
}

static int watch_threads(struct record *r)
{
	r->tgid = xcalloc(r->args.tids.nr, sizeof(*r->tgid));
	for (; r->nr_alive < r->args.tids.nr; r->nr_alive++) {
		pid_t tgid = capture_thread(r->capture, r->args.tids.id[r->nr_alive]);

		if (tgid < 0)
			return tgid;
		r->tgid[r->nr_alive] = tgid;
	}
	return 0;
}

static int watch_cgroups(struct record *r)
{
	size_t i;
	int e = 0;

	for (i = 0; !e && i < r->args.nr_cgroups; i++)
		e = capture_cgroup(r->capture, r->args.cgroups[i]);
	return e;
}

static int watch_command(struct record *r)
{
	int e = capture_target(r->capture, r->child.pid, true);

	return e ? e : loop_add_fd(r->loop, r->child.pidfd, on_command_end, r);
}

static int watch_signals(struct record *r)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return loop_add_signals(r->loop, &set, on_signal, r);
}

/* Says after the cause of capture_open()'s failure what to do about it. */
static int refused(int e)
{
	if (e == -EPERM || e == -EACCES)
		return fail_plain(e, "%s. Run it with sudo, or see `dwell doctor`.", error_text());
	return fail_plain(e, "%s (see `dwell doctor`)", error_text());
}

/* What can fail before anything is sampled, in the order of what is cheapest to find out. */
static int prepare(struct record *r)
{
	int e = privilege_check_namespace();

	if (e)
		return e;
	e = r->args.rotate_ns ? rotate_open(&r->rotate, r->args.output, r->args.keep) :
				outfile_open(&r->out, r->args.output);
	if (e)
		return e;
	output_remember(r->out);
	if (r->args.command) {
		e = child_fork(&r->child, r->args.command);
		if (e)
			return e;
	}
	e = worker_new(&r->worker, worker_started, r);
	if (e)
		return e;
	worker_tell_ends(r->worker, worker_ended);
	privilege_raise_files();
	if (r->args.capture.take_kernel && kallsyms_open(&r->kallsyms, "/proc/kallsyms") < 0)
		r->no_kallsyms = xstrdup(error_text());
	r->p = profile_new();
	r->args.capture.worker = r->worker;
	e = loop_new(&r->loop);
	if (e)
		return e;
	e = capture_open(&r->capture, &r->args.capture, r->p, r->kallsyms);
	if (e)
		return refused(e);
	capture_self(r->capture, r->worker_pid);
	return 0;
}

static int arm(struct record *r)
{
	int e = watch_signals(r);

	if (!e && r->args.pids.nr)
		e = watch_targets(r);
	if (!e && r->args.tids.nr)
		e = watch_threads(r);
	if (!e)
		e = watch_cgroups(r);
	if (!e && r->child.pid)
		e = watch_command(r);
	if (!e)
		e = capture_watch(r->capture, r->loop, on_drain, r);
	if (!e && r->args.rotate_ns)
		e = loop_add_timer(r->loop, r->args.rotate_ns, r->args.rotate_ns, on_rotate, r);
	if (e >= 0 && r->args.duration_ns)
		e = loop_add_timer(r->loop, r->args.duration_ns, 0, on_end, r);
	if (e < 0)
		return e;
	r->drain_timer = loop_add_timer(r->loop, capture_drain_period(r->capture), 0, on_drain, r);
	return r->drain_timer < 0 ? r->drain_timer : 0;
}

static void say_begin(const struct record *r)
{
	if (r->args.capture.take_ticks)
		fprintf(stderr, "dwell: sampling %u CPUs at %u Hz; Ctrl-C ends it\n", capture_cpus(r->capture),
			r->args.capture.freq_hz);
	else
		fprintf(stderr, "dwell: sampling waits on %u CPUs; Ctrl-C ends it\n", capture_cpus(r->capture));
}

/* Samples until the end, whatever ends it. */
static int sample(struct record *r)
{
	int e;

	if (r->no_kallsyms)
		fprintf(stderr, "dwell: kernel functions stay unnamed: %s\n", r->no_kallsyms);
	e = capture_start(r->capture);
	if (e)
		return e;
	if (r->child.pid) {
		e = child_go(&r->child);
		if (e) {
			r->not_run = e == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXEC;
			return fail(e, "cannot run %s", r->args.command[0]);
		}
	}
	if (!r->args.quiet && isatty(STDERR_FILENO))
		say_begin(r);
	e = loop_run(r->loop);
	if (e < 0)
		return e;
	output_second_signal_aborts();
	return capture_stop(r->capture);
}

static void say_not_followed(const struct record *r)
{
	if (capture_not_followed(r->capture) && !r->args.quiet)
		fprintf(stderr, "dwell: %llu child processes or cgroups were not followed: too many at once\n",
			(unsigned long long)capture_not_followed(r->capture));
}

/* What is left when sampling has ended: a former profile that waits, and the last one. */
static int finish_rotation(struct record *r)
{
	int e = 0;

	rotate_busy(r->rotate, true);
	if (r->former) {
		capture_former_settle(r->capture);
		e = write_former(r, false);
		rotate_busy(r->rotate, true);
	}
	if (e)
		return e;
	r->former = r->p;
	r->p = NULL;
	e = write_former(r, false);
	rotate_busy(r->rotate, true);
	if (e)
		return e;
	say_not_followed(r);
	return rotate_result(r->rotate);
}

static int finish(struct record *r)
{
	int e;

	if (r->rotate)
		return finish_rotation(r);
	e = name_all(r, r->p, false);
	if (e)
		return e;
	describe(r, r->p);
	e = profile_check(r->p);
	if (e)
		return e;
	e = pprof_write(r->p, r->out);
	if (e)
		return e;
	output_give_to_sudo_user(r->out);
	e = outfile_commit(r->out, 1);
	r->out = NULL;
	output_remember(NULL);
	if (e || r->args.quiet)
		return e;
	say_not_followed(r);
	return output_table(r->p, r->args.limit, r->args.output, r->child.pid ? stderr : stdout);
}

static int run(struct record *r)
{
	int e = prepare(r);

	if (e)
		return e;
	e = arm(r);
	if (e)
		return e;
	e = privilege_drop_after_attach();
	if (e)
		return e;
	e = sample(r);
	return e ? e : finish(r);
}

static void cleanup(struct record *r)
{
	outfile_abort(r->out);
	output_remember(NULL);
	capture_close(r->capture);
	r->capture = NULL;
	worker_free(r->worker);
	kallsyms_free(r->kallsyms);
	profile_free(r->p);
	profile_free(r->former);
	rotate_close(r->rotate);
	loop_free(r->loop);
	child_done(&r->child);
	free(r->pidfd);
	free(r->tgid);
	free(r->no_kallsyms);
	record_args_done(&r->args);
}

static int exit_status(struct record *r, int e)
{
	if (!e && r->child.pid) {
		if (!r->child.reaped && !r->args.quiet && !privilege_pidfd_ended(r->child.pidfd))
			fprintf(stderr, "dwell: waiting for %s (pid %d) to end\n", r->args.command[0],
				r->child.pid);
		return child_wait(&r->child);
	}
	if (!e)
		return 0;
	failed();
	if (!r->args.command)
		return 1;
	return r->not_run ? r->not_run : EXIT_OWN;
}

int cmd_record(int argc, char **argv)
{
	struct record r = { 0 };
	struct buf help = { 0 };
	int e = record_args_parse(&r.args, argc, argv, &help), status;

	if (e) {
		status = e > 0 ? output_text(buf_text(&help)) : usage_error();
		buf_done(&help);
		record_args_done(&r.args);
		return status < 0 ? failed() : status;
	}
	e = run(&r);
	status = exit_status(&r, e);
	cleanup(&r);
	return status;
}
