/* SPDX-License-Identifier: MIT */
/*
 * fields.c - a call's arguments into a C struct
 */
#include "call.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bind.h"

static int refuse(jrpc_call *call, const char *name, const char *what)
{
    jri_error error = {.code = JRPC_INVALID_PARAMS};
    char text[JRI_REASON_MAX];

    if (call->message->service->settings.debug) {
        snprintf(text, sizeof(text), "argument '%.100s' %s", name, what);
        error.text = text;
    }
    int status = jri_call_fail(call, &error);
    return status ? status : -EINVAL;
}

/* Whether the value is within the member's type. */
static bool fits_integer(int64_t value, size_t size, bool is_signed)
{
    if (!is_signed && value < 0)
        return false;
    if (size >= sizeof(int64_t))
        return true;
    int bits = (int)size * 8 - is_signed;
    int64_t max = ((int64_t)1 << bits) - 1;
    return value <= max && (!is_signed || value >= -max - 1);
}

static void store_integer(int64_t value, size_t size, void *to)
{
    int8_t narrow = (int8_t)value;
    int16_t half = (int16_t)value;
    int32_t word = (int32_t)value;

    switch (size) {
    case sizeof(int8_t):
        memcpy(to, &narrow, size);
        break;
    case sizeof(int16_t):
        memcpy(to, &half, size);
        break;
    case sizeof(int32_t):
        memcpy(to, &word, size);
        break;
    default:
        memcpy(to, &value, sizeof(value));
    }
}

/* Out of memory for an argument is for the peer an internal error. */
static int give_up(jrpc_call *call)
{
    int claimed = jri_call_claim(call);

    if (claimed == 1)
        jri_call_drop(call, JRPC_INTERNAL_ERROR);
    else if (!claimed)
        jri_call_close_failed(call, -ENOMEM);
    return claimed < 0 ? claimed : -ENOMEM;
}

static int store_number(jrpc_call *call, size_t i, const jrpc_field *field, void *to)
{
    double number = jrpc_arg_number(call, i);
    float single = (float)number;

    if (field->size == sizeof(number)) {
        memcpy(to, &number, sizeof(number));
        return 0;
    }
    if (isinf(single))
        return refuse(call, field->name, "is out of range");
    memcpy(to, &single, sizeof(single));
    return 0;
}

static int store_string(jrpc_call *call, size_t i, const jrpc_field *field, void *to)
{
    size_t len;
    const char *string = jrpc_arg_string(call, i, &len);
    if (!string)
        return give_up(call);
    if (strlen(string) != len)
        return refuse(call, field->name, "holds U+0000");
    memcpy(to, &string, sizeof(string));
    return 0;
}

static int store_json(jrpc_call *call, size_t i, void *to)
{
    json_t *json = jrpc_arg_json(call, i);
    if (!json)
        return give_up(call);
    memcpy(to, &json, sizeof(json));
    return 0;
}

static int store(jrpc_call *call, size_t i, const jrpc_field *field, void *to)
{
    int64_t integer;
    bool boolean;

    switch (field->type) {
    case JRPC_BOOLEAN:
        boolean = jrpc_arg_boolean(call, i);
        memcpy(to, &boolean, sizeof(boolean));
        return 0;
    case JRPC_INTEGER:
        integer = jrpc_arg_integer(call, i);
        if (!fits_integer(integer, field->size, field->is_signed))
            return refuse(call, field->name, "is out of range");
        store_integer(integer, field->size, to);
        return 0;
    case JRPC_NUMBER:
        return store_number(call, i, field, to);
    case JRPC_STRING:
        return store_string(call, i, field, to);
    default:
        return store_json(call, i, to);
    }
}

static const char *expected(jrpc_type type)
{
    switch (type) {
    case JRPC_BOOLEAN:
        return "is not a boolean";
    case JRPC_INTEGER:
        return "is not an integer";
    case JRPC_NUMBER:
        return "is not a number";
    case JRPC_STRING:
        return "is not a string";
    case JRPC_ARRAY:
        return "is not an array";
    default:
        return "is not an object";
    }
}

int jrpc_args_read(jrpc_call *call, const jrpc_field fields[], void *out)
{
    if (!call || !fields || !out)
        return -EINVAL;

    for (const jrpc_field *field = fields; field->name; field++) {
        int i = jrpc_arg_find(call, field->name);
        jrpc_type type = i < 0 ? JRPC_ABSENT : jrpc_arg_type(call, (size_t)i);
        if (type == JRPC_ABSENT || (type == JRPC_NULL && field->type != JRPC_NULL))
            continue;
        if (type != field->type && field->type != JRPC_NULL &&
            !(type == JRPC_INTEGER && field->type == JRPC_NUMBER))
            return refuse(call, field->name, expected(field->type));
        int status = store(call, (size_t)i, field, (char *)out + field->offset);
        if (status)
            return status;
    }
    return 0;
}
