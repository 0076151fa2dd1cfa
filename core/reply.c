/* SPDX-License-Identifier: MIT */
/*
 * reply.c - what handlers answer with: a result or an error
 *
 * Every reply claims the call, writes, and closes; a reply that cannot be written closes it with
 * an error, so that a claimed call is always answered.
 */
#define _GNU_SOURCE
#include "call.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_write.h"
#include "number.h"
#include "text.h"

/* Begins a result. NULL: nothing is to be written, and *status is what the reply returns. */
static inline jrpc_buf *begin(jrpc_call *call, int *status)
{
    *status = call ? jri_call_claim(call) : -EINVAL;
    if (*status == 1) {
        jri_call_drop(call, 0);
        *status = 0;
        return NULL;
    }
    if (*status)
        return NULL;
    jrpc_buf *buf = jri_call_open(call, status);
    if (!buf)
        jri_call_close_failed(call, *status);
    return buf;
}

/* The short way (call.h), for results of n bytes at most; NULL: the other way. */
static inline char *begin_short(jrpc_call *call, size_t n)
{
    enum { HEAD = sizeof(JRI_ANSWER_HEAD) - 1 };
    char *to;

    if (!call || call->request->status || call->request->is_notification)
        return NULL;
    to = jri_call_open_short(call, &call->request->id, HEAD + n);
    return to ? (char *)memcpy(to, JRI_ANSWER_HEAD, HEAD) + HEAD : NULL;
}

static inline int end_short(jrpc_call *call, char *to)
{
    return jri_call_close_short(call, &call->request->id, to, /* code */ 0);
}

int jrpc_reply_null(jrpc_call *call)
{
    int status;
    jrpc_buf *buf = begin(call, &status);
    return buf ? jri_call_close(call, jri_buf_append_literal(buf, "null")) : status;
}

int jrpc_reply_boolean(jrpc_call *call, bool value)
{
    int status;
    jrpc_buf *buf = begin(call, &status);
    if (!buf)
        return status;
    return jri_call_close(call, value ? jri_buf_append_literal(buf, "true")
                                      : jri_buf_append_literal(buf, "false"));
}

int jrpc_reply_integer(jrpc_call *call, int64_t value)
{
    char *to = begin_short(call, JRI_NUMBER_MAX);
    if (to)
        return end_short(call, to + jri_int64_to_text(value, to));

    int status;
    jrpc_buf *buf = begin(call, &status);
    return buf ? jri_call_close(call, jri_write_integer(buf, value)) : status;
}

int jrpc_reply_number(jrpc_call *call, double value)
{
    int status;
    jrpc_buf *buf = begin(call, &status);
    return buf ? jri_call_close(call, jri_write_number(buf, value)) : status;
}

int jrpc_reply_stringn(jrpc_call *call, const char *text, size_t len)
{
    char *to = text ? begin_short(call, len + 2) : NULL;
    if (to && jri_string_to_text(text, len, to))
        return end_short(call, to + len + 2);

    int status;
    jrpc_buf *buf = begin(call, &status);
    if (!buf)
        return status;
    return jri_call_close(call, text || !len ? jri_write_string(buf, text, len) : -EINVAL);
}

int jrpc_reply_string(jrpc_call *call, const char *text)
{
    return jrpc_reply_stringn(call, text, text ? strlen(text) : 1);
}

/* Why a value came back NULL is not known any more: the line names all three. */
static void log_null(const jrpc_call *call)
{
    const jri_log *log = &call->message->service->log;

    if (jri_log_is_on(log))
        jri_log_line(log, JRPC_LOG_ERROR, NULL,
                     "method '%.*s': its value is NULL: out of memory, bad UTF-8 or a bad format",
                     (int)call->request->method_len, call->request->method);
}

static int check_text(const char *text, size_t len)
{
    return jri_utf8_check(text, len) == len ? 0 : -EILSEQ;
}

/* What the writer would refuse is no codec's to see: it may walk values by recursion, and take
 * every text for UTF-8, which jansson's functions named _nocheck do not ensure. */
static int check_value(const json_t *value, int depth)
{
    json_t *member;
    const char *name;
    size_t i, len;
    int status = depth > JRI_WRITE_DEPTH ? -E2BIG : 0;

    if (json_is_string(value))
        return check_text(json_string_value(value), json_string_length(value));
    if (status)
        return status;
    if (json_is_array(value))
        json_array_foreach(value, i, member)
            if ((status = check_value(member, depth + 1)))
                return status;
    if (json_is_object(value))
        json_object_keylen_foreach((json_t *)(uintptr_t)value, name, len, member)
            if ((status = check_text(name, len)) || (status = check_value(member, depth + 1)))
                return status;
    return 0;
}

static int reply_value(jrpc_call *call, json_t *result)
{
    int status = check_value(result, 1);
    /* A copy: serialized is it only with the whole message, and the handler may change it now. */
    return status ? jri_call_close(call, status)
                  : jri_call_close_value(call, json_deep_copy(result));
}

