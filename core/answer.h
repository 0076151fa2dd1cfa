/* SPDX-License-Identifier: MIT */
/*
 * answer.h - result or error to an answer: the only place that writes "jsonrpc"
 *
 * JSON-RPC 2.0, section 5. As text, around a value that others write in place, or as a jansson
 * value for a codec.
 */
#ifndef JRI_ANSWER_H
#define JRI_ANSWER_H

#include <jansson.h>

#include "buf.h"
#include "json_read.h"
#include "short.h"

/* The id of an answer to what could not be read: null. */
extern const jri_value jri_no_id;

/* What an error answer says. */
typedef struct jri_error {
    int code;
    const char *message; /* NULL: the code's own */
    const char *text;    /* sent as data if there is no data; NULL: none */
    size_t text_len;     /* 0: up to its NUL */
    const json_t *data;  /* NULL: none */
} jri_error;

/* The message and the HTTP status of a code, known or an application's. */
const char *jri_code_message(int code);
int jri_code_status(int code);

#define JRI_ANSWER_HEAD "{\"jsonrpc\":\"2.0\",\"result\":"
#define JRI_ANSWER_ID ",\"id\":"

int jri_answer_close_value_id(jrpc_buf *buf, const jri_value *id);

/* Around the text of a result; the caller truncates on failure. */
static inline int jri_answer_open(jrpc_buf *buf)
{
    return jri_buf_append_literal(buf, JRI_ANSWER_HEAD);
}

/* The end of an answer into room for it; returns its length. */
enum { JRI_ANSWER_ID_LEN = sizeof(JRI_ANSWER_ID) - 1 };
static inline size_t jri_answer_put_close(char *to, const jri_value *id)
{
    memcpy(to, JRI_ANSWER_ID, JRI_ANSWER_ID_LEN);
    jri_short_copy(to + JRI_ANSWER_ID_LEN, id->text, id->len);
    to[JRI_ANSWER_ID_LEN + id->len] = '}';
    return JRI_ANSWER_ID_LEN + id->len + 1;
}

static inline int jri_answer_close(jrpc_buf *buf, const jri_value *id)
{
    if (!id->text)
        return jri_answer_close_value_id(buf, id);
    int status = jri_buf_reserve(buf, JRI_ANSWER_ID_LEN + id->len + 1);
    if (status)
        return status;
    buf->len += jri_answer_put_close(buf->data + buf->len, id);
    return 0;
}

/* Of a known code an error answer without data, up to the id: its bytes, len of them. All such take
 * the same room, so that they are copied without a look at their length. NULL: not known. */
enum { JRI_PLAIN_ROOM = 96 };
const char *jri_code_plain(int code, size_t *len);

/* A whole error answer as text; on failure nothing is appended. */
int jri_answer_error(jrpc_buf *buf, const jri_value *id, const jri_error *error);

/* 94 bytes of plain error with the longest code and message of error.h, a separator, and some. */
enum { JRI_PLAIN_MAX = 128 };

/* Bytes that a plain error answer takes at most: its code's own message and no data. */
static inline size_t jri_answer_room(const jri_value *id)
{
    if (id->text)
        return JRI_PLAIN_MAX + id->len;
    /* As the codec's value: at worst every byte of a string is escaped. */
    return JRI_PLAIN_MAX + (json_is_string(id->json) ? 6 * json_string_length(id->json) + 2 : 0);
}

/* Such an answer, written into the buffer's tail, beyond its max: needs no memory. */
void jri_answer_plain(jrpc_buf *buf, const jri_value *id, int code);

/* Whole answers as values, new; NULL: no memory. result is stolen. */
json_t *jri_answer_result_value(const jri_value *id, json_t *result);
json_t *jri_answer_error_value(const jri_value *id, const jri_error *error);

#endif
