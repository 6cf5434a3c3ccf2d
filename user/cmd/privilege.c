/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "capture/event.h"

/* PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h */
#define INIT_PID_NS_INODE 0xEFFFFFFCu

int privilege_check_namespace(void)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st))
		return fail(-errno, "/proc/self/ns/pid (is /proc mounted?)");
	if (st.st_ino == INIT_PID_NS_INODE)
		return 0;
	return fail_plain(-EINVAL, "this is a PID namespace of its own, but the kernel samples by the host's ids: "
				   "run dwell on the host, or with the container's --pid=host");
}

void privilege_raise_files(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return;
	lim.rlim_cur = lim.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
}

int privilege_drop_after_attach(void)
{
	static const unsigned int keep[] = {
		CAP_BPF,		/* unwind tables grow */
		CAP_SYS_PTRACE,		/* /proc/PID/maps, root */
		CAP_CHECKPOINT_RESTORE,	/* /proc/PID/map_files */
		CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER, /* files; the output's folder */
		CAP_PERFMON,		/* events on a CPU that comes back */
		CAP_KILL,		/* the command and the worker, whoever they became */
		CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_SYS_CHROOT, /* to shut a new worker in */
	};
	size_t i;

	if (capng_get_caps_process())
		return fail_plain(-EPERM, "cannot read dwell's own capabilities");
	if (capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE)
		return 0;
	for (i = 0; i <= CAP_LAST_CAP; i++) {
		bool kept = false;
		size_t k;

		for (k = 0; k < ARRAY_LEN(keep); k++)
			kept |= keep[k] == i;
		kept |= i == CAP_SYS_ADMIN && event_needs_admin();
		if (!kept)
			capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE,
				     (unsigned int)i);
	}
	if (capng_apply(CAPNG_SELECT_CAPS))
		return fail_plain(-EPERM, "cannot give up capabilities");
	return 0;
}

bool privilege_pidfd_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}
