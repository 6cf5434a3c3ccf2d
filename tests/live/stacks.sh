#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: truth account
# Stacks that are known: what the programs call is what the profile says.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

# sample NAME OPTIONS...: 1 s of the spawned program into NAME, which is then read. Stacks without
# registers, where a kernel hides them, are no part of NAME.known.
sample() {
	sample_name=$1
	shift
	record "$sample_name" -F 499 -d 1 -p "$pid" "$@"
	claim "$sample_name: record ends well" equal $? 0
	read_profile "$sample_name" "$sample_name"
	grep -v 'registers unreadable' "$sample_name.folded" >"$sample_name.known"
	hides_registers ||
		claim "$sample_name: no stack lacks registers" lacks 'registers unreadable' "$sample_name.folded"
}

# others REGEX FILE: fails, and prints them, where there are lines that do not match.
others() {
	! grep -vE -e "$1" "$2"
}

spawn "$FIXTURES/deep" 240
sample deep
begin='_start;(libc\.so\.6\+0x[0-9a-f]+;|__libc_start[a-z_]*;)*main'
claim 'deep: every stack is the known chain' others "^deep;$begin(;deep){30};work(;[^;]+_\[k\])* [0-9]+$" deep.known
claim 'deep: that chain is there' has ";main(;deep){30};work [0-9]+$" deep.known
claim 'deep: unwinding had all it needed' holds deep '.unwind | .objects > 0 and .processes > 0 and
	.full == 0 and .events_lost == 0 and .failed == 0 and .not_copied == 0'
claim 'deep: no other process got tables' holds deep '.unwind.processes == 1'
claim 'deep: a function that recurs counts once in total' holds deep '
	.hotspots[] | select(.symbol == "deep") | .total_samples <= '"$(figure deep .ledger.counted)"
sample deep-user -U
claim '-U: no kernel frame' lacks '_\[k\]' deep-user.folded
claim '-U: the user frames are there' has 'main(;deep){30};work [0-9]+$' deep-user.folded
sample deep-cut --max-frames 10
claim '--max-frames: the innermost ones, under a root that says so' others \
	'^deep;\[truncated: too deep\];(deep;){9}work(;[^;]+_\[k\])* [0-9]+$' deep-cut.known
claim '--max-frames: such stacks are there' has '^deep;\[truncated: too deep\];(deep;){9}work [0-9]+$' deep-cut.folded
reap "$pid"

# From a system call's entry on: an interrupt may hit the stub before it.
in_call='(entry_SYSCALL_64|do_syscall_64|__x64_sys_)[^;]*_\[k\]'
spawn "$FIXTURES/calls" getppid 240
sample getppid
grep -E "$in_call" getppid.known >getppid.kernel
hides_registers || claim 'getppid: there are samples in the system call' test -s getppid.kernel
claim 'getppid: frame 1 of each is the caller of the stub' others ';main;ask_parent;syscall;[^;]+_\[k\]' getppid.kernel
sample getppid-kernel -K
frames getppid-kernel | grep -v '^\[' >getppid-kernel.frames
claim '-K: only kernel frames' others '_\[k\]$' getppid-kernel.frames
claim '-K: there are some' has '^do_syscall_64_\[k\]$' getppid-kernel.frames
reap "$pid"

spawn "$FIXTURES/calls" zero 240
sample zero
grep -E "$in_call" zero.known >zero.kernel
claim 'read: frame 1 of each is the caller of the stub' others ';main;read_zeros;(__)?read;[^;]+_\[k\]' zero.kernel
claim 'read: the way through the kernel is named' has ';ksys_read_\[k\];vfs_read_\[k\];' zero.folded

# What a handler returns to ends with its system call: the address behind that is another function's. The
# kernel's own part of it changes the registers, on the way: while it does so, they are half those of the handler, and
# that there is no way from them is said.
spawn "$FIXTURES/signals" 240
sample signals
grep -E '_sys_rt_sigreturn_\[k\]' signals.known >signals.return
hides_registers || claim 'signals: there are samples of the return from a handler' test -s signals.return
claim 'signals: that is in what the handler returns to, or back where it was' others \
	';main;(gsignal|raise)(;[^;]+)?;__restore_rt;[^;]+_\[k\]|;main;(gsignal|raise)(;(__)?pthread_kill[^;]*)?;[^;]+_\[k\]|^signals;\[truncated: [^;]*;__restore_rt;.*;restore_sigcontext_\[k\]' signals.return
claim 'signals: hardly any is cut off on the way' \
	awk '{ n += $NF } /\[truncated/ { cut += $NF } END { exit cut * 50 > n + 50 }' signals.return
reap "$pid"
