/* SPDX-License-Identifier: MIT */
/*
 * naive_jansson.c - JSON-RPC 2.0 as one writes it in an afternoon with jansson, to compare with
 *
 * An ordinary, correct program: parse, look the members up, call by a small table, build the
 * answer, dump it. It keeps jansson's own shortcuts (the parsed id and params are not copied) and
 * checks less than we do: no limits, no unknown or repeated members, no named argument it does
 * not know.
 */
#include "naive_jansson.h"

#include <stdint.h>
#include <string.h>

#include <jansson.h>

/* New; NULL: the params do not fit. */
typedef json_t *(*method_fn)(const json_t *params);

static json_t *ping(const json_t *params)
{
    (void)params;
    return json_string("pong");
}

static json_t *subtract(const json_t *params)
{
    const json_t *a, *b;

    if (json_is_array(params)) {
        a = json_array_get(params, 0);
        b = json_array_get(params, 1);
    } else {
        a = json_object_get(params, "minuend");
        b = json_object_get(params, "subtrahend");
    }
    if (!json_is_number(a) || !json_is_number(b))
        return NULL;
    if (json_is_integer(a) && json_is_integer(b))
        return json_integer(json_integer_value(a) - json_integer_value(b));
    return json_real(json_number_value(a) - json_number_value(b));
}

static json_t *echo(const json_t *params)
{
    return params ? json_incref((json_t *)(uintptr_t)params) : json_array();
}

static json_t *echo_value(const json_t *params)
{
    return json_incref(json_array_get(params, 0));
}

static const struct {
    const char *name;
    method_fn run;
} methods[] = {
    {"ping", ping},           {"subtract", subtract}, {"echo", echo}, {"echo_json", echo_value},
    {"echo_raw", echo_value},
};

static method_fn find(const char *name)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
        if (!strcmp(methods[i].name, name))
            return methods[i].run;
    return NULL;
}

static json_t *make_answer(const char *kind, json_t *what, json_t *id)
{
    json_t *answer = json_object();

    json_object_set_new(answer, "jsonrpc", json_string("2.0"));
    json_object_set_new(answer, kind, what);
    json_object_set(answer, "id", id);
    return answer;
}

static json_t *make_error(int code, const char *message, json_t *id)
{
    json_t *error = json_object();

    json_object_set_new(error, "code", json_integer(code));
    json_object_set_new(error, "message", json_string(message));
    return make_answer("error", error, id);
}

/* New; NULL: a notification. */
static json_t *answer_one(const json_t *request)
{
    const json_t *version = json_object_get(request, "jsonrpc");
    const json_t *name = json_object_get(request, "method");
    const json_t *params = json_object_get(request, "params");
    json_t *id = json_object_get(request, "id");

    if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") ||
        !json_is_string(name) || (params && !json_is_array(params) && !json_is_object(params)) ||
        (id && !json_is_string(id) && !json_is_number(id) && !json_is_null(id)))
        return make_error(-32600, "Invalid Request", json_null());

    method_fn run = find(json_string_value(name));
    json_t *result = run ? run(params) : NULL;
    if (!id) {
        json_decref(result);
        return NULL;
    }
    if (!run)
        return make_error(-32601, "Method not found", id);
    if (!result)
        return make_error(-32602, "Invalid params", id);
    return make_answer("result", result, id);
}

static json_t *answer_batch(const json_t *requests)
{
    json_t *answers = json_array();
    const json_t *request;
    size_t i;

    if (!json_array_size(requests)) {
        json_decref(answers);
        return make_error(-32600, "Invalid Request", json_null());
    }
    json_array_foreach(requests, i, request) {
        json_t *answer = answer_one(request);
        if (answer)
            json_array_append_new(answers, answer);
    }
    if (json_array_size(answers))
        return answers;
    json_decref(answers);
    return NULL;
}

size_t naive_jansson(const char *text, size_t len, char *out, size_t size)
{
    json_error_t problem;
    json_t *message = json_loadb(text, len, 0, &problem);
    json_t *answer;

    if (!message)
        answer = make_error(-32700, "Parse error", json_null());
    else if (json_is_array(message))
        answer = answer_batch(message);
    else
        answer = answer_one(message);

    size_t n = answer ? json_dumpb(answer, out, size, JSON_COMPACT) : 0;
    json_decref(answer);
    json_decref(message);
    return n <= size ? n : 0;
}
