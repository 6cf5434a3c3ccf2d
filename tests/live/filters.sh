#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account lockdown filters
# Each filter, under storms of forks, executed programs and threads that execute: nothing of a task that was not
# asked for is in any output, and nothing of one that was is missing: its CPU time is what the kernel says.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

seconds=${SAMPLE_SECONDS:+5}
seconds=${seconds:-3}
long=${SAMPLE_SECONDS:+4}
long=${long:-2}
# of the CPU time: what a process still does when its parent has asked, and ticks on an emulated machine
within=3
[ -z "${SAMPLE_SECONDS:-}" ] || within=10

# names FILE: all threads that have samples, waits or a row of their own.
names() {
	"$DWELL" report "$1" --by thread --kind all --json --limit 0 >all.json
	jq -r '(.times.threads // [])[].comm, (.hotspots[] | select(.category != "special") | .symbol)' all.json |
		sed 's/ ([0-9]*)$//' | sort -u
}

# only FILE REGEX: no name but these; dwell's own rows have brackets. At first a program is called as its file is:
# who is not asked for has another. The kernel changes a name byte by byte, and it may be read meanwhile.
only() {
	names "$1" | grep -vE "^($2|storm.*|(sood|stod|stor)-.*|(gtorm|goorm|goodm).*|\\[.*)\$" >strangers
	[ ! -s strangers ] || { cat strangers; return 1; }
}

# cpu_is FILE NS: the exact account of what was asked for.
cpu_is() {
	is "$(jq '[.times.threads[].task_ns] | add' "$1.json") > $2 * (1 - $within / 100) && \
$(jq '[.times.threads[].task_ns] | add' "$1.json") < $2 * (1 + $within / 100) + 20000000"
}

# over FILE OPTION: the wanted storm's end, and with it the recording's; sets forks and ns of the storm, and over_at:
# when it was over, in seconds.
over() {
	wait $wanted
	read -r over_at _ </proc/uptime
	sleep 0.5
	# of a process it ends with that
	[ "$2" = -p ] || kill -INT "$sampler"
	wait "$sampler"
	claim "$1: record ends well" equal $? 0
	read -r forks ns <<-END
		$(tail -n 1 out.wanted)
	END
	reap $unwanted
	read_profile "$1" "$1"
	claim "$1: each row closes, no part is below 0, none is longer than the window" rows_close "$1"
	claim "$1: there was a storm" is "$forks >= 10"
	claim "$1: others are filtered" holds "$1" '.ledger.filtered > 0 and .waits.filtered.n > 0'
}

# blow FILE OPTIONS...: both storms while dwell records with these options.
blow() {
	blow_file=$1
	shift
	start "$blow_file" -F 499 "$@"
	kill -USR1 $wanted $unwanted
	over "$blow_file" "$1"
	claim "$blow_file: CPU time is the kernel's, within $within %" cpu_is "$blow_file" "$ns"
}

# ready_storms [PREFIX...]: the wanted one is started by way of PREFIX.
ready_storms() {
	spawn "$@" "$FIXTURES/storm" good "$seconds"
	wanted=$pid
	mv ready out.wanted
	spawn ./stranger bad 60
	unwanted=$pid
}

cp "$FIXTURES/storm" stranger

# --- a process and its children
ready_storms
blow process -p "$wanted"
claim 'process: nobody else is in it' only process 'good-.*'
claim 'process: its children are' has in_storm process.folded

# --- a process that makes children all the time while it is found, and they, too
# used PID: CPU time of it and of its children that ended, and when that was, in seconds.
used() {
	read -r now _ </proc/uptime
	sed 's/.*) //' "/proc/$1/stat" | awk -v now="$now" '{ print ($12 + $13 + $14 + $15) / 100, now }'
}

# The recording begins a little before start() says so: at what the storm took a second from then on, its window has it
# all. Of these times each has an end that is 10 ms long, and of CPU time there are four.
going_is() {
	read -r from since <<-END
		$1
	END
	going_ns=$(awk -v ns="$ns" -v from="$from" -v since="$since" -v over="$over_at" -v window="$(figure going .times.window_ns)" \
		'BEGIN { printf "%.0f", (ns / 1e9 - from) / (over - since) * window }')
	going_got=$(figure going '[.times.threads[].task_ns] | add')
	is "$over_at - $since > 1 && $going_got > $going_ns * (1 - $within / 100) - 60000000 && \
$going_got < $going_ns * (1 + $within / 100) + 60000000"
}

# at any moment of a fork; the storm goes on for as long as all this takes
tries='1 2 3 4'
[ -z "${SAMPLE_SECONDS:-}" ] || tries=
short=$seconds
seconds=$((seconds * 4))
ready_storms
seconds=$short
kill -USR1 $wanted $unwanted
sleep 0.3
for try in $tries; do
	record "going$try" -p "$wanted" -F 499 -d 0.5
	claim "going, $try: record ends well" equal $? 0
