#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: truth
# Programs that live for less than a drain period, with stacks of many pages: what is copied of them
# asks for a drain before the rings are full.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

# sum FILE: of the samples.
sum() {
	awk '{ n += $NF } END { print n + 0 }' "$1"
}

cat >loop <<'LOOP'
echo ready
while :; do "$FIXTURES/tall" 250; done
LOOP
spawn setsid sh ./loop
record tall -F 499 -d 4 -p "$pid"
claim 'record ends well' equal $? 0
reap "$pid"
read_profile tall tall
# Its start and its end are no part of this: how long they take is the machine's affair.
grep '^tall;.*;work[; ]' tall.folded >tall.all
grep -E ';main;(tall;){40}work' tall.all >tall.whole
all=$(sum tall.all) whole=$(sum tall.whole)
claim 'the program was sampled' is "$all > 150"
claim 'its stacks are whole' is "$whole >= 0.97 * $all"
claim 'so are those of its start and its end' holds tall '
	.completeness | .complete + .between >= 0.97 * .samples'
claim 'hardly a stack had no room' holds tall ".unwind | .copied > 20 and .not_copied <= 0.02 * $all"
