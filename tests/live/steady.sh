#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: truth
# While it samples processes that it knows, dwell makes no bpf(2) system call: each would
# suppress the ticks that fall into it.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

if ! command -v strace >/dev/null; then
	skip 'no bpf(2) while sampling' 'no strace'
	exit
fi

# trace OPTIONS...: a recording under strace; what counts is what it does later than 3 s after it began
# to wait for events: by then it knows who runs.
trace() {
	strace -ttt -e trace=bpf,perf_event_open,epoll_wait,epoll_pwait -o trace "$DWELL" record -q -F 999 -d 6 -o p "$@" 2>strace.log
	claim "$*: record ends well" equal $? 0
	read_profile "$*" p
	awk '/epoll_p?wait/ && !begin { begin = $1 } begin && $1 > begin + 3' trace >steady
	claim "$*: strace saw it at work" has 'epoll_p?wait' steady
}

# nothing_anew: nor does it open its events again, which would make it read all maps anew.
nothing_anew() {
	claim "$*: no event is opened again" lacks 'perf_event_open\(' steady
}

spawn "$FIXTURES/deep" 60
trace -p "$pid"
claim '-p: no bpf(2) system call' lacks 'bpf\(' steady
nothing_anew -p

# Who begins on the box meanwhile is a reason for one: it is tried until nobody does.
for try in 1 2 3; do
	trace -a
	! grep -q 'bpf(' steady || [ $try = 3 ] || continue
	claim '-a: no bpf(2) system call' lacks 'bpf\(' steady
	nothing_anew -a
	break
done
