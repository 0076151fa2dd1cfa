/* SPDX-License-Identifier: MIT */
/*
 * dispatch.c - the story: read, look up, bind, call, answer
 *
 *     jrpc_dispatch()
 *         jri_dispatch_begin()     a response to work in, room for one error promised
 *         jri_dispatch_read()      text or codec's value -> requests; or one failed request
 *         jri_dispatch_run()
 *             run_member()         for each, in order
 *                 refuse()         no request, not found, not bound: an error
 *                 row->handler()   the user's function, which replies, fails or defers
 *                 jri_call_end()   unanswered: by the handler's return value
 *         wait_for_answers()       only if something was deferred
 *         jri_dispatch_finish()    answers put together, logged
 *
 * Errors travel as negative errno until code_of() here, the one place that knows which of them is
 * which wire code.
 */
#include "dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bind.h"
#include "camel.h"
#include "introspect.h"
#include "text.h"

_Thread_local bool jri_is_loop_thread;

static inline int code_of(int status)
{
    switch (status) {
    case -EPROTO: /* the message is not JSON, or the codec's equal */
        return JRPC_PARSE_ERROR;
    case -EBADMSG: /* JSON, but no request */
        return JRPC_INVALID_REQUEST;
    case -ENOENT:
        return JRPC_METHOD_NOT_FOUND;
    case -EINVAL:
    case -E2BIG: /* more than args_max */
        return JRPC_INVALID_PARAMS;
    case -EMSGSIZE: /* over message_max or values_max */
        return JRPC_REQUEST_TOO_LARGE;
    case -EOVERFLOW:
        return JRPC_BATCH_TOO_LARGE;
    case -EBUSY:
        return JRPC_SERVER_BUSY;
    case -ECANCELED: /* before it was run */
        return JRPC_CANCELLED;
    case -ENOSPC: /* reply_max was spent by earlier members */
        return JRPC_REPLY_TOO_LARGE;
    default:
        return JRPC_INTERNAL_ERROR;
    }
}

/* Where nothing but the code is told, and there is somebody to tell it. */
static bool refuse_short(jrpc_call *call, int code)
{
    const jri_request *request = call->request;
    const jri_value *id = jri_request_id(request);
    const char *plain;
    size_t len;

    if (call->message->service->settings.debug || !jri_request_is_due(request))
        return false;
    plain = jri_code_plain(code, &len);
    char *to = plain ? jri_call_open_short(call, id, JRI_PLAIN_ROOM) : NULL;
    if (!to)
        return false;
    memcpy(to, plain, JRI_PLAIN_ROOM);
    jri_call_close_short(call, id, to + len, code);
    return true;
}

/* Apart, so that what it needs is not the usual refusal's cost. */
static __attribute__((noinline)) void refuse_long(jrpc_call *call, int code, const char *reason,
                                                  size_t len)
{
    jri_error error = {.code = code};

    if (call->message->service->settings.debug) {
        error.text = reason;
        error.text_len = len;
    }
    jri_call_fail(call, &error);
    jri_call_end(call, 0);
}

/* Answers a member that never comes to its handler; in debug it is told the reason. */
static void refuse_with(jrpc_call *call, int status, const char *reason, size_t len)
{
    int code = code_of(status);

    if (refuse_short(call, code))
        jri_call_end(call, 0);
    else
        refuse_long(call, code, reason, len);
}

static void refuse(jrpc_call *call, int status, const char *reason)
{
    refuse_with(call, status, reason, /* up to its NUL */ 0);
}

static void refuse_unknown(jrpc_call *call)
{
    const jri_request *request = call->request;
    size_t len = request->method_len;

    refuse_with(call, -ENOENT, len ? request->method : "", len);
}

/* The hook's turn; true if the member is dealt with. */
static bool is_refused_by_hook(jrpc_call *call)
{
    const jrpc_service *service = call->message->service;

    if (!service->hooks.call_received)
        return false;
    int status = service->hooks.call_received(call, service->hooks_user);
    if (!status && call->state == JRI_OPEN)
        return false;
    jri_call_end(call, status);
    return true;
}

