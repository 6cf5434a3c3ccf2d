/* SPDX-License-Identifier: BSD-2-Clause */
/* How many columns of a terminal a text takes, and texts that are made to take fewer. */
#ifndef VIEW_WIDTH_H
#define VIEW_WIDTH_H

#include <stddef.h>

#include "base/text.h"

/* Of valid UTF-8 without control characters; wide characters count 2, combining ones 0. */
size_t text_columns(const char *s);

/* Appends s; when it takes more than `columns`, its middle becomes "...". */
void text_shorten(const char *s, size_t columns, struct buf *out);

#endif
