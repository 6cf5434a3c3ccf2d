/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/box.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "capture/event.h"

#define LIST_MAX  4096
#define SLEPT_NS  (10 * NSEC_PER_MSEC)	/* the two clocks are read one after the other */
#define SILENT_NS NSEC_PER_SEC	/* without a tick: the event may be dead */

/* How long the machine has slept since it was booted, and as long as it takes to look: never below 0. */
static uint64_t asleep_ns(void)
{
	uint64_t least = UINT64_MAX;
	int try;

	/* who looks may lose the CPU between the clocks */
	for (try = 0; try < 3; try++) {
		uint64_t now = clock_mono(), asleep = clock_boot() - now;

		least = asleep < least ? asleep : least;
	}
	return least;
}

int box_choose(struct capture *c, const bool *online, int nr_online)
{
	int cpu, r;

	c->wanted = xcalloc((size_t)c->nr_cpus, sizeof(*c->wanted));
	if (!c->cfg.cpus) {
		memcpy(c->wanted, online, (size_t)c->nr_cpus * sizeof(*online));
		c->nr_wanted = (uint32_t)nr_online;
		return 0;
	}
	r = event_cpu_list(c->cfg.cpus, c->wanted, c->nr_cpus);
	if (r != event_cpu_list(c->cfg.cpus, NULL, INT32_MAX))
		return fail_plain(-EINVAL, "'%s' has CPUs that are not here: the last is %d", c->cfg.cpus, c->nr_cpus - 1);
	for (cpu = 0; r > 0 && cpu < c->nr_cpus; cpu++) {
		if (c->wanted[cpu] && !online[cpu])
			return fail_plain(-EINVAL, "CPU %d is not online", cpu);
		c->nr_wanted += c->wanted[cpu];
	}
	return r > 0 ? 0 : fail_plain(-EINVAL, "no CPU here is in '%s'", c->cfg.cpus);
}

void box_open(struct capture *c, const bool *online)
{
	struct box *h = &c->box;

	h->fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);
	h->online = xcalloc((size_t)c->nr_cpus, sizeof(*h->online));
	memcpy(h->online, online, (size_t)c->nr_cpus * sizeof(*online));
	h->list = xcalloc(LIST_MAX, 1);
}

void box_close(struct capture *c)
{
	struct box *h = &c->box;

	/* 0: was never opened */
	if (h->fd > 0)
		close(h->fd);
	free(h->online);
	free(h->list);
}

/* Its event is dead. What its ticks were so far is kept. */
static int close_event(struct capture *c, int cpu)
{
	struct cpu *one = &c->cpu[cpu];
	uint64_t count;
	int r;

	if (one->event_fd < 0)
		return 0;
	r = event_count(one->event_fd, &count);
	if (!r)
		one->former_ticks += count / c->period_ns;
	close(one->event_fd);
	one->event_fd = -1;
	return r;
}

static int open_event(struct capture *c, int cpu)
{
	int fd;

	if (!c->cfg.take_ticks)
		return 0;
	fd = event_open(cpu, c->period_ns, c->loaded.prog_fd);
	if (fd < 0)
		return fd;
	c->cpu[cpu].event_fd = fd;
	return event_enable(fd);
}

static int cpu_came(struct capture *c, int cpu)
{
	int r = sideband_open_cpu(c->sideband, cpu);

	if (r || (c->cfg.cpus && !c->wanted[cpu]))
		return r;
	if (!c->wanted[cpu])
		r = capture_open_cpu(c, cpu);
	return r ? r : open_event(c, cpu);
}

/* A CPU that could not be opened, for it may be gone again, is tried at the next look. */
static void cpu_changed(struct capture *c, int cpu, bool on)
{
	int r = on ? cpu_came(c, cpu) : close_event(c, cpu);

	if (on && r)
		return;
	c->box.online[cpu] = on;
	c->p->meta.cpu_changes++;
}

/* True: the CPUs are now as the list says. */
static bool list_changed(struct capture *c, const char *list)
{
	struct box *h = &c->box;
	autofree bool *online = xcalloc((size_t)c->nr_cpus, sizeof(*online));
	int cpu;

	if (event_cpu_list(list, online, c->nr_cpus) < 0)
		return true;
	for (cpu = 0; cpu < c->nr_cpus; cpu++)
		if (online[cpu] != h->online[cpu])
			cpu_changed(c, cpu, online[cpu]);
	return !memcmp(online, h->online, (size_t)c->nr_cpus * sizeof(*online));
}