/* A blocking method on a server: its call is held and goes to another thread. */
static int start_blocking(jrpc_call *call)
{
    jri_host *host = call->message->host;
    jrpc_call *held;
    int status = jri_held_new(call, &held);
    if (status)
        return status;

    status = host->start_blocking(host, held);
    if (status) {
        jri_error error = {.code = code_of(status)};
        jri_held_fail(call->message, call->index, &error);
        jrpc_call_free(held);
    }
    return 0;
}

static int run_handler(jrpc_call *call)
{
    if (call->row->flags & JRPC_BLOCKING && call->message->host)
        return start_blocking(call);
    return call->row->handler(call, call->row->user);
}

static inline bool is_cancelling(const jri_request *request)
{
    static const char cancel[] = "$/cancelRequest";

    return request->is_notification && request->method_len == sizeof(cancel) - 1 &&
           !memcmp(request->method, cancel, sizeof(cancel) - 1);
}

/* The host's turn; true if the member is dealt with. */
static bool is_taken_by_host(jrpc_call *call)
{
    jri_request *request = call->request;
    jri_host *host = call->message->host;

    if (is_cancelling(request)) {
        int i = jrpc_arg_find(call, "id");
        if (i >= 0)
            host->cancel(host, &request->args[i].value);
        jri_call_end(call, 0);
        return true;
    }
    bool is_cancelled = call->index < host->n_cancelled && host->cancelled[call->index];
    int refusal = is_cancelled ? -ECANCELED : host->refusal;
    if (refusal)
        refuse(call, refusal,
               refusal == -ECANCELED ? "cancelled before it was run"
                                     : "the server takes no calls now");
    return refusal;
}

static void serve(jrpc_call *call)
{
    jri_message *message = call->message;
    const jrpc_service *service = message->service;
    jri_request *request = call->request;
    char text[JRI_REASON_MAX];
    char *reason = service->settings.debug ? text : NULL;
    uint64_t seed = service->registry.seed;
    int status = 0;

    /* The host's own name is not to be converted. */
    if (service->settings.convert_camel_case && !(message->host && is_cancelling(request))) {
        request->has_built = true; /* converted arguments are */
        status = jri_camel_request(request, &message->arena, seed, reason);
    }
    if (status) {
        refuse(call, status, status == -EINVAL ? reason : NULL);
        return;
    }
    if (is_refused_by_hook(call) || (message->host && is_taken_by_host(call)))
        return;
    call->row = jri_registry_find_again(&service->registry, &message->memo, request->method,
                                        request->method_len);
    if (!call->row)
        call->row = jri_introspect_find(service, request->method, request->method_len);
    if (!call->row) {
        refuse_unknown(call);
        return;
    }
    status = jri_bind(call->row->signature, request, &message->arena, seed, reason);
    if (status) {
        refuse(call, status, status == -EINVAL ? reason : NULL);
        return;
    }
    call->may_defer = true;
    jri_call_end(call, run_handler(call));
}

static void run_member(jrpc_call *call, jri_message *message, jri_request *request, uint32_t index)
{
    if (request->status == -ENOMSG)
        return; /* a response: no error ping-pong */
    jri_call_begin(call, message, request, index);
    if (message->is_spent)
        refuse(call, -ENOSPC, "not run: the answers before it used up reply_max");
    else if (request->status)
        refuse(call, request->status, request->reason);
    else
        serve(call);
}

/* What a reader's or codec's problem says, as one line for debug. */
static const char *describe(jri_message *message, const jrpc_problem *problem)
{
    char text[sizeof(problem->text) + 64];

    if (problem->line && problem->column)
        snprintf(text, sizeof(text), "line %d, column %d: %s", problem->line, problem->column,
                 problem->text);
    else if (problem->line)
        snprintf(text, sizeof(text), "line %d: %s", problem->line, problem->text);
    else
        snprintf(text, sizeof(text), "%s", problem->text);
    return text[0] ? jri_arena_copy(&message->arena, text, strlen(text)) : NULL;
}

