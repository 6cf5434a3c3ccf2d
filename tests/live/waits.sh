#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account waits
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
	jq -e '.waits | .seen.n == .below.n + .under.n + .self.n + .filtered.n + .kept.n and
		.seen.ns == .below.ns + .under.ns + .self.ns + .filtered.ns + .kept.ns and .kept.n == .walked + .stackless' "$1.json"
}

# 5.10 reads a task's registers from the kernel's memory, which this lockdown forbids
hidden=
case $(uname -r)$(cat /sys/kernel/security/lockdown 2>/dev/null) in 5.10.*'[confidentiality]') hidden=1 ;; esac

# A budget of 0 is none: T stays what it is.
record p --off-period 1ms --budget 0 -- "$FIXTURES/waits" 4
claim 'record ends well' equal $? 0
"$DWELL" report p --kind off --json --limit 0 >p.json
claim 'seen = below + self + filtered + kept; kept = walked + stackless' waits_close p
claim 'each row of the account closes, no part is below 0' rows_close p 4
claim 'T is what was asked for' holds p '.waits.period_ns == 1000000'
# A kernel may hide some switches from BPF, as those of a sandbox around it: what ended by one is known by its length.
not_told() {
	figure p "[.hotspots[] | select(.symbol == \"[stack lost: switch not told]\") | .$1] | add // 0"
}
claim 'none of its waits is without a stack, but for 0.5 %' holds p \
	".waits | .stackless - $(not_told self_samples) <= .kept.n * 0.005"
grep '^wait_' stdout >truth
claim 'six ways to wait' equal "$(wc -l <truth)" 6
# its clock does not stand still while interrupts or a hypervisor have the CPU: that is no wait
stolen=$(($(figure p '[.times.threads[].stolen_ns] | max') + $(not_told self_ns)))
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

# A wait that does not end has its time, and its stack: from the memory of its process.
spawn sh -c 'echo ready; exec "$0" 60' "$FIXTURES/times"
until [ "$(cat "/proc/$pid"/task/*/comm | grep -c '^t-')" = 7 ]; do sleep 0.05; done
record q -p "$pid" -d 2
"$DWELL" report q --kind off --json --limit 0 --focus '^sleeps$' >q.json
if [ -n "$hidden" ]; then
	skip 'a wait that has not ended' 'registers are out of reach'
else
	claim 'a wait that has not ended is there for all of the window' holds q '
		.base.samples == 1 and .base.ns > 0.999 * .times.window_ns and .base.ns < 1.001 * .times.window_ns'
	claim 'a wait that has not ended: its stack is whole' holds q '
		[.hotspots[].symbol] | index("sleeps") and index("run") and (map(select(startswith("[truncated"))) == [])'
