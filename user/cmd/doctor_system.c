/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of doctor that asks: kernel, settings, rights. */
#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "base/alloc.h"
#include "base/file.h"
#include "capture/event.h"
#include "cmd/doctor.h"
#include "cmd/privilege.h"
#include "proc/kernel.h"

#define BTF_FILE       "/sys/kernel/btf/vmlinux"
#define LOCKDOWN_FILE  "/sys/kernel/security/lockdown"
#define DEFAULT_HZ     99
#define MEMLOCK_WANTED (64u << 20)

static const struct right rights[] = {
	{ CAP_BPF, "cap_bpf", "loads the sampler", true, false },
	{ CAP_PERFMON, "cap_perfmon", "samples all CPUs", true, false },
	{ CAP_SYSLOG, "cap_syslog", "names of kernel functions", false, false },
	{ CAP_SYS_PTRACE, "cap_sys_ptrace", "what other users' processes have mapped", false,
	  false },
	{ CAP_DAC_READ_SEARCH, "cap_dac_read_search", "programs in folders closed to you", false,
	  false },
	{ CAP_CHECKPOINT_RESTORE, "cap_checkpoint_restore",
	  "programs whose file was deleted or replaced", false, false },
};

/* Before 5.11 the memory of BPF objects counts as locked; libbpf raises the limit where it may. */
static bool counts_as_locked(void)
{
	struct rlimit lim;

	return kernel_version() < KERNEL_VERSION_OF(5, 11) && !getrlimit(RLIMIT_MEMLOCK, &lim) &&
	       lim.rlim_max < MEMLOCK_WANTED;
}

static void check_kernel(struct checkup *c)
{
	bool old = kernel_version() < KERNEL_VERSION_OF(5, 10);
	struct check *k = checkup_add(c, "kernel", old ? VERDICT_NO : VERDICT_YES);
	struct utsname u;

	if (uname(&u))
		return;
	buf_printf(&k->text, "%s %s", u.release, u.machine);
	if (old)
		buf_puts(&k->fix, "boot Linux 5.10 or later");
}

static void check_btf(struct checkup *c)
{
	bool there = !access(BTF_FILE, R_OK);
	struct check *k = checkup_add(c, "BTF", there ? VERDICT_YES : VERDICT_NO);

	if (there) {
		buf_puts(&k->text, BTF_FILE);
		return;
	}
	buf_printf(&k->text, "%s: %s", BTF_FILE, strerror(errno));
	if (errno == ENOENT)
		buf_puts(&k->fix, "boot a kernel with CONFIG_DEBUG_INFO_BTF=y (distributions' "
				  "kernels have it)");
}

static void check_lockdown(struct checkup *c)
{
	struct check *k = checkup_add(c, "lockdown", VERDICT_YES);
	char line[128];

	if (read_line(LOCKDOWN_FILE, line, sizeof(line)) < 0) {
		k->verdict = VERDICT_UNKNOWN;
		buf_puts(&k->text, "cannot read " LOCKDOWN_FILE);
		if (access("/sys/kernel/security/.", F_OK) ||
		    access("/sys/kernel/security/lsm", F_OK))
			buf_puts(&k->fix,
				 "sudo mount -t securityfs securityfs /sys/kernel/security");
		else
			buf_puts(&k->note, "this kernel was built without lockdown");
	} else if (strstr(line, "[confidentiality]")) {
		buf_puts(&k->text, "confidentiality; the sampler reads no kernel memory");
		if (kernel_version() >= KERNEL_VERSION_OF(5, 15))
			return;
		k->verdict = VERDICT_LIMITED;
		buf_puts(&k->note, "on this kernel a sample in kernel mode then has no user stack "
				   "([truncated: registers unreadable])");
		buf_puts(&k->fix, "boot with lockdown=integrity, or Linux 5.15 or later");
	} else {
		buf_puts(&k->text, strstr(line, "[integrity]")
					   ? "integrity; nothing of dwell's is refused"
					   : "none");
	}
}

