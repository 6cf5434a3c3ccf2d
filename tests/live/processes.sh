#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account
# The kernel's events tell which code each process has mapped: a loop of short processes, each
# image compared with /proc/PID/maps while its process lives.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

cat >loop <<'LOOP'
for i in 1 2 3 4 5; do
	ls / | cat
	(true)
	sh -c 'sleep 0.01 & sleep 0.02; wait'
	for program in perl:-e1 python3:-c1 git:--version jq:--version; do
		! command -v "${program%%:*}" || "${program%%:*}" "${program#*:}"
	done
done >/dev/null
LOOP

value() {
	sed -n "s/^$1 //p" counts
}

claim 'no image lacks a mapping or has another' "$FIXTURES/processes" 5 sh loop
cp claim.log counts
claim 'many were compared' is "$(value compared) >= 50"
claim 'hardly a record was lost' is "$(value lost) <= 0.01 * $(value records)"
claim 'no execve() was missed' equal "$(value missed)" 0
