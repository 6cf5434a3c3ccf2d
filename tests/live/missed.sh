#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: truth
# Ticks that never came: those that map system calls suppress show as missed and as nothing
# else; dwell misses no more than an empty program does, with tens of thousands of stacks.
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

# The empty program before, beside, and after: what others do to the ticks hits both at once.
empty() {
	"$FIXTURES/empty" 999 "$1" | awk '{ print 100 * $2 / $1 }'
}
spawn "$FIXTURES/paths" 120
before=$(empty 8)
start paths -F 999 -d 30
beside=$(empty 29)
wait "$sampler"
claim '20,000 stacks: record ends well' equal $? 0
after=$(empty 8)
reap "$pid"
read_profile '20,000 stacks' paths
missed=$(percent paths .missed)
stacks=$(grep -c '^paths;' paths.folded)
echo "# $stacks stacks; missed: $missed %, by an empty program $beside % beside, $before % and $after % alone"
claim 'they were 20,000 stacks or more' is "$stacks >= 20000"
claim '20,000 stacks: lost is at most 0.1 %' is "$(percent paths '[.lost[]] | add') <= 0.1"
claim 'missed is at most 0.3 points above an empty program' is "$missed <= $beside + 0.3"
claim 'an empty program misses at most 2 points more beside dwell than alone' \
	is "$beside <= $before + 2 || $beside <= $after + 2"
