/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * processes SECONDS COMMAND... - follows all processes by the side-band while COMMAND runs over and
 * over, and compares images that events told of with /proc/PID/maps of processes that still live.
 * Prints counts, one a line; fails when an image lacks a mapping, or has another.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "capture/event.h"
#include "capture/sideband.h"

#define LOOK_NS (2 * NSEC_PER_MSEC)

struct watch {
	struct images *im;
	struct sideband *s;
	uint64_t compared, equal, more, moved, wrong, read_again;
	uint64_t maps, records, cpu_ns, max_ns;
	unsigned int turn;
};

static uint64_t cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static void apply(struct watch *w)
{
	uint64_t start = clock_mono(), cpu = cpu_time(), took;
	int n = sideband_read(w->s, w->im);

	took = clock_mono() - start;
	w->records += (uint64_t)n;
	w->cpu_ns += cpu_time() - cpu;
	if (took > w->max_ns)
		w->max_ns = took;
}

struct maps {
	char *text;
	struct exec_map *map;
	size_t nr;
};

static void maps_done(struct maps *m)
{
	free(m->text);
	free(m->map);
	*m = (struct maps){ 0 };
}

static bool same_maps(const struct maps *a, const struct maps *b)
{
	size_t i;

	for (i = 0; a->nr == b->nr && i < a->nr; i++)
		if (a->map[i].start != b->map[i].start || a->map[i].end != b->map[i].end ||
		    a->map[i].inode != b->map[i].inode)
			return false;
	return a->nr == b->nr;
}

static bool holds(const struct watch *w, const struct image *i, const struct exec_map *m)
{
	const struct image_map *have = image_find(i, m->start, UINT64_MAX);
	const struct object_file *o;

	if (!have || have->start > m->start || have->end < m->end)
		return false;
	o = objects_get(images_objects(w->im), have->object);
	if (o->kind != OBJECT_FILE)
		return !m->inode;
	return o->inode == m->inode && o->dev_major == m->dev_major &&
	       o->dev_minor == m->dev_minor && have->offset + m->start - have->start == m->offset;
}

/* The first mapping that the image lacks, or NULL. */
static const struct exec_map *lacking(const struct watch *w, const struct image *i,
				      const struct maps *m)
{
	size_t k;

	for (k = 0; k < m->nr; k++)
		if (!holds(w, i, &m->map[k]))
			return &m->map[k];
	return NULL;
}

static void judge(struct watch *w, struct image *i, const struct maps *m)
{
	const struct exec_map *lack = lacking(w, i, m);

	w->compared++;
	w->maps += m->nr;
	if (lack && sideband_lost(w->s)) {
		/* only where a loss made it stale does this do anything */
		images_read(w->im, i, clock_mono() + NSEC_PER_SEC);
		lack = lacking(w, i, m);
		w->read_again++;
	}
	if (lack) {
		w->wrong++;
		fprintf(stderr, "%d: image %llu lacks %llx-%llx %s\n", i->tgid,
			(unsigned long long)i->from_ns, (unsigned long long)lack->start,
			(unsigned long long)lack->end, lack->path);
	} else if (i->nr_maps > m->nr) {
		w->more++;
	} else {
		w->equal++;
	}
}

/* Maps before and after all records are applied: if both are the same, the image must be that. */
static int compare(void *ctx, struct image *i)
{
	struct watch *w = ctx;
	struct maps before = { 0 }, after = { 0 };
	uint64_t from = i->from_ns;
	int pid = i->tgid;

	/* every few of them in turn; and only what events told */
	if (!from || !i->known || (unsigned int)pid % 4 != w->turn % 4)
		return 0;
	if (maps_read(pid, &before.text, &before.map, &before.nr) < 0 || !before.nr)
		return 0;
	apply(w);
	if (maps_read(pid, &after.text, &after.map, &after.nr) < 0 || !same_maps(&before, &after))
		w->moved++;
	else if (i->to_ns == UINT64_MAX && i->from_ns == from && i->known)
		judge(w, i, &before);
	maps_done(&before);
	maps_done(&after);
	return 0;
}

static pid_t spawn(char **argv)
{
	pid_t pid = fork();

	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static void watch(struct watch *w, uint64_t until, char **argv)
{
	pid_t pid = spawn(argv);

	while (clock_mono() < until) {
		usleep(LOOK_NS / 1000);
		apply(w);
		w->turn++;
		images_each(w->im, compare, w);
		images_expire(w->im, clock_mono() - IMAGES_KEEP_NS, NULL, NULL);
		if (waitpid(pid, NULL, WNOHANG) == pid)
			pid = spawn(argv);
	}
	waitpid(pid, NULL, 0);
	apply(w);
}

static void print(const struct watch *w)
{
	struct images_stats s;

	images_get_stats(w->im, &s);
#define LINE(name, value) printf("%s %llu\n", name, (unsigned long long)(value))
	LINE("records", w->records);
	LINE("cpu-ns-per-record", w->records ? w->cpu_ns / w->records : 0);
	LINE("longest-read-us", w->max_ns / 1000);
	LINE("compared", w->compared);
	LINE("equal", w->equal);
	LINE("more", w->more);
	LINE("moved", w->moved);
	LINE("wrong", w->wrong);
	LINE("read-again", w->read_again);
	LINE("maps-compared", w->maps);
	LINE("lost", sideband_lost(w->s));
	LINE("late", s.late);
	LINE("missed", s.missed);
	LINE("reads", s.reads);
	LINE("living", s.living);
	LINE("kept", s.kept);
	LINE("objects", objects_count(images_objects(w->im)));
}

int main(int argc, char **argv)
{
	struct watch w = { .im = images_new() };
	int cpus = event_possible_cpus();
	bool online[1024] = { false };

	if (argc < 3 || cpus < 0 || cpus > 1024 || event_online_cpus(online, cpus) < 0 ||
	    sideband_open(&w.s, online, cpus, false) < 0 || images_scan(w.im) < 0) {
		fprintf(stderr, "processes: %s\n", error_text());
		return 2;
	}
	watch(&w, clock_mono() + strtoull(argv[1], NULL, 10) * NSEC_PER_SEC, argv + 2);
	print(&w);
	sideband_close(w.s);
	images_free(w.im);
	return w.wrong || !w.compared;
}
