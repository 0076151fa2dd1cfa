/* SPDX-License-Identifier: MIT */
/*
 * toy.c - the service that tests dispatch into: a method of every kind
 */
#include "toy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int reply_difference(jrpc_call *call, size_t a, size_t b)
{
    int64_t difference;

    if (jrpc_arg_type(call, a) == JRPC_INTEGER && jrpc_arg_type(call, b) == JRPC_INTEGER &&
        !__builtin_sub_overflow(jrpc_arg_integer(call, a), jrpc_arg_integer(call, b), &difference))
        return jrpc_reply_integer(call, difference);
    return jrpc_reply_number(call, jrpc_arg_number(call, a) - jrpc_arg_number(call, b));
}

static int run_ping(jrpc_call *call, void *user)
{
    ((struct toy *)user)->n_run++;
    return jrpc_reply_string(call, "pong");
}

static int run_subtract(jrpc_call *call, void *user)
{
    ((struct toy *)user)->n_run++;
    return reply_difference(call, 0, 1);
}

static int run_sum(jrpc_call *call, void *user)
{
    double sum = 0;

    ((struct toy *)user)->n_run++;
    for (size_t i = 0; i < jrpc_arg_count(call); i++)
        sum += jrpc_arg_number(call, i);
    return jrpc_reply_number(call, sum);
}

static int run_get_data(jrpc_call *call, void *user)
{
    ((struct toy *)user)->n_run++;
    return jrpc_reply_pack(call, "[s,i]", "hello", 5);
}

static int run_nothing(jrpc_call *call, void *user)
{
    (void)call;
    ((struct toy *)user)->n_run++;
    return 0;
}

static int run_echo(jrpc_call *call, void *user)
{
    size_t len;
    const char *raw = jrpc_call_params_raw(call, &len);

    ((struct toy *)user)->n_run++;
    if (!raw && jrpc_arg_count(call))
        return -ENOMEM;
    return raw ? jrpc_reply_raw(call, raw, len) : jrpc_reply_raw(call, "[]", 2);
}

static int run_echo_json(jrpc_call *call, void *user)
{
    ((struct toy *)user)->n_run++;
    return jrpc_reply_json(call, json_incref(jrpc_call_params(call)));
}

static int run_fruits(jrpc_call *call, void *user)
{
    const char *color = jrpc_arg_string(call, 0, /* len */ NULL);

    ((struct toy *)user)->n_run++;
    if (!strcmp(color, "red"))
        return jrpc_reply_pack(call, "[s,s]", "apple", "cherry");
    if (!strcmp(color, "orange"))
        return jrpc_reply_pack(call, "[s,s]", "mandarin", "persimmon");
    return jrpc_fail(call, JRPC_INVALID_PARAMS, "No fruits of that colour");
}

static int run_api_fail(jrpc_call *call, void *user)
{
    ((struct toy *)user)->n_run++;
    return jrpc_fail(call, 1, "Can't fulfill the request");
}

static int run_api_fail_data(jrpc_call *call, void *user)
{
    ((struct toy *)user)->n_run++;
    return jrpc_fail_data(call, 42, "Quota exceeded",
                          json_pack("{s:i, s:i}", "limit", 10, "used", 11));
}

static int run_fail(jrpc_call *call, void *user)
{
    int code = (int)jrpc_arg_integer(call, 0);
    const char *text = jrpc_arg_string(call, 1, /* len */ NULL);

    ((struct toy *)user)->n_run++;
    if (jrpc_arg_is_given(call, 2))
        return jrpc_fail_data(call, code, text, json_incref(jrpc_arg_json(call, 2)));
    return jrpc_fail(call, code, text);
}

static int run_crash(jrpc_call *call, void *user)
{
    (void)call;
    ((struct toy *)user)->n_run++;
    return -EIO;
}

static int run_get_user_name(jrpc_call *call, void *user)
{
    ((struct toy *)user)->n_run++;
    return jrpc_reply_pack(call, "{s:I, s:s}", "user_id", (json_int_t)jrpc_arg_integer(call, 0),
                           "first_name", jrpc_arg_string(call, 1, /* len */ NULL));
}

