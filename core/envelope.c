/* SPDX-License-Identifier: MIT */
/*
 * envelope.c - a message to requests, or the reason it is none: the text path
 *
 * One pass: every byte is validated once, and what is needed later is kept as slices. A member
 * that is JSON but no request does not stop the reading: its status says so, and the rest of the
 * batch is read on.
 */
#include "envelope.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "member.h"
#include "usual.h"

enum { ARGS_MIN = 4 };

/* Room for more arguments. Nearly always the array is the arena's newest piece and grows in
 * place. */
static int grow_args(envelope_scan *scan, jri_request *request, uint32_t *cap)
{
    jri_arena *arena = scan->arena;
    size_t size = *cap * sizeof(jri_arg);

    if (size && (char *)request->args + size == arena->at &&
        size <= (size_t)(arena->end - arena->at)) {
        arena->at += size;
        *cap *= 2;
        return 0;
    }
    uint32_t n = *cap ? *cap * 2 : ARGS_MIN;
    jri_arg *args = jri_arena_alloc(arena, n * sizeof(jri_arg));
    if (!args)
        return -ENOMEM;
    if (size)
        memcpy(args, request->args, size);
    request->args = args;
    *cap = n;
    return 0;
}

static int decode_name(envelope_scan *scan, const jri_value *name, const char **out,
                       uint32_t *out_len)
{
    char *copy = jri_arena_alloc(scan->arena, name->len);
    if (!copy)
        return -ENOMEM;
    *out_len = (uint32_t)jri_string_decode(name, copy);
    *out = copy;
    return 0;
}

/* A name between its quotes, unescaped if need be. */
static inline int take_name(envelope_scan *scan, const jri_value *name, const char **out,
                            uint32_t *out_len)
{
    if (name->flags & JRI_ESCAPED)
        return decode_name(scan, name, out, out_len);
    *out = name->text + 1;
    *out_len = name->len - 2;
    return 0;
}

/* Over args_max, an argument is read and forgotten. */
static int skip_arg(envelope_scan *scan, jri_request *request)
{
    jri_value name, value;
    int status = request->is_named ? jri_read_name(&scan->reader, &name) : 0;

    jri_request_refuse(request, -E2BIG, "more arguments than args_max");
    return status ? status : jri_read_value(&scan->reader, &value);
}

/* One more argument in params, which are known to begin here. */
static inline int read_arg(envelope_scan *scan, jri_request *request, uint32_t *cap)
{
    jri_value name;
    int status;

    if (request->n_args == *cap) {
        if (request->n_args >= (uint64_t)scan->settings->args_max)
            return skip_arg(scan, request);
        if (grow_args(scan, request, cap))
            return -ENOMEM;
        if (*cap > (uint64_t)scan->settings->args_max)
            *cap = (uint32_t)scan->settings->args_max;
    }
    jri_arg *arg = &request->args[request->n_args++];
    arg->name = NULL;
    arg->name_len = 0;
    arg->has_c_name = false;
    arg->is_given = true;
    arg->string = NULL;
    arg->built = NULL;
    if (request->is_named) {
        status = jri_read_name(&scan->reader, &name);
        if (!status)
            status = take_name(scan, &name, &arg->name, &arg->name_len);
        if (status)
            return status;
    }
    return jri_read_value(&scan->reader, &arg->value);
}

static int read_params(envelope_scan *scan, jri_request *request)
{
    jri_reader *reader = &scan->reader;
    jrpc_type type = jri_read_type(reader);
    char close = type == JRPC_OBJECT ? '}' : ']';
    uint32_t cap = 0;

    if (type != JRPC_ARRAY && type != JRPC_OBJECT) {
        jri_request_refuse(request, -EBADMSG, "params is neither an array nor an object");
        return jri_read_value(reader, &request->params);
    }
    request->has_params = true;
    request->is_named = type == JRPC_OBJECT;
    const char *begin = reader->at;
    int more = jri_read_enter(reader);
    while (more > 0) {
        int status = read_arg(scan, request, &cap);
        more = status ? status : jri_read_next(reader, close);
    }
    request->params.text = begin;
    request->params.len = (uint32_t)(reader->at - begin);
    request->params.type = (uint8_t)type;
    return more;
}

