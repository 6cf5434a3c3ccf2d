#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: truth
# A program that measures itself: 70 to 30 over two call paths. The profile says the same,
# in each of its forms.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

record p -F 999 -- "$FIXTURES/split" 10
claim 'record ends well' equal $? 0
read_profile 'split' p

truth() {
	awk -v f="$1" '{ sum += $2 } $1 == f { n = $2 } END { print 100 * n / sum }' stdout
}
near() {
	is "($1) - ($2) <= 3 && ($2) - ($1) <= 3"
}
for f in work_a work_b; do
	claim "$f: self is within 3 points of the truth" \
		near "$(figure p "[.hotspots[] | select(.symbol == \"$f\") | .self_pct] | add")" "$(truth $f)"
done
# Until dwell knows the new process, some milliseconds, its stacks are truncated and say so.
grep -v ';\[truncated: unknown process\];' p.folded >whole
claim 'all but 1 % of the stacks are whole' is "$(folded_sum whole) >= 0.99 * $(folded_sum p.folded)"
for path in 'a_path work_a' 'b_path work_b'; do
	claim "${path% *}: total holds that of ${path#* }" holds p "
		[.hotspots[] | {key: .symbol, value: .}] | from_entries |
		.${path% *}.total_ns >= .${path#* }.self_ns * 0.99 and .${path% *}.self_pct < 3"
	claim "every stack in ${path#* } came by ${path% *}" \
		equal "$(grep -c ";${path#* }" whole)" "$(grep -c ";main;${path% *};${path#* }" whole)"
done

"$DWELL" report p --folded --unit ns >ns.folded
claim 'folded stacks in ns add up to the total' equal "$(folded_sum ns.folded)" "$(figure p .totals_ns.cpu)"
claim 'the total is what was counted, in periods' holds p '.totals_ns.cpu == .ledger.counted * .meta.period_ns'
claim 'the rows add up to the total' holds p '([.hotspots[].self_ns] | add) == .totals_ns.cpu'

# The same figures by another reader. Names that are more than one row of ours are one of its own.
same_top() {
	go tool pprof -top -nodecount=100000 -nodefraction=0 -unit=ns p >top 2>pprof.log || { cat pprof.log; return 1; }
	awk '/^ *flat/ { rows = 1; next } rows { sub(/ns$/, "", $1); sub(/ns$/, "", $4); print $6, $1, $4 }' top |
		sort >theirs
	jq -r '[.hotspots[] | select(.symbol | test("[ +<(\\[]") | not)] | group_by(.symbol)[] |
		select(length == 1)[0] | "\(.symbol) \(.self_ns) \(.total_ns)"' p.json | sort >ours
	[ "$(wc -l <ours)" -ge 5 ] && grep -q '^work_a ' ours || { cat ours; return 1; }
	comm -23 ours theirs >differ
	[ ! -s differ ] || { cat differ top; return 1; }
}
if command -v go >/dev/null; then
	claim 'go tool pprof -top: the same self and total in each row' same_top
	claim 'go tool pprof -top: the same total' \
		has "Total samples = $(figure p .totals_ns.cpu)ns" top
else
	skip 'go tool pprof -top' 'no go'
fi