int jrpc_reply_json(jrpc_call *call, json_t *result)
{
    int status;
    jrpc_buf *buf = begin(call, &status);

    if (buf && !result) {
        log_null(call);
        status = jri_call_close(call, -ENOMEM);
    } else if (buf && call->message->codec) {
        status = reply_value(call, result);
    } else if (buf) {
        status = jri_call_close(call, jri_write_json(buf, result));
    }
    json_decref(result);
    return status;
}

int jrpc_reply_pack(jrpc_call *call, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    json_t *result = format ? json_vpack_ex(NULL, 0, format, args) : NULL;
    va_end(args);
    return jrpc_reply_json(call, result);
}

/* The text is one of the call's own arguments, or all of them, and was validated with the
 * message. Other pieces of the message might not be whole values. */
static bool is_own(const jrpc_call *call, const char *text, size_t len)
{
    const jri_request *request = call->request;

    if (text == request->params.text && len == request->params.len)
        return true;
    for (uint32_t i = 0; i < request->n_args; i++)
        if (text == request->args[i].value.text && len == request->args[i].value.len)
            return true;
    return false;
}

static int check_raw(jrpc_call *call, const char **text, size_t *len)
{
    jri_reader reader;
    jri_value value;

    if (!*text)
        return -EINVAL;
    if (is_own(call, *text, *len))
        return 0;
    if (*len > UINT32_MAX)
        return -EMSGSIZE;
    jri_read_begin(&reader, *text, *len, JRI_READ_DEPTH, UINT32_MAX);
    if (jri_read_value(&reader, &value) || jri_read_end(&reader))
        return -EBADMSG;
    *text = value.text; /* without white space around it */
    *len = value.len;
    return 0;
}

int jrpc_reply_raw(jrpc_call *call, const char *text, size_t len)
{
    int status;
    jrpc_buf *buf = begin(call, &status);
    if (!buf)
        return status;

    status = check_raw(call, &text, &len);
    if (!status)
        status = jri_buf_append(buf, text, len);
    if (!status) /* an answer is one line */
        jri_text_flatten(buf->data + buf->len - len, len);
    return jri_call_close(call, status);
}

/* Fills in which of message and data the text is: by the code, and in debug. */
static jri_error error_of(const jrpc_call *call, int code, const char *text)
{
    jri_error error = {.code = code};

    switch (code) {
    case JRPC_PARSE_ERROR:
    case JRPC_INVALID_REQUEST:
    case JRPC_METHOD_NOT_FOUND:
    case JRPC_INVALID_PARAMS:
    case JRPC_INTERNAL_ERROR:
        if (call->message->service->settings.debug)
            error.text = text;
        break;
    default:
        error.message = text;
    }
    return error;
}

/* 0: to be ended with an error; else what to return. */
static int begin_error(jrpc_call *call, int code, bool *is_done)
{
    int status = call ? jri_call_claim(call) : -EINVAL;

    *is_done = status != 0;
    if (status == 1) {
        jri_call_drop(call, code ? code : JRPC_INTERNAL_ERROR);
        return code ? 0 : -EINVAL;
    }
    return status;
}

static int end_error(jrpc_call *call, const jri_error *error)
{
    jri_error invalid = {.code = JRPC_INTERNAL_ERROR};

    if (error->code)
        return jri_call_close_error(call, error);
    if (call->message->service->settings.debug)
        invalid.text = "the handler failed with code 0, which is no error";
    jri_call_close_error(call, &invalid);
    return -EINVAL;
}

int jrpc_fail(jrpc_call *call, int code, const char *text)
{
    bool is_done;
    int status = begin_error(call, code, &is_done);
    if (is_done)
        return status;

    jri_error error = error_of(call, code, text);
    return end_error(call, &error);
}

int jrpc_fail_format(jrpc_call *call, int code, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (!call || !format)
        return jrpc_fail(call, code, format);
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < (int)sizeof(text))
        return jrpc_fail(call, code, len < 0 ? format : text);

    char *longer = NULL;
    va_start(args, format);
    len = vasprintf(&longer, format, args);
    va_end(args);
    int status = jrpc_fail(call, code, len < 0 ? text : longer);
    if (len >= 0)
        free(longer);
    return status;
}

int jrpc_fail_data(jrpc_call *call, int code, const char *text, json_t *data)
{
    bool is_done;
    int status = begin_error(call, code, &is_done);

    if (!is_done && !data) {
        log_null(call);
        status = jri_call_close_failed(call, -ENOMEM);
    } else if (!is_done && (status = check_value(data, 1))) {
        jri_call_close_failed(call, status);
    } else if (!is_done) {
        jri_error error = error_of(call, code, text);
        error.data = data;
        status = end_error(call, &error);
    }
    json_decref(data);
    return status;
}
