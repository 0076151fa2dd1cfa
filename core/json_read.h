/* SPDX-License-Identifier: MIT */
/*
 * json_read.h - a strict RFC 8259 scanner: validates text once, hands out slices of it
 *
 * Validates grammar, UTF-8 (RFC 3629), escapes, surrogate pairs, depth and number of values.
 * No allocation, no recursion, no read past the end, no change of the text. A slice that was
 * handed out is valid JSON and need not be checked again.
 *
 * The reader is a cursor: read one whole value, or enter a container and walk its members:
 *
 *     if (jri_read_type(&r) == JRPC_OBJECT)
 *         for (more = jri_read_enter(&r); more > 0; more = jri_read_next(&r, '}'))
 *             if ((more = jri_read_name(&r, &name)) < 0 || (more = jri_read_value(&r, &v)) < 0)
 *                 break;
 *
 * After the first failure every further step returns the same failure: nothing is left to read
 * then, so that the steps need not ask.
 */
#ifndef JRI_JSON_READ_H
#define JRI_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <jrpc/call.h>
#include <jrpc/error.h>

#include "text.h"

enum {
    JRI_ESCAPED = 1, /* a string with a backslash in it: its text is not its value */
    JRI_HAS_NUL = 2, /* a string with U+0000 in it */
};

/* Containers inside one another that reader and builder have room for. */
enum { JRI_READ_DEPTH = 1024 };

/**
 * struct jri_value - one JSON value, as a slice of validated text or as a jansson value
 * @text:   its text without white space around it, a string's with the quotes; not NUL-terminated;
 *          NULL if the value came from a codec
 * @len:    bytes of @text
 * @type:   jrpc_type; numbers: JRPC_INTEGER without fraction and exponent (any size),
 *          else JRPC_NUMBER
 * @flags:  JRI_ESCAPED, JRI_HAS_NUL; of strings only
 * @json:   the value if it came from a codec, borrowed; else NULL
 */
typedef struct jri_value {
    const char *text;
    uint32_t len;
    uint8_t type, flags;
    json_t *json;
} jri_value;

typedef struct jri_reader {
    const char *at, *end, *start;
    uint32_t depth, depth_max;
    uint32_t n_values, values_max;
    int status;         /* the first failure; 0 until then */
    const char *reason; /* static text of it */
} jri_reader;

/* len < 2^32; text may be NULL if len is 0; depth_max is at most JRI_READ_DEPTH. */
static inline void jri_read_begin(jri_reader *reader, const char *text, size_t len,
                                  uint32_t depth_max, uint32_t values_max);

/* Failures of all below: -EBADMSG not JSON, or deeper than depth_max; -E2BIG over values_max. */

/* The next value's type by its first byte (JRPC_NUMBER for any number); JRPC_ABSENT: none. */
static inline jrpc_type jri_read_type(jri_reader *reader);

/* One whole value: 0 or failure. */
static inline int jri_read_value(jri_reader *reader, jri_value *out);

/* Steps into the array or object that jri_read_type() saw: 1 a member follows, 0 it was empty
 * (and is left again), or failure. Counts as one value. */
static inline int jri_read_enter(jri_reader *reader);

/* A member's name and its colon: 0 or failure. */
static inline int jri_read_name(jri_reader *reader, jri_value *out);

/* If the text goes on with exactly these bytes, steps behind them: an expected name is read,
 * quotes, colon and all, by one comparison. That they are JSON is the caller's word; a value among
 * them is not counted. */
static inline bool jri_read_known(jri_reader *reader, const char *known, size_t len);

/* After a member's value: 1 another follows, 0 the container was closed by `close`, or failure. */
static inline int jri_read_next(jri_reader *reader, char close);

/* Only white space may be left: 0 or failure. */
int jri_read_end(jri_reader *reader);

/* Notes a failure at `at`; returns the reader's first one, whichever it was. */
int jri_read_fail(jri_reader *reader, const char *at, int status, const char *reason);

/* Fills in line and column of the byte at `at`, in a text that begins at start. */
void jri_text_locate(const char *start, const char *at, jrpc_problem *out);

/* Fills in code, line, column and text from the reader's failure. */
void jri_read_problem(const jri_reader *reader, jrpc_problem *out);

/* The value of a string slice with quotes, unescaped, no NUL added: its length, at most len - 2. */
size_t jri_string_decode(const jri_value *string, char *to);

/* Validated text to a jansson value: 0, -ENOMEM, or -ERANGE for a number no double can hold.
 * Integers beyond int64 become reals; of equal names the last counts; U+0000 in a string is
 * kept, in a name refused by jansson: -EBADMSG. Depth is bounded by what was validated. */
int jri_json_build(const char *text, size_t len, json_t **out);

#include "json_step.h"

#endif
