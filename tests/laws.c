/* SPDX-License-Identifier: MIT */
/*
 * laws.c - what every answer must look like, whatever was asked
 */
#include "laws.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "json_read.h"

static void begin(jri_reader *reader, const char *text, size_t len)
{
    jri_read_begin(reader, text, len, JRI_READ_DEPTH, UINT32_MAX);
}

static bool is_name(const jri_value *name, const char *known)
{
    char decoded[64];

    if (name->len > sizeof(decoded))
        return false;
    size_t len = jri_string_decode(name, decoded);
    return len == strlen(known) && !memcmp(decoded, known, len);
}

static bool is_text(const jri_value *value, const char *text)
{
    return value->len == strlen(text) && !memcmp(value->text, text, value->len);
}

/* The members of an answer or error object that may be there; text NULL: not seen. */
struct members {
    const char *names[4];
    jri_value values[4];
};

/* Reads an object that has no other members and none twice. */
static const char *read_members(jri_reader *reader, struct members *members)
{
    jri_value name;

    if (jri_read_type(reader) != JRPC_OBJECT)
        return "not an object";
    int more = jri_read_enter(reader);
    while (more > 0) {
        size_t i = 0;
        if (jri_read_name(reader, &name))
            return "not JSON";
        while (i < 4 && (!members->names[i] || !is_name(&name, members->names[i])))
            i++;
        if (i == 4)
            return "a member that does not belong there";
        if (members->values[i].text)
            return "a member twice";
        if (jri_read_value(reader, &members->values[i]))
            return "not JSON";
        more = jri_read_next(reader, '}');
    }
    return more ? "not JSON" : NULL;
}

static const char *check_error(const jri_value *error)
{
    struct members members = {.names = {"code", "message", "data"}};
    jri_reader reader;

    begin(&reader, error->text, error->len);
    const char *fault = read_members(&reader, &members);
    if (fault)
        return fault;
    if (!members.values[0].text || members.values[0].type != JRPC_INTEGER)
        return "error.code is not an integer";
    if (is_text(&members.values[0], "0"))
        return "error.code is 0";
    if (!members.values[1].text || members.values[1].type != JRPC_STRING)
        return "error.message is not a string";
    return NULL;
}

static const char *read_answer(jri_reader *reader, jri_value *id)
{
    struct members members = {.names = {"jsonrpc", "result", "error", "id"}};
    const jri_value *values = members.values;
    const char *fault = read_members(reader, &members);

    if (fault)
        return fault;
    if (!values[0].text || !is_text(&values[0], "\"2.0\""))
        return "jsonrpc is not \"2.0\"";
    if (!values[1].text == !values[2].text)
        return "not one of result and error";
    if (!values[3].text)
        return "no id";
    if (values[3].type == JRPC_BOOLEAN || values[3].type >= JRPC_ARRAY)
        return "id is neither a string, a number nor null";
    *id = values[3];
    return values[2].text ? check_error(&values[2]) : NULL;
}

/* Goes from one answer to the next: true and the id, or false at the end or a fault. */
static bool next_answer(jri_reader *reader, size_t *n, bool *is_batch, jri_value *id,
                        const char **fault)
{
    int more = 1;

    if (!*n) {
        *is_batch = jri_read_type(reader) == JRPC_ARRAY;
        if (*is_batch)
            more = jri_read_enter(reader);
        if (!more)
            *fault = "an empty batch";
    } else {
        more = *is_batch ? jri_read_next(reader, ']') : 0;
        if (!more && jri_read_end(reader))
            *fault = "something behind it";
    }
    if (more < 0)
        *fault = "not JSON";
    if (*fault || !more)
        return false;
    *fault = read_answer(reader, id);
    ++*n;
    return !*fault;
}

const char *answer_fault(const char *answer, size_t len)
{
    const char *fault = NULL;
    jri_reader reader;
    bool is_batch;
    jri_value id;
    size_t n = 0;

    begin(&reader, answer, len);
    while (next_answer(&reader, &n, &is_batch, &id, &fault))
        continue;
    return fault;
}

static bool is_json(const char *text, size_t len)
{
    jri_reader reader;
    jri_value value;

    begin(&reader, text, len);
    return !jri_read_value(&reader, &value) && !jri_read_end(&reader);
}

/* The id of the request at the reader, its text NULL if there is none. All is JSON. */
static void read_request_id(jri_reader *reader, jri_value *id)
{
    jri_value name, value;

    id->text = NULL;
    if (jri_read_type(reader) != JRPC_OBJECT) {
        jri_read_value(reader, &value);
        return;
    }
    for (int more = jri_read_enter(reader); more > 0; more = jri_read_next(reader, '}')) {
        jri_read_name(reader, &name);
        jri_read_value(reader, is_name(&name, "id") ? id : &value);
    }
}

/* Goes from one request to the next; all is JSON. */
static bool next_request(jri_reader *reader, size_t *n, bool *is_batch, jri_value *id)
{
    int more = 1;

    if (!*n) {
        *is_batch = jri_read_type(reader) == JRPC_ARRAY;
        more = *is_batch ? jri_read_enter(reader) : 1;
    } else {
        more = *is_batch ? jri_read_next(reader, ']') : 0;
    }
    if (more <= 0)
        return false;
    read_request_id(reader, id);
    ++*n;
    return true;
}

const char *id_fault(const char *sent, size_t sent_len, const char *answer, size_t len)
{
    bool is_batch = false, was_batch = false, was_json = is_json(sent, sent_len);
    jri_reader answers, requests;
    size_t n = 0, n_sent = 0;
    const char *fault = NULL;
    jri_value id, asked;

    begin(&answers, answer, len);
    begin(&requests, sent, sent_len);
    while (next_answer(&answers, &n, &is_batch, &id, &fault)) {
        bool is_found = is_text(&id, "null");
        while (!is_found && was_json && next_request(&requests, &n_sent, &was_batch, &asked))
            is_found = asked.text && asked.len == id.len && !memcmp(asked.text, id.text, id.len);
        if (!is_found)
            return "an id that was not sent, or not in this order";
    }
    return fault;
}
