/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/kernel.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/utsname.h>

unsigned int kernel_version(void)
{
	unsigned long major, minor;
	struct utsname u;
	char *end;

	if (uname(&u))
		return 0;
	major = strtoul(u.release, &end, 10);
	if (end == u.release || *end != '.')
		return 0;
	minor = strtoul(end + 1, NULL, 10);
	return KERNEL_VERSION_OF(major, minor > 255 ? 255 : minor);
}

bool kernel_locks_bpf(unsigned long long *kib)
{
	struct rlimit lim;

	if (kernel_version() >= KERNEL_VERSION_OF(5, 11) || getrlimit(RLIMIT_MEMLOCK, &lim) ||
	    lim.rlim_cur == RLIM_INFINITY)
		return false;
	*kib = (unsigned long long)lim.rlim_cur >> 10;
	return true;
}
