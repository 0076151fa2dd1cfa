/* SPDX-License-Identifier: MIT */
/*
 * fuzz_oracle.c - any bytes as a message: the dispatcher against one written down plainly
 *
 * The oracle knows jansson and the specification, and the decisions where the specification leaves
 * one: unknown members are refused, responses dropped, an Invalid Request answered with id null.
 * Its service is two methods: "ping", without parameters, and "echo", which gives its params back.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/service.h>

#include "features.h"
#include "laws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEPTH_MAX = 128, ID_MAX = 1024 };

/*
 * The oracle
 */

static json_t *error_answer(int code, const char *message, json_t *id)
{
    return json_pack("{s:s, s:{s:i, s:s}, s:o}", "jsonrpc", "2.0", "error", "code", code, "message",
                     message, "id", id ? json_incref(id) : json_null());
}

static json_t *invalid_request(void)
{
    return error_answer(-32600, "Invalid Request", NULL);
}

static bool is_string(const json_t *value, const char *text)
{
    return json_is_string(value) && json_string_length(value) == strlen(text) &&
           !memcmp(json_string_value(value), text, strlen(text));
}

static bool has_unknown_members(json_t *request)
{
    static const char *const known[] = {"jsonrpc", "method",      "params",
                                        "id",      "traceparent", "tracestate"};
    const char *name;
    json_t *value;

    json_object_foreach(request, name, value) {
        size_t i = 0;
        while (i < sizeof(known) / sizeof(*known) && strcmp(known[i], name))
            i++;
        if (i == sizeof(known) / sizeof(*known))
            return true;
    }
    return false;
}

static bool is_request(json_t *request)
{
    json_t *params = json_object_get(request, "params"), *id = json_object_get(request, "id");

    return is_string(json_object_get(request, "jsonrpc"), "2.0") &&
           json_is_string(json_object_get(request, "method")) &&
           (!params || json_is_array(params) || json_is_object(params)) &&
           (!id || json_is_string(id) || json_is_number(id) || json_is_null(id)) &&
           !has_unknown_members(request);
}

/* The answer, new; NULL: none. */
static json_t *answer_request(json_t *request)
{
    json_t *params = json_object_get(request, "params"), *id = json_object_get(request, "id");
    json_t *method = json_object_get(request, "method");

    if (!json_is_object(request))
        return invalid_request();
    if (!method && (json_object_get(request, "result") || json_object_get(request, "error")))
        return NULL;
    if (!is_request(request))
        return invalid_request();
    if (!id)
        return NULL;
    if (is_string(method, "echo"))
        return json_pack("{s:s, s:o, s:O}", "jsonrpc", "2.0", "result",
                         params ? json_incref(params) : json_array(), "id", id);
    if (!is_string(method, "ping"))
        return error_answer(-32601, "Method not found", id);
    if (json_array_size(params) || json_object_size(params))
        return error_answer(-32602, "Invalid params", id);
    return json_pack("{s:s, s:s, s:O}", "jsonrpc", "2.0", "result", "pong", "id", id);
}

static json_t *answer_batch(json_t *batch)
{
    json_t *answers = json_array(), *request;
    size_t i;

    json_array_foreach(batch, i, request) {
        json_t *answer = answer_request(request);
        if (answer)
            json_array_append_new(answers, answer);
    }
    if (json_array_size(answers))
        return answers;
    json_decref(answers);
    return NULL;
}

static json_t *answer_message(const char *text, size_t len)
{
    json_t *message = memchr(text, '\0', len)
                          ? NULL
                          : json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_t *answer;

    if (!message)
        return error_answer(-32700, "Parse error", NULL);
    if (json_is_array(message) && json_array_size(message))
        answer = answer_batch(message);
    else
        answer = json_is_array(message) ? invalid_request() : answer_request(message);
    json_decref(message);
    return answer;
}

/*
 * What is compared with it
 */

static int run_ping(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "pong");
}

static int run_echo(jrpc_call *call, void *user)
{
    size_t len;
    const char *raw = jrpc_call_params_raw(call, &len);

    (void)user;
    return jrpc_reply_raw(call, raw ? raw : "[]", raw ? len : 2);
}

static jrpc_service *new_service(void)
{
    static const jrpc_method methods[] = {JRPC_METHOD("ping", run_ping, "", NULL),
                                          JRPC_METHOD("echo", run_echo, NULL, NULL),
                                          JRPC_METHOD_END};
    jrpc_service *service = NULL;

    if (jrpc_service_new(NULL, &service) || jrpc_service_add_table(service, methods, NULL))
        abort();
    return service;
}

static void complain(const char *what, const char *text, size_t len, json_t *expected,
                     const char *answer)
{
    char *other = expected ? json_dumps(expected, JSON_COMPACT) : NULL;

    fprintf(stderr, "broken: %s\nsent     %.*s\nexpected %s\nbut got  %s\n", what, (int)len, text,
            other ? other : "nothing", answer);
    abort();
}

static unsigned depth_of(const char *text, size_t len)
{
    unsigned depth = 0, deepest = 0;

    for (size_t i = 0; i < len; i++) {
        depth += text[i] == '[' || text[i] == '{';
        deepest = depth > deepest ? depth : deepest;
        depth -= depth && (text[i] == ']' || text[i] == '}');
    }
    return deepest;
}

/* Where a limit might count the answer is not compared, nor where jansson reads otherwise. That a
 * long name is not found needs no limit. */
static bool is_comparable(const char *text, size_t len)
{
    if (len >= ID_MAX || depth_of(text, len) > DEPTH_MAX)
        return false;
    return !is_json(text, len) || !features_of(text, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static jrpc_service *service;
    const char *text = size ? (const char *)data : "";
    jrpc_response *response = NULL;
    size_t len;

    if (!service)
        service = new_service();
    if (jrpc_dispatch(service, text, size, NULL, &response))
        abort();
    const char *answer = jrpc_response_text(response, &len);
    const char *fault = len ? answer_fault(answer, len) : NULL;
    if (!fault && len)
        fault = id_fault(text, size, answer, len);
    if (fault)
        complain(fault, text, size, NULL, answer);
    if (is_comparable(text, size)) {
        json_t *expected = answer_message(text, size);
        json_t *seen = len ? json_loadb(answer, len, JSON_ALLOW_NUL, NULL) : NULL;
        if (expected ? !json_equal(expected, seen) : len != 0)
            complain("the oracle answers otherwise", text, size, expected, answer);
        json_decref(expected);
        json_decref(seen);
    }
    jrpc_response_free(response);
    return 0;
}
