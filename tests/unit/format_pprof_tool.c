/* SPDX-License-Identifier: BSD-2-Clause */
/* What `go tool pprof` makes of our files: the figures that our own table has. Skipped without it. */
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "pprof_bytes.h"
#include "profile_text.h"

/* 1.4 s in hot, 0.6 s in cold, each through main; 1 s in the kernel below cold's library. */
static struct profile *known_profile(void)
{
	struct profile *p = profile_new();
	uint32_t lib, kernel, exe, s;

	profile_native(p, 10000000);
	lib = a_mapping(p, MAPPING_FILE, "/usr/lib/libcold.so.1", 0x1000);
	kernel = a_mapping(p, MAPPING_KERNEL, "[kernel.kallsyms]", 0xffffffff81000000);
	exe = a_mapping(p, MAPPING_FILE, "/opt/burner", 0x400000);
	p->mappings[exe].build_id = profile_strings(p, "00ff00ff");
	s = profile_push(p, 0, profile_special_frame(p, "[truncated: fault]"));
	s = profile_push(p, s, a_frame(p, exe, 0x400010, "main"));
	a_sample(p, profile_push(p, s, a_frame(p, exe, 0x400020, "hot")), a_label_set(p, "burner", 7), 140);
	s = profile_push(p, s, a_frame(p, lib, 0x1010, "ns::cold<int>(char const*)"));
	a_sample(p, s, a_label_set(p, "burner", 7), 60);
	s = profile_push(p, s, a_frame(p, kernel, 0xffffffff81000010, "do_work"));
	a_sample(p, s, a_label_set(p, "burner", 8), 100);
	p->mappings[lib].unnamed = profile_strings(p, "gone");
	p->meta = (struct meta){ .host = "db1" };
	p->ledger = (struct ledger){ .present = true, .ticks = 400, .counted = 300, .idle = 100 };
	return p;
}

/* Output of a shell command in a folder of its own that has our file, profile.pb.gz. */
static int run(const struct profile *p, const char *command, struct buf *out)
{
	char folder[] = "/tmp/pprof-tool-XXXXXX", line[512];
	autofree char *data = NULL;
	size_t len, n;
	FILE *f;
	int status;

	assert_non_null(mkdtemp(folder));
	write_profile(p, &data, &len);
	snprintf(line, sizeof(line), "%s/profile.pb.gz", folder);
	f = fopen(line, "w");
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	snprintf(line, sizeof(line), "cd %s && export HOME=$PWD PPROF_TMPDIR=$PWD && { %s; } 2>&1", folder,
		 command);
	f = popen(line, "r");
	while ((n = fread(line, 1, sizeof(line), f)) > 0)
		buf_put(out, line, n);
	status = pclose(f);
	snprintf(line, sizeof(line), "rm -rf %s", folder);
	assert_int_equal(system(line), 0);
	return status;
}

static void expect(const char *command, const char *const *texts)
{
	struct profile *p = known_profile();
	struct buf out = { 0 };

	if (system("command -v go >/dev/null")) {
		profile_free(p);
		skip();
	}
	assert_int_equal(run(p, command, &out), 0);
	for (; *texts; texts++) {
		if (!strstr(buf_text(&out), *texts))
			assert_string_equal(buf_text(&out), *texts);
	}
	buf_done(&out);
	profile_free(p);
}

#define EXPECT(command, ...) expect(command, (const char *const[]){ __VA_ARGS__, NULL })

static void test_top(void **state)
{
	EXPECT("go tool pprof -top -nodecount 99 -nodefraction 0 profile.pb.gz", "File: burner\n",
	       "Build ID: 00ff00ff\n", "Type: cpu\n", "dwell: host=db1\n",
	       "accounting for 3000ms, 100% of 3000ms total\n",
	       "    1400ms 46.67% 46.67%     1400ms 46.67%  hot\n",
	       "    1000ms 33.33% 80.00%     1000ms 33.33%  do_work\n",
	       "     600ms 20.00%   100%     1600ms 53.33%  ns::cold<int>(char const*)\n",
	       "         0     0%   100%     3000ms   100%  main\n",
	       "         0     0%   100%     3000ms   100%  [truncated: fault]\n");
}

static void test_samples_and_tags(void **state)
{
	EXPECT("go tool pprof -top -sample_index=samples profile.pb.gz", "Type: samples\n",
	       "       140 46.67% 46.67%        140 46.67%  hot\n");
	EXPECT("go tool pprof -tags profile.pb.gz", " process: Total 3.0s\n", "(  100%): burner\n",
	       " pid: Total 3.0s\n", "2.0s (66.67%): 7\n", "1.0s (33.33%): 8\n");
}

static void test_raw(void **state)
{
	EXPECT("go tool pprof -raw profile.pb.gz", "samples/count cpu/nanoseconds[dflt] waits/count "
	       "blocked/nanoseconds runqueue/nanoseconds kept/count wait_var/microseconds^2\n",
	       "PeriodType: cpu nanoseconds\n", "Period: 10000000\n", "1: 0x400000/0x401000/0x0 /opt/burner "
	       "00ff00ff [FN]\n");
}

/* known_profile() after pprof read it and wrote it anew. */
static struct profile *rewritten(const char *options)
{
	struct profile *p = known_profile(), *q = NULL;
	struct buf out = { 0 };
	char command[256];

	snprintf(command, sizeof(command),
		 "go tool pprof -proto %s -output=$PWD/again profile.pb.gz >log 2>&1 && cat again", options);
	assert_int_equal(run(p, command, &out), 0);
	assert_int_equal(read_buf(&out, &q), 0);
	buf_done(&out);
	profile_free(p);
	return q;
}

/* Another producer's file that was ours: all of it comes back, and what pprof dropped is not hidden. */
static void test_rewritten(void **state)
{
	struct profile *q;
	int seen = 0;

	if (system("command -v go >/dev/null"))
		skip();
	q = rewritten("");
	assert_true(profile_is_native(q));
	assert_int_equal(q->nr_samples, 3);
	assert_true(q->ledger.present);
	assert_int_equal(q->ledger.idle, 100);
	assert_string_equal(q->meta.host, "db1");
	for (uint32_t i = 1; i < q->nr_mappings; i++) {
		const char *file = profile_str(q, q->mappings[i].file);

		if (strstr(file, ".so"))
			seen += !strcmp(profile_str(q, q->mappings[i].unnamed), "gone");
		if (*file == '[')
			seen += q->mappings[i].kind == MAPPING_KERNEL;
	}
	assert_int_equal(seen, 2);
	profile_free(q);
	q = rewritten("-focus=hot");
	assert_int_equal(q->nr_samples, 1);
	assert_false(q->ledger.present);
	profile_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_samples_and_tags),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_rewritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
