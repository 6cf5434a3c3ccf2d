#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account plain
# Whose ticks are counted: the whole box, or processes and their children.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

# both FILE: both of the programs are in it
both() {
	has '^parent;(.*;)?in_parent( |;)' "$1.folded" && has '^stranger;(.*;)?in_parent( |;)' "$1.folded"
}

running() {
	! ended "$1"
}

spawn "$FIXTURES/family" 240 stranger
stranger=$pid
spawn "$FIXTURES/family" 240
parent=$pid

# --- the whole box
start box -F 499
own=$(cat "/proc/$sampler/task/$sampler/children")
# new processes keep dwell busy with their maps
end=$(($(date +%s) + 3))
while [ "$(date +%s)" -lt $end ]; do
	"$FIXTURES/empty"
done
stop INT
claim 'the whole box: record ends well' equal $? 0
read_profile 'the whole box' box
claim 'the whole box: all is in it' both box
claim 'the whole box: nothing is filtered' holds box '.ledger.filtered == 0'
"$DWELL" report box --by process --json --limit 0 >process.json
claim 'the whole box: the strangers are a row' has "\"stranger \($stranger\)\"" process.json
claim 'the whole box: what dwell itself took is counted as its own' holds box '.ledger.self > 0'
for p in $sampler $own; do
	claim 'the whole box: dwell and its workers are no row of it' lacks "\($p\)\"" process.json
done
record all -a -d "${SAMPLE_SECONDS:-1}"
read_profile '-a' all
claim '-a is the same' both all

# --- processes
record two -d "${SAMPLE_SECONDS:-2}" -p "$parent,$stranger"
read_profile '-p A,B' two
claim '-p A,B: both are in it' both two
claim '-p A,B: and nothing else' equal "$(processes two)" 'before grandchild parent stranger'

start p -p "$parent"
kill -USR1 "$parent"
sleep "${SAMPLE_SECONDS:-2}"
stop INT
claim '-p: record ends well' equal $? 0
read_profile '-p' p
claim '-p: the process, its children, theirs, the later ones; nobody else' \
	equal "$(processes p)" 'before grandchild later orphan parent'
for f in parent thread before grandchild later orphan; do
	claim "-p: in_$f is there" has "(;|^)in_$f( |;)" p.folded
done
claim '-p: the strangers are counted as filtered' holds p '.ledger.filtered > 0'
"$DWELL" report p --by thread --json --limit 0 >thread.json
claim '-p: a thread goes by its own name' jq -e '.hotspots | any(.symbol | test("thread"))' thread.json
reap "$stranger"
reap "$parent"

# --- a process that goes
sleep 0.1 &
gone=$!
wait $gone
record never -p "$gone" -d 1
claim 'gone before: exit status 1' equal $? 1
claim 'gone before: one line says so' equal "$(cat stderr)" "dwell: no process $gone"
claim 'gone before: no file is left' equal "$(find . -name '*never*')" ''
spawn "$FIXTURES/deep" 240
start short -p "$pid"
sleep 1
reap "$pid"
wait "$sampler"
claim 'gone while sampling: record ends by itself, and well' equal $? 0
read_profile 'gone while sampling' short
claim 'gone while sampling: its samples are there' has '^deep;(.*;)?work' short.folded
spawn "$FIXTURES/deep" 240
first=$pid
spawn "$FIXTURES/deep" 240
start both -p "$first,$pid"
reap "$first"
sleep 1
claim 'one of two goes: record goes on' running "$sampler"
reap "$pid"
wait "$sampler"
claim 'one of two goes: it ends with the second, and well' equal $? 0
read_profile 'one of two goes' both