fi
"$DWELL" report q --kind off --json --limit 0 >q.json
[ -n "$hidden" ] || claim 'main waits for it, and has a stack, too: only those that run meanwhile may have none' holds q '
	.waits.open.n >= 2 and ([.hotspots[] | select(.symbol == "[still waiting]") | .self_samples] | add // 0) <= .waits.open.n - 2'
"$DWELL" report q --kind off --folded >q.folded
claim 'folded stacks of waits are in ns' is "$(folded_sum q.folded) == $(figure q .base.ns)"
reap "$pid"

# with the default T, by what it says of its own error
record d -- "$FIXTURES/waits" 4
"$DWELL" report d --kind off --json --limit 0 >d.json
grep '^wait_' stdout >truth
stolen=$(figure d '[.times.threads[].stolen_ns] | max')
while read -r f ns; do
	[ -z "$hidden" ] || { skip "$f" 'registers are out of reach'; continue; }
	# four, so that not each 60th run is one that fails
	claim "default T, $f: within 4 standard errors of what it measured" holds d "
		[.hotspots[] | select(.symbol == \"$f\")] | (map(.total_ns) | add) as \$got | (map(.total_error_ns) | add) as \$error |
		\$got < $ns * (1 + $within / 100) + 4 * \$error and \$got > $ns * (1 - $within / 100) - 4 * \$error - $stolen"
done <truth
claim 'default T: the total is within 4 standard errors of the exact account' holds d '
	([.times.threads[] | .blocked_ns + .runqueue_ns] | add) as $exact | .base.error_ns as $error |
	.base.ns - $exact | fabs < 4 * $error + 0.005 * $exact'

# A system call ends where nothing was called: at a program's first instruction, and at a handler's.
if [ -n "$hidden" ]; then
	skip 'the first instruction of a handler and of a program' 'registers are out of reach'
else
	record t --off-cpu --off-period 0 --budget 0 -- "$FIXTURES/stopped" 50
	status=$?
	# as yama, or a container, may have it
	if [ $status = 77 ]; then
		skip 'the first instruction of a handler and of a program' "$(grep '^PTRACE_TRACEME' stderr)"
	else
		claim 'stopped: record ends well' equal $status 0
		"$DWELL" report t --kind off --folded | grep -E '^exe;.*ptrace_stop' >t.folded
		claim "a handler's first instruction is in the handler, and whom it struck is known" \
			has ';main;pauses;(__libc_)?pause;[^;]*;handles;[^;]*_\[k\];' t.folded
		claim "a program's first instruction has no caller, and its stack is whole" \
			is "$(grep -cE '^exe;[^;]*;[^;]*_\[k\];' t.folded) == 1 && $(grep -c truncated t.folded) == 0"
	fi
fi

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

# Where processes and threads are made, clone() returns twice, and the C library describes neither.
record s --off-cpu --off-period 0 --budget 0 -- "$FIXTURES/spawns" 100
"$DWELL" report s --kind off --folded | grep '^spawns;' >s.folded
claim 'spawns: nothing is without unwind data' lacks 'no unwind data' s.folded
claim 'spawns: who makes a process waits for it in clone(), and is known' is "$(grep -cE '^spawns;.*;in_(spawn|system);.*kernel_clone' s.folded) > 1"
claim 'spawns: a thread begins there, and nobody called it' has '^spawns;[^;]*;ret_from_fork[^;]*;' s.folded

# An interpreter: its C functions are where it waits; and a little for the lock of the interpreter itself.
if command -v python3 >python; then
	cat >naps.py <<'END'
import select, threading, time
lock = threading.Lock()
over = False
off = lambda: time.monotonic_ns() - time.thread_time_ns()
def sleeps():
    spent = 0
    for i in range(300):
        start = off()
        time.sleep(0.001 * (i % 9))
        spent += off() - start
    print("clock_nanosleep", spent, flush=True)
def locks():
    global over
    spent = 0
    for i in range(150):
        start = off()
        lock.acquire()
        spent += off() - start
    over = True
    print("PyThread_acquire_lock_timed", spent, flush=True)
def releases():
    i = 0
    while not over:
        i += 1
        select.select([], [], [], 0.008 * (i % 5))
        if lock.locked():
            lock.release()
threads = [threading.Thread(target=f) for f in (sleeps, locks, releases)]
for t in threads: t.start()
while any(t.is_alive() for t in threads): select.select([], [], [], 0.02)
END
	record y --off-period 1ms --budget 0 -- python3 naps.py
	claim 'python: record ends well' equal $? 0
	while read -r f ns; do
		"$DWELL" report y --kind off --json --limit 0 --focus "^$f\$" >y.json
		echo "# $f $ns $(figure y '.base.ns')"
		# below it there are waits for the interpreter's lock, too, the more the busier the box is
		claim "python: $f: within 4 % of what it measured, 8 % above" \
			is "$(figure y '.base.ns') > $ns * 0.96 && $(figure y '.base.ns') < $ns * 1.08"
	done <stdout
else
	skip 'python' 'no python3'
fi
