/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/event.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"

#define MAX_CPUS 8192

int event_cpu_list(const char *list, bool *online, int nr_cpus)
{
	int n = 0;

	while (*list) {
		unsigned long from, to, cpu;
		char *end;

		from = to = strtoul(list, &end, 10);
		if (end == list)
			return -EINVAL;
		if (*end == '-') {
			list = end + 1;
			to = strtoul(list, &end, 10);
			if (end == list || to < from)
				return -EINVAL;
		}
		for (cpu = from; cpu <= to && cpu < (unsigned long)nr_cpus; cpu++, n++)
			if (online)
				online[cpu] = true;
		list = *end == ',' ? end + 1 : end;
		if (*end && *end != ',')
			return -EINVAL;
	}
	return n;
}

int event_possible_cpus(void)
{
	autofree bool *seen = xcalloc(MAX_CPUS, sizeof(*seen));
	char line[512];
	int cpu, r;

	r = read_line("/sys/devices/system/cpu/possible", line, sizeof(line));
	if (r < 0)
		return r;
	r = event_cpu_list(line, seen, MAX_CPUS);
	for (cpu = MAX_CPUS - 1; r >= 0 && cpu >= 0; cpu--)
		if (seen[cpu])
			return cpu + 1;
	return fail_plain(-EINVAL, "cannot understand the list of possible CPUs '%s'", line);
}

int event_online_cpus(bool *online, int nr_cpus)
{
	char line[4096];
	int r = read_line("/sys/devices/system/cpu/online", line, sizeof(line));

	if (r < 0)
		return r;
	r = event_cpu_list(line, online, nr_cpus);
	if (r <= 0)
		return fail_plain(-EINVAL, "cannot understand the list of online CPUs '%s'", line);
	return r;
}

bool event_needs_admin(void)
{
	char paranoid[16] = "";

	return !read_line("/proc/sys/kernel/perf_event_paranoid", paranoid, sizeof(paranoid)) &&
	       strtol(paranoid, NULL, 10) > 2;
}

static int open_error(int err, int cpu)
{
	char paranoid[16] = "";

	(void)!read_line("/proc/sys/kernel/perf_event_paranoid", paranoid, sizeof(paranoid));
	if (err == -EACCES || err == -EPERM)
		return fail_plain(err, "cannot sample CPU %d: kernel.perf_event_paranoid is %s, which "
				       "needs %s",
				  cpu, paranoid, event_needs_admin() ? "CAP_SYS_ADMIN" : "CAP_PERFMON");
	return fail(err, "perf_event_open on CPU %d", cpu);
}

int event_open(int cpu, uint64_t period_ns, int prog_fd)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.sample_period = period_ns,
					.disabled = 1 };
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	int err;

	if (fd < 0)
		return open_error(-errno, cpu);
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog_fd)) {
		err = -errno;
		close(fd);
		return fail(err, "attach the sampler to CPU %d", cpu);
	}
	return fd;
}

int event_enable(int fd)
{
	return ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) ? fail(-errno, "enable sampling") : 0;
}

int event_disable(int fd)
{
	return ioctl(fd, PERF_EVENT_IOC_DISABLE, 0) ? fail(-errno, "disable sampling") : 0;
}

int event_count(int fd, uint64_t *count)
{
	uint64_t value;

	if (read(fd, &value, sizeof(value)) != sizeof(value))
		return fail(-errno, "read the sampling event's count");
	*count = value;
	return 0;
}

int event_probe_cycles(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_HW_CPU_CYCLES,
					.sample_period = 1u << 30,
					.exclude_kernel = 1,
					.exclude_hv = 1,
					.disabled = 1 };
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

uint32_t event_max_rate(void)
{
	uint64_t rate;
	char line[32];

	if (read_line("/proc/sys/kernel/perf_event_max_sample_rate", line, sizeof(line)) < 0 ||
	    parse_u64(line, &rate) || rate > UINT32_MAX)
		return 0;
	return (uint32_t)rate;
}
