#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# vmtest brings back what the guest did, and takes a kernel that complains for a failure.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
status=0

# guest NAME WANTED-STATUS WANTED-OUTPUT ARGUMENTS...
guest() {
	local name=$1 want=$2 pattern=$3 got
	shift 3
	"$top/tools/vmtest" "$@" >"$tmp/log" 2>&1
	got=$?
	if [ $got = "$want" ] && grep -qE "$pattern" "$tmp/log"; then
		echo "ok - $name"
	else
		echo "not ok - $name: exit status $got, not $want, or no line: $pattern"
		sed 's/^/# /' "$tmp/log"
		status=1
	fi
}

echo data >"$tmp/file"
guest 'exit status, output, files and kernel arguments' 3 '^6\.1\..* data 2 .*\[integrity\]' \
	-f "$tmp/file:/a/b" -A lockdown=integrity 6.1 \
	'echo $(uname -r) $(cat /a/b) $(nproc) $(cat /sys/kernel/security/lockdown); exit 3'
guest 'a program comes with its libraries, files come back' 0 '^2$' \
	-f "$(command -v jq)" -o "$tmp/out" 6.1 'echo 1 | jq -M .+1; echo x >/out/back'
[ "$(cat "$tmp/out/back" 2>/dev/null)" = x ] || { echo 'not ok - /out came back'; status=1; }
guest 'a warning in the log of the kernel is a failure' 126 'complained' 6.1 'echo "WARNING: not real" >/dev/kmsg'
guest 'a command that hangs is stopped' 124 '^before$' -t 3 6.1 'echo before; sleep 1000'
# panic_print: much follows the panic, so that the end of the console would not have its reason
guest 'a guest that dies says what its console said' 127 'Kernel panic' -A panic_print=1 6.1 'echo c >/proc/sysrq-trigger; sleep 9'
guest 'code that a kernel changes while it runs is run as it is' 0 '^alive$' -t 100 5.10 '
	mount -t tracefs tracefs /sys/kernel/tracing
	for i in 1 2 3 4; do (while :; do sleep 0.001; done) & done
	for i in $(seq 80); do
		echo 1 >/sys/kernel/tracing/events/sched/sched_switch/enable
		echo 0 >/sys/kernel/tracing/events/sched/sched_switch/enable
	done
	echo alive'
sed 's/5\.10\.0-32/5.10.0-0/' "$top/tests/kernels/list" >"$tmp/list"
XDG_CACHE_HOME=$tmp/cache DWELL_VMTEST_LIST=$tmp/list \
	guest 'a package that vanished fails by name' 125 'linux-image-5\.10\.0-0-cloud-amd64.*cannot be had' 5.10 true
sed '/^5\.10/s/ [0-9a-f]\{8\}/ 01234567/' "$top/tests/kernels/list" >"$tmp/list"
XDG_CACHE_HOME=$tmp/cache DWELL_VMTEST_LIST=$tmp/list \
	guest 'a package with another checksum is refused' 125 'cannot be had' 5.10 true
guest 'an unknown architecture is refused' 125 'no architecture mips' -a mips 6.1 true
guest 'an unknown kernel is refused' 125 'no kernel 4\.19' 4.19 true
exit $status
