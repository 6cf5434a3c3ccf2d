# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# For the scripts of this folder, which source it: the profilers, the load, and how one is
# measured beside the other. Each script prints lines 'FIGURE<tab>PROFILER<tab>VALUE', one a
# repetition, or the table of their medians when it writes to a terminal.
# DWELL_MODE: more options of its record, where it is not measured as it comes.
# Environment: DWELL, FIXTURES, REPS (3), PROFILERS ("dwell perf bpftrace bcc": those that are there),
# BENCH_NICE (0): below 0, the session goes before the other work of this machine, down to -20.
set -u
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
DWELL=$(realpath "${DWELL:-$bench/../../build/dwell}")
FIXTURES=$(realpath -m "${FIXTURES:-$(dirname "$DWELL")/tests/fixtures}")
REPS=${REPS:-3}
export DWELL FIXTURES REPS
PATH=$PATH:/usr/sbin:/sbin

die() {
	echo "$(basename "$0"): $*" >&2
	exit 2
}

[ "$(id -u)" = 0 ] || die 'needs root'
[ -x "$DWELL" ] || die "no $DWELL: run make, or set DWELL"
[ -x "$FIXTURES/deep" ] || die "no fixtures in $FIXTURES: run make fixtures"

# In a session of its own, which the kernel schedules as one against the others; through the table
# when a person reads.
if [ -z "${BENCH_SESSION:-}" ]; then
	export BENCH_SESSION=1
	if [ -t 1 ]; then
		setsid -w "$0" "$@" | "$bench/table"
		exit "${PIPESTATUS[0]}"
	fi
	exec setsid -w "$0" "$@"
fi
echo "${BENCH_NICE:-0}" 2>/dev/null >/proc/self/autogroup || true

tmp=$(mktemp -d) || exit 1
load=()
trap 'stop_load; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
cd "$tmp" || exit 1
${CC:-cc} -O2 -D_GNU_SOURCE -o watch "$bench/watch.c" || die 'cannot build watch.c'

# bcc's profile needs the kernel's headers, or is built with libbpf: it is tried once.
find_bcc() {
	local p
	for p in profile profile-bpfcc; do
		command -v "$p" >/dev/null && timeout 10 "$p" -F 99 1 >/dev/null 2>&1 && { echo "$p"; return; }
	done
}

find_profilers() {
	local p
	bcc=
	for p in ${PROFILERS:-dwell perf bpftrace bcc}; do
		case $p in
		bcc) bcc=$(find_bcc); [ -n "$bcc" ] || continue ;;
		dwell) ;;
		*) command -v "$p" >/dev/null || continue ;;
		esac
		printf '%s ' "$p"
	done
}

# start_pinned FIXTURE SECONDS: one on each CPU, which gives way to the profilers.
start_pinned() {
	local cpu
	for cpu in $(lscpu -p=CPU | grep -v '^#'); do
		nice -n 5 taskset -c "$cpu" "$FIXTURES/$1" "$2" >/dev/null &
		load+=($!)
	done
	sleep 0.3
}

# start_load FIXTURE SECONDS: one that sees to each CPU itself.
start_load() {
	nice -n 5 "$FIXTURES/$1" "$2" >/dev/null &
	load+=($!)
	sleep 0.3
}

stop_load() {
	local p
	for p in ${load[@]+"${load[@]}"}; do
		pkill -P "$p"
		kill "$p"
		wait "$p"
	done 2>/dev/null
	load=()
}

# profile PROFILER HZ SECONDS [-m]: runs it under watch. What watch says is in $tmp/seen.
profile() {
	local command mode
	read -ra mode <<<"${DWELL_MODE:-}"
	case $1 in
	empty) command=("$FIXTURES/empty" "$2" 100) ;;
	dwell) command=("$DWELL" record "${mode[@]}" -F "$2" -o dwell.pb.gz) ;;
	perf) command=(perf record -g -a -F "$2" -o perf.data) ;;
	bpftrace) command=(bpftrace -e "profile:hz:$2 { @[ustack, kstack] = count(); }") ;;
	bcc) command=("$bcc" -F "$2") ;;
	esac
	# shellcheck disable=SC2086
	./watch ${4:-} "$3" "${command[@]}" >seen 2>err ||
		{ sed 's/^/# /' err >&2; die "$1 took no sample"; }
}

# seen KEY: what watch said of it; 0 where it said nothing.
seen() {
	awk -v k="$1" '$1 == k { v = $2 } END { print v + 0 }' seen
}

# say FIGURE PROFILER VALUE
say() {
	printf '%s\t%s\t%s\n' "$@"
}
