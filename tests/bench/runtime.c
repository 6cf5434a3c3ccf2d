/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runtime PROGRAM MS N - of the BPF program that was loaded last under this name: ns a run by the kernel's statistics,
 * the least of N windows of MS each, for what disturbs only adds.
 * runtime PROGRAM - its id.
 */
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIN_RUNS 1000 /* in a window that says something */

static int find(const char *name, struct bpf_prog_info *info)
{
	uint32_t id = 0, size = sizeof(*info);
	int fd = -1, next;

	while (!bpf_prog_get_next_id(id, &id)) {
		next = bpf_prog_get_fd_by_id(id);
		memset(info, 0, sizeof(*info));
		if (next < 0 || bpf_obj_get_info_by_fd(next, info, &size) || strcmp(info->name, name)) {
			close(next);
			continue;
		}
		close(fd);
		fd = next;
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct bpf_prog_info info, former = { 0 };
	uint32_t size = sizeof(info);
	double least = 0, ns;
	uint64_t runs;
	int fd, i, n;

	if (argc != 2 && argc != 4)
		return 2;
	fd = find(argv[1], &info);
	if (argc == 2) {
		memset(&info, 0, sizeof(info));
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			return 1;
		printf("%u\n", info.id);
		return 0;
	}
	if (fd < 0 || bpf_enable_stats(BPF_STATS_RUN_TIME) < 0)
		return 1;
	n = atoi(argv[3]);
	for (i = 0; i <= n; i++) {
		memset(&info, 0, sizeof(info));
		if (bpf_obj_get_info_by_fd(fd, &info, &size))
			return 1;
		runs = info.run_cnt - former.run_cnt;
		if (i && runs >= MIN_RUNS) {
			ns = (double)(info.run_time_ns - former.run_time_ns) / (double)runs;
			least = !least || ns < least ? ns : least;
		}
		former = info;
		usleep((useconds_t)atoi(argv[2]) * 1000);
	}
	printf("%.2f\n", least);
	return !least;
}
