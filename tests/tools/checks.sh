#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The structure checks refuse what they are there to refuse: a small good tree passes
# them, and each fault added to it fails, by its own message.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
status=0

good_tree() {
	rm -rf "$tmp/tree" && mkdir -p "$tmp/tree"/{user/base,user/model,user/cmd,bpf} && cd "$tmp/tree" || exit 1
	printf '# rooms\nbase:\nmodel: base\ncapture: base model +bpf\ncmd: base model +stdio +bpf\n' >user/ROOMS
	mkdir user/capture
	printf '#pragma once\nint base_a(int a);\n' >user/base/a.h
	printf '#include "base/a.h"\n\nint base_a(int a)\n{\n\treturn a; /* printf() of {\n*/\n}\n' >user/base/a.c
	printf '#pragma once\n#include "base/a.h"\n#include <stddef.h>\n' >user/model/m.h
	printf '#include "model/m.h"\n#include <stdio.h>\n\nint main(void)\n{\n\tprintf("kprobe at http: {");\n\treturn base_a(1);\n}\n' \
		>user/cmd/main.c
	printf '#include "bpf/wire.h"\n#include <bpf/libbpf.h>\n' >user/capture/c.c
	printf '#pragma once\n#ifndef __bpf__\n#include <linux/types.h>\n#endif\n' >bpf/wire.h
	mkdir -p "vmlinux/$(uname -m)" && echo 'typedef unsigned int __u32;' >"vmlinux/$(uname -m)/vmlinux.h"
	printf '/* no kprobe here */\nstatic const char *s = "a";\n' >bpf/a.bpf.c
}

# pass CHECK
pass() {
	good_tree
	if "$top/tools/$1" "$tmp/tree" >"$tmp/log" 2>&1; then
		echo "ok - $1 passes a good tree"
	else
		echo "not ok - $1 passes a good tree"
		sed 's/^/# /' "$tmp/log"
		status=1
	fi
}

# refuse CHECK MESSAGE FAULT: the shell command FAULT spoils the good tree.
refuse() {
	good_tree
	eval "$3"
	if ! "$top/tools/$1" "$tmp/tree" >"$tmp/log" 2>&1 && grep -q "$2" "$tmp/log"; then
		echo "ok - $1 refuses: $2"
	else
		echo "not ok - $1 refuses: $2"
		sed 's/^/# /' "$tmp/log"
		status=1
	fi
}

repeat() {
	local i
	for ((i = 0; i < $1; i++)); do
		printf '%b' "$2"
	done
}

pass check-rooms
refuse check-rooms 'room base may not include from model' "echo '#include \"model/m.h\"' >>user/base/a.c"
refuse check-rooms 'write it as "room/file.h"' "echo '#include \"m.h\"' >>user/model/m.h"
refuse check-rooms 'write it as "room/file.h"' "echo '#include \"../base/a.h\"' >>user/model/m.h"
refuse check-rooms 'room model may not see bpf/wire.h' "echo '  #  include \"bpf/wire.h\"' >>user/model/m.h"
refuse check-rooms 'room model may not see the BPF programs' "echo '#include \"a.skel.h\"' >>user/model/m.h"
refuse check-rooms 'libbpf.h> belongs to room capture' "echo '#include <bpf/libbpf.h>' >>user/cmd/main.c"
refuse check-rooms 'include cycle' "echo '#include \"base/b.h\"' >>user/base/a.h; echo '#include \"base/a.h\"' >user/base/b.h"
refuse check-rooms 'that is upward' "sed -i 's/^base:/base: model/' user/ROOMS"
refuse check-rooms 'not a room' 'mkdir user/other; touch user/other/a.c'
refuse check-rooms 'not a room' 'touch user/a.c'
refuse check-rooms 'says nothing' 'touch user/base/helpers.c'
refuse check-rooms 'says nothing' 'mkdir bpf/common'
refuse check-rooms 'says nothing' 'touch user/base/string_util.h'
refuse check-rooms 'bpf/ may not include' "echo '#include \"model/m.h\"' >>bpf/a.bpf.c"
for call in 'printf("a")' 'fprintf(f, "a")' 'puts("a")' 'fputs("a", f)' 'perror("a")' 'putchar(1)' 'vfprintf(f, s, a)' \
	'dprintf(1, "a")' 'fwrite(a, 1, 1, f)'; do
	refuse check-rooms 'room base may not print' "printf '\t%s;\n' '$call' >>user/base/a.c"
