#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account
# Where the interrupt that takes stacks of waits cannot be traced: the end of a switch does as well; where there is
# none either, a wait has its time, and the kernel part of its stack.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

waits_close() {
	[ -s "$1.json" ] && jq -e '.waits | .seen.n == .below.n + .under.n + .self.n + .filtered.n + .kept.n and
		.seen.ns == .below.ns + .under.ns + .self.ns + .filtered.ns + .kept.ns and .kept.n == .walked + .stackless' "$1.json"
}

# what NAME: the waits of tests/fixtures/waits and of all else, by that tracepoint; and their folded stacks.
what() {
	"$FIXTURES/waits" 4 >truth &
	spawned="$spawned $!"
	export DWELL_WALKER="$1"
	record "$1" -a --off-cpu --off-period 1ms --budget 0 -d 3
	claim "$1: record ends well" equal $? 0
	unset DWELL_WALKER
	wait
	"$DWELL" report "$1" --kind off --json --limit 0 >"$1.json"
	"$DWELL" report "$1" --kind off --folded >"$1.folded"
	claim "$1: seen = below + under + self + filtered + kept; kept = walked + stackless" waits_close "$1"
}

what none
claim 'none: no user part, and each wait has its time' holds none '.waits | .kept.n > 100 and .walked < .kept.n'
claim 'none: the kernel part tells what a process waits for' \
	has '^waits;\[stack lost: no walker\];[^ ]*(futex|sleep|poll|pipe)[^ ]*_\[k\]' none.folded
claim 'none: a kernel thread has no other part, and its stack is whole' has '_\[k\];kthread_\[k\];' none.folded

if grep -qa sched_exit_tp /sys/kernel/btf/vmlinux; then
	what sched_exit_tp
	claim 'sched_exit_tp: its waits are walked' holds sched_exit_tp '.waits | .walked > 0.99 * .kept.n'
	for f in cond sem stdio nanosleep poll pause; do
		claim "sched_exit_tp: wait_$f is in its stack" has "^waits;.*;waits;wait_$f;" sched_exit_tp.folded
	done
else
	skip 'sched_exit_tp' 'this kernel has no such tracepoint'
fi

record bad --off-cpu -d 1
claim 'the default is the best there is' equal $? 0
export DWELL_WALKER=bad
"$DWELL" record --off-cpu -d 1 -o bad 2>stderr
claim 'another name is refused' is "$? != 0 && $(grep -c 'irq_work_entry, sched_exit_tp or none' stderr) == 1"