static int run_fill(jrpc_call *call, void *user)
{
    size_t len = (size_t)jrpc_arg_integer(call, 0);
    char *text = jrpc_call_alloc(call, len);

    ((struct toy *)user)->n_run++;
    if (!text)
        return -ENOMEM;
    memset(text, 'x', len);
    return jrpc_reply_stringn(call, text, len);
}

static const char *const type_names[] = {"absent", "null",   "boolean", "integer",
                                         "number", "string", "array",   "object"};

static int run_types(jrpc_call *call, void *user)
{
    json_t *types = json_array();

    ((struct toy *)user)->n_run++;
    for (size_t i = 0; i < jrpc_arg_count(call); i++)
        if (json_array_append_new(types, json_string(type_names[jrpc_arg_type(call, i)]))) {
            json_decref(types);
            return -ENOMEM;
        }
    return jrpc_reply_json(call, types);
}

/* An argument as it was bound, new: [type, given, value]. */
static json_t *show_arg(jrpc_call *call, size_t i)
{
    json_t *value = json_incref(jrpc_arg_json(call, i));

    if (jrpc_arg_type(call, i) == JRPC_ABSENT)
        value = json_null();
    return json_pack("[s,b,o]", type_names[jrpc_arg_type(call, i)], jrpc_arg_is_given(call, i),
                     value);
}

/* All of them by their names, or by their places without. */
static int run_show(jrpc_call *call, void *user)
{
    json_t *shown = json_object();
    char place[24];
    size_t len;

    ((struct toy *)user)->n_run++;
    for (size_t i = 0; i < jrpc_arg_count(call); i++) {
        const char *name = jrpc_arg_name(call, i, &len);
        if (!name)
            len = (size_t)snprintf(place, sizeof(place), "%zu", i);
        if (json_object_setn_new_nocheck(shown, name ? name : place, len, show_arg(call, i))) {
            json_decref(shown);
            return -ENOMEM;
        }
    }
    return jrpc_reply_json(call, shown);
}

static int run_grow(jrpc_call *call, void *user)
{
    json_t *list = jrpc_arg_json(call, 0);

    ((struct toy *)user)->n_run++;
    if (json_array_append_new(list, json_string("more")))
        return -ENOMEM;
    return jrpc_reply_json(call, json_incref(list));
}

static int run_length(jrpc_call *call, void *user)
{
    size_t len = 0;

    ((struct toy *)user)->n_run++;
    jrpc_arg_string(call, 0, &len);
    return jrpc_reply_integer(call, (int64_t)len);
}

static int run_gate(jrpc_call *call, void *user)
{
    size_t len;
    const char *name = jrpc_call_method(call, &len);

    ((struct toy *)user)->n_run++;
    return jrpc_reply_stringn(call, name, len);
}

static int run_defer(jrpc_call *call, void *user)
{
    jrpc_call *held;
    int status = jrpc_call_defer(call, &held);

    ((struct toy *)user)->n_run++;
    if (status)
        return status;
    jrpc_reply_json(held, json_incref(jrpc_arg_json(held, 0)));
    jrpc_call_free(held);
    return 0;
}

static int hold(jrpc_call *call, struct toy *toy)
{
    int status = -ENOBUFS;

    toy->n_run++;
    if (toy->n_held < TOY_HELD_MAX)
        status = jrpc_call_defer(call, &toy->held[toy->n_held]);
    if (!status)
        toy->n_held++;
    return status;
}

static int run_later(jrpc_call *call, void *user)
{
    return hold(call, user);
}

static int run_later_crash(jrpc_call *call, void *user)
{
    int status = hold(call, user);
    return status ? status : -EIO;
}

static int run_defer_fail(jrpc_call *call, void *user)
{
    jrpc_call *held;
    int status = jrpc_call_defer(call, &held);

    ((struct toy *)user)->n_run++;
    if (status)
        return status;
    jrpc_fail(held, 7, "later");
    jrpc_call_free(held);
    return 0;
}

