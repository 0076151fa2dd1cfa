/* SPDX-License-Identifier: MIT */
/*
 * json_oracle.h - reader, builder and writer held against jansson, on one text
 *
 * Any text must have the same verdict from both, and an equal value; what is written must read
 * back as an equal value, by both. The only exceptions are the listed ones: what jansson's values
 * cannot hold.
 */
#ifndef TEST_JSON_ORACLE_H
#define TEST_JSON_ORACLE_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/json_read.h"
#include "core/json_write.h"

/* What jansson refuses and the reader accepts, by jansson's error, and what building gives. */
static const struct {
    enum json_error_code code;
    const char *text;
    int status;
} json_exceptions[] = {
    {json_error_numeric_overflow, "too big integer", 0},
    {json_error_numeric_overflow, "too big negative integer", 0},
    {json_error_numeric_overflow, "real number overflow", -ERANGE},
    {json_error_null_byte_in_key, "NUL byte in object key", -EBADMSG},
};

/* What building must give though jansson failed so; 1: it must not be built at all. */
static inline int json_oracle_expect(const json_error_t *error)
{
    for (size_t i = 0; i < sizeof(json_exceptions) / sizeof(json_exceptions[0]); i++)
        if (json_error_code(error) == json_exceptions[i].code &&
            !strncmp(error->text, json_exceptions[i].text, strlen(json_exceptions[i].text)))
            return json_exceptions[i].status;
    return 1;
}

static inline bool json_oracle_reads(const char *text, size_t len, bool *is_too_deep)
{
    jri_reader reader;
    jri_value value;

    jri_read_begin(&reader, text, len, JRI_READ_DEPTH, UINT32_MAX);
    int status = jri_read_value(&reader, &value);
    if (!status)
        status = jri_read_end(&reader);
    *is_too_deep = status && strstr(reader.reason, "depth_max");
    return status == 0;
}

/* A value written and read again by both: NULL, or what went wrong. */
static inline const char *json_oracle_check_value(const json_t *value)
{
    const char *fault = NULL;
    json_t *own = NULL, *other = NULL;
    bool is_too_deep;
    jrpc_buf buf;

    jri_buf_init(&buf, SIZE_MAX);
    if (jri_write_json(&buf, value))
        fault = "not written";
    else if (!json_oracle_reads(buf.data, buf.len, &is_too_deep))
        fault = "not readable as written";
    else if (jri_json_build(buf.data, buf.len, &own) || !json_equal(own, value))
        fault = "built otherwise from what was written";
    else
        other = json_loadb(buf.data, buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!fault && !json_equal(other, value))
        fault = "loaded otherwise from what was written";
    json_decref(own);
    json_decref(other);
    jri_buf_fini(&buf);
    return fault;
}

/* A text the reader accepts; expect: what jansson makes of it, or NULL and its error. */
static inline const char *json_oracle_check_build(const char *text, size_t len,
                                                  const json_t *expect, const json_error_t *error)
{
    int expect_status = expect ? 0 : json_oracle_expect(error);
    const char *fault = NULL;
    json_t *value = NULL;

    if (expect_status > 0)
        return "accepted by the reader alone";
    int status = jri_json_build(text, len, &value);
    if (expect ? status || !json_equal(value, expect)
               : status && status != -ERANGE && status != -EBADMSG)
        fault = "built otherwise";
    /* Of several exceptions in one text jansson tells the first; another may end the building. */
    else if (expect_status && !status)
        fault = "built what no value can hold";
    else if (!status)
        fault = json_oracle_check_value(value);
    json_decref(value);
    return fault;
}

/* NULL, or what the two disagree about. */
static inline const char *json_oracle_check(const char *text, size_t len)
{
    json_error_t error = {0};
    json_t *expect = NULL;
    const char *fault = NULL;
    bool is_too_deep, is_accepted = json_oracle_reads(text, len, &is_too_deep);

    if (is_too_deep)
        return NULL;
    /* A raw NUL byte behind a number ends the text for jansson. */
    if (!len || !memchr(text, '\0', len))
        expect = json_loadb(len ? text : "", len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (is_accepted)
        fault = json_oracle_check_build(text, len, expect, &error);
    else if (expect)
        fault = "refused by the reader alone";
    json_decref(expect);
    return fault;
}

#endif
