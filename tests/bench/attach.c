/* SPDX-License-Identifier: BSD-2-Clause */
/* attach OBJECT - loads a BPF object and attaches its programs, as long as it is let live. */
#include <bpf/libbpf.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct bpf_object *o = argc == 2 ? bpf_object__open_file(argv[1], NULL) : NULL;
	struct bpf_program *p;

	if (!o || bpf_object__load(o))
		return 1;
	bpf_object__for_each_program(p, o)
		if (!bpf_program__attach(p))
			return 1;
	/* which a shell that runs it in the background lets it ignore */
	signal(SIGINT, SIG_DFL);
	puts("attached");
	fflush(stdout);
	pause();
	return 0;
}
