/* SPDX-License-Identifier: BSD-2-Clause */
/* cmocka with what it wants included before it, and without its fail(), which is ours. */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#undef fail

#endif
