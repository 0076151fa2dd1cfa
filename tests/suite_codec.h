/* SPDX-License-Identifier: MIT */
/*
 * suite_codec.h - a codec for tests of transports: JSON text in hexadecimal digits
 *
 * Include after cmocka.h.
 */
#ifndef TEST_SUITE_CODEC_H
#define TEST_SUITE_CODEC_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <jrpc/codec.h>

/* New, NUL-terminated. */
static inline char *hex_of(const char *text, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = malloc(2 * len + 1);

    if (!hex)
        abort();
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = digits[(unsigned char)text[i] >> 4];
        hex[2 * i + 1] = digits[(unsigned char)text[i] & 15];
    }
    hex[2 * len] = '\0';
    return hex;
}

static inline int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* New, NUL-terminated; NULL: it is not hexadecimal. */
static inline char *hex_text(const char *hex, size_t len)
{
    char *text = malloc(len / 2 + 1);
    bool is_hex = len % 2 == 0;

    if (!text)
        abort();
    for (size_t i = 0; i < len / 2 && is_hex; i++) {
        int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
        is_hex = high >= 0 && low >= 0;
        text[i] = (char)(is_hex ? high * 16 + low : 0);
    }
    text[len / 2] = '\0';
    if (!is_hex)
        free(text);
    return is_hex ? text : NULL;
}

static inline int hex_deserialize(const char *data, size_t len, void *user, json_t **out,
                                  jrpc_problem *problem)
{
    const jrpc_codec *json = jrpc_codec_jansson();
    char *text = hex_text(data, len);

    (void)user;
    if (!text)
        return -EBADMSG;
    int status = json->deserialize(text, len / 2, json->user, out, problem);
    free(text);
    return status;
}

static inline int hex_serialize(const json_t *value, jrpc_buf *to, void *user)
{
    char *text = json_dumps(value, JSON_COMPACT);

    (void)user;
    if (!text)
        return -ENOMEM;
    char *hex = hex_of(text, strlen(text));
    int status = jrpc_buf_append(to, hex, strlen(hex));
    free(hex);
    free(text);
    return status;
}

static const jrpc_codec hex_codec = {
    .size = sizeof(jrpc_codec),
    .name = "hex",
    .content_type = "text/plain",
    .deserialize = hex_deserialize,
    .serialize = hex_serialize,
};

#endif
