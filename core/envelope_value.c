/* SPDX-License-Identifier: MIT */
/*
 * envelope_value.c - a message to requests, or the reason it is none: the value path
 *
 * For messages that a codec has made a jansson value of. Fills the same structs as the text path;
 * duplicates of names cannot be seen any more, they are the codec's to refuse. How deep and how
 * many its values are is checked before anything else walks them.
 */
#include "envelope.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "json_write.h"
#include "member.h"

jri_value jri_value_of(json_t *json)
{
    static const uint8_t types[] = {
        [JSON_OBJECT] = JRPC_OBJECT,   [JSON_ARRAY] = JRPC_ARRAY, [JSON_STRING] = JRPC_STRING,
        [JSON_INTEGER] = JRPC_INTEGER, [JSON_REAL] = JRPC_NUMBER, [JSON_TRUE] = JRPC_BOOLEAN,
        [JSON_FALSE] = JRPC_BOOLEAN,   [JSON_NULL] = JRPC_NULL,
    };
    jri_value value = {.json = json, .type = types[json_typeof(json)]};

    if (json_is_string(json) && memchr(json_string_value(json), '\0', json_string_length(json)))
        value.flags = JRI_HAS_NUL;
    return value;
}

/* Counts a value and all in it: recursion is bounded by depth_max. */
static int count_values(json_t *json, int64_t depth, int64_t *n_left)
{
    const char *name;
    json_t *member;
    size_t i;
    int status = 0;

    if (--*n_left < 0)
        return -E2BIG;
    if (!json_is_array(json) && !json_is_object(json))
        return 0;
    if (depth <= 0)
        return -EBADMSG;
    if (json_is_array(json)) {
        json_array_foreach(json, i, member)
            if ((status = count_values(member, depth - 1, n_left)))
                return status;
        return 0;
    }
    json_object_foreach(json, name, member)
        if ((status = count_values(member, depth - 1, n_left)))
            return status;
    return 0;
}

static int take_params(json_t *json, const jri_settings *settings, jri_arena *arena,
                       jri_request *request)
{
    size_t n_args = json_is_array(json) ? json_array_size(json) : json_object_size(json);
    const char *name;
    json_t *member;
    size_t i, len;

    if (!json_is_array(json) && !json_is_object(json)) {
        jri_request_refuse(request, -EBADMSG, "params is neither an array nor an object");
        return 0;
    }
    request->params = jri_value_of(json);
    request->has_params = true;
    request->is_named = json_is_object(json);
    if (n_args > (uint64_t)settings->args_max) {
        jri_request_refuse(request, -E2BIG, "more arguments than args_max");
        return 0;
    }
    request->args = jri_arena_alloc(arena, n_args * sizeof(jri_arg));
    if (!request->args)
        return -ENOMEM;
    jri_arg *arg = request->args;
    if (json_is_array(json)) {
        json_array_foreach(json, i, member)
            *arg++ = (jri_arg){.value = jri_value_of(member), .is_given = true};
    } else {
        json_object_keylen_foreach(json, name, len, member) {
            *arg = (jri_arg){.value = jri_value_of(member), .is_given = true};
            arg->name = name;
            arg->name_len = (uint32_t)len;
            arg->has_c_name = true;
            arg++;
        }
    }
    request->n_args = (uint32_t)n_args;
    return 0;
}

static void take_method(json_t *json, const jri_settings *settings, jri_request *request)
{
    if (!json_is_string(json)) {
        jri_request_refuse(request, -EBADMSG, "method is not a string");
        return;
    }
    request->method = json_string_value(json);
    request->method_len = json_string_length(json);
    if (request->method_len > (uint64_t)settings->method_max)
        jri_request_refuse(request, -ENOENT, "the method's name is longer than method_max");
}

