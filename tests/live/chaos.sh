#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: chaos
# What makes maps and tables wrong: libraries that come and go at one address, programs that become
# others, short processes by the thousand, a binary that is replaced while it runs, one whose
# .eh_frame is garbage. Stacks may be cut off there, and say so; none is a wrong one.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

if ! command -v cc >/dev/null; then
	skip 'chaos' 'no cc'
	exit
fi

# Functions whose names tell who calls whom: call -> outerN -> innerN. Frames differ by N.
part() {
	cat <<C
static volatile unsigned long sink;
static __attribute__((noinline)) void inner$1(void)
{
	volatile char pad[$1 * 112 + 16];
	pad[0] = 1;
	for (int i = 0; i < 400000; i++)
		sink += (unsigned long)pad[0];
}
static __attribute__((noinline)) void outer$1(void)
{
	volatile char pad[$1 * 48 + 8];
	pad[0] = 1;
	inner$1();
	sink += (unsigned long)pad[0];
}
C
}

for n in 0 1 2 3; do
	{ part $n; echo "void call(void); void call(void) { outer$n(); sink++; }"; } >lib$n.c
	cc -O1 -fomit-frame-pointer -fPIC -shared -o lib$n.so lib$n.c || exit 1
done
cat >loader.c <<'C'
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
int main(void)
{
	char path[] = "./lib0.so";
	write(1, "ready\n", 6);
	for (int i = 0;; i++) {
		path[5] = (char)('0' + i % 4);
		void *lib = dlopen(path, RTLD_NOW);
		void (*call)(void) = lib ? (void (*)(void))dlsym(lib, "call") : 0;
		if (!call)
			return 1;
		call();
		dlclose(lib);
	}
}
C
# becomes the other one of the two, again and again
for n in 5 6; do
	{
		part $n
		cat <<C
#include <unistd.h>
int main(int argc, char **argv)
{
	if (argc > 2)
		write(1, "ready\\n", 6);
	outer$n();
	sink++;
	execl(argv[1], argv[1], argv[0], (char *)0);
	return 1;
}
C
	} >exec$n.c
	cc -O1 -fomit-frame-pointer -o exec$n exec$n.c || exit 1
done
cc -O1 -fomit-frame-pointer -o loader loader.c -ldl || exit 1

# true_chains FILE: each innerN is called by its outerN; prints what is not, and how many of the
# stacks that have an innerN are whole.
true_chains() {
	awk '{
		n = $NF
		sub(/ [0-9]+$/, "")
		k = split($0, f, ";")
		for (i = 1; i <= k; i++) {
			if (f[i] !~ /^(inner|outer)[0-9]$/)
				continue
			with[f[i] ~ /^inner/] += n
			number = substr(f[i], 6)
			cut = f[2] ~ /^\[truncated/
			if (f[i] ~ /^inner/) {
				whole += cut ? 0 : n
				if (f[i - 1] != "outer" number && !(cut && i == 3))
					{ print "wrong: " $0; bad = 1 }
			} else if (f[i - 1] !~ /^(call|main)$/ && !(cut && i == 3)) {
				print "wrong: " $0; bad = 1
			}
		}
	}
	END { printf "%d of %d whole\n", whole, with[1]; exit bad || whole < 0.9 * with[1] || with[1] < 50 }' "$1"
}

spawn ./loader
record loads -F 197 -d 5 -p "$pid"
claim 'dlopen loop: record ends well' equal $? 0
read_profile 'dlopen loop' loads
claim 'dlopen loop: no stack is a wrong one, and most are whole' true_chains loads.folded
reap "$pid"

spawn ./exec5 ./exec6 x
record execs -F 197 -d 5 -p "$pid"
claim 'exec loop: record ends well' equal $? 0
read_profile 'exec loop' execs
claim 'exec loop: no stack is a wrong one, and most are whole' true_chains execs.folded
reap "$pid"

cat >storm <<'S'
echo ready
i=0
while [ $i -lt 10000 ]; do
	/bin/true
	i=$((i + 1))
done
S
spawn sh storm
start storm.pb -F 499 -a
wait "$pid"
stop INT
claim '10,000 short processes: record ends well' equal $? 0
read_profile '10,000 short processes' storm.pb
claim '10,000 short processes: the worker lives' holds storm.pb '.meta.worker_deaths == 0'

# Replaced by another while it runs: what runs is the old one, of which there is no path any more.
cp loader x && cp exec5 y
spawn ./x
start replaced.pb -F 197 -p "$pid"
sleep 1
mv y x
sleep 1
stop INT
claim 'replaced: record ends well' equal $? 0
read_profile 'replaced' replaced.pb
claim 'replaced: no stack is a wrong one, and most are whole' true_chains replaced.pb.folded
reap "$pid"

# Garbage where .eh_frame was: in the whole section, and in its second half. The header of the file
# says where it is.
garble() {
	read -r offset size <<S
$(readelf -SW "$1" | sed 's/^ *\[ *[0-9]*\] *//' | awk '$1 == ".eh_frame" { print $4, $5 }')
S
	[ -n "$size" ] || return 1
	offset=$((0x$offset)) size=$((0x$size))
	dd if=/dev/urandom of="$1" bs=1 seek=$((offset + size * $2 / 2)) count=$((size - size * $2 / 2)) \
		conv=notrunc 2>/dev/null
}

for half in 0 1; do
	cp loader garbled$half
	claim "garbage in .eh_frame ($half): made" garble garbled$half $half
	for n in 0 1; do
		garble lib$n.so $half
	done
	spawn ./garbled$half
	record garbled -F 197 -d 2 -p "$pid"
	claim "garbage in .eh_frame ($half): record ends well" equal $? 0
	read_profile "garbage in .eh_frame ($half)" garbled
	claim "garbage in .eh_frame ($half): the worker lives" holds garbled '.meta.worker_deaths == 0'
	# the libraries that are whole still are
	claim "garbage in .eh_frame ($half): lib3 is seen" grep -q 'outer3;inner3' garbled.folded
	reap "$pid"
done

# A file that ends in the middle of its sections.
size=$(stat -c %s exec6)
cp exec6 short && truncate -s $((size * 3 / 4)) short
if "$DWELL" doctor ./short >short.log 2>&1; then
	echo 'ok - a truncated file: it has unwind tables in spite of that'
else
	claim 'a truncated file: doctor says what it is' has '^dwell: \./short: ' short.log
fi
