#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account each
# Each program loads, and takes the kernel's verifier no more than 250,000 instructions: a quarter
# of what it allows, so that a kernel that is worse at it still takes them. The figures are printed.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

# verified: "NAME INSTRUCTIONS" of each program; without jq, which guests lack.
verified() {
	awk '/"name": / { gsub(/[",]/, "", $2); name = $2 }
		/"verified_instructions": / { gsub(/,/, "", $2); print name, $2 }' doctor.json
}

claim 'doctor loads every program' sh -c '"$0" doctor --json >doctor.json' "$DWELL"
verified >list
sed "s/^/# $(uname -r | cut -d- -f1), verified instructions: /" list
claim 'there are at least seven' is "$(wc -l <list) >= 7"
while read -r name n; do
	claim "$name: 1 to 250,000 instructions" is "$n > 0 && $n <= 250000"
done <list
