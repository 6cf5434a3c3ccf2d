#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account
# A worker that is killed, at any moment, costs names, and never samples.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

spawn "$FIXTURES/deep" 240

# attacked NAME INTERVAL_US: the worker is killed over and over, until dwell has ended.
attacked() {
	start "$1" -F 199
	"$FIXTURES/killer" "$sampler" "$2" >killed &
	killer=$!
	sleep 2
	stop INT
	claim "$1: record ends well" equal $? 0
	wait $killer
	claim "$1: it was" is "$(cat killed) > 0"
	read_profile "$1" "$1"
	claim "$1: nothing is lost for it" holds "$1" '.ledger.lost | [.[]] | add == 0'
	claim "$1: the samples are there" has '^deep;' "$1.folded"
	claim "$1: it is said" holds "$1" '.meta.worker_deaths > 0'
	# a file without a single name says why it has none
	jq -r '[.hotspots[] | select(.module | test("^deep$"))] | map(.symbol)[]' "$1.json" >names
	if has '^deep\+0x' names >/dev/null && ! has '^(work|deep)$' names >/dev/null; then
		claim "$1: what has no names says why" has 'no names for .*deep \(.*: worker died' stderr
	else
		claim "$1: the names are there" has '^work$' names
	fi
}
attacked 'worker killed every 100 ms' 100000
attacked 'worker killed all the time' 100

# Who waits for the tables of a program is its stacks, not the sampler: a worker that hangs delays no
# drain. Programs of their own, so that there is something to ask for.
cp "$FIXTURES/deep" new1
cp "$FIXTURES/paths" new2
start stopped -F 999
worker=$(cat "/proc/$sampler/task/$sampler/children")
# shellcheck disable=SC2086
kill -STOP $worker
spawn ./new1 240
spawn ./new2 240
sleep 2
stop INT
claim 'worker stopped: record ends well' equal $? 0
read_profile 'worker stopped' stopped
claim 'worker stopped: nothing is lost for it' holds stopped '.ledger.lost | [.[]] | add == 0'
claim 'worker stopped: the samples are there' has '^new1;' stopped.folded

# Nor does it cost a program its stacks for good that a profile ends, and gets its names, while the worker is slow.
cp "$FIXTURES/deep" new3
start slow.pb.gz --rotate 1s -F 499
worker=$(cat "/proc/$sampler/task/$sampler/children")
# shellcheck disable=SC2086
kill -STOP $worker
spawn ./new3 240
sleep 3
# shellcheck disable=SC2086
kill -CONT $worker 2>/dev/null
sleep "$((2 + ${SAMPLE_SECONDS:-1}))"
stop INT
claim 'worker slow: record ends well' equal $? 0
# shellcheck disable=SC2012
last=$(ls slow-*.pb.gz | tail -n 2 | head -n 1)
"$DWELL" report "$last" --kind cpu --folded >slow.folded
claim 'worker slow: its last whole profile can be read' equal $? 0
hidden='^$'
! hides_registers || hidden='registers unreadable'
grep -vE -e "$hidden" slow.folded |
	awk '/^new3;/ { n += $NF; if (/\[truncated/) cut += $NF } END { print n + 0, cut + 0 }' >counts
read -r all cut <counts
claim 'worker slow: then its stacks are whole' is "$all > 0 && $cut < 0.05 * $all"

# What a later one is forked from has all of the kernel's buffers mapped: it has none.
cp "$FIXTURES/deep" new4
start later -F 499
first=$(awk '{ print $1 }' "/proc/$sampler/task/$sampler/children")
kill -KILL "$first"
spawn ./new4 240
sleep 2
worker=$(awk '{ print $1 }' "/proc/$sampler/task/$sampler/children")
claim 'a later worker: it is another' is "${worker:-$first} != $first"
claim "a later worker: it maps nothing of the kernel's" equal "$(grep -c anon_inode "/proc/$worker/maps")" 0
stop INT
claim 'a later worker: record ends well' equal $? 0