/* The codec's value, and from it the requests. */
static int read_value(jri_message *message, const char *text, size_t len, jrpc_problem *problem)
{
    const jrpc_codec *codec = message->codec;
    int status = codec->deserialize(text, len, codec->user, &message->root, problem);
    if (!status && !message->root)
        status = -EBADMSG;
    if (status)
        return status == -ENOMEM ? status : -EBADMSG;
    return jri_envelope_read_value(message->root, message->settings, &message->arena,
                                   &message->envelope, problem);
}

/* One failed request in the place of what could not be read. */
static void set_failure(jri_message *message, int status, const char *reason)
{
    jri_request_begin(&message->failure);
    message->failure.status = status;
    message->failure.reason = reason;
    message->envelope = (jri_envelope){.n_requests = 1, .requests = &message->failure};
}

static void replace_message(jri_message *message, int status, const jrpc_problem *problem)
{
    bool is_debug = message->service->settings.debug;

    if (status == -EBADMSG)
        status = -EPROTO;
    else if (status == -E2BIG)
        status = -EMSGSIZE;
    else if (status == -EINVAL)
        status = -EBADMSG;
    set_failure(message, status, is_debug ? describe(message, problem) : NULL);
}

/* After reading: a message that is none becomes one failed request; each member, or that one, is
 * promised its answer. */
static int end_reading(jri_message *message, int status, const jrpc_problem *problem)
{
    if (JRI_UNLIKELY(status))
        replace_message(message, status, problem);
    if (jri_message_promise(message))
        set_failure(message, -ENOMEM, NULL);
    return message->codec ? jri_message_open_slots(message, 0) : 0;
}

static void log_request(const jri_message *message, const char *text, size_t len)
{
    const jri_log *log = &message->service->log;

    if (message->root)
        jri_log_value(log, JRI_LOG_REQUEST, NULL, message->root);
    else
        jri_log_text(log, JRI_LOG_REQUEST, NULL, text, len);
}

int jri_dispatch_parse(jri_message *message, const char *text, size_t len, jrpc_problem *problem)
{
    if (message->codec)
        return read_value(message, text, len, problem);
    return jri_envelope_read(text, len, message->settings, &message->arena, &message->envelope,
                             message->service->settings.debug ? problem : NULL);
}

int jri_dispatch_read_end(jri_message *message, int status)
{
    return end_reading(message, status, /* problem: nobody is told */ NULL);
}

/* With a codec, a log, or somebody to be told what is wrong; or too long. */
int jri_dispatch_read_slow(jri_message *message, const char *text, size_t len)
{
    const jri_settings *settings = message->settings;
    jrpc_problem problem;
    int status;

    problem.line = problem.column = 0; /* a codec need not fill it in */
    problem.text[0] = '\0';
    if (len > (uint64_t)settings->message_max) {
        snprintf(problem.text, sizeof(problem.text), "%zu bytes, message_max is %lld", len,
                 (long long)settings->message_max);
        if (jri_log_is_on(&message->service->log))
            jri_log_line(&message->service->log, JRPC_LOG_WARNING, NULL, "a message of %s, refused",
                         problem.text);
        return end_reading(message, -EMSGSIZE, &problem);
    }
    status = jri_dispatch_parse(message, text, len, &problem);
    if (JRI_UNLIKELY(message->service->log.is_basic))
        log_request(message, text, len);
    return end_reading(message, status, &problem);
}

int jri_dispatch_refuse(jri_message *message, int status, const char *reason)
{
    jrpc_problem problem = {.code = status};

    snprintf(problem.text, sizeof(problem.text), "%s", reason);
    return end_reading(message, status, &problem);
}

static __attribute__((noinline)) void run_batch(jrpc_response *response)
{
    jri_message *message = response->message;
    jri_request *request = message->envelope.requests;

    for (uint32_t i = 0; request; request = request->next, i++)
        run_member(&response->call, message, request, i);
}

void jri_dispatch_run(jrpc_response *response)
{
    jri_message *message = response->message;

    if (JRI_UNLIKELY(message->envelope.is_batch))
        run_batch(response);
    else
        run_member(&response->call, message, message->envelope.requests, 0);
}

