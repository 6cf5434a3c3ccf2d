#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: truth
# Samples come faster than dwell gets CPU time to read them: it hears a signal all the same, and
# what is lost is lost for that.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

# A control group whose processes get 2 % of a CPU.
make_group() {
	group=$(find /sys/fs/cgroup/cpu /sys/fs/cgroup -maxdepth 0 -exec test -w '{}/cgroup.procs' \; -print 2>/dev/null |
		head -n 1)/dwell-test.$$
	mkdir "$group" || return 1
	if [ -e "$group/cpu.cfs_quota_us" ]; then
		echo 1000000 >"$group/cpu.cfs_period_us" && echo 20000 >"$group/cpu.cfs_quota_us"
	else
		[ -e "$group/cpu.max" ] || echo +cpu >"$group/../cgroup.subtree_control"
		echo 20000 1000000 >"$group/cpu.max"
	fi
}

leave_group() {
	[ -d "$group" ] || return
	while read -r member; do
		echo "$member" >"$group/../cgroup.procs"
	done <"$group/cgroup.procs"
	sleep 0.1
	rmdir "$group"
}

if ! make_group 2>group.log; then
	skip 'short of CPU time' "no control group with a quota: $(head -n 1 group.log)"
	leave_group
	exit
fi

# the load's own end would let dwell catch up
spawn "$FIXTURES/paths" 100
load=$pid
start slow -F 50000 --buffer 1024
echo "$sampler" >"$group/cgroup.procs"
sleep 3
kill -INT "$sampler"
until ended "$sampler" || ended "$load"; do
	sleep 0.1
done
claim 'short of CPU time: it ends when told, while samples still come' ended "$sampler"
leave_group
kill -KILL "$load"
wait "$sampler"
claim 'short of CPU time: exit status 0' equal $? 0
read_profile 'short of CPU time' slow
claim 'short of CPU time: what is lost is lost for that' holds slow \
	'.ledger.lost | ."ring-full" > 0 and ([.[]] | add) == ."ring-full"'