static int read_method(envelope_scan *scan, jri_request *request)
{
    jri_value value;
    const char *name;
    uint32_t len;
    int status = jri_read_value(&scan->reader, &value);
    if (status)
        return status;

    if (value.type != JRPC_STRING) {
        jri_request_refuse(request, -EBADMSG, "method is not a string");
        return 0;
    }
    status = take_name(scan, &value, &name, &len);
    if (!status)
        set_method(scan, request, name, len);
    return status;
}

static int read_id(envelope_scan *scan, jri_request *request)
{
    int status = jri_read_value(&scan->reader, &request->id);
    if (!status)
        check_id(scan, request);
    return status;
}

static int read_version(envelope_scan *scan, jri_request *request)
{
    jri_value value;
    const char *text;
    uint32_t len;
    int status = jri_read_value(&scan->reader, &value);
    if (status)
        return status;

    if (value.type == JRPC_STRING) {
        status = take_name(scan, &value, &text, &len);
        if (status)
            return status;
        if (len == 3 && !memcmp(text, "2.0", 3))
            return 0;
    }
    jri_request_refuse(request, -EBADMSG, "jsonrpc is not \"2.0\"");
    return 0;
}

/* Which member comes next; its name as most peers write it is known by its first letter. */
static inline int read_member_name(envelope_scan *scan, jri_member *out)
{
    jri_reader *reader = &scan->reader;
    jri_value name;
    const char *text;
    uint32_t len;

    switch (reader->end - reader->at > 1 ? reader->at[1] : '\0') {
    case 'j':
        *out = JRI_MEMBER_JSONRPC;
        if (jri_read_known(reader, "\"jsonrpc\":", 10))
            return 0;
        break;
    case 'm':
        *out = JRI_MEMBER_METHOD;
        if (jri_read_known(reader, "\"method\":", 9))
            return 0;
        break;
    case 'p':
        *out = JRI_MEMBER_PARAMS;
        if (jri_read_known(reader, "\"params\":", 9))
            return 0;
        break;
    case 'i':
        *out = JRI_MEMBER_ID;
        if (jri_read_known(reader, "\"id\":", 5))
            return 0;
        break;
    default:
        break;
    }
    int status = jri_read_name(reader, &name);
    if (!status)
        status = take_name(scan, &name, &text, &len);
    if (!status)
        *out = jri_member_of(text, len);
    return status;
}

/* One member of the request object: its name, then by that name its value. */
static int read_member(envelope_scan *scan, jri_request *request, unsigned *seen)
{
    bool allow_unknown = scan->settings->allow_unknown_members;
    jri_member member;
    jri_value value;
    int status = read_member_name(scan, &member);
    if (status)
        return status;

    if (!jri_member_note(request, seen, member, allow_unknown))
        return jri_read_value(&scan->reader, &value);
    switch (member) {
    case JRI_MEMBER_JSONRPC:
        return read_version(scan, request);
    case JRI_MEMBER_METHOD:
        return read_method(scan, request);
    case JRI_MEMBER_PARAMS:
        return read_params(scan, request);
    case JRI_MEMBER_ID:
        return read_id(scan, request);
    default:
        return jri_read_value(&scan->reader, &value);
    }
}

/* What is left of a request object; more: a member follows. */
static int read_members(envelope_scan *scan, jri_request *request, unsigned seen, int more)
{
    while (more > 0) {
        int status = read_member(scan, request, &seen);
        more = status ? status : jri_read_next(&scan->reader, '}');
    }
    if (!more)
        jri_request_finish(request, seen);
    return more;
}

/* One request, or a value that should have been one. */
static int read_request(envelope_scan *scan, jri_request *request)
{
    jri_reader *reader = &scan->reader;
    unsigned seen = 0;
    jri_value value;
    int more;

    jri_request_begin(request);
    if (jri_read_type(reader) != JRPC_OBJECT) {
        jri_request_refuse(request, -EBADMSG, "a request is an object");
        return jri_read_value(reader, &value);
    }
    if (!read_usual_head(scan, request, &seen)) {
        more = jri_read_enter(reader);
    } else {
        read_usual_params(scan, request, &seen);
        more = read_usual_end(scan, request, &seen) ? 0 : jri_read_next(reader, '}');
    }
    return read_members(scan, request, seen, more);
}

