/* SPDX-License-Identifier: MIT */
/*
 * fuzz_json_read.c - any bytes: reader and builder agree with jansson, walking with reading whole
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "json_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads members one by one down to `levels` levels, what is deeper whole. */
static int walk(jri_reader *reader, int levels)
{
    jrpc_type type = jri_read_type(reader);
    jri_value value;

    if (type < JRPC_ARRAY || levels == 0)
        return jri_read_value(reader, &value);

    int more = jri_read_enter(reader);
    while (more > 0) {
        int status = type == JRPC_OBJECT ? jri_read_name(reader, &value) : 0;
        if (!status)
            status = walk(reader, levels - 1);
        more = status ? status : jri_read_next(reader, type == JRPC_OBJECT ? '}' : ']');
    }
    return more;
}

static jri_reader read_with(const char *text, size_t len, int levels)
{
    jri_reader reader;

    jri_read_begin(&reader, text, len, /* depth_max */ 16, /* values_max */ 64);
    if (!walk(&reader, levels))
        jri_read_end(&reader);
    return reader;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    jri_reader whole = read_with(text, size, 0);
    const char *fault = json_oracle_check(text, size);

    for (int levels = 1; !fault && levels < 20; levels += 6) {
        jri_reader walked = read_with(text, size, levels);
        if (walked.status != whole.status || walked.reason != whole.reason ||
            walked.at != whole.at || walked.n_values != whole.n_values)
            fault = "walked otherwise than read whole";
    }
    if (fault) {
        fprintf(stderr, "%s\n", fault);
        abort();
    }
    return 0;
}
