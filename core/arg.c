/* SPDX-License-Identifier: MIT */
/*
 * arg.c - a call's arguments and what else a handler may ask of it
 *
 * Nothing is converted before it is asked for, but strings of declared parameters, which binding
 * has decoded. An accessor used on an argument of another type gives 0 or NULL.
 */
#include "call.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "bind.h"
#include "json_write.h"
#include "number.h"

static jri_arg *arg_at(const jrpc_call *call, size_t i)
{
    if (!call || i >= call->request->n_args)
        return NULL;
    return &call->request->args[i];
}

static inline bool is_short_integer(const jri_value *value)
{
    return value->type == JRPC_INTEGER && !value->json && value->len <= JRI_INTEGER_SURE;
}

/* A validated integer of JRI_INTEGER_SURE bytes at most. */
static inline int64_t short_integer(const char *text, size_t len)
{
    const char *end = text + len;
    bool is_negative = *text == '-';
    int64_t integer;

    text += is_negative;
    for (integer = *text++ - '0'; text < end; text++)
        integer = integer * 10 + (*text - '0');
    return is_negative ? -integer : integer;
}

size_t jrpc_arg_count(const jrpc_call *call)
{
    return call ? call->request->n_args : 0;
}

jrpc_type jrpc_arg_type(const jrpc_call *call, size_t i)
{
    const jri_arg *arg = arg_at(call, i);

    if (!arg)
        return JRPC_ABSENT;
    if (arg->value.type != JRPC_NUMBER &&
        (arg->value.type != JRPC_INTEGER || is_short_integer(&arg->value)))
        return arg->value.type;
    return jri_value_type(&arg->value);
}

bool jrpc_arg_is_given(const jrpc_call *call, size_t i)
{
    const jri_arg *arg = arg_at(call, i);
    return arg && arg->is_given;
}

int64_t jrpc_arg_integer(jrpc_call *call, size_t i)
{
    const jri_arg *arg = arg_at(call, i);
    int64_t integer = 0;

    if (JRI_LIKELY(arg && is_short_integer(&arg->value)))
        return short_integer(arg->value.text, arg->value.len);
    if (!arg || (arg->value.type != JRPC_INTEGER && arg->value.type != JRPC_NUMBER))
        return 0;
    const json_t *json = arg->value.json;
    if (!json)
        return jri_number_to_int64(arg->value.text, arg->value.len, &integer) ? 0 : integer;
    if (json_is_integer(json))
        return json_integer_value(json);
    return jri_value_type(&arg->value) == JRPC_INTEGER ? (int64_t)json_real_value(json) : 0;
}

double jrpc_arg_number(jrpc_call *call, size_t i)
{
    const jri_arg *arg = arg_at(call, i);
    double number = 0;

    if (!arg || (arg->value.type != JRPC_INTEGER && arg->value.type != JRPC_NUMBER))
        return 0;
    if (arg->value.json)
        return json_number_value(arg->value.json);
    if (arg->value.type == JRPC_INTEGER && arg->value.len <= JRI_INTEGER_SURE)
        return (double)short_integer(arg->value.text, arg->value.len);
    return jri_number_to_double(arg->value.text, arg->value.len, &number) ? 0 : number;
}

bool jrpc_arg_boolean(jrpc_call *call, size_t i)
{
    const jri_arg *arg = arg_at(call, i);

    if (!arg || arg->value.type != JRPC_BOOLEAN)
        return false;
    return arg->value.json ? json_is_true(arg->value.json) : arg->value.text[0] == 't';
}

const char *jrpc_arg_string(jrpc_call *call, size_t i, size_t *len)
{
    jri_arg *arg = arg_at(call, i);

    if (!arg || arg->value.type != JRPC_STRING)
        return NULL;
    if (!arg->string && jri_arg_decode(arg, call->arena))
        return NULL;
    if (len)
        *len = arg->string_len;
    return arg->string;
}

/* A value as text in the call's arena; NULL: no memory. */
static const char *write_raw(const jrpc_call *call, const json_t *json, size_t *len)
{
    const char *text = NULL;
    jrpc_buf buf;

    jri_buf_init(&buf, SIZE_MAX);
    if (!jri_write_json(&buf, json)) {
        text = jri_arena_copy(call->arena, buf.data, buf.len);
        *len = text ? buf.len : 0;
    }
    jri_buf_fini(&buf);
    return text;
}

const char *jrpc_arg_raw(jrpc_call *call, size_t i, size_t *len)
{
    const jri_arg *arg = arg_at(call, i);

    if (len)
        *len = 0;
    if (!arg || !len || arg->value.type == JRPC_ABSENT)
        return NULL;
    if (arg->value.json)
        return write_raw(call, arg->value.json, len);
    *len = arg->value.len;
    return arg->value.text;
}