static void read_rights(struct checkup *c)
{
	size_t i;
	bool known = !capng_get_caps_process();

	c->nr_rights = ARRAY_LEN(rights);
	c->right = xcalloc(c->nr_rights, sizeof(*c->right));
	memcpy(c->right, rights, sizeof(rights));
	c->sys_admin = known && capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
	for (i = 0; i < c->nr_rights; i++)
		c->right[i].held = known && capng_have_capability(CAPNG_EFFECTIVE, c->right[i].cap);
}

/* CAP_SYS_ADMIN stands for those that were split off from it. */
static bool is_held(const struct checkup *c, const struct right *r)
{
	return r->held || (c->sys_admin && (r->cap == CAP_BPF || r->cap == CAP_PERFMON ||
					    r->cap == CAP_CHECKPOINT_RESTORE));
}

/* A row over the rights for one purpose. */
static void check_rights(struct checkup *c, const char *name, bool to_sample)
{
	struct check *k = checkup_add(c, name, VERDICT_YES);
	size_t i;

	for (i = 0; i < c->nr_rights; i++) {
		const struct right *r = &c->right[i];

		if (r->to_sample != to_sample || is_held(c, r))
			continue;
		k->verdict = to_sample ? VERDICT_NO : VERDICT_LIMITED;
		buf_printf(&k->text, "%s%s", k->text.len ? ", " : "no ", r->name);
		buf_printf(&k->note, "%s%s: %s", k->note.len ? "; " : "", r->name, r->use);
	}
	if (k->verdict == VERDICT_YES) {
		buf_puts(&k->text, geteuid() ? "by capabilities" : "root");
		return;
	}
	checkup_put_rights_fix(c, &k->fix);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		buf_puts(&k->note,
			 "; no_new_privs is set here, so that below this shell neither sudo nor "
			 "setcap helps");
}

static void put_shell_word(struct buf *out, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-";

	if (word[strspn(word, plain)] == '\0') {
		buf_puts(out, word);
		return;
	}
	buf_putc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_puts(out, "'\\''");
		else
			buf_putc(out, *word);
	}
	buf_putc(out, '\'');
}

static void put_own_path(struct buf *out)
{
	char path[4096], clean[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0) {
		buf_puts(out, "PATH-OF-DWELL");
		return;
	}
	sanitize(clean, sizeof(clean), path, (size_t)n);
	put_shell_word(out, clean);
}

void checkup_put_rights_fix(const struct checkup *c, struct buf *out)
{
	bool container = !geteuid(), admin = c->paranoid > 2, locked = counts_as_locked();
	size_t i;

	buf_puts(out,
		 container ? "start the container with" : "run it with sudo, or: sudo setcap ");
	for (i = 0; i < c->nr_rights; i++) {
		if (container)
			buf_printf(out, " --cap-add=%s", c->right[i].name);
		else
			buf_printf(out, "%s%s", i ? "," : "", c->right[i].name);
	}
	if (container) {
		buf_printf(out, "%s%s", admin ? " --cap-add=cap_sys_admin" : "",
			   locked ? " --cap-add=cap_sys_resource" : "");
		return;
	}
	buf_printf(out, "%s%s+ep ", admin ? ",cap_sys_admin" : "",
		   locked ? ",cap_sys_resource" : "");
	put_own_path(out);
}

static const char *paranoid_text(int value)
{
	switch (value) {
	case -1:
		return "-1: anybody may sample the whole box";
	case 0:
		return "0: anybody may sample CPUs, but with no raw tracepoints";
	case 1:
		return "1: without CAP_PERFMON only one's own processes, with their kernel part";
	case 2:
		return "2: without CAP_PERFMON only one's own processes, without their kernel part";
	default:
		return value > 2 ? "on Debian and its kin no sampling without CAP_SYS_ADMIN; as 2 "
				   "on others"
				 : "anybody may sample the whole box";
	}
}

