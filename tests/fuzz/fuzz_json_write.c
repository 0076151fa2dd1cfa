/* SPDX-License-Identifier: MIT */
/*
 * fuzz_json_write.c - any bytes as a string, a number, a value: what is written reads back
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/number.h"
#include "json_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

/* Written as a string, the text must read back as itself, or be refused if it is not UTF-8. */
static void try_string(const char *text, size_t len)
{
    size_t n_valid = jri_utf8_check(text, len);
    json_t *value = NULL;
    bool is_too_deep;
    jrpc_buf buf;

    expect(n_valid == len || !json_stringn(text, len), "bad UTF-8 is bad for jansson");
    jri_buf_init(&buf, SIZE_MAX);
    int status = jri_write_string(&buf, text, len);
    expect(status == (n_valid == len ? 0 : -EILSEQ), "bad UTF-8 and nothing else is refused");
    jri_buf_truncate(&buf, 0);

    expect(jri_write_text(&buf, text, len) == 0, "any text is written");
    expect(json_oracle_reads(buf.data, buf.len, &is_too_deep), "any text written is JSON");
    expect(jri_json_build(buf.data, buf.len, &value) == 0, "and can be built");
    if (n_valid == len)
        expect(json_string_length(value) == len &&
                   (!len || !memcmp(json_string_value(value), text, len)),
               "the string is the same");
    json_decref(value);

    /* Whatever the limit, it is kept. */
    jrpc_buf full;
    jri_buf_init(&full, buf.len - 1);
    expect(jri_write_text(&full, text, len) == -EMSGSIZE && full.len < buf.len, "the limit holds");
    jri_buf_fini(&full);
    jri_buf_fini(&buf);
}

static void try_numbers(const uint8_t bytes[8])
{
    char text[JRI_NUMBER_MAX];
    int64_t integer, integer_back = 0;
    double real, real_back = 0;

    memcpy(&integer, bytes, sizeof(integer));
    size_t len = jri_int64_to_text(integer, text);
    expect(jri_number_to_int64(text, len, &integer_back) == 0 && integer_back == integer,
           "the integer is the same");

    memcpy(&real, bytes, sizeof(real));
    if (!isfinite(real))
        return;
    len = jri_real_to_text(real, text);
    expect(len <= JRI_NUMBER_MAX, "there is room for the real");
    expect(jri_number_to_double(text, len, &real_back) == 0 &&
               !memcmp(&real_back, &real, sizeof(real)),
           "the real is the same");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *fault;
    json_t *value;

    try_string(text, size);
    for (size_t at = 0; at + 8 <= size && at < 64; at += 8)
        try_numbers(data + at);

    value = json_loadb(size ? text : "", size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    fault = value ? json_oracle_check_value(value) : NULL;
    json_decref(value);
    expect(!fault, fault ? fault : "");
    return 0;
}
