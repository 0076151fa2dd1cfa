/* SPDX-License-Identifier: MIT */
/*
 * call.c - one member being served: claim, write, settle
 *
 * Where an answer is written depends on the message alone: straight into its out, into the
 * member's slot once there are slots, or into a value for a codec.
 */
#define _GNU_SOURCE
#include "call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "json_read.h"

int jri_call_claim_held(jrpc_call *call)
{
    int status = 0;

    pthread_mutex_lock(&call->message->lock);
    if (call->state != JRI_OPEN)
        status = call->message->is_gone             ? -EPIPE
                 : atomic_load(&call->is_cancelled) ? -ECANCELED
                                                    : -EALREADY;
    else
        call->state = JRI_CLAIMED;
    pthread_mutex_unlock(&call->message->lock);
    return status ? status : !jri_request_is_due(call->request);
}

/* Answers go straight to out: this is not a held call and nothing before it is pending. */
static bool is_direct(const jrpc_call *call)
{
    return !call->message->slots;
}

/* What stands before the answer in the same buffer and is none of it. */
static size_t separator_len(const jrpc_call *call)
{
    return is_direct(call) && call->message->envelope.is_batch;
}

static jrpc_buf *target_of(jrpc_call *call)
{
    if (is_direct(call))
        return call->message->out;
    return call->message->codec ? &call->scratch : &call->message->slots[call->index].buf;
}

void jri_call_report(jrpc_call *call)
{
    jrpc_service *service = call->message->service;
    jrpc_outcome outcome = {.size = sizeof(outcome), .code = call->code, .len = call->len};

    outcome.ns = jri_now_ns() - call->begun_ns;
    if (service->hooks.call_answered)
        service->hooks.call_answered(call, &outcome, service->hooks_user);
    /* Held calls are answered on any thread. */
    if (!call->is_held && call->message->host && call->message->host->answered)
        call->message->host->answered(call->message->host, call->row, call->code, outcome.ns);
}

/* The answer is written. Nothing may touch the call after this that does not own it. */
static inline void settle(jrpc_call *call, int code)
{
    jri_message *message = call->message;
    bool is_due = jri_request_is_due(call->request);

    call->code = code;
    if (is_due && is_direct(call))
        message->codes[message->n_answers++] = code;
    else if (!is_direct(call))
        message->slots[call->index].code = code;
    if (call->begun_ns)
        jri_call_report(call);
    if (!call->is_held) {
        call->state = JRI_ANSWERED;
        return;
    }
    pthread_mutex_lock(&message->lock);
    call->state = JRI_ANSWERED;
    pthread_mutex_unlock(&message->lock);
    jri_message_settle(message);
}

void jri_call_drop(jrpc_call *call, int code)
{
    call->len = 0;
    settle(call, code);
}

jrpc_buf *jri_call_open_slow(jrpc_call *call, int *status)
{
    jrpc_buf *buf = target_of(call);

    if (call->message->codec) {
        buf->max = call->message->reply_max;
        jri_buf_truncate(buf, 0);
        return buf;
    }
    call->start = buf->len;
    *status = 0;
    if (call->message->envelope.is_batch && is_direct(call))
        *status = jri_buf_put(buf, call->message->n_answers ? ',' : '[');
    if (!*status)
        *status = jri_answer_open(buf);
    if (!*status)
        return buf;
    jri_buf_truncate(buf, call->start);
    return NULL;
}

int jri_call_close_failed(jrpc_call *call, int status)
{
    jri_error error = {.code = JRPC_INTERNAL_ERROR};

    if (status == -EMSGSIZE) {
        error.code = JRPC_REPLY_TOO_LARGE;
        if (!call->is_held)
            call->message->is_spent = true;
    }
    if (call->message->service->settings.debug)
        error.text = status == -EMSGSIZE  ? "the answer is larger than reply_max"
                     : status == -ENOMEM  ? "out of memory"
                     : status == -EILSEQ  ? "the result has a string that is not UTF-8"
                     : status == -EBADMSG ? "the result is not JSON"
                     : status == -E2BIG   ? "the result is nested too deep"
                                          : "the result cannot be written as JSON";
    jri_call_close_error(call, &error);
    return status;
}

/* A slot's answer counts towards reply_max together with all others of the batch. */
static int charge_slot(jrpc_call *call, size_t len)
{
    jri_message *message = call->message;
    const jrpc_buf *out = message->out;
    int status = 0;

    if (is_direct(call))
        return 0;
    len += message->envelope.is_batch; /* its separator */
    pthread_mutex_lock(&message->lock);
    /* Plain errors, in room promised to them, may have passed the limit. */
    size_t room = out->max > out->len ? out->max - out->len : 0;
    if (len > room || message->n_slot_bytes > room - len)
        status = -EMSGSIZE;
    else
        message->n_slot_bytes += len;
    pthread_mutex_unlock(&message->lock);
    return status;
}

int jri_call_close_value(jrpc_call *call, json_t *result)
{
    json_t *answer = jri_answer_result_value(jri_request_id(call->request), result);
    if (!answer)
        return jri_call_close_failed(call, -ENOMEM);

    call->message->slots[call->index].value = answer;
    call->len = 0;
    settle(call, 0);
    return 0;
}

