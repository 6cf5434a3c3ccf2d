/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a worker's answer to a request for 3 names: refused, or tables
 * whose strings all end inside the text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "worker/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct request_head request = { ANSWER_MAGIC, 1, 3 };
	struct object_names names;
	struct answer_head head;
	int64_t len;
	size_t i, total = 0;
	char *body;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	len = answer_body_size(&head, &request);
	if (len < 0 || (size_t)len > size - sizeof(head))
		return 0;
	body = xmalloc((size_t)len);
	memcpy(body, data + sizeof(head), (size_t)len);
	if (head.err) {
		total += strlen(answer_reason(&head, body));
		free(body);
		return total == SIZE_MAX;
	}
	if (answer_decode(&head, body, &names)) {
		free(body);
		return 0;
	}
	for (i = 0; i < names.nr_names; i++) {
		if (names.name[i].name)
			total += strlen(names.name[i].name) + strlen(names.name[i].system_name);
	}
	total += strlen(names.build_id);
	object_names_done(&names);
	return total == SIZE_MAX;
}
