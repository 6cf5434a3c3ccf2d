#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: stacks
# A program of Go: its stacks are whole, by Go's own table of functions; stripped, too. Goroutines that
# are preempted, signals that are handled, garbage that is collected.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

if ! command -v go >/dev/null; then
	skip 'stacks of Go' 'no go'
	exit 0
fi
cat >busy.go <<'END'
package main

import (
	"io"
	"os"
	"runtime"
	"runtime/pprof"
)

var sink int
var kept [][]byte

//go:noinline
func leaf(n int) {
	for i := 0; i < n; i++ {
		sink += i * n
	}
}

//go:noinline
func direct() { leaf(300000) }

//go:noinline
func indirect(f func(int)) { f(300000) }

//go:noinline
func garbage() {
	for i := 0; i < 200; i++ {
		kept[i%len(kept)] = make([]byte, 4096)
	}
}

func other() {
	for {
		direct()
		runtime.Gosched()
	}
}

// a goroutine that waits leaves its thread to the scheduler
func pass(from, to *os.File) {
	b := make([]byte, 1)
	for {
		from.Read(b)
		to.Write(b)
	}
}

func main() {
	kept = make([][]byte, 1000)
	if len(os.Args) > 1 { // SIGPROF, 500 times a second
		runtime.SetCPUProfileRate(500)
		pprof.StartCPUProfile(io.Discard)
	}
	go other()
	r, w, _ := os.Pipe()
	back, there, _ := os.Pipe()
	go pass(r, there)
	go pass(back, w)
	w.Write([]byte{1})
	os.Stdout.WriteString("ready\n")
	for {
		direct()
		indirect(leaf)
		garbage()
	}
}
END
export GOCACHE="$tmp/cache" GO111MODULE=off
claim 'go builds' go build -o busy busy.go
claim 'go builds, stripped' go build -ldflags '-s -w' -o bare busy.go

# whole FILE: of the stacks with frames of the program, 99.5 % end where Go's stacks begin.
whole() {
	awk '{ n = $NF; sub(/ [0-9]+$/, "") } / / && !/;/ { next }
		/^[^;]*;\[/ { if ($0 ~ /truncated/) cut += n; next }
		/^[^;]*;runtime\.(goexit|mstart|mcall|clone|rt0_go)/ { good += n; next }
		/_\[k\]/ && !/runtime|main\./ { next }
		{ print n, $0; bad += n }
		END { print good + 0, cut + 0, bad + 0; exit !(good > 500 && cut + bad <= 0.005 * good) }' "$1.folded"
}

# came FILE FUNCTION CALLERS: every stack in that function came by one of these.
came() {
	grep -E ";$2(;| )" "$1.folded" >those
	[ -s those ] && ! grep -vE "^[a-z]*;runtime\\.goexit(\\.abi0)?;($3);$2(;| )" those
}
leaf_callers='(runtime\.main;main\.main|main\.other);main\.direct|runtime\.main;main\.main;main\.indirect'

spawn ./busy
sleep 1 # its tables are made
claim 'record ends well' "$DWELL" record -q --on-cpu -F 499 -d 3 -p "$pid" -o p
reap "$pid"
read_profile Go p
claim 'its stacks are whole' whole p
claim 'each of them is one of those that can be' came p main.leaf "$leaf_callers"
claim 'garbage is made in main()' came p main.garbage 'runtime\.main;main\.main'
"$DWELL" doctor --json busy >doctor.json
claim "doctor: by tables" jq -e ".subjects[0].binaries[0].unwound_by == \"tables\"" doctor.json

spawn ./busy signals
sleep 1
claim 'record ends well, with signals' "$DWELL" record -q --on-cpu -F 999 -d 4 -p "$pid" -o p
reap "$pid"
read_profile "Go with signals" p
claim 'with signals: its stacks are whole' whole p
grep -E ';runtime\.sigtramp' p.folded >handled
claim 'a signal is handled on top of what it struck' \
	is "$(grep -cE ';main\.(leaf|direct|garbage).*;runtime\.sigreturn[^;]*;runtime\.sigtramp' handled) > 0"

spawn ./bare
sleep 1
claim 'record ends well, stripped' "$DWELL" record -q --on-cpu -F 499 -d 3 -p "$pid" -o q
reap "$pid"
read_profile "Go, stripped" q
claim 'stripped: its stacks are whole, and have names' whole q
claim 'stripped: each of them is one of those that can be' came q main.leaf "$leaf_callers"
