#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: waits
# Threads that wait while they are moved from CPU to CPU: each wait is its own thread's, and so is its stack, if it has one.
# SECONDS: how long (3).
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

record p --off-cpu --off-period 0 --budget 0 -- "$FIXTURES/migrate" "${SECONDS_MOVED:-3}"
claim 'record ends well' equal $? 0
"$DWELL" report p --json --limit 0 >p.json
claim 'thousands of waits are kept' holds p '.waits.kept.n > 5000'
echo "# $(figure p '.waits | "\(.kept.n) kept, \(.stackless) without a stack"')"
# An emulated machine has not always read its rings in time.
full=0
[ -z "${SAMPLE_SECONDS:-}" ] || full=$(figure p '[.hotspots[] | select(.symbol == "[stack lost: ring full]") | .self_samples] | add // 0')
claim 'stackless: 0.5 % at most' holds p ".waits | .stackless - $full <= .kept.n * 0.005"
# All waits are kept, so a thread's are as long together as its account says: but for those that no thread is known of.
"$DWELL" report p --by thread --json --limit 0 >t.json
claim 'each thread has the time of its own waits, to the ns' holds t '
	([.hotspots[] | select(.symbol == "[no thread label]") | .self_ns] | add // 0) as $unknown |
	([.hotspots[] | select(.symbol | test("\\([0-9]+\\)$")) | {tid: (.symbol | capture("\\((?<n>[0-9]+)\\)$").n), ns: .self_ns}] |
		group_by(.tid) | map({key: .[0].tid, value: (map(.ns) | add)}) | from_entries) as $sampled |
	[.times.threads[] | select(.comm | startswith("m-")) | .blocked_ns + .runqueue_ns - $sampled["\(.tid)"]] |
	length == 8 and all(. >= 0 and . <= $unknown)'
for n in 0 1 2 3 4 5 6 7; do
	"$DWELL" report p --by thread --focus "^(leaf|deep)_$n\$" --json --limit 0 >t.json
	claim "leaf_$n is in its own thread only" equal "$(figure t '[.hotspots[].symbol | sub(" .*"; "")] | unique | join(" ")')" "m-$n"
	"$DWELL" report p --by function --focus "^leaf_$n\$" --json --limit 0 >f.json
	claim "leaf_$n: its stacks are whole" holds f "[.hotspots[] | select(.symbol == \"deep_$n\" or .symbol == \"main\" or
		.symbol == \"work\") | .total_samples] | length == 2 and .[0] == .[1]"
done
