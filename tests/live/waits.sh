#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account once waits
# Waits are sampled by their length, whole with their stacks: a program that measures its own says the same.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

# An emulated machine is slow: what a call takes beside its wait is more there, and its budget of walking is soon gone.
within=2
[ -z "${SAMPLE_SECONDS:-}" ] || within=8

# of FUNCTION: ns of waits below it.
of() {
	figure p "[.hotspots[] | select(.symbol == \"$1\") | .total_ns] | add // 0"
}

# Law L1, of waits.
waits_close() {
	jq -e '.waits | .seen.n == .below.n + .self.n + .filtered.n + .kept.n and
		.seen.ns == .below.ns + .self.ns + .filtered.ns + .kept.ns and .kept.n == .walked + .stackless' "$1.json"
}

# 5.10 reads a task's registers from the kernel's memory, which this lockdown forbids
hidden=
case $(uname -r)$(cat /sys/kernel/security/lockdown 2>/dev/null) in 5.10.*'[confidentiality]') hidden=1 ;; esac

# A budget of 0 is none: T stays what it is.
record p --off-period 1ms --budget 0 -- "$FIXTURES/waits" 4
claim 'record ends well' equal $? 0
"$DWELL" report p --kind off --json --limit 0 >p.json
claim 'seen = below + self + filtered + kept; kept = walked + stackless' waits_close p
claim 'T is what was asked for' holds p '.waits.period_ns == 1000000'
claim 'none of its waits is without a stack, but for 0.5 %' holds p '.waits | .stackless <= .kept.n * 0.005'
grep '^wait_' stdout >truth
claim 'six ways to wait' equal "$(wc -l <truth)" 6
# its clock does not stand still while interrupts or a hypervisor have the CPU: that is no wait
stolen=$(figure p '[.times.threads[].stolen_ns] | max')
while read -r f ns; do
	[ -z "$hidden" ] || { skip "$f" 'registers are out of reach'; continue; }
	claim "$f: within $within % of what it measured" is "$(of "$f") <= $ns * (1 + $within / 100) && \
$(of "$f") >= $ns * (1 - $within / 100) - $stolen"
done <truth
# what is sampled is what is exact: both know the same waits
claim 'sampled waits add up to the exact account of threads, within 2 %' holds p '
	([.times.threads[] | .blocked_ns + .runqueue_ns] | add) as $exact |
	.base.ns / $exact | . > 0.98 and . < 1.02'
"$DWELL" report p --kind off --json --by thread --limit 0 >t.json
claim 'by thread: each has its name' holds t '[.hotspots[].symbol] | all(test("^waits \\([0-9]+\\)$"))'

# Waits that do not end have a row, and are whole with the others.
spawn sh -c 'echo ready; exec sleep 60'
record q -p "$pid" -d 2
"$DWELL" report q --kind off --json --limit 0 >q.json
claim 'a program that sleeps all the time: its wait has not ended, and counts' holds q '
	.waits.open.n == 1 and ([.hotspots[] | select(.symbol == "[still waiting]") | .self_ns] | add) > 0.99 * .times.window_ns'
reap "$pid"

record r --off-period 3s -d 1
claim 'a period beyond 2 s is refused' equal $? 2
record r --budget much -d 1
claim 'a budget that is no number is refused' equal $? 2
[ -z "${SAMPLE_SECONDS:-}" ] || exit 0

# Walking has a budget: T grows, the estimate stays what it was. Its variance is the sum of d (T - d).
record p --off-period 100us --budget 0.03 -- "$FIXTURES/waits" 6
"$DWELL" report p --kind off --json --limit 0 >p.json
claim 'a small budget: T grew' holds p '.waits.period_ns > 100000'
claim 'a small budget: seen = below + self + filtered + kept' waits_close p
claim 'a small budget: the total is still that of the exact account, within 4 standard errors of twice that' holds p '
	([.times.threads[] | .blocked_ns + .runqueue_ns] | add) as $exact | .waits.period_ns as $period |
	.base.ns - $exact | . * . < 64 * $exact * $period'