void jri_dispatch_log_answer(const jri_message *message)
{
    const jri_log *log = &message->service->log;

    if (message->out_value)
        jri_log_value(log, JRI_LOG_ANSWER, NULL, message->out_value);
    else
        jri_log_text(log, JRI_LOG_ANSWER, NULL, message->out->data + message->base,
                     message->out->len - message->base);
}

const jrpc_dispatch_options jri_no_dispatch_options = JRPC_DISPATCH_OPTIONS_INIT;

const jrpc_dispatch_options *jri_dispatch_options_copy(const jrpc_dispatch_options *given,
                                                       jrpc_dispatch_options *copy)
{
    if (given->size < sizeof(given->size))
        return NULL;
    *copy = jri_no_dispatch_options;
    memcpy(copy, given, given->size < sizeof(*copy) ? given->size : sizeof(*copy));
    if (copy->timeout_ms < -1)
        return NULL;
    if (copy->codec && (!copy->codec->deserialize || !copy->codec->serialize))
        return NULL;
    return copy;
}

static void wait_for_answers(jri_message *message)
{
    bool is_waiting = true;

    jri_message_settle(message); /* no more members to run */
    while (is_waiting) {
        uint64_t deadline =
            jri_held_abandon(message, JRPC_TIMED_OUT, /* only_expired */ true, jri_now_ns());
        is_waiting = jri_message_wait(message, deadline);
    }
}

static inline void complete(jrpc_response *response)
{
    jri_dispatch_run(response);
    if (response->message->slots)
        wait_for_answers(response->message);
    jri_dispatch_finish(response->message);
}

int jrpc_dispatch(jrpc_service *service, const char *text, size_t len,
                  const jrpc_dispatch_options *options, jrpc_response **inout)
{
    jrpc_dispatch_options copy;
    const jrpc_dispatch_options *known = jri_dispatch_options(options, &copy);
    if (!service || !inout || (!text && len) || !known)
        return -EINVAL;
    if (jri_is_loop_thread)
        return -EDEADLK;

    jrpc_response *response = *inout;
    int status = jri_dispatch_begin(service, known, /* lender */ NULL, &response);
    if (!status)
        status = jri_dispatch_read(response->message, text, len);
    if (status) {
        if (!*inout)
            jrpc_response_free(response);
        return status;
    }
    complete(response);
    *inout = response;
    return 0;
}

/* The request that jrpc_invoke() means, as a value; NULL: no memory. params is stolen. */
static json_t *make_request(const char *method, json_t *params)
{
    json_t *name = json_stringn_nocheck(method, strlen(method));

    if (params)
        return json_pack("{s:s, s:o, s:o, s:i}", "jsonrpc", "2.0", "method", name, "params", params,
                         "id", 1);
    return json_pack("{s:s, s:o, s:i}", "jsonrpc", "2.0", "method", name, "id", 1);
}

int jrpc_invoke(jrpc_service *service, const char *method, json_t *params,
                const jrpc_dispatch_options *options, jrpc_response **inout)
{
    jrpc_dispatch_options copy;
    const jrpc_dispatch_options *known = jri_dispatch_options(options, &copy);
    int status = service && method && inout && known ? 0 : -EINVAL;
    if (!status && jri_is_loop_thread)
        status = -EDEADLK;
    if (status) {
        json_decref(params);
        return status;
    }

    json_t *root = make_request(method, params);
    jrpc_response *response = *inout;
    status = root ? jri_dispatch_begin(service, known, NULL, &response) : -ENOMEM;
    if (status) {
        json_decref(root);
        return status;
    }
    jri_message *message = response->message;
    jrpc_problem problem = {0};
    message->codec = NULL; /* nothing was deserialized, and the answer is JSON */
    message->root = root;
    if (service->log.is_basic)
        log_request(message, NULL, 0);
    status = jri_envelope_read_value(root, &service->settings, &message->arena, &message->envelope,
                                     &problem);
    end_reading(message, status, &problem);
    complete(response);
    *inout = response;
    return 0;
}