static int read_batch(envelope_scan *scan, jri_envelope *out)
{
    jri_request **link = &out->requests;
    int more = jri_read_enter(&scan->reader);

    out->is_batch = true;
    while (more > 0) {
        if (out->n_requests >= (uint64_t)scan->settings->batch_max)
            return -EOVERFLOW;
        jri_request *request = jri_arena_alloc(scan->arena, sizeof(*request));
        if (!request)
            return -ENOMEM;
        more = read_request(scan, request);
        *link = request;
        link = &request->next;
        out->n_requests++;
        if (!more)
            more = jri_read_next(&scan->reader, ']');
    }
    return more;
}

static void fill_problem(const envelope_scan *scan, int status, jrpc_problem *problem)
{
    if (scan->reader.status) {
        jri_read_problem(&scan->reader, problem);
        return;
    }
    *problem = (jrpc_problem){.code = status};
    snprintf(problem->text, sizeof(problem->text), "%s",
             status == -EOVERFLOW ? "more requests than batch_max" : "out of memory");
}

/* All is read, if that went well. */
static int end_reading(envelope_scan *scan, int status, jrpc_problem *problem)
{
    if (!status)
        status = jri_read_end(&scan->reader);
    if (status && problem)
        fill_problem(scan, status, problem);
    return status;
}

/* A message that does not begin as usual. */
static __attribute__((noinline)) int read_any(envelope_scan *scan, jri_envelope *out,
                                              jrpc_problem *problem)
{
    jri_envelope envelope = {0};
    int status;

    if (jri_read_type(&scan->reader) == JRPC_ARRAY) {
        status = read_batch(scan, &envelope);
    } else {
        envelope.n_requests = 1;
        envelope.requests = jri_arena_alloc(scan->arena, sizeof(jri_request));
        status = envelope.requests ? read_request(scan, envelope.requests) : -ENOMEM;
    }
    status = end_reading(scan, status, problem);
    if (status)
        return status;
    if (envelope.is_batch && !envelope.n_requests)
        return jri_envelope_empty(scan->arena, out);
    *out = envelope;
    return 0;
}

/* A request that began as usual and goes on otherwise. */
static __attribute__((noinline)) int read_rest(envelope_scan *scan, jri_request *request,
                                               unsigned seen, bool is_ended, jri_envelope *out,
                                               jrpc_problem *problem)
{
    int more = is_ended ? 0 : jri_read_next(&scan->reader, '}');
    int status = end_reading(scan, read_members(scan, request, seen, more), problem);

    if (!status)
        *out = (jri_envelope){.n_requests = 1, .requests = request};
    return status;
}

/* For those who take its address, so that it itself need never be in memory. Field by field, for
 * else it would have to be there to be copied. */
JRI_INLINE envelope_scan copy_scan(const envelope_scan *scan)
{
    const jri_reader *reader = &scan->reader;

    return (envelope_scan){
        .reader = {.at = reader->at,
                   .end = reader->end,
                   .start = reader->start,
                   .depth = reader->depth,
                   .depth_max = reader->depth_max,
                   .n_values = reader->n_values,
                   .values_max = reader->values_max},
        .settings = scan->settings,
        .arena = scan->arena,
    };
}

int jri_envelope_read(const char *text, size_t len, const jri_settings *settings, jri_arena *arena,
                      jri_envelope *out, jrpc_problem *problem)
{
    envelope_scan scan = {.settings = settings, .arena = arena};
    jri_request *request = jri_arena_alloc(arena, sizeof(*request));
    unsigned seen = 0;

    jri_read_begin(&scan.reader, text, len, (uint32_t)settings->depth_max,
                   (uint32_t)settings->values_max);
    if (request)
        jri_request_begin(request);
    if (JRI_UNLIKELY(!request || !read_usual_head(&scan, request, &seen))) {
        envelope_scan copy = copy_scan(&scan);
        return read_any(&copy, out, problem);
    }
    read_usual_params(&scan, request, &seen);
    bool is_ended = read_usual_end(&scan, request, &seen);
    if (JRI_UNLIKELY(!is_ended || scan.reader.at != scan.reader.end)) {
        envelope_scan copy = copy_scan(&scan);
        return read_rest(&copy, request, seen, is_ended, out, problem);
    }
    jri_request_finish(request, seen);
    *out = (jri_envelope){.n_requests = 1, .requests = request};
    return 0;
}
