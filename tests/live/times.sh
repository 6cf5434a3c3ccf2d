#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account times
# Law L2: the time of each thread closes, and agrees with the scheduler's own sums and with what programs
# know of themselves.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

# rows: those of the fixture, as it prints them, and those of dwell.
rows() {
	jq -r '.times.threads[] | select(.comm | startswith("t-")) |
		"\(.comm) \(.tid) \(.task_ns) \(.runqueue_ns) \(.alive_ns)"' p.json | sort >ours
	grep '^t-' stdout | sort >truth
}

# joined: both beside one another, each thread once: NAME TID TASK DELAY LEAST MOST NAME TID TASK DELAY ALIVE.
joined() {
	awk 'NR == FNR { truth[$1, $2] = $0; next } ($1, $2) in truth { print truth[$1, $2], $0 }' truth ours >both
	[ "$(wc -l <both)" = 7 ] || { cat truth ours; return 1; }
}

# agree FIELD FIELD PERCENT NS: their sums.
agree() {
	awk -v a="$1" -v b="$2" -v percent="$3" -v ns="$4" '
		{ x += $a; y += $b }
		END { d = y - x; if (d < 0) d = -d; print x, y, d; exit !(NR == 7 && d <= x * percent / 100 + ns) }' both
}

# It lets its maker go before it is gone.
lives_agree() {
	awk -v ns="$slack" '$11 < $5 * 0.999 || $11 > $6 * 1.001 + ns { print; bad = 1 }
		END { exit bad || NR != 7 }' both
}

# What a thread does behind its last look at the clock; an emulated machine is slow. And it may have to wait for a CPU
# once more then, as all seven do that come to their end at once.
slack=2000000 queue_slack=20000000
[ -z "${SAMPLE_SECONDS:-}" ] || slack=40000000 queue_slack=200000000

record p -- "$FIXTURES/times" 3
claim 'record ends well' equal $? 0
read_profile 'a command' p
rows
claim 'a command: each of its threads has one row' joined
claim 'a command: each row closes to 0 ns, no part is below 0' rows_close p 7
claim 'CPU time is what the scheduler says, within 0.5 %' agree 3 9 0.5 $slack
claim 'the run queue too' agree 4 10 0.5 $queue_slack
claim 'threads live as long as they say, within 0.1 %' lives_agree
claim 'who sleeps all the time is blocked all the time' holds p \
	".times.threads[] | select(.comm == \"t-sleeps\") | .blocked_ns > 0.9 * .alive_ns - 10 * $slack"
claim 'only the command has rows' holds p \
	'[.times.threads[] | .comm | select(startswith("t-") or . == "times" | not)] == []'

# The whole box, for a window in the lives of the same threads.
"$FIXTURES/times" 600 >/dev/null &
pid=$!
spawned="$spawned $pid"
sleep 0.5
hidden=$(cat /proc/1/task/*/schedstat | awk '{ ns += $1 } END { printf "%.0f", ns }')
record q -d 2
hidden=$(cat /proc/1/task/*/schedstat | awk -v since="$hidden" '{ ns += $1 } END { printf "%.0f", ns - since }')
read_profile 'the box' q
claim 'the box: each row closes to 0 ns, no part is below 0' rows_close q 7
claim 'the box: who lives through the window has all of it, within 0.1 %' holds q '
	.times.window_ns as $w | [.times.threads[] | select(.comm | startswith("t-")) | .alive_ns / $w] |
	length == 7 and all(. > 0.999 and . < 1.001)'
claim 'the window is the time that was recorded' holds q "
	(.times.window_ns - .meta.duration_ns) | fabs < 100000000 + 10 * ($slack - 2000000)"
# A kernel may hide threads from BPF, as those of a sandbox around it: what they run is nobody's here.
claim "the CPUs' time: idle and all threads' together, within 0.5 %" holds q "
	(.times.window_ns * .meta.cpus) as \$all |
	(([.times.threads[] | .task_ns + .stolen_ns] | add) + .times.idle_ns + .times.other_ns + .times.full_ns) as \$sum |
	([.times.threads[] | select(.pid == 1) | .task_ns] | add // 0) as \$seen | ([$hidden - \$seen, 0] | max) as \$hidden |
	if \$sum + \$hidden > 0.995 * \$all and \$sum < 1.005 * \$all then true else [\$all, \$sum, \$hidden] | halt_error end"
# Nobody's time is lost as the account begins, however late dwell itself comes to a CPU: a tenth of one, as it shares it
# with who burns. (With the lowest priority it takes minutes to begin.)
later=
command -v nice >/dev/null && later='nice -n 10'
# shellcheck disable=SC2086
$later "$DWELL" record -o late -d 1 >/dev/null 2>stderr
read_profile 'late' late
claim 'late: who burns all the time was on a CPU or in a run queue all the time, within 0.1 %' holds late "
	(.times.window_ns / 1000 + $slack - 2000000) as \$most |
	[.times.threads[] | select(.comm | startswith(\"t-burn-\")) | .blocked_ns] |
	if length == 3 and all(. < \$most) then true else . | halt_error end"
claim 'no interval came out negative by more than clocks differ' holds q '.times.negative <= .times.switches / 1000'
reap "$pid"

# A tid beyond the kernel's limit, which was higher when its thread came.
if [ -n "${SAMPLE_SECONDS:-}" ] && [ -w /proc/sys/kernel/ns_last_pid ]; then
	pid_max=$(cat /proc/sys/kernel/pid_max)
	echo 30000 >/proc/sys/kernel/ns_last_pid
	"$FIXTURES/times" 600 >/dev/null &
	pid=$!
	spawned="$spawned $pid"
	sleep 0.5
	echo 2048 >/proc/sys/kernel/pid_max
	record beyond -d 1
	echo "$pid_max" >/proc/sys/kernel/pid_max
	reap "$pid"
	read_profile 'beyond' beyond
	claim 'a tid beyond the limit of tids: it was' is "$pid > 2048"
	claim 'a tid beyond the limit of tids: its threads have their rows, and no switch has none' holds beyond "
		.times.full == 0 and ([.times.threads[] | select(.pid == $pid)] | length) >= 7"
fi

# Without: no program on the switch path, and the profile says nothing of it.
record r --on-cpu -- "$FIXTURES/times" 1
read_profile 'on-CPU only' r
claim 'on-CPU only: no account' holds r '.times == null'
