#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account rotate plain
# One profile after the other: each closes by itself, and together they are the whole.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

slack=2000000 queue_slack=20000000 within=3 seconds=5 least=5
[ -z "${SAMPLE_SECONDS:-}" ] || slack=40000000 queue_slack=200000000 within=10 seconds=4 least=2

# files NAME: its profiles, the oldest first.
files() {
	ls "$1"-*.pb.gz
}

# reports NAME OPTIONS...: the JSON of each of its profiles, in one file.
reports() {
	name=$1
	shift
	for f in $(files "$name"); do
		"$DWELL" report "$f" --json --limit 0 "$@" || return 1
	done >"$name.json"
}

# all NAME JQ-EXPRESSION: of the array of its profiles.
all() {
	jq -se "$2" "$1.json" >holds || { echo "not so: $2"; jq -c '[.ledger, .waits, .meta, .times.window_ns]' "$1.json"; return 1; }
}

# l1 NAME: each tick and each wait of each of its profiles has one bucket, and each row of the account closes, no
# part of it below 0.
l1() {
	all "$1" 'length > 1 and all(.[]; .ledger.ticks == (.ledger | .counted + .idle + .filtered + .self + .missed + ([.lost[]] | add)) and
		.ledger.ticks > 0 and .base.samples == .ledger.counted)' &&
	all "$1" 'all(.[]; .waits | .seen.n == .below.n + .under.n + .self.n + .filtered.n + .kept.n and
		.seen.ns == .below.ns + .under.ns + .self.ns + .filtered.ns + .kept.ns and .kept.n == .walked + .stackless)' &&
	{ all "$1" "$tap_rows [.[].times.threads[]] != [] and all(.[].times; rows_close($tap_differ))" || { open_rows "$1"; false; }; }
}

# near EXPRESSION: as `is`; where it does not hold, the rows of each profile say what became of the time.
near() {
	is "$1" && return
	jq -c '[.times.window_ns, .meta.worker_deaths, .completeness, .unwind, [.hotspots[:12][] | [.total_ns, .self_ns, .symbol]]]' w.json
	return 1
}

# A program that measures its own waits, of which some go on from one profile into the next.
record w.pb.gz --rotate 1s --off-period 1ms --budget 0 -- "$FIXTURES/waits" $seconds
claim 'waits: record ends well' equal $? 0
claim 'waits: a profile for each second' is "$(files w | wc -l) >= $least"
claim 'waits: each is told' equal "$(grep -c '^profile: w-.*\.pb\.gz ([0-9.]* s)$' stderr)" "$(files w | wc -l)"
reports w
claim 'waits: each profile closes' l1 w
grep '^wait_' stdout >truth
reports w --kind off
stolen=$(jq -s '[.[].times.threads[].stolen_ns] | add' w.json)
# those that ended after a profile did and before their stack was read
ended=$(jq -s '[.[].hotspots[] | select(.symbol == "[still waiting]") | .self_ns] | add // 0' w.json)
claim 'waits: few of them ended while a profile did' is "$ended < 0.04 * 6 * $seconds * 1e9 * $within / 3"
# and those that ended by a switch that the kernel does not tell
ended=$((ended + $(jq -s '[.[].hotspots[] | select(.symbol == "[stack lost: switch not told]") | .self_ns] | add // 0' w.json)))
case $(uname -r)$(cat /sys/kernel/security/lockdown 2>/dev/null) in
5.10.*'[confidentiality]') skip 'waits: all profiles together' 'registers are out of reach' ;;
*) while read -r f ns; do
	sum=$(jq -s "[.[].hotspots[] | select(.symbol == \"$f\") | .total_ns] | add // 0" w.json)
	claim "waits: $f: all profiles together are within $within % of what it measured" \
		near "$sum <= $ns * (1 + $within / 100) && $sum >= $ns * (1 - $within / 100) - $stolen - $ended"
done <truth ;;
esac

# The scheduler's own sums of threads that live through it all.
record t.pb.gz --rotate 1s -- "$FIXTURES/times" $seconds
claim 'times: record ends well' equal $? 0
reports t
claim 'times: each profile closes' l1 t
jq -sr '[.[].times.threads[] | select(.comm | startswith("t-"))] | group_by(.tid)[] |
	"\(.[0].comm) \(.[0].tid) \([.[].task_ns] | add) \([.[].runqueue_ns] | add) \([.[].alive_ns] | add)"' t.json >ours
grep '^t-' stdout >truth
awk 'NR == FNR { truth[$2] = $0; next } $2 in truth { print truth[$2], $0 }' truth ours >both
agree() {
	awk -v a="$1" -v b="$2" -v ns="$3" '{ x += $a; y += $b }
		END { d = y - x; if (d < 0) d = -d; print x, y, d; exit !(NR == 7 && d <= x * 0.005 + ns) }' both || { cat truth ours; return 1; }
}
claim 'times: CPU time is what the scheduler says, within 0.5 %' agree 3 9 $slack
claim 'times: the run queue too' agree 4 10 $queue_slack
if [ "$(files t | wc -l)" -gt 2 ]; then
	claim 'times: who lives through a profile has all of its window' all t '
		[.[1:-1][] | .times.window_ns as $w | .times.threads[] | select(.comm | startswith("t-")) | .alive_ns / $w] |
		length >= 7 and all(. > 0.999 and . < 1.001)'
