#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: truth
# Ticks that never came: those that map system calls suppress show as missed and as
# nothing else; of the others dwell adds no more to what an empty program misses, even with
# tens of thousands of different stacks.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

lost_is_0() {
	holds "$1" '[.ledger.lost[]] | add == 0'
}

# percent FILE JQ-EXPRESSION: a part of its ledger
percent() {
	figure "$1" ".ledger | 100 * ($2) / .ticks"
}

cpu=$(tail -n 1 /sys/devices/system/cpu/online | sed 's/.*[-,]//')
map=''
getppid=''
for round in 1 2 3; do
	for kind in map getppid; do
		spawn "$FIXTURES/mapcalls" $kind "$cpu" 30
		record $kind$round -F 999 -d 2
		reap "$pid"
		read_profile "$kind, round $round" $kind$round
		claim "$kind, round $round: nothing is lost" lost_is_0 $kind$round
		eval "$kind=\"\$$kind $(figure $kind$round .ledger.missed)\""
	done
done
# Others may disturb a round, and make it worse only.
least() {
	printf '%s\n' "$@" | sort -n | head -n 1
}
echo "# missed: $map ticks beside map system calls, $getppid beside getppid()"
# shellcheck disable=SC2086
claim 'map system calls on one CPU raise missed' is "$(least $map) > 2 * $(least $getppid) + 20"

# The empty program before, between and after, on the same load.
empty() {
	"$FIXTURES/empty" 999 10 >>empty.out
}
spawn "$FIXTURES/paths" 120
empty
record paths1 -F 999 -d 15
empty
record paths2 -F 999 -d 15
empty
reap "$pid"
for p in paths1 paths2; do
	read_profile "$p" $p
	claim "$p: lost is at most 0.1 %" is "$(percent $p '[.lost[]] | add') <= 0.1"
done
base=$(awk '{ t += $1; m += $2 } END { print 100 * m / t }' empty.out)
missed=$(jq -s '100 * (map(.ledger.missed) | add) / (map(.ledger.ticks) | add)' paths1.json paths2.json)
stacks=$(sed -n 's/^\(paths;.*\) [0-9]*$/\1/p' paths1.folded paths2.folded | sort -u | wc -l)
echo "# $stacks stacks; missed: $missed %, with an empty program $base %"
claim 'they were 20,000 stacks or more' is "$stacks >= 20000"
claim 'missed is at most 0.3 points above an empty program' is "$missed <= $base + 0.3"
