#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# vmlinux.h is what its template says, and trim-vmlinux refuses what the kernel does not have.
set -u
cd "$(dirname "$0")/../.." || exit 1
export PATH=$PATH:/usr/sbin
header=vmlinux/$(uname -m)/vmlinux.h
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
status=0
if [ ! -r /sys/kernel/btf/vmlinux ]; then
	echo 'ok - vmlinux.h # SKIP this kernel has no BTF (/sys/kernel/btf/vmlinux)'
	exit
elif [ ! -e "$header" ]; then
	echo "ok - vmlinux.h # SKIP no header for $(uname -m)"
	exit
fi

verdict() { # NAME, status in $?
	if [ $? = 0 ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		sed 's/^/# /' "$tmp/log"
		status=1
	fi
}

tools/trim-vmlinux bpf/vmlinux.types "$tmp/vmlinux.h" >"$tmp/log" 2>&1 && diff "$header" "$tmp/vmlinux.h" >"$tmp/log"
verdict "$header is made from bpf/vmlinux.types"

# refuse MESSAGE LINE: the template with LINE is an error, and leaves no output.
refuse() {
	{ cat bpf/vmlinux.types; echo "$2"; } >"$tmp/types"
	rm -f "$tmp/out.h"
	! tools/trim-vmlinux "$tmp/types" "$tmp/out.h" >"$tmp/log" 2>&1 && grep -q "$1" "$tmp/log" && [ ! -e "$tmp/out.h" ]
	verdict "refuses: $2"
}
refuse 'no struct not_of_this_kernel' '@struct not_of_this_kernel a'
refuse 'no field not_a_field' '@struct mm_struct not_a_field'
refuse 'no constant NOT_A_CONSTANT' '@const NOT_A_CONSTANT'
refuse 'unknown word' '@field a'
refuse 'list its fields before' '@struct task_struct rt'
exit $status