done
start going -F 499 -p "$wanted"
began=$(used $wanted)
over going -p
claim 'going: nobody else is in it' only going 'good-.*'
claim 'going: its children are' has in_storm going.folded
claim "going: CPU time is the kernel's, within $within %" going_is "$began"
for try in $tries; do
	read_profile "going, $try" "going$try"
	claim "going, $try: nobody else is in it" only "going$try" 'good-.*'
	claim "going, $try: its children are" has in_storm "going$try.folded"
	claim "going, $try: each row closes, no part is below 0, none is longer than the window" rows_close "going$try"
done

# tids that come round again soon: the lowest limit there is, below which the kernel gives one only for as long as
# the last one was, too
if [ -n "${SAMPLE_SECONDS:-}" ] && [ -w /proc/sys/kernel/ns_last_pid ]; then
	pid_max=$(cat /proc/sys/kernel/pid_max)
	spawn "$FIXTURES/storm" any round 200 250
	rounder=$pid
	mv ready out.rounder
	echo 301 >/proc/sys/kernel/pid_max
	ready_storms
	blow wrap -p "$wanted"
	claim 'wrap: nobody else is in it' only wrap 'good-.*'
	claim 'wrap: tids came round' is "$(grep -c round out.rounder) > 2"
	echo "$pid_max" >/proc/sys/kernel/pid_max
	reap $rounder
fi

# --- a cgroup, and what is made below it
v2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
group=$v2/dwell-test-$$
if [ -n "$v2" ] && mkdir "$group" 2>err; then
	mkdir "$group/before"
	cat >./join <<-'END'
		#!/bin/sh
		echo $$ >"$1/cgroup.procs"
		shift
		exec "$@"
	END
	chmod +x join
	ready_storms ./join "$group/before"
	blow cgroup --cgroup "$group"
	claim 'cgroup: nobody else is in it' only cgroup 'good-.*|sh|join'
	for name in "/dwell-test-$$/before" "dwell-test-$$/before" "$(stat -c %i "$group/before")"; do
		ready_storms ./join "$group/before"
		start path --cgroup "$name"
		kill -USR1 "$wanted"
		sleep 1
		stop INT
		claim "cgroup $name: record ends well" equal $? 0
		reap "$wanted"
		reap "$unwanted"
		names path >names.path
		claim "cgroup $name: nobody else is in it" only path 'good-.*'
		claim "cgroup $name: its tasks are" has '^good-child$' names.path
	done
	start later --cgroup "$group"
	mkdir "$group/after"
	ready_storms ./join "$group/after"
	kill -USR1 "$wanted"
	sleep 1
	stop INT
	reap "$wanted"
	reap "$unwanted"
	names later >names.later
	claim 'a cgroup made later below it: its tasks are in it' has '^good-child$' names.later
	claim 'a cgroup made later below it: nobody else is' only later 'good-.*|sh|join'
	sleep 0.2
	rmdir "$group/before" "$group/after" "$group"
	record file --cgroup "$v2/cgroup.procs" -d 1
	claim 'a file is no cgroup' equal $? 1
	record gone --cgroup "$group" -d 1
	claim 'no such cgroup: exit status 1' equal $? 1
	claim 'no such cgroup: one line says so' has "^dwell: no cgroup '$group', neither as a folder nor below" stderr
	v1=$(awk '$3 == "cgroup" { print $2; exit }' /proc/self/mounts)
	if [ -n "$v1" ]; then
		record v1 --cgroup "$v1" -d 1
		claim 'a v1 cgroup: exit status 1' equal $? 1
		claim 'a v1 cgroup is refused by name' has "^dwell: $v1 is a cgroup of a v1 hierarchy" stderr
	else
		skip 'a v1 cgroup is refused' 'none is mounted'
	fi
else
	skip 'cgroups' "no cgroup2 file system to make one in"
fi

# --- names of threads, and single threads
spawn sh -c 'echo ready; exec "$0" 300' "$FIXTURES/times"
until [ "$(cat "/proc/$pid"/task/*/comm | grep -c '^t-')" = 7 ]; do sleep 0.05; done
record comm --comm 't-burn-[12]' --comm '*pongs' -d "$long"
claim '--comm: record ends well' equal $? 0
read_profile '--comm' comm
claim '--comm: these and no other' equal "$(names comm | grep -v '^\[' | tr '\n' ' ')" 't-burn-1 t-burn-2 t-pongs '
burn=$(grep -l '^t-burn-3$' "/proc/$pid"/task/*/comm | sed 's/.*task.//; s/.comm//')
naps=$(grep -l '^t-naps$' "/proc/$pid"/task/*/comm | sed 's/.*task.//; s/.comm//')
before=$(cut -d' ' -f1 "/proc/$pid/task/$burn/schedstat")
record tid -t "$burn,$naps" -d "$long"
claim '-t: record ends well' equal $? 0
after=$(cut -d' ' -f1 "/proc/$pid/task/$burn/schedstat")
read_profile '-t' tid
claim '-t: these threads and no other' equal "$(names tid | grep -v '^\[' | tr '\n' ' ')" 't-burn-3 t-naps '
claim '-t: its CPU time is no more than the kernel says' is \
	"$(figure tid '.times.threads[] | select(.comm == "t-burn-3") | .task_ns') <= $after - $before + 10000000"
