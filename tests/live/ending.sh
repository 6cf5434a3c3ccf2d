#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account
# How a recording ends: signals, what is left in the folder, and what cannot be written.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

mode() {
	stat -c %a "$1"
}

# The files in a folder, the hidden ones too.
files() {
	find "$1" -type f | sed 's,.*/,,' | sort | tr '\n' ' ' | sed 's/ $//'
}

one_line() {
	equal "$(wc -l <stderr)" 1 && has "$1" stderr && equal "$(cat stdout)" ''
}

spawn "$FIXTURES/deep" 240
mkdir out

start out/p
stop INT
claim 'SIGINT: exit status 0' equal $? 0
claim 'SIGINT: a file for its owner only, and no other' equal "$(files out) $(mode out/p)" 'p 600'
cp out/p first
read_profile 'SIGINT' out/p
start out/p
stop TERM
claim 'SIGTERM: exit status 0' equal $? 0
claim 'SIGTERM: the former profile is kept' cmp first out/p.old
rm -f out/p.json out/p.folded
claim 'SIGTERM: nothing else is left' equal "$(files out) $(mode out/p)" 'p p.old 600'
cp out/p second
read_profile 'SIGTERM' out/p
rm -f out/p.json out/p.folded

# While names are looked up, which a worker that stands still makes last. By then it has
# nothing else to do: the one process is known.
start out/p -p "$pid"
sleep 3
workers=$(cat "/proc/$sampler/task/$sampler/children")
# shellcheck disable=SC2086
kill -STOP $workers
kill -INT "$sampler"
sleep 1
stop INT
claim 'a second SIGINT aborts' equal $? 130
claim 'a second SIGINT: both former profiles are what they were' cmp second out/p
claim 'a second SIGINT: nothing else is left' equal "$(files out)" 'p p.old'
sleep 0.2
for w in $workers; do
	claim 'a second SIGINT: no worker is left' ended "$w"
done

start out/c -- "$FIXTURES/deep" 60
command=$(tr ' ' '\n' <"/proc/$sampler/task/$sampler/children" | head -n 1)
# a slow machine needs its time until there is something to sample: 0.2 s of its work
until ended "$command" || [ "$(cut -d' ' -f14 "/proc/$command/stat")" -ge 20 ]; do
	sleep 0.1
done
stop TERM
claim 'SIGTERM with a command: its exit status is passed on' equal $? 143
claim 'SIGTERM with a command: it has ended too' ended "$command"
read_profile 'SIGTERM with a command' out/c

# --- what cannot be written
mkdir full
if mount -t tmpfs -o size=16k tmpfs full 2>mount.log; then
	echo former >full/p
	head -c 100000 /dev/zero >full/fill 2>/dev/null
	record full/p -d 0.5
	claim 'a full disk: exit status 1' equal $? 1
	claim 'a full disk: one line says so' one_line '^dwell: .*full/p.*No space left'
	claim 'a full disk: the former file stays, nothing half-written' equal "$(files full) $(cat full/p)" 'fill p former'
	umount full
else
	skip 'a full disk' "$(head -n 1 mount.log)"
fi

record nowhere/p -d 0.5
claim 'no such folder: exit status 1' equal $? 1
claim 'no such folder: one line says so' one_line '^dwell: .*nowhere'

if setpriv --help 2>&1 | grep -q -- --reuid; then
	chmod 755 "$tmp" && mkdir -m 777 open && cp "$DWELL" dwell
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
		./dwell record -d 1 -o open/p >stdout 2>stderr
	claim 'no rights: exit status 1' equal $? 1
	claim 'no rights: one line names them' one_line '^dwell: .*CAP_BPF and CAP_PERFMON'
	claim 'no rights: nothing is left' equal "$(files open)" ''
else
	skip 'no rights' 'no setpriv --reuid'
fi
