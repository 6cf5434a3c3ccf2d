#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# guest.sh TAG [NAME] - in the guest: the live tests with TAG, for dwell-NAME (default: the first that was brought
# along); of the others those that have the tag `each`, too. Tests with the tag `plain` are not run under lockdown,
# those with `lockdown` only then: for time.
case $(cat /sys/kernel/security/lockdown 2>/dev/null) in
*'[confidentiality]'*) other=plain ;;
*) other=lockdown ;;
esac
failed=0
full=${2:+/guest/dwell-$2}
# an emulated machine is slow: who runs there needs longer to be seen
export SAMPLE_SECONDS=8
for DWELL in /guest/dwell-*; do
	export DWELL FIXTURES=/guest/fixtures
	: "${full:=$DWELL}"
	for t in /guest/live/*.sh; do
		grep -q "^# tags:.*\b$1\b" "$t" || continue
		! grep -q "^# tags:.*\b$other\b" "$t" || continue
		grep -q '^# tags:.*\beach\b' "$t" || [ "$DWELL" = "$full" ] || continue
		mkdir -p /tmp/test && cd /tmp/test || exit 1
		name="${DWELL#/guest/dwell-} $(basename "$t" .sh)"
		start=$(cut -d. -f1 /proc/uptime)
		timeout -s KILL 400 sh "$t" >/tmp/log 2>&1
		rc=$?
		sed "s/^\(ok\|not ok\)\( [0-9]*\)\{0,1\} - /\1 - $(uname -r | cut -d. -f1,2) $name: /" /tmp/log
		if [ $rc != 0 ]; then
			failed=1
			grep -q '^not ok' /tmp/log || echo "not ok - $name: exit status $rc"
		fi
		echo "# $name: $(($(cut -d. -f1 /proc/uptime) - start)) s"
		cd / && rm -rf /tmp/test
	done
done
exit $failed
