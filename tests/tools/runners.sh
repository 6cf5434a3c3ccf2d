#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What runs the tests counts them, and a test that fails, dies or tests nothing is a failure.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
status=0

# expect NAME WANT GOT
expect() {
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		printf '%s\n' "wanted: $2" "got: $3" | sed 's/^/# /'
		status=1
	fi
}

# sum COMMAND...: the last line when one program is run that does COMMAND.
sum() {
	bash -c '. "$0"; tally one bash -c "$1"; tally_end' "$top/tools/tally.sh" "$1" | tail -n 1
}
expect 'TAP lines are counted' '2 passed, 1 failed, 1 skipped' \
	"$(sum 'printf "ok 1 - a\nok - b\nnot ok 3 - c\nok - d # SKIP because\n"')"
expect 'a skip that cmocka writes as a failure is none' '1 passed, 0 failed, 1 skipped' \
	"$(sum 'printf "ok 1 - a\nnot ok 2 # SKIP because\n"')"
expect 'a program that dies is a failure' '1 passed, 1 failed, 0 skipped' "$(sum 'echo ok - a; kill -SEGV $$')"
expect 'a program that tests nothing is a failure' '0 passed, 1 failed, 0 skipped' "$(sum true)"
expect 'sums of runners are added' '3 passed, 2 failed, 1 skipped' \
	"$(sum 'echo "not ok - x"; echo "3 passed, 2 failed, 1 skipped"; exit 1')"
expect 'what make says behind a sum changes nothing' '3 passed, 2 failed, 0 skipped' \
	"$(sum 'echo "not ok - x"; echo "3 passed, 2 failed, 0 skipped"; echo "make: *** [check] Error 1"; exit 2')"
# all of it, where two are run
all() {
	bash -c '. "$0"; tally "one & two" bash -c "$1"; tally three echo "ok - c"; tally_end' "$top/tools/tally.sh" "$1"
}
expect 'what failed is told once more at the end' $'failed: one & two: a | b\n2 passed, 1 failed, 1 skipped' \
	"$(all 'printf "not ok 1 - a | b\nok - x\nnot ok 2 # SKIP because\n"' | tail -n 2)"
expect 'only failures are written as such' 'not ok 1 - a' \
	"$(all 'printf "not ok 1 - a\nnot ok 2 # SKIP because\n"' | grep '^not ok')"
bash -c '. "$0"; tally one echo "not ok - a"; tally_end' "$top/tools/tally.sh" >/dev/null
expect 'a failed run has a bad exit status' 1 $?

# command TEST-LINES: what tests/cmd/run says of them, without remarks
command_test() {
	printf '%s\n' "$@" >"$tmp/a.test"
	DWELL=/bin/true "$top/tests/cmd/run" "$tmp/a.test" | grep -v '^#'
}
expect 'commands: a good one passes' 'ok - x' "$(command_test 'NAME x' 'RUN echo a; echo b >&2; exit 3' \
	'EXPECT exit 3' 'EXPECT stdout ^a$' 'EXPECT stderr ^b' 'EXPECT stdout-lacks b' 'EXPECT stderr-lines 1')"
for e in 'exit 1' 'stdout ^x$' 'stdout-lacks a' 'stderr .' 'stdout-lines 2' 'color red'; do
	expect "commands: a false '$e' fails" 'not ok - x' "$(command_test 'NAME x' 'RUN echo a' "EXPECT $e")"
done
expect 'commands: exit status 0 is expected where nothing is said' 'not ok - x' "$(command_test 'NAME x' 'RUN exit 4')"
expect 'commands: an unknown line fails' 'not ok - '"$tmp/a.test"': a line of no known kind: WANT 3' \
	"$(command_test 'WANT 3')"
expect 'commands: what is missing skips' 'ok - x # SKIP no program-that-is-not' \
	"$(command_test 'NAME x' 'NEEDS program-that-is-not' 'RUN true')"
exit $status
