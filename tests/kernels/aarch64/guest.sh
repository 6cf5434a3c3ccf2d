#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# guest.sh - in the guest: a profile of each kind of chain, in each way that it was built, and one of a wait, into /out.
failed=0
for one in 'plain leaf' 'plain signal' 'plain clock' 'signed leaf' 'signed signal' 'static leaf' 'static signal'; do
	build=${one% *} kind=${one#* }
	"/guest/$build" "$kind" 60 >/tmp/ready &
	pid=$!
	until grep -q ready /tmp/ready; do sleep 0.1; done
	/guest/dwell record -o "/out/$build-$kind" -F 499 -d 5 -p $pid >/tmp/log 2>&1 || { cat /tmp/log; failed=1; }
	kill -KILL $pid
	wait $pid
done
/guest/dwell record -o /out/sleep --off-cpu -- sleep 2 >/tmp/log 2>&1 || { cat /tmp/log; failed=1; }
exit $failed
