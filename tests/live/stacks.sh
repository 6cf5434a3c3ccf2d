#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: truth
# Stacks that are known: what the programs call, is what the profile says, with names.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

# sample NAME OPTIONS...: 1 s of the spawned program into NAME, which is then read.
sample() {
	sample_name=$1
	shift
	record "$sample_name" -F 499 -d 1 -p "$pid" "$@"
	claim "$sample_name: record ends well" equal $? 0
	read_profile "$sample_name" "$sample_name"
}

# other_lines REGEX FILE: prints the lines that do not match; fails where there are any.
other_lines() {
	! grep -vE -e "$1" "$2"
}

spawn "$FIXTURES/deep" 60
sample deep
begin='(\[truncated: [a-z ]+\];)?(libc\.so\.6\+0x[0-9a-f]+;|__libc_start[a-z_]*;)*main'
claim 'deep: every stack is the known chain' other_lines "^deep;$begin(;deep){30};work(;[^;]+_\[k\])* [0-9]+$" deep.folded
claim 'deep: that chain is there' has ";main(;deep){30};work [0-9]+$" deep.folded
claim 'deep: a function that recurs counts once in total' holds deep '
	.hotspots[] | select(.symbol == "deep") | .total_samples <= '"$(figure deep .ledger.counted)"
sample deep-user -U
claim '-U: no kernel frame' lacks '_\[k\]' deep-user.folded
claim '-U: the user frames are there' has 'main(;deep){30};work [0-9]+$' deep-user.folded
reap "$pid"

spawn "$FIXTURES/calls" getppid 60
sample getppid
# from the system call's entry on; an interrupt may hit the stub before it
in_call='(entry_SYSCALL_64|do_syscall_64|__x64_sys_)[^;]*_\[k\]'
grep -E "$in_call" getppid.folded >getppid.kernel
claim 'getppid: there are samples in the system call' test -s getppid.kernel
claim 'getppid: frame 1 of each is the caller of the stub' other_lines ';main;ask_parent;syscall;[^;]+_\[k\]' getppid.kernel
sample getppid-kernel -K
frames getppid-kernel | grep -v '^\[' >getppid-kernel.frames
claim '-K: only kernel frames' other_lines '_\[k\]$' getppid-kernel.frames
claim '-K: there are some' has '^do_syscall_64_\[k\]$' getppid-kernel.frames
reap "$pid"

spawn "$FIXTURES/calls" zero 60
sample zero
grep -E "$in_call" zero.folded >zero.kernel
claim 'read: frame 1 of each is the caller of the stub' other_lines ';main;read_zeros;(__)?read;[^;]+_\[k\]' zero.kernel
claim 'read: the way through the kernel is named' has ';ksys_read_\[k\];vfs_read_\[k\];' zero.folded
claim 'kernel frames: each has a name' holds zero '[.hotspots[] | select(.module == "[kernel.kallsyms]")] |
	length > 5 and all(.symbol | test("0x|^\\[") | not)'
jq -r '.hotspots[] | select(.module == "[kernel.kallsyms]") | .symbol' zero.json >zero.names
frames zero | sed -n 's/_\[k\]$//p' >zero.marked
claim 'kernel frames: each is marked [k] in folded stacks' equal "$(sort -u zero.names)" "$(sort -u zero.marked)"
reap "$pid"

spawn "$FIXTURES/calls" clock 60
sample clock
claim 'vdso: clock_gettime has its name' holds clock '[.hotspots[] | select(.module == "[vdso]") |
	select(.symbol | test("clock_gettime")) | .self_samples] | add > 0'
claim 'vdso: no frame is without' lacks '\[vdso\]\+0x' clock.folded
reap "$pid"

spawn "$FIXTURES/calls" random 60
sample random
claim 'libc: random_r has its name' holds random '.hotspots |
	any(.module == "libc.so.6" and .symbol == "random_r" and .self_samples > 0)'
reap "$pid"
