/* SPDX-License-Identifier: MIT */
/*
 * json_write.h - values to JSON text, appended to a buffer
 *
 * Compact, minimal escapes (quotation mark, reverse solidus, control characters; RFC 8259,
 * section 7), everything else as it is in UTF-8. On failure the buffer may hold the beginning of
 * the value: the caller marks before and truncates after.
 *
 * Failures: -ENOMEM, -EMSGSIZE (the buffer's max), -EILSEQ bad UTF-8, -EINVAL NaN or infinity,
 * -E2BIG nested deeper than JRI_WRITE_DEPTH (jansson's own reading limit; a circular value too).
 */
#ifndef JRI_JSON_WRITE_H
#define JRI_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "buf.h"

enum { JRI_WRITE_DEPTH = 2048 };

/* Plain text and its quotation marks, len + 2 bytes; false if it is not plain. */
bool jri_string_to_text(const char *text, size_t len, char *to);

int jri_write_string(jrpc_buf *buf, const char *text, size_t len);

/* For texts that must get out: bad UTF-8 becomes U+FFFD (one for each maximal subpart). */
int jri_write_text(jrpc_buf *buf, const char *text, size_t len);

int jri_write_integer(jrpc_buf *buf, int64_t value);

/* Integral values up to 2^53 without a fraction; -0.0 as 0. */
int jri_write_number(jrpc_buf *buf, double value);

/* A whole value; reals keep a fraction or exponent, so that they read back as reals. */
int jri_write_json(jrpc_buf *buf, const json_t *value);

/* The length of the longest valid UTF-8 beginning of text; len if all of it is. */
size_t jri_utf8_check(const char *text, size_t len);

#endif
