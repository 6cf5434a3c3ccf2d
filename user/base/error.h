/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors: functions return >= 0 or a negative errno. Whoever knows the cause
 * first says so with fail(); everybody above only returns. cmd/ prints
 * error_text() once. The text is kept per thread until the next fail().
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))

/* Keeps "fmt: strerror(-err)" and returns err; err is a negative errno. */
int fail(int err, const char *fmt, ...) printf_like(2, 3);

/* The same without the errno's text, for causes that say more than errno does. */
int fail_plain(int err, const char *fmt, ...) printf_like(2, 3);

/* Puts "fmt: " before the kept text, to add context on the way up; returns err. */
int fail_in(int err, const char *fmt, ...) printf_like(2, 3);

/* The kept text, "" when there is none. Valid until the next fail*(). */
const char *error_text(void);
void error_clear(void);

#endif
