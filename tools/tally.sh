# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Sourced by what runs tests: runs programs, adds up what they report, and says so.
#
# A program reports in lines 'ok - NAME', 'not ok - NAME', 'ok - NAME # SKIP REASON' (TAP), or,
# when it runs programs itself, by a last line 'N passed, N failed, N skipped'. One that
# reports nothing, or ends badly without naming a failure, is itself a failure.

tally_passed=0
tally_failed=0
tally_skipped=0
tally_dir=$(mktemp -d) || exit 1
trap 'rm -rf "$tally_dir"' EXIT

# tally_progress TEXT: one line that overwrites itself, on terminals only.
tally_progress() {
	[ ! -t 2 ] || printf '\r\033[K%.*s' "$((${COLUMNS:-80} - 1))" "$1" >&2
}

# tally NAME COMMAND...: its output is shown where it failed or skipped.
tally() {
	local name=$1 log=$tally_dir/log status passed failed skipped sum start=$SECONDS
	shift
	tally_progress "$name ..."
	CMOCKA_MESSAGE_OUTPUT=TAP "$@" >"$log" 2>&1
	status=$?
	# behind it there may be what make says of a failure
	sum=$(tail -n 3 "$log" | grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' | tail -n 1)
	if [ -n "$sum" ]; then
		read -r passed _ failed _ skipped _ <<<"$sum"
	else
		# cmocka writes a test that was skipped as 'not ok'
		skipped=$(grep -cE '^(not )?ok\b.*# *[Ss][Kk][Ii][Pp]' "$log")
		passed=$(grep -E '^ok\b' "$log" | grep -cvE '# *[Ss][Kk][Ii][Pp]')
		failed=$(grep -E '^not ok\b' "$log" | grep -cvE '# *[Ss][Kk][Ii][Pp]')
	fi
	if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
		echo "not ok - $name: exit status $status" >>"$log"
		failed=1
	elif [ $((passed + failed + skipped)) = 0 ]; then
		echo "not ok - $name: nothing was tested" >>"$log"
		failed=1
	fi
	tally_passed=$((tally_passed + passed))
	tally_failed=$((tally_failed + failed))
	tally_skipped=$((tally_skipped + skipped))
	tally_progress ''
	if [ "$failed" != 0 ]; then
		echo "== $name"
		if [ -n "$sum" ]; then
			grep -vE '^ok\b|^not ok\b.*# *[Ss][Kk][Ii][Pp]|^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log"
		else
			grep -vE '^ok\b|^not ok\b.*# *[Ss][Kk][Ii][Pp]' "$log" | tail -n 200
		fi
	fi
	grep -E '^(not )?ok\b.*# *[Ss][Kk][Ii][Pp]' "$log" | sed 's/^not ok/ok/'
	grep -E '^not ok\b' "$log" | grep -vE '# *[Ss][Kk][Ii][Pp]' |
		NAME=$name awk '{ sub(/^not ok( [0-9]+)?( - )?/, ""); print ENVIRON["NAME"] ": " $0 }' >>"$tally_dir/failed"
	echo "$name: $passed passed, $failed failed, $skipped skipped ($((SECONDS - start)) s)"
	[ "$failed" = 0 ]
}

# tally_step NAME COMMAND...: a command that is one test by itself.
tally_step() {
	local name=$1
	shift
	tally "$name" tally_one "$name" "$@"
}

tally_one() {
	local name=$1
	shift
	if "$@"; then
		echo "ok - $name"
	else
		echo "not ok - $name"
	fi
}

# tally_skip NAME REASON
tally_skip() {
	tally_skipped=$((tally_skipped + 1))
	echo "ok - $1 # SKIP $2"
}

# tally_end: what failed once more, and the line that ends a test run; its status is the run's.
tally_end() {
	[ ! -s "$tally_dir/failed" ] || sed 's/^/failed: /' "$tally_dir/failed"
	echo "$tally_passed passed, $tally_failed failed, $tally_skipped skipped"
	[ "$tally_failed" = 0 ]
}