/* A CPU that went and came between two looks at the list: its events are dead. */
static void cpu_came_back(struct capture *c, int cpu)
{
	cpu_changed(c, cpu, false);
	cpu_changed(c, cpu, true);
	/* else it is tried at the next look */
	*c->box.list = '\0';
}

/* What counts time has counted some between two reads. */
static bool event_counts(int fd)
{
	uint64_t before, after;

	return !event_count(fd, &before) && !event_count(fd, &after) && after > before;
}

/*
 * A dead event does not tick, not even idly, nor does it count. One that counts is alive: a virtual CPU's timer can
 * be silent while it is idle, for whoever asks. Its ticks are missed ones.
 */
static void check_event(struct capture *c, int cpu)
{
	struct cpu *one = &c->cpu[cpu];
	uint64_t runs = __atomic_load_n(&c->live[cpu].runs, __ATOMIC_RELAXED);

	if (runs != one->seen_runs || !one->seen_ns) {
		one->seen_runs = runs;
		one->seen_ns = c->now_ns;
		return;
	}
	if (c->now_ns - one->seen_ns < SILENT_NS + 4 * c->period_ns)
		return;
	one->seen_ns = 0;
	if (!event_counts(one->event_fd))
		cpu_came_back(c, cpu);
}

/* Where nothing ticks (only waits are asked for, or other CPUs), the side-band's event is all that tells. */
static void check_sideband(struct capture *c)
{
	int cpu;

	if (c->now_ns - c->box.side_ns < SILENT_NS)
		return;
	c->box.side_ns = c->now_ns;
	for (cpu = 0; cpu < c->nr_cpus; cpu++) {
		/* a lost ring is tried again wherever it is */
		if (!c->box.online[cpu] || (c->cpu[cpu].event_fd >= 0 && sideband_fd(c->sideband, cpu) >= 0))
			continue;
		if (!sideband_lives(c->sideband, cpu))
			cpu_came_back(c, cpu);
	}
}

/* The list as it is now, without its newline; false: it cannot be read. */
static bool read_list(const struct box *h, char list[LIST_MAX])
{
	ssize_t n = h->fd > 0 ? pread(h->fd, list, LIST_MAX - 1, 0) : -1;

	if (n <= 0)
		return false;
	list[n] = '\0';
	list[strcspn(list, "\n")] = '\0';
	return true;
}

/* The kernel took all CPUs but one away while the machine slept, and with them their events. */
static void check_sleep(struct capture *c)
{
	uint64_t asleep = asleep_ns();
	int cpu;

	if (asleep < c->box.checked_ns + SLEPT_NS)
		return;
	c->box.checked_ns = asleep;
	for (cpu = 0; cpu < c->nr_cpus; cpu++)
		if (c->box.online[cpu] && sideband_open_cpu(c->sideband, cpu))
			*c->box.list = '\0';
}

void box_check(struct capture *c)
{
	struct box *h = &c->box;
	char list[LIST_MAX];
	int cpu;

	check_sleep(c);
	if (read_list(h, list) && strcmp(list, h->list) && list_changed(c, list))
		memcpy(h->list, list, strlen(list) + 1);
	for (cpu = 0; cpu < c->nr_cpus; cpu++)
		if (c->cpu[cpu].event_fd >= 0)
			check_event(c, cpu);
	check_sideband(c);
}

/* CPUs that came and are not sampled, whatever the reason. */
static uint32_t box_cpus_missing(const struct capture *c)
{
	autofree bool *online = xcalloc((size_t)c->nr_cpus, sizeof(*online));
	char list[LIST_MAX];
	uint32_t n = 0;
	int cpu;

	if (!read_list(&c->box, list) || event_cpu_list(list, online, c->nr_cpus) < 0)
		return 0;
	for (cpu = 0; cpu < c->nr_cpus; cpu++)
		n += online[cpu] && !c->box.online[cpu];
	return n;
}

void box_start(struct capture *c)
{
	c->box.asleep_ns = c->box.checked_ns = asleep_ns();
	c->box.max_rate = event_max_rate();
}

void box_next(struct capture *c)
{
	c->box.asleep_ns = asleep_ns();
}

void box_describe(struct capture *c)
{
	uint64_t asleep = asleep_ns();
	uint32_t rate = event_max_rate();

	c->p->meta.cpus_missing = box_cpus_missing(c);
	if (asleep > c->box.asleep_ns + SLEPT_NS)
		c->p->meta.suspended_ns = asleep - c->box.asleep_ns;
	if (rate && rate < c->box.max_rate && rate < c->cfg.freq_hz)
		c->p->meta.throttled_hz = rate;
}