claim '-t: two rows, each for the whole window' holds tid '
	.times.window_ns as $w | [.times.threads[] | .alive_ns / $w] | length == 2 and all(. > 0.999 and . < 1.001)'
record cpu -C 1 -d "$long"
claim '-C: record ends well' equal $? 0
read_profile '-C' cpu
claim '-C: one CPU, and no account of threads, who run on all' holds cpu '.meta.cpus == 1 and .times == null'
claim '-C: its ticks' holds cpu ".ledger.ticks | . > 0 and . < 1.5 * $long * 99"
claim '-C: waits that end elsewhere are filtered' holds cpu '.waits.filtered.n > 0 and .waits.kept.n > 0'
reap "$pid"

# a thread that ends, and one that becomes another by its execve()
spawn sh -c 'echo ready; exec sleep 3'
record short -t "$pid"
claim '-t of a thread that ends: so does record' equal $? 0

# --- each thread has one row: one that is dead and not waited for, and one that has another's tid
spawn sh -c 'echo ready; sleep 1 & exec sleep 60'
record zombie -p "$pid" -d 2
"$DWELL" report zombie --json --limit 0 >zombie.json
claim 'a zombie: one row for each thread' holds zombie '[.times.threads[].tid] | length == (unique | length)'
claim 'a zombie: it waits for nothing' holds zombie '.waits.open.n == 1'
record zombie -p "$pid" -d 1
claim 'a zombie of before: no row' equal "$("$DWELL" report zombie --json | jq -c '[(.times.threads | length), .waits.open.n]')" '[1,1]'
reap "$pid"
spawn "$FIXTURES/storm" good hold
start hold -p "$pid"
kill -USR1 "$pid"
sleep 2
stop INT
claim "another's tid: record ends well" equal $? 0
"$DWELL" report hold --json --limit 0 --kind off >hold.json
# the first thread had it until then
claim "another's tid: nobody lives twice" holds hold '.times.window_ns as $w |
	[.times.threads | group_by(.tid)[] | map(.alive_ns) | add] | length > 0 and all(. < $w * 1.05)'
claim "another's tid: each row closes, no part is below 0, none is longer than the window" rows_close hold
claim "another's tid: one of them still waits, with its stack" holds hold '.waits.open.n == 1 and
	([.hotspots[] | select(.symbol == "[still waiting]")] == [])'
reap "$pid"

# --- waits alone
record off --off-cpu=1500us --off-period 1ms -- "$FIXTURES/waits" 2
claim '--off-cpu: record ends well' equal $? 0
"$DWELL" report off --json --limit 0 >off.json
claim '--off-cpu: there are no ticks' holds off '.ledger == null or .ledger.ticks == 0'
claim '--off-cpu: its report is of waits' holds off '.ranked_by.type == "blocked" and .base.ns > 0'
claim '--off-cpu=MIN: the shorter ones are one row' holds off '
	([.hotspots[] | select(.symbol == "[waits under 1.5 ms]") | .self_ns] | add) == .waits.under.ns and .waits.under.ns > 0'
claim '--off-cpu: each wait has its place' holds off '
	.waits | .seen.n == .below.n + .under.n + .self.n + .filtered.n + .kept.n and
	.seen.ns == .below.ns + .under.ns + .self.ns + .filtered.ns + .kept.ns'
# T grows where walking takes more than its budget, as on an emulated machine, and with it what chance may do.
claim '--off-cpu: with the short ones they add up to the exact account, within 1 % and what chance may do' holds off '
	([.times.threads[] | .blocked_ns + .runqueue_ns] | add) as $exact |
	if (.base.ns - $exact | fabs) < 0.01 * $exact + 4 * .base.error_ns then true
	else [.base, $exact, .waits] | halt_error end'

# --- what cannot be
for args in '-t 0' '-t x' '-C x' '-C 1-' '--comm=' '--comm=a-name-of-17-byte' '--comm=[a' '--off-cpu=soon' '--on-cpu --off-cpu' \
	"-p $$ -t $$" "-a -t $$" '--off-cpu -F 99' '--on-cpu --budget 1'; do
	# shellcheck disable=SC2086
	record no $args -d 1
	claim "$args: refused" equal $? 2
done
record no -C 0,4000 -d 1
claim 'a CPU that is not there: exit status 1' equal $? 1
record no --cgroup /no/such -d 1
claim 'a cgroup that is not there: exit status 1' equal $? 1
record no -t 4194304 -d 1
claim 'a thread that is not there: exit status 1' equal $? 1
