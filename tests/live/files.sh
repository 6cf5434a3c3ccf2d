#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Programs that come and go do not cost a descriptor each for ever.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

descriptors() {
	find "/proc/$sampler/fd" -mindepth 1 | wc -l
}

# back LEFT: not more than that, within 60 s.
back() {
	n=0
	while [ "$(descriptors)" -gt "$1" ] && [ $n -lt 600 ]; do
		sleep 0.1
		n=$((n + 1))
	done
	echo "descriptors: $(descriptors), wanted: $1"
	[ "$(descriptors)" -le "$1" ]
}

start p.pb.gz -q -a --rotate 5s --keep 3
sleep 1
before=$(descriptors)
i=0
while [ $i -lt 300 ]; do
	cp /bin/true "t$i" && "./t$i"
	i=$((i + 1))
done
sleep 1
rm t[0-9]*
claim 'programs that ran have their files open: as long as their samples may want a name' is "$(descriptors) > $before + 100"
claim 'when nobody wants them any more they are closed, but for what else began here' back $((before + 60))
claim 'record ends well' stop INT
for f in p-*.pb.gz; do
	"$DWELL" report "$f" --json --limit 0 >f.json
	claim 'ticks = counted + idle + filtered + self + missed + lost' closes f
done