else
	skip 'times: who lives through a profile' 'a machine too slow for three profiles'
fi
claim 'times: the windows are the time' all t '
	([.[].times.window_ns] | add) / ([.[].meta.duration_ns] | add) | . > 0.98 and . < 1.02'

# Threads that end while one profile gives way to the next have no part in that.
record b.pb.gz --rotate 1s -- "$FIXTURES/brief" 7.5
claim 'brief threads: record ends well' equal $? 0
reports b
claim 'brief threads: each profile closes' l1 b
claim 'brief threads: there are thousands' all b '[.[].times.threads[] | select(.comm == "brief-nap")] | length > 2000'
claim 'brief threads: none is there for much longer than its nap' all b '
	[.[].times.threads[] | select(.comm == "brief-nap" or (.comm == "brief" and .tid != .pid)) | .alive_ns] | max < 500000000'

# What follows an emulated machine would take long for.
[ -z "${SAMPLE_SECONDS:-}" ] || exit 0

# Programs that come and go, on the whole box.
cat >storm <<'STORM'
echo ready
while :; do "$FIXTURES/empty"; (:); done
STORM
spawn setsid sh ./storm
storm=$pid
spawn sh -c 'echo ready; exec "$0" 300' "$FIXTURES/times"
start s.pb.gz --rotate 1s --keep 3 -F 499
sleep 6
fds=$(find "/proc/$sampler/fd" | wc -l)
sleep 3
claim 'storm: its descriptors do not grow with it' is "$(find "/proc/$sampler/fd" | wc -l) <= $fds + 40"
stop INT
claim 'storm: Ctrl-C ends it well' equal $? 0
claim 'storm: as many files as to keep' equal "$(files s | wc -l)" 3
reports s
claim 'storm: each profile closes' l1 s
# A kernel may hide threads from BPF, as those of a sandbox around it: what they run is nobody's here.
claim "storm: no more CPU time than the CPUs have, and no less but for what is hidden" all s '
	([.[].times | ([.threads[] | .task_ns + .stolen_ns] | add) + .idle_ns + .other_ns + .full_ns] | add) /
	([.[] | .times.window_ns * .meta.cpus] | add) | . > 0.9 and . < 1.02'
reports s --kind off --focus '^sleeps$'
claim 'storm: a wait that goes on is in each for all of its window' all s '
	[.[] | .base.ns / .times.window_ns] | length == 3 and all(. > 0.999 and . < 1.001)'
reap "$storm"
reap "$pid"

# Threads that are switched to unseen: in execve(), they have their process's tid, and are known by their own. What they
# did in one profile is not taken from the next.
record x.pb.gz --rotate 1s -- "$FIXTURES/replaced" 8 3
claim 'execve() of second threads: record ends well' equal $? 0
reports x
claim 'execve() of second threads: some of their switches were not seen' all x '[.[].times.repaired] | add > 10'
claim 'execve() of second threads: each profile closes' l1 x

# What cannot be written is lost by name, and the rest goes on.
mkdir full
if mount -t tmpfs -o size=8k none full 2>/dev/null; then
	head -c 8192 /dev/zero >full/rest
	start full/f.pb.gz --rotate 1s
	sleep 2.2
	rm full/rest
	mount -o remount,size=4m full
	sleep 2.2
	stop TERM
	claim 'full disk: record fails at its end' equal $? 1
	claim 'full disk: says which time is lost' has '^dwell: write full/f-.*: No space left on device: these [0-9.]* s are lost$' stderr
	claim 'full disk: and how many' has '^dwell: [1-9] of [3-9] profiles were lost$' stderr
	claim 'full disk: the others are there' is "$(files full/f | wc -l) >= 2"
	claim 'full disk: no half files' equal "$(find full -name '.*' -type f)" ''
else
	skip 'full disk' 'no tmpfs'
fi

refuses() {
	record p "$@"
	[ $? = 2 ] || return 1
	[ "$(wc -l <stderr)" -le 2 ] && cat stderr
}
claim 'an interval under a second is refused' refuses --rotate 10ms -d 1
claim '--keep without --rotate is refused' refuses --keep 3 -d 1
claim '--limit with it is refused: it prints no table' refuses --rotate 1s --limit 3 -d 1
"$DWELL" record --rotate 1s -d 1 -o /dev/null >stdout 2>stderr
claim 'what is no file cannot rotate' equal $? 1
claim 'and that is said' has '^dwell: /dev/null is no regular file: --rotate makes files with names like it$' stderr

# A profile that may not grow: what has no room is one row, and all is counted.
if command -v perl >/dev/null; then
	record o --max-stacks 100 -F 999 -- perl -e 'my %n; for my $i (1 .. 3_000_000) { $n{"k" . $i % 5000}++ }'
	read_profile 'a full profile' o
	claim 'a full profile: what has no room is a row' holds o \
		'[.hotspots[] | select(.symbol == "[overflow]") | .self_samples] | length == 1 and .[0] > 10'
	claim 'a full profile: and is told as cut off' holds o '.completeness.truncated.overflow > 10'
	claim 'a full profile: is small' is "$(sed 's/ [0-9]*$//' o.folded | tr ';' '\n' | sort -u | wc -l) < 110"
else
	skip 'a full profile' 'no perl'
fi
