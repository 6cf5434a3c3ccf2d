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

# trace OPTIONS...: 2 s of a recording that runs for a second already
trace() {
	start p -F 999 "$@"
	sleep 1
	strace -f -e trace=bpf,epoll_wait,epoll_pwait -o trace -p "$sampler" 2>strace.log &
	strace=$!
	sleep 2
	kill -INT $strace
	wait $strace
	stop INT
	claim "$*: record ends well" equal $? 0
	read_profile "$*" p
	claim "$*: strace saw it at work" has 'epoll_p?wait' trace
	claim "$*: no bpf(2) system call" lacks 'bpf\(' trace
}

spawn "$FIXTURES/deep" 60
trace -p "$pid"
trace -a