static int run_forget(jrpc_call *call, void *user)
{
    jrpc_call *held;
    int status = jrpc_call_defer(call, &held);

    ((struct toy *)user)->n_run++;
    if (!status)
        jrpc_call_free(held);
    return status;
}

size_t toy_release(struct toy *toy)
{
    size_t n_held = toy->n_held;

    while (toy->n_held) {
        jrpc_call *held = toy->held[--toy->n_held];
        jrpc_reply_json(held, json_incref(jrpc_arg_json(held, 0)));
        jrpc_call_free(held);
    }
    return n_held;
}

static int run_release(jrpc_call *call, void *user)
{
    ((struct toy *)user)->n_run++;
    return jrpc_reply_integer(call, (int64_t)toy_release(user));
}

const jrpc_method toy_methods[] = {
    JRPC_METHOD("ping", run_ping, "", "Answers pong."),
    JRPC_METHOD("subtract", run_subtract, "minuend: number, subtrahend: number -> number",
                "The difference of two numbers; of integers an integer."),
    JRPC_METHOD("sum", run_sum, "*numbers: number -> number", "The sum of all."),
    JRPC_METHOD("get_data", run_get_data, "", "An array of two types."),
    JRPC_METHOD("update", run_nothing, "*values", "Answers nothing, which is null."),
    JRPC_METHOD("notify_hello", run_nothing, "*values", "Meant for notifications."),
    JRPC_METHOD("echo", run_echo, NULL, "The params back, as text."),
    JRPC_METHOD("echo_json", run_echo_json, NULL, "The params back, as a value."),
    JRPC_METHOD("fruits", run_fruits, "color: string -> array", "Fruits of a colour."),
    JRPC_METHOD("api_fail", run_api_fail, "", "An application's error."),
    JRPC_METHOD("api_fail_data", run_api_fail_data, "", "The same with data."),
    JRPC_METHOD("fail", run_fail, "code: integer, text?: string, data?", "Any error."),
    JRPC_METHOD("crash", run_crash, "", "The handler fails."),
    JRPC_METHOD("get_user_name", run_get_user_name,
                "user_id: integer, first_name: string = \"Ada\" -> object", "A default."),
    JRPC_METHOD("fill", run_fill, "len: integer -> string", "As many x."),
    JRPC_METHOD("types", run_types, "*values", "What each argument is."),
    JRPC_METHOD("show", run_show, NULL, "Arguments without a signature, as bound."),
    JRPC_METHOD("show_all", run_show,
                "path: string, depth: integer = 3, *rest: string, flags?: array|null, "
                "is_deep: boolean = true, **fields: number",
                "Arguments of all kinds, as bound."),
    JRPC_METHOD("show_any", run_show, "value, \"other name\"?: any, option = null",
                "Untyped arguments, as bound."),
    JRPC_METHOD("show_fields", run_show, "**fields: any -> object", "Any names, as bound."),
    JRPC_METHOD("show_named", run_show, "a: integer, *, b: integer -> object",
                "A named-only argument, as bound."),
    JRPC_METHOD("grow", run_grow, "list: array = [1, {\"a\": null}] -> array",
                "Changes its argument, or its default."),
    JRPC_METHOD("length", run_length, "text -> integer", "Bytes of a string, U+0000 too."),
    JRPC_METHOD("größe.äöü", run_nothing, "", "A name beyond ASCII."),
    JRPC_METHOD("defer", run_defer, "value = null", "Deferred and answered at once."),
    JRPC_METHOD("defer_fail", run_defer_fail, "", "Deferred, then an error."),
    JRPC_METHOD("forget", run_forget, "", "Deferred and freed without an answer."),
    JRPC_METHOD("later", run_later, "value = null", "Deferred until release."),
    JRPC_METHOD("later_crash", run_later_crash, "value = null", "Deferred, but fails."),
    JRPC_METHOD("release", run_release, "", "Answers what is held, newest first."),
    JRPC_METHOD_END,
};

int toy_add(jrpc_service *service, struct toy *toy)
{
    int status = jrpc_service_add_table(service, toy_methods, toy);
    return status ? status : jrpc_service_add_prefix(service, "gate.", run_gate, toy);
}