static void check_paranoid(struct checkup *c)
{
	struct check *k;
	char line[32];

	c->paranoid = 2;
	k = checkup_add(c, "perf_event_paranoid", VERDICT_YES);
	if (read_line("/proc/sys/kernel/perf_event_paranoid", line, sizeof(line)) < 0) {
		k->verdict = VERDICT_NO;
		buf_puts(&k->text, "this kernel has no perf events (CONFIG_PERF_EVENTS)");
		return;
	}
	c->paranoid = (int)strtol(line, NULL, 10);
	if (c->paranoid < -1 || c->paranoid > 2)
		buf_printf(&k->text, "%d: ", c->paranoid);
	buf_puts(&k->text, paranoid_text(c->paranoid));
	if (c->paranoid <= 2 || c->sys_admin)
		return;
	k->verdict = VERDICT_LIMITED;
	buf_puts(&k->fix, "sudo sysctl kernel.perf_event_paranoid=2");
}

static void check_rate(struct checkup *c)
{
	uint32_t rate = event_max_rate();
	struct check *k = checkup_add(c, "sample rate", VERDICT_YES);
	char digits[32];

	if (!rate) {
		k->verdict = VERDICT_UNKNOWN;
		buf_puts(&k->text, "cannot read kernel.perf_event_max_sample_rate");
		return;
	}
	buf_printf(&k->text, "up to %s Hz (kernel.perf_event_max_sample_rate)",
		   group_digits(digits, rate));
	if (rate >= DEFAULT_HZ)
		return;
	k->verdict = VERDICT_LIMITED;
	buf_printf(&k->note,
		   "the kernel lowers it where interrupts take long; the default is %d Hz",
		   DEFAULT_HZ);
	buf_puts(&k->fix, "sudo sysctl kernel.perf_event_max_sample_rate=100000");
}

static void check_unprivileged(struct checkup *c)
{
	struct check *k = checkup_add(c, "unprivileged BPF", VERDICT_YES);
	char line[32];

	if (read_line("/proc/sys/kernel/unprivileged_bpf_disabled", line, sizeof(line)) < 0) {
		k->verdict = VERDICT_UNKNOWN;
		buf_puts(&k->text, "cannot read kernel.unprivileged_bpf_disabled");
		return;
	}
	switch (strtol(line, NULL, 10)) {
	case 0:
		buf_puts(&k->text,
			 "0: users may load some programs; the sampler needs its capabilities");
		break;
	case 1:
		buf_puts(&k->text,
			 "1: bpf(2) needs CAP_BPF, until the next boot; so does the sampler");
		break;
	default:
		buf_printf(&k->text, "%s: bpf(2) needs CAP_BPF; so does the sampler", line);
	}
}

static void check_memlock(struct checkup *c)
{
	struct rlimit lim;
	struct check *k;

	if (!counts_as_locked() || getrlimit(RLIMIT_MEMLOCK, &lim))
		return;
	k = checkup_add(c, "locked memory", VERDICT_YES);
	buf_printf(&k->text, "%llu KiB", (unsigned long long)lim.rlim_max >> 10);
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_RESOURCE)) {
		buf_puts(&k->text, ", which dwell may raise");
		return;
	}
	k->verdict = VERDICT_NO;
	buf_puts(&k->note, "before Linux 5.11 the memory of BPF programs counts as locked");
	checkup_put_rights_fix(c, &k->fix);
}

static void check_namespace(struct checkup *c)
{
	int e = privilege_check_namespace();
	struct check *k = checkup_add(c, "PID namespace", e ? VERDICT_NO : VERDICT_YES);

	k->needed = true;
	buf_puts(&k->text, e ? error_text() : "the host's");
	if (e)
		buf_puts(&k->fix, "run dwell on the host, or start the container with --pid=host");
}

void check_system(struct checkup *c)
{
	check_kernel(c);
	check_btf(c);
	check_lockdown(c);
	read_rights(c);
	check_paranoid(c);
	check_rights(c, "rights to sample", true);
	check_rights(c, "rights to name", false);
	check_rate(c);
	check_unprivileged(c);
	check_memlock(c);
	check_namespace(c);
}