/* Numbers are short; a string's limit is on its JSON text, as on the text path. */
static int take_id(json_t *json, const jri_settings *settings, jri_request *request)
{
    request->id = jri_value_of(json);
    if (request->id.type == JRPC_BOOLEAN || request->id.type >= JRPC_ARRAY) {
        jri_request_refuse(request, -EBADMSG, "id is neither a string, a number nor null");
        return 0;
    }
    jrpc_buf text;
    jri_buf_init(&text, (size_t)settings->id_max);
    int status = jri_write_json(&text, json);
    jri_buf_fini(&text);
    if (status == -EMSGSIZE)
        jri_request_refuse(request, -EBADMSG, "id is longer than id_max");
    else if (status && status != -ENOMEM)
        jri_request_refuse(request, -EBADMSG, "id cannot be sent back");
    return status == -ENOMEM ? status : 0;
}

static int take_member(jri_member member, json_t *json, const jri_settings *settings,
                       jri_arena *arena, jri_request *request)
{
    switch (member) {
    case JRI_MEMBER_JSONRPC:
        if (!json_is_string(json) || json_string_length(json) != 3 ||
            memcmp(json_string_value(json), "2.0", 3))
            jri_request_refuse(request, -EBADMSG, "jsonrpc is not \"2.0\"");
        return 0;
    case JRI_MEMBER_METHOD:
        take_method(json, settings, request);
        return 0;
    case JRI_MEMBER_PARAMS:
        return take_params(json, settings, arena, request);
    case JRI_MEMBER_ID:
        return take_id(json, settings, request);
    default:
        return 0;
    }
}

static int take_request(json_t *json, const jri_settings *settings, jri_arena *arena,
                        jri_request *request)
{
    unsigned seen = 0;
    const char *name;
    json_t *value;
    size_t len;

    *request = (jri_request){0};
    if (!json_is_object(json)) {
        jri_request_refuse(request, -EBADMSG, "a request is an object");
        return 0;
    }
    json_object_keylen_foreach(json, name, len, value) {
        jri_member member = jri_member_of(name, len);
        if (!jri_member_note(request, &seen, member, settings->allow_unknown_members))
            continue;
        int status = take_member(member, value, settings, arena, request);
        if (status)
            return status;
    }
    jri_request_finish(request, seen);
    return 0;
}

static int fail(jrpc_problem *problem, int status)
{
    if (problem) {
        *problem = (jrpc_problem){.code = status};
        snprintf(problem->text, sizeof(problem->text), "%s",
                 status == -EOVERFLOW ? "more requests than batch_max"
                 : status == -E2BIG   ? "more values than values_max"
                 : status == -EBADMSG ? "nested deeper than depth_max"
                                      : "out of memory");
    }
    return status;
}

int jri_envelope_read_value(json_t *root, const jri_settings *settings, jri_arena *arena,
                            jri_envelope *out, jrpc_problem *problem)
{
    jri_envelope envelope = {.is_batch = json_is_array(root)};
    size_t n_requests = envelope.is_batch ? json_array_size(root) : 1;
    int64_t n_left = settings->values_max;

    int status = count_values(root, settings->depth_max, &n_left);
    if (!status && envelope.is_batch && n_requests > (uint64_t)settings->batch_max)
        status = -EOVERFLOW;
    if (status)
        return fail(problem, status);
    if (!n_requests)
        return jri_envelope_empty(arena, out) ? fail(problem, -ENOMEM) : 0;

    jri_request *requests = jri_arena_alloc(arena, n_requests * sizeof(*requests));
    if (!requests)
        return fail(problem, -ENOMEM);
    for (size_t i = 0; i < n_requests; i++) {
        json_t *json = envelope.is_batch ? json_array_get(root, i) : root;
        status = take_request(json, settings, arena, &requests[i]);
        if (status)
            return fail(problem, status);
        requests[i].next = i + 1 < n_requests ? &requests[i + 1] : NULL;
    }
    envelope.n_requests = (uint32_t)n_requests;
    envelope.requests = requests;
    *out = envelope;
    return 0;
}
