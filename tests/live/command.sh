#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account
# -- COMMAND: counted from its first instruction, with its children; it keeps its stdout and
# its exit status.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

record command -- "$FIXTURES/family" 3
claim '-- COMMAND: exit status 0' equal $? 0
claim '-- COMMAND: stdout is its own' equal "$(cat stdout)" ready
claim '-- COMMAND: the table is on stderr' has '= 100 %' stderr
read_profile '-- COMMAND' command
claim '-- COMMAND: it and its children; nobody else' \
	equal "$(processes command | sed 's/family //')" 'before grandchild parent'
record first -F 499 -- "$FIXTURES/first"
claim '-- COMMAND: its exit status is passed on' equal $? 7
read_profile 'from its first instruction' first
claim 'from its first instruction: its work is there' has '^first;(.*;)?work_first( |;)' first.folded
claim 'from its first instruction: nothing before it' equal "$(processes first)" first
claim 'from its first instruction: nothing is lost' holds first '[.ledger.lost[]] | add == 0'

status_of() {
	record status -q -- "$@"
	echo $?
}
echo >plain
claim '-- COMMAND: killed by a signal is 128 and its number' equal "$(status_of sh -c 'kill -9 $$')" 137
claim '-- COMMAND: not executable is 126' equal "$(status_of ./plain)" 126
claim '-- COMMAND: not found is 127' equal "$(status_of ./nowhere)" 127
claim '-- COMMAND: what it writes goes where it wanted' \
	equal "$("$DWELL" record -q -o q -- sh -c 'echo out; echo err >&2' 2>err; cat err)" "out
err"
