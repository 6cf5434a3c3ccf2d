/* SPDX-License-Identifier: BSD-2-Clause */
#include <bpf/libbpf.h>
#include <gelf.h>
#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <zlib.h>

#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/output.h"

int cmd_version(int argc, char **argv)
{
	struct buf b = { 0 };
	int r;

	buf_printf(&b, "dwell %s\n", DWELL_VERSION);
	buf_printf(&b, "libbpf %s, zlib %s, protobuf-c %s, jansson %s\n", libbpf_version_string(),
		   zlibVersion(), protobuf_c_version(), JANSSON_VERSION);
	r = output_text(buf_text(&b));
	buf_done(&b);
	return r < 0 ? failed() : 0;
}
