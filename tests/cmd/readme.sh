#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The examples of README.md do what they say: each ```sh block is run, in order, in one folder,
# with dwell in PATH. Blocks of other kinds are pictures, not examples.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
dwell=$(realpath "${DWELL:-$top/build/dwell}")
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
why=$("$top/tests/live/allowed")
if [ -n "$why" ]; then
	echo "ok - README.md # SKIP $why"
	exit
fi
mkdir "$tmp/bin" "$tmp/folder" && ln -s "$dwell" "$tmp/bin/dwell" && cd "$tmp/folder" || exit 1
status=0
awk -v to="$tmp/block" '
	/^```sh$/ { file = sprintf("%s.%03d", to, ++n); next }
	/^```/ { file = "" }
	file != "" { print >file }' "$top/README.md"
for block in "$tmp"/block.*; do
	name=$(head -n 1 "$block")
	if PATH=$tmp/bin:$PATH timeout 120 bash -e "$block" >"$tmp/log" 2>&1 </dev/null; then
		echo "ok - README: $name"
	else
		echo "not ok - README: $name"
		sed 's/^/# /' "$block" "$tmp/log"
		status=1
	fi
done
exit $status
