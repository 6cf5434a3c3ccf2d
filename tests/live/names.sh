#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: truth
# Names: of the kernel's functions, of libc's, of the vdso's.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

# sample KIND: 1 s of that call
sample() {
	spawn "$FIXTURES/calls" "$1" 60
	record "$1" -F 499 -d 1 -p "$pid"
	claim "$1: record ends well" equal $? 0
	read_profile "$1" "$1"
	reap "$pid"
}

sample zero
claim 'kernel frames: each has a name' holds zero '[.hotspots[] | select(.module == "[kernel.kallsyms]")] |
	length > 5 and all(.symbol | test("0x|^\\[") | not)'
jq -r '.hotspots[] | select(.module == "[kernel.kallsyms]") | .symbol' zero.json | sort -u >names
frames zero | sed -n 's/_\[k\]$//p' | sort -u >marked
claim 'kernel frames: each is marked [k] in folded stacks' equal "$(cat names)" "$(cat marked)"

sample clock
claim 'vdso: clock_gettime has its name' holds clock '[.hotspots[] | select(.module == "[vdso]") |
	select(.symbol | test("clock_gettime")) | .self_samples] | add > 0'

sample random
claim 'libc: random_r has its name' holds random '.hotspots |
	any(.module == "libc.so.6" and .symbol == "random_r" and .self_samples > 0)'