json_t *jrpc_arg_json(jrpc_call *call, size_t i)
{
    jri_arg *arg = arg_at(call, i);

    if (!arg || arg->value.type == JRPC_ABSENT)
        return NULL;
    if (arg->value.json)
        return arg->value.json;
    if (!arg->built && jri_json_build(arg->value.text, arg->value.len, &arg->built))
        return NULL;
    call->request->has_built = true;
    return arg->built;
}

const char *jrpc_arg_name(const jrpc_call *call, size_t i, size_t *len)
{
    jri_arg *arg = arg_at(call, i);

    if (!arg || !arg->name)
        return NULL;
    if (!arg->has_c_name) {
        const char *copy = jri_arena_copy(call->arena, arg->name, arg->name_len);
        if (!copy)
            return NULL;
        arg->name = copy;
        arg->has_c_name = true;
    }
    if (len)
        *len = arg->name_len;
    return arg->name;
}

int jrpc_arg_find(const jrpc_call *call, const char *name)
{
    if (!call || !name)
        return -EINVAL;

    size_t len = strlen(name);
    for (uint32_t i = 0; i < call->request->n_args && i < INT_MAX; i++) {
        const jri_arg *arg = &call->request->args[i];
        if (arg->name && arg->name_len == len && !memcmp(arg->name, name, len))
            return (int)i;
    }
    return -ENOENT;
}

/* The params as they were sent, or as their names were converted, from the arguments given. */
static json_t *collect_params(jrpc_call *call)
{
    const jri_request *request = call->request;
    json_t *params = request->is_named ? json_object() : json_array();

    for (uint32_t i = 0; i < request->n_args; i++) {
        size_t len;
        if (!request->args[i].is_given)
            continue;
        json_t *value = json_incref(jrpc_arg_json(call, i));
        const char *name = request->is_named ? jrpc_arg_name(call, i, &len) : NULL;
        int status = request->is_named ? json_object_setn_new_nocheck(params, name, len, value)
                                       : json_array_append_new(params, value);
        if (status) {
            json_decref(params);
            return NULL;
        }
    }
    return params;
}

json_t *jrpc_call_params(jrpc_call *call)
{
    if (!call)
        return NULL;

    const jri_request *request = call->request;
    if (!request->is_converted && request->params.json)
        return request->params.json;
    if (call->params)
        return call->params;
    if (!request->has_params)
        call->params = json_array();
    else if (request->is_converted)
        call->params = collect_params(call);
    else if (jri_json_build(request->params.text, request->params.len, &call->params))
        call->params = NULL;
    return call->params;
}

const char *jrpc_call_params_raw(jrpc_call *call, size_t *len)
{
    if (len)
        *len = 0;
    if (!call || !len || !call->request->has_params)
        return NULL;
    if (!call->request->is_converted && call->request->params.text) {
        *len = call->request->params.len;
        return call->request->params.text;
    }
    json_t *params = jrpc_call_params(call);
    return params ? write_raw(call, params, len) : NULL;
}

bool jrpc_call_is_named(const jrpc_call *call)
{
    return call && call->request->is_named;
}

const char *jrpc_call_method(const jrpc_call *call, size_t *len)
{
    if (!call || !call->request->method)
        return NULL;
    if (len)
        *len = call->request->method_len;
    if (call->row && call->row->name_len == call->request->method_len)
        return call->row->name;
    if (call->c_method)
        return call->c_method;
    return jri_arena_copy(call->arena, call->request->method, call->request->method_len);
}

const char *jrpc_call_id(const jrpc_call *call, size_t *len)
{
    if (len)
        *len = 0;
    if (!call || !len || call->request->is_notification)
        return NULL;

    const jri_value *id = jri_request_id(call->request);
    if (!id->text)
        return write_raw(call, id->json, len);
    *len = id->len;
    return id->text;
}

bool jrpc_call_is_notification(const jrpc_call *call)
{
    return call && !jri_request_is_due(call->request);
}

bool jrpc_call_has_context(const jrpc_call *call)
{
    return call && call->message->has_context;
}

void *jrpc_call_context(const jrpc_call *call)
{
    return call ? call->message->context : NULL;
}

jrpc_peer *jrpc_call_peer(const jrpc_call *call)
{
    return call ? call->message->peer : NULL;
}

void *jrpc_call_alloc(jrpc_call *call, size_t size)
{
    return call ? jri_arena_alloc(call->arena, size) : NULL;
}