done
refuse check-rooms 'stdout and stderr' "echo 'FILE *f = stderr;' >>user/base/a.c"
good_tree
printf '\tsnprintf(a, 1, "stderr");\n\tbuffer_printf(a);\n' >>user/base/a.c
if "$top/tools/check-rooms" "$tmp/tree" 2>"$tmp/log"; then
	echo 'ok - check-rooms knows snprintf from printing'
else
	echo 'not ok - check-rooms knows snprintf from printing'
	status=1
fi

pass check-size
body() { # LINES PARAMETERS
	printf '\nstatic int\nlong_one(%s)\n{\n' "$2"
	repeat $(($1 - 4)) '\tx++;\n'
	printf '}\n'
}
refuse check-size 'long_one() has 101 lines' 'body 101 void >>user/base/a.c'
refuse check-size 'a() has 6 parameters' "printf 'int a(int a, int b, void (*c)(int, int), int d,\n      int e, int f)\n{\n}\n' >>user/base/a.c"
refuse check-size '601 lines' "repeat 601 '\n' >user/base/a.c"
refuse check-size '151 lines' "repeat 151 '\n' >user/base/a.h"
refuse check-size 'line of its own' "echo 'int f(void) {' >>user/base/a.c"
good_tree
{
	body 100 'int a, int b, void (*c)(int, int), int d, int e'
	body 61 void
	printf 'int BPF_PROG(many, int a, int b, int c, int d, int e, int f)\n{\n}\n'
	printf 'static const int t[] = {\n'
	repeat 150 '\t1,\n'
	printf '};\n'
} >>user/base/a.c
if "$top/tools/check-size" "$tmp/tree" 2>"$tmp/log" && grep -q 'warning:.*61 lines' "$tmp/log" &&
	grep -q 'warning:.*100 lines' "$tmp/log" && [ "$(wc -l <"$tmp/log")" = 2 ]; then
	echo 'ok - check-size warns from 61 lines on, and lets tables and tracing programs be'
else
	echo 'not ok - check-size warns from 61 lines on, and lets tables and tracing programs be'
	sed 's/^/# /' "$tmp/log"
	status=1
fi

pass check-words
refuse check-words 'forbidden: bpf/a.bpf.c:3:.*STACK_TRACE' "echo 'x = BPF_MAP_TYPE_STACK_TRACE;' >>bpf/a.bpf.c"
refuse check-words 'forbidden: bpf/a.bpf.c:3:.*kprobe' "echo 'SEC(\"kprobe/do_it\")' >>bpf/a.bpf.c"
refuse check-words 'forbidden: bpf/a.bpf.c:3:.*fentry' "echo 'SEC(\"fentry/do_it\")' >>bpf/a.bpf.c"
refuse check-words 'forbidden: bpf/a.bpf.c:3:.*CORE_READ' "echo 'x = BPF_CORE_READ(a, b);' >>bpf/a.bpf.c"
refuse check-words 'forbidden: user/capture/c.c:3:.*tracing' "echo 'open(\"/sys/kernel/tracing/x\");' >>user/capture/c.c"
refuse check-words 'forbidden: bpf/a.bpf.c:3:.*probe_read_kernel' "echo 'bpf_probe_read_kernel(a, 1, b);' >>bpf/a.bpf.c"
refuse check-words 'forbidden: .*bpf/wire.h:5:' "echo '/* see /wo''rk/notes */' >>bpf/wire.h"
refuse check-words 'forbidden: .*user/cmd/main.c:9:' "echo '/* https:/''/pkg.somewhere.net/x */' >>user/cmd/main.c"

pass check-headers
refuse check-headers 'user/model/m.h does not compile alone' "echo 'size_t m(struct unknown a);' >>user/model/m.h"
refuse check-headers 'bpf/wire.h does not compile alone' "echo 'struct w { u64 a; };' >>bpf/wire.h"
exit $status