int jri_call_close_slow(jrpc_call *call, int status)
{
    jrpc_buf *buf = target_of(call);
    const jri_value *id = &call->request->id;

    if (call->message->codec) {
        json_t *result = NULL;
        if (!status)
            status = jri_json_build(buf->data, buf->len, &result);
        return status ? jri_call_close_failed(call, status) : jri_call_close_value(call, result);
    }
    if (!status)
        status = jri_answer_close(buf, id);
    if (!status)
        status = charge_slot(call, buf->len - call->start);
    if (status) {
        jri_buf_truncate(buf, call->start);
        return jri_call_close_failed(call, status);
    }
    if (is_direct(call))
        buf->tail -= jri_answer_room(id);
    call->len = buf->len - call->start - separator_len(call);
    settle(call, 0);
    return 0;
}

/* The error as the peer gets it if there is no room for all of it. */
static int plain_code(const jri_error *error, int status)
{
    if (!error->message && !error->data)
        return error->code;
    return status == -EMSGSIZE ? JRPC_REPLY_TOO_LARGE : JRPC_INTERNAL_ERROR;
}

static inline int write_direct_error(jrpc_call *call, const jri_error *error, int *code)
{
    jri_message *message = call->message;
    jrpc_buf *out = message->out;
    const jri_value *id = jri_request_id(call->request);
    char separator = message->n_answers ? ',' : '[';
    size_t start = out->len;

    int status = message->envelope.is_batch ? jri_buf_put(out, separator) : 0;
    if (!status)
        status = jri_answer_error(out, id, error);
    if (!status) {
        out->tail -= jri_answer_room(id);
    } else {
        jri_buf_truncate(out, start);
        *code = plain_code(error, status);
        if (message->envelope.is_batch)
            out->data[out->len++] = separator; /* part of the room promised */
        jri_answer_plain(out, id, *code);
    }
    call->len = out->len - start - separator_len(call);
    return status;
}

/* Without memory the slot stays empty and assembling makes a plain error of its code. */
static int write_slot_error(jrpc_call *call, const jri_error *error, int *code)
{
    jri_slot *slot = &call->message->slots[call->index];
    const jri_value *id = jri_request_id(call->request);
    int status = 0;

    call->len = 0;
    slot->is_simple = !error->message && !error->data;
    if (call->message->codec) {
        slot->value = jri_answer_error_value(id, error);
        status = slot->value ? 0 : -ENOMEM;
    } else {
        status = jri_answer_error(&slot->buf, id, error);
        if (!status && (error->message || error->data || error->text))
            status = charge_slot(call, slot->buf.len);
        if (status)
            jri_buf_truncate(&slot->buf, 0);
        call->len = slot->buf.len;
    }
    if (status)
        *code = plain_code(error, status);
    return status;
}

int jri_call_close_error(jrpc_call *call, const jri_error *error)
{
    int code = error->code;
    int status = is_direct(call) ? write_direct_error(call, error, &code)
                                 : write_slot_error(call, error, &code);

    settle(call, code);
    return status;
}

int jri_call_fail(jrpc_call *call, const jri_error *error)
{
    int claimed = jri_call_claim(call);

    if (claimed == 1)
        jri_call_drop(call, error->code);
    else if (!claimed)
        jri_call_close_error(call, error);
    return claimed < 0 ? claimed : 0;
}

enum { HANDLER_TEXT = 128 };

/* What is said of a handler that failed. */
static void describe_failure(const jrpc_call *call, int status, char text[HANDLER_TEXT])
{
    const jri_log *log = &call->message->service->log;
    /* Not strerror(): a peer is not told in the language of the server's locale. */
    const char *reason = strerrordesc_np(status < 0 ? -status : status);

    snprintf(text, HANDLER_TEXT, "the handler returned %d (%s)", status,
             reason ? reason : "no error number");
    if (jri_log_is_on(log))
        jri_log_line(log, JRPC_LOG_WARNING, NULL, "method '%.*s': %s",
                     (int)call->request->method_len, call->request->method, text);
}

/* The handler failed, before or after deferring the call. */
static void fail_for(jrpc_call *call, int status)
{
    jri_error error = {.code = JRPC_INTERNAL_ERROR};
    char text[HANDLER_TEXT];

    describe_failure(call, status, text);
    if (call->message->service->settings.debug)
        error.text = text;
    if (!call->is_held && call->state == JRI_DEFERRED)
        jri_held_fail(call->message, call->index, &error);
    else
        jri_call_fail(call, &error);
}

/* The handler returned 0 without an answer: the result is null. */
static void answer_null(jrpc_call *call)
{
    int status = 0, claimed = jri_call_claim(call);

    if (claimed == 1) {
        jri_call_drop(call, 0);
    } else if (!claimed) {
        jrpc_buf *buf = jri_call_open(call, &status);
        jri_call_close(call, buf ? jri_buf_append_literal(buf, "null") : status);
    }
}

void jri_call_answer_for(jrpc_call *call, int status)
{
    if (status)
        fail_for(call, status);
    else
        answer_null(call);
}

void jri_call_release(jrpc_call *call)
{
    jri_request *request = call->request;

    for (uint32_t i = 0; request->has_built && i < request->n_args; i++)
        if (request->args[i].built) {
            json_decref(request->args[i].built);
            request->args[i].built = NULL;
        }
    if (call->params)
        json_decref(call->params);
    call->params = NULL;
}

void jri_call_end_slow(jrpc_call *call, int status)
{
    if (call->state == JRI_OPEN || (call->state == JRI_DEFERRED && status))
        jri_call_answer_for(call, status);
    if (call->state != JRI_DEFERRED)
        jri_call_release(call); /* else the held call owns all */
}
