/* SPDX-License-Identifier: MIT */
/*
 * member.c - the members of a request object: which there are, and which make it a request
 */
#include "member.h"

#include <errno.h>
#include <string.h>

static bool is_name(const char *name, size_t len, const char *known, size_t known_len)
{
    return len == known_len && !memcmp(name, known, known_len);
}

#define IS(literal) is_name(name, len, literal, sizeof(literal) - 1)

jri_member jri_member_of(const char *name, size_t len)
{
    switch (len) {
    case 2:
        return IS("id") ? JRI_MEMBER_ID : JRI_MEMBER_UNKNOWN;
    case 5:
        return IS("error") ? JRI_MEMBER_ERROR : JRI_MEMBER_UNKNOWN;
    case 6:
        return IS("method")   ? JRI_MEMBER_METHOD
               : IS("params") ? JRI_MEMBER_PARAMS
               : IS("result") ? JRI_MEMBER_RESULT
                              : JRI_MEMBER_UNKNOWN;
    case 7:
        return IS("jsonrpc") ? JRI_MEMBER_JSONRPC : JRI_MEMBER_UNKNOWN;
    case 10:
        return IS("tracestate") ? JRI_MEMBER_TRACE : JRI_MEMBER_UNKNOWN;
    case 11:
        return IS("traceparent") ? JRI_MEMBER_TRACE : JRI_MEMBER_UNKNOWN;
    default:
        return JRI_MEMBER_UNKNOWN;
    }
}

void jri_request_refuse(jri_request *request, int status, const char *reason)
{
    if (request->status == -EBADMSG || (request->status && status != -EBADMSG))
        return;
    request->status = status;
    request->reason = reason;
}

bool jri_member_note_odd(jri_request *request, jri_member member, bool allow_unknown_members)
{
    if (member == JRI_MEMBER_TRACE || (member == JRI_MEMBER_UNKNOWN && allow_unknown_members))
        return false;
    /* Readers that disagree on which of two members counts are a way past filters. */
    jri_request_refuse(request, -EBADMSG,
                       member == JRI_MEMBER_UNKNOWN
                           ? "a member that is not jsonrpc, method, params or id"
                           : "a member twice");
    return false;
}

void jri_request_finish_odd(jri_request *request, unsigned seen)
{
    bool has_method = seen & 1u << JRI_MEMBER_METHOD;

    if (seen & (1u << JRI_MEMBER_RESULT | 1u << JRI_MEMBER_ERROR)) {
        if (!has_method) {
            request->status = -ENOMSG;
            request->reason = "a response";
            return;
        }
        jri_request_refuse(request, -EBADMSG, "result or error in a request");
    }
    if (!(seen & 1u << JRI_MEMBER_JSONRPC))
        jri_request_refuse(request, -EBADMSG, "jsonrpc is missing");
    if (!has_method)
        jri_request_refuse(request, -EBADMSG, "method is missing");
}

int jri_envelope_empty(jri_arena *arena, jri_envelope *out)
{
    jri_request *request = jri_arena_alloc(arena, sizeof(*request));
    if (!request)
        return -ENOMEM;

    *request = (jri_request){0};
    jri_request_refuse(request, -EBADMSG, "an empty batch");
    *out = (jri_envelope){.n_requests = 1, .requests = request};
    return 0;
}
