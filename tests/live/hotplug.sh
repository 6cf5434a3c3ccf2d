#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account plain hotplug
# A CPU goes and comes back, more than once, while it is sampled. Only in guests: the box is not ours to change.
# Where none does, none is said to, not even one whose timer the machine below keeps silent while it is idle.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

start i
sleep 4
stop INT
claim 'no CPU goes: record ends well' equal $? 0
read_profile 'no CPU goes' i
claim 'no CPU goes: none is said to' holds i '.meta.cpu_changes == 0'

switch=/sys/devices/system/cpu/cpu1/online
if [ -z "${SAMPLE_SECONDS:-}" ]; then
	skip 'CPUs that go and come' 'not on a machine that others use'
	exit
fi
if ! { echo 0 >$switch && echo 1 >$switch; } 2>/dev/null; then
	skip 'CPUs that go and come' 'this kernel cannot switch one off'
	exit
fi

# Those of events: others are of files that turn up.
descriptors() {
	# shellcheck disable=SC2010
	ls -l "/proc/$sampler/fd" | grep -c perf_event
}

spawn "$FIXTURES/deep" 240
spawn "$FIXTURES/deep" 240
start p -F 99
# the switch above may have been just now
sleep 2
before=$(descriptors)
echo 0 >$switch
sleep 2
gone=$(descriptors)
echo 1 >$switch
sleep 2
# too fast for a look at the list
for _ in 1 2 3 4 5; do
	echo 0 >$switch
	echo 1 >$switch
done
sleep 3
after=$(descriptors)
sleep 4
stop INT
claim 'record ends well' equal $? 0
read_profile 'a CPU that comes and goes' p
claim 'the profile tells of it, also of the fast change' holds p '.meta.cpu_changes >= 4 and .meta.cpus_missing == 0'
claim 'so does the text' has '^dwell: CPUs went or came [0-9]+ times; one that comes is sampled again' stderr
claim 'descriptors of events: one less, and then as many as before' is "$gone < $before && $after == $before"
# 2 s it was off, twice 2 s at most until that is seen
claim 'both CPUs tick once it is back' holds p '.ledger.ticks > 99 * 0.95 * (2 * .meta.duration_ns / 1e9 - 6.5)'
claim "the account's window is what was recorded" holds p '
	(.times.window_ns - .meta.duration_ns) | . < 500000000 and . > -500000000'
claim 'each row closes, no part is below 0, none is longer than the window' rows_close p 2

# one that was off when it began
echo 0 >$switch
start q -F 99
sleep 1
echo 1 >$switch
sleep 4
stop INT
claim 'a CPU that was off at the start: record ends well' equal $? 0
read_profile 'a CPU that was off at the start' q
claim 'a CPU that was off at the start: it is sampled' holds q '.meta.cpus == 2 and .meta.cpus_missing == 0 and
	.ledger.ticks > 99 * 1.3 * .meta.duration_ns / 1e9'
claim 'a CPU that was off at the start: waits that end there count' holds q '.waits | .filtered.n < .seen.n * 0.3'
