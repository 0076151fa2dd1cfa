/* SPDX-License-Identifier: MIT */
/*
 * member.h - the members of a request object: which there are, and which make it a request
 *
 * What both ways of reading an envelope, from text and from a value, have in common.
 */
#ifndef JRI_MEMBER_H
#define JRI_MEMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "envelope.h"

typedef enum {
    JRI_MEMBER_UNKNOWN,
    JRI_MEMBER_JSONRPC,
    JRI_MEMBER_METHOD,
    JRI_MEMBER_PARAMS,
    JRI_MEMBER_ID,
    JRI_MEMBER_RESULT,
    JRI_MEMBER_ERROR,
    JRI_MEMBER_TRACE /* traceparent, tracestate (W3C Trace Context): known and let pass */
} jri_member;

jri_member jri_member_of(const char *name, size_t len);

bool jri_member_note_odd(jri_request *request, jri_member member, bool allow_unknown_members);

/* Marks the member as seen; false if its value does not matter any more: twice, or unknown. */
static inline bool jri_member_note(jri_request *request, unsigned *seen, jri_member member,
                                   bool allow_unknown_members)
{
    unsigned bit = 1u << member;

    if (*seen & bit || member == JRI_MEMBER_UNKNOWN)
        return jri_member_note_odd(request, member, allow_unknown_members);
    *seen |= bit;
    return true;
}

/* The first reason stays, but that the whole is no request outweighs what a single part lacks. */
void jri_request_refuse(jri_request *request, int status, const char *reason);

void jri_request_finish_odd(jri_request *request, unsigned seen);

/* After the last member: what is missing, what kind it is. */
static inline void jri_request_finish(jri_request *request, unsigned seen)
{
    enum {
        NEEDED = 1 << JRI_MEMBER_JSONRPC | 1 << JRI_MEMBER_METHOD,
        FOREIGN = 1 << JRI_MEMBER_RESULT | 1 << JRI_MEMBER_ERROR
    };

    request->is_notification = !(seen & 1u << JRI_MEMBER_ID);
    if ((seen & (NEEDED | FOREIGN)) != NEEDED)
        jri_request_finish_odd(request, seen);
}

/* "An empty array is one invalid request, not an empty batch": 0 or -ENOMEM. */
int jri_envelope_empty(jri_arena *arena, jri_envelope *out);

#endif
