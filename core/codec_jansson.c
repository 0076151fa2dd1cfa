/* SPDX-License-Identifier: MIT */
/*
 * codec_jansson.c - the reference codec: JSON as jansson reads and writes it
 *
 * As strict as jansson can be made: it refuses what the reader refuses, but for its own depth
 * limit of 2,048, and also integers beyond int64 and U+0000 in names.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jrpc/codec.h>

#include "json_read.h"

static int refuse(jrpc_problem *problem, int code, const char *text)
{
    problem->code = code;
    snprintf(problem->text, sizeof(problem->text), "%s", text);
    return code;
}

/* Was it memory that jansson lacked? It may say nothing then, or blame the text. */
static bool is_out_of_memory(const char *data, size_t len, const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    jri_reader reader;
    jri_value value;

    if (code == json_error_out_of_memory || !error->text[0])
        return true;
    if (code != json_error_invalid_syntax && code != json_error_premature_end_of_input)
        return false;
    jri_read_begin(&reader, data, len, JRI_READ_DEPTH, UINT32_MAX);
    return !jri_read_value(&reader, &value) && !jri_read_end(&reader);
}

static int deserialize(const char *data, size_t len, void *user, json_t **out,
                       jrpc_problem *problem)
{
    json_error_t error;

    (void)user;
    /* jansson takes a NUL byte behind a number for the end of the text. */
    const char *nul = len ? memchr(data, '\0', len) : NULL;
    if (nul) {
        jri_text_locate(data, nul, problem);
        return refuse(problem, -EBADMSG, "NUL byte");
    }

    json_t *value = json_loadb(len ? data : "", len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (value) {
        *out = value;
        return 0;
    }
    if (is_out_of_memory(data, len, &error))
        return refuse(problem, -ENOMEM, "out of memory");

    /* The position is that of the byte behind the fault, in bytes; jansson's own column counts
     * characters. */
    jri_text_locate(data, error.position > 0 ? data + error.position - 1 : data, problem);
    return refuse(problem, -EBADMSG, error.text);
}

/* What a failed append said: jansson passes on no more than that something failed. */
struct sink {
    jrpc_buf *to;
    int status;
};

static int append(const char *data, size_t len, void *user)
{
    struct sink *sink = user;

    /* jansson 2.14 goes on after a failure at a member's name: what follows must not get through.
     */
    if (!sink->status)
        sink->status = jrpc_buf_append(sink->to, data, len);
    return sink->status;
}

static int serialize(const json_t *value, jrpc_buf *to, void *user)
{
    struct sink sink = {.to = to};

    (void)user;
    if (!value)
        return -ENOMEM;
    int failed = json_dump_callback(value, append, &sink, JSON_COMPACT | JSON_ENCODE_ANY);
    if (sink.status)
        return sink.status;
    /* With room enough there is bad UTF-8 in it, or a container that holds itself. */
    return failed ? -EILSEQ : 0;
}

static const jrpc_codec codec = {
    .size = sizeof(jrpc_codec),
    .name = "jansson",
    .content_type = "application/json",
    .deserialize = deserialize,
    .serialize = serialize,
};

const jrpc_codec *jrpc_codec_jansson(void)
{
    return &codec;
}
