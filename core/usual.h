/* SPDX-License-Identifier: MIT */
/*
 * usual.h - the usual request, read in three steps; included by envelope.c and by nothing else
 *
 * Its members in the usual order, names and values short and plain, spaces as JSON libraries put
 * them or none. Each step reads what it knows, with the cursor at hand, or nothing, and leaves the
 * rest to envelope.c, whose steps read anything.
 *
 * Inline, whatever their size: where nothing else is read, the cursor never leaves the registers.
 */
#ifndef JRI_USUAL_H
#define JRI_USUAL_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "envelope.h"
#include "member.h"

/* What reading one message needs at hand. */
typedef struct envelope_scan {
    jri_reader reader;
    const jri_settings *settings;
    jri_arena *arena;
} envelope_scan;

static inline void set_method(envelope_scan *scan, jri_request *request, const char *name,
                              size_t len)
{
    request->method = name;
    request->method_len = len;
    if (len > (uint64_t)scan->settings->method_max)
        jri_request_refuse(request, -ENOENT, "the method's name is longer than method_max");
}

static inline void check_id(envelope_scan *scan, jri_request *request)
{
    if (request->id.type == JRPC_BOOLEAN || request->id.type >= JRPC_ARRAY)
        jri_request_refuse(request, -EBADMSG, "id is neither a string, a number nor null");
    else if (request->id.len > (uint64_t)scan->settings->id_max)
        jri_request_refuse(request, -EBADMSG, "id is longer than id_max");
}

static inline bool is_at(const char *at, const char *end, const char *known, size_t len)
{
    return (size_t)(end - at) >= len && !memcmp(at, known, len);
}

#define IS_AT(known) is_at(at, end, known, sizeof(known) - 1)

/* {"jsonrpc": "2.0", "method": "name" */
JRI_INLINE bool read_usual_head(envelope_scan *scan, jri_request *request, unsigned *seen)
{
    jri_reader *reader = &scan->reader;
    const char *at = reader->at, *end = reader->end;

    if (IS_AT("{\"jsonrpc\":\"2.0\",\"method\":\""))
        at += sizeof("{\"jsonrpc\":\"2.0\",\"method\":") - 1;
    else if (IS_AT("{\"jsonrpc\": \"2.0\", \"method\": \""))
        at += sizeof("{\"jsonrpc\": \"2.0\", \"method\": ") - 1;
    else
        return false;
    const char *behind = jri_read_short(reader, at);
    if (!behind || reader->depth == reader->depth_max || reader->values_max - reader->n_values < 3)
        return false;

    reader->at = behind;
    reader->depth++;
    reader->n_values += 3;
    *seen = 1u << JRI_MEMBER_JSONRPC | 1u << JRI_MEMBER_METHOD;
    set_method(scan, request, at + 1, (size_t)(behind - at - 2));
    return true;
}

/* A short string or a whole number at `at`; behind it, or NULL. */
JRI_INLINE const char *read_usual_value(const jri_reader *reader, const char *at, jri_value *out)
{
    const char *behind = NULL;
    uint8_t type = JRPC_STRING;

    if (at < reader->end && *at == '"') {
        behind = jri_read_short(reader, at);
    } else if (at < reader->end && (unsigned char)(*at - '0') < 10) {
        behind = jri_read_digits(reader, at);
        type = JRPC_INTEGER;
    }
    if (behind)
        jri_value_set(out, type, at, behind);
    return behind;
}

/* "name": before an argument; behind it and its space, or NULL. */
JRI_INLINE const char *read_usual_name(const jri_reader *reader, const char *at, jri_arg *arg)
{
    const char *end = reader->end;
    const char *behind = at < end && *at == '"' ? jri_read_short(reader, at) : NULL;

    if (!behind || end - behind < 2 || *behind != ':')
        return NULL;
    arg->name = at + 1;
    arg->name_len = (uint32_t)(behind - at - 2);
    return behind + 1 + (behind[1] == ' ');
}

/* Arguments are laid out in the arena as they come. */
_Static_assert(sizeof(jri_arg) % 16 == 0, "an array of arguments keeps the arena aligned");

/* , "params": [1, "a"]   or   , "params": {"a": 1} */
JRI_INLINE void read_usual_params(envelope_scan *scan, jri_request *request, unsigned *seen)
{
    jri_reader *reader = &scan->reader;
    jri_arena *arena = scan->arena;
    const char *at = reader->at, *end = reader->end;
    jri_arg *args = (jri_arg *)(void *)arena->at, *arg = args;
    uint32_t n_max = reader->values_max - reader->n_values, n = 0; /* with the container itself */

    if (IS_AT(",\"params\":"))
        at += sizeof(",\"params\":") - 1;
    else if (IS_AT(", \"params\": "))
        at += sizeof(", \"params\": ") - 1;
    else
        return;
    const char *begin = at;
    if (at == end || (*at != '[' && *at != '{') || reader->depth == reader->depth_max)
        return;
    bool is_named = *at == '{';
    if (n_max > scan->settings->args_max)
        n_max = (uint32_t)scan->settings->args_max + 1;
    do {
        if (n + 1 >= n_max || (size_t)(arena->end - (char *)arg) < sizeof(*arg) || end - at < 2)
            return;
        *arg = (jri_arg){.is_given = true};
        at += 1 + (at[1] == ' ');
        if (is_named && !(at = read_usual_name(reader, at, arg)))
            return;
        at = read_usual_value(reader, at, &arg->value);
        if (!at || at == end)
            return;
        arg++;
        n++;
    } while (*at == ',');
    if (*at++ != *begin + 2)
        return;

    reader->at = at;
    reader->n_values += 1 + n;
    arena->at = (char *)arg;
    *seen |= 1u << JRI_MEMBER_PARAMS;
    request->has_params = true;
    request->is_named = is_named;
    request->args = args;
    request->n_args = n;
    request->params.text = begin;
    request->params.len = (uint32_t)(at - begin);
    request->params.type = is_named ? JRPC_OBJECT : JRPC_ARRAY;
}

/* , "id": 1}   or   } */
JRI_INLINE bool read_usual_end(envelope_scan *scan, jri_request *request, unsigned *seen)
{
    jri_reader *reader = &scan->reader;
    const char *at = reader->at, *end = reader->end;

    if (at < end && *at == ',') {
        if (IS_AT(",\"id\":"))
            at += sizeof(",\"id\":") - 1;
        else if (IS_AT(", \"id\": "))
            at += sizeof(", \"id\": ") - 1;
        else
            return false;
        if (reader->n_values == reader->values_max ||
            !(at = read_usual_value(reader, at, &request->id)))
            return false;
    }
    if (at == end || *at != '}')
        return false;

    if (at != reader->at) {
        *seen |= 1u << JRI_MEMBER_ID;
        reader->n_values++;
        check_id(scan, request);
    }
    reader->at = at + 1;
    reader->depth--;
    return true;
}

#endif
