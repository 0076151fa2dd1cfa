/* SPDX-License-Identifier: MIT */
/*
 * number.h - numbers between text and C, whatever the locale
 *
 * Text is a validated JSON number of exactly len bytes, not NUL-terminated.
 */
#ifndef JRI_NUMBER_H
#define JRI_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that any number written here takes at most. */
enum { JRI_NUMBER_MAX = 32 };

/* Exactly, fraction and exponent allowed if integral (1.0, 12e2): 0, -EDOM not integral,
 * -ERANGE beyond int64. */
int jri_number_to_int64(const char *text, size_t len, int64_t *out);

/* The nearest double (ties to even): 0, or -ERANGE if that is infinite. */
int jri_number_to_double(const char *text, size_t len, double *out);

/* The shortest spelling that reads back as the same number; returns its length, no NUL. */
size_t jri_int64_to_text(int64_t value, char to[JRI_NUMBER_MAX]);

/* value is finite. Always with a fraction or an exponent: 1.0, 1e+300, -0.0. */
size_t jri_real_to_text(double value, char to[JRI_NUMBER_MAX]);

#endif
