/* SPDX-License-Identifier: MIT */
/*
 * answer.c - result or error to an answer: the only place that writes "jsonrpc"
 */
#include "answer.h"

#include "json_write.h"

const jri_value jri_no_id = {.text = "null", .len = 4, .type = JRPC_NULL};

typedef struct known_code {
    int code, status;
    const char *message;
    size_t plain_len;           /* 0: none */
    char plain[JRI_PLAIN_ROOM]; /* a whole answer without data, up to the id */
} known_code;

#define PLAIN(code, message)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" #code ",\"message\":\"" message "\"}"

static const known_code codes[] = {
#define KNOWN_CODE(name, code, message, status)                                                    \
    {code, status, message, sizeof(PLAIN(code, message)) - 1, PLAIN(code, message)},
    JRPC_CODES(KNOWN_CODE)
#undef KNOWN_CODE
};

static const known_code application_error = {0, 400, "Application error", 0, ""};

/* Places in that table. */
enum {
#define INDEX(name, code, message, status) INDEX_##name,
    JRPC_CODES(INDEX)
#undef INDEX
};

/* The specification's stand one behind the other, as their codes do. */
enum { N_IN_TURN = JRPC_INVALID_REQUEST - JRPC_INTERNAL_ERROR + 1 };
_Static_assert(INDEX_INTERNAL_ERROR - INDEX_INVALID_REQUEST + 1 == N_IN_TURN, "in turn");

static inline const known_code *find_code(int code)
{
    unsigned turn = (unsigned)JRPC_INVALID_REQUEST - (unsigned)code;

    if (turn < N_IN_TURN)
        return &codes[INDEX_INVALID_REQUEST + turn];
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].code == code)
            return &codes[i];
    return &application_error;
}

const char *jri_code_message(int code)
{
    return find_code(code)->message;
}

int jri_code_status(int code)
{
    return find_code(code)->status;
}

const char *jri_code_plain(int code, size_t *len)
{
    const known_code *known = find_code(code);

    *len = known->plain_len;
    return known->plain_len ? known->plain : NULL;
}

int jri_answer_close_value_id(jrpc_buf *buf, const jri_value *id)
{
    int status = jri_buf_append_literal(buf, JRI_ANSWER_ID);
    if (!status)
        status = jri_write_json(buf, id->json);
    return status ? status : jri_buf_put(buf, '}');
}

static size_t text_len(const jri_error *error)
{
    return error->text_len ? error->text_len : strlen(error->text);
}

/* An error that says more than its code does. */
static int write_error(jrpc_buf *buf, const jri_value *id, const jri_error *error)
{
    const char *message = error->message ? error->message : jri_code_message(error->code);
    int status = jri_buf_append_literal(buf, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":");

    if (!status)
        status = jri_write_integer(buf, error->code);
    if (!status)
        status = jri_buf_append_literal(buf, ",\"message\":");
    if (!status)
        status = jri_write_text(buf, message, strlen(message));
    if (!status && (error->data || error->text))
        status = jri_buf_append_literal(buf, ",\"data\":");
    if (!status && error->data)
        status = jri_write_json(buf, error->data);
    else if (!status && error->text)
        status = jri_write_text(buf, error->text, text_len(error));
    if (!status)
        status = jri_buf_put(buf, '}');
    return status ? status : jri_answer_close(buf, id);
}

static inline int write_known(jrpc_buf *buf, const jri_value *id, const known_code *known)
{
    size_t len = known->plain_len;

    if (!id->text) {
        int status = jri_buf_append(buf, known->plain, len);
        return status ? status : jri_answer_close_value_id(buf, id);
    }
    int status = jri_buf_reserve(buf, JRI_PLAIN_ROOM + JRI_ANSWER_ID_LEN + id->len + 1);
    if (status)
        return status;
    char *to = buf->data + buf->len;
    memcpy(to, known->plain, JRI_PLAIN_ROOM);
    buf->len += len + jri_answer_put_close(to + len, id);
    return 0;
}

int jri_answer_error(jrpc_buf *buf, const jri_value *id, const jri_error *error)
{
    bool is_plain = !error->message && !error->text && !error->data;
    const known_code *known = is_plain ? find_code(error->code) : &application_error;
    size_t start = buf->len;
    int status = known->plain_len ? write_known(buf, id, known) : write_error(buf, id, error);

    if (status)
        jri_buf_truncate(buf, start);
    return status;
}

void jri_answer_plain(jrpc_buf *buf, const jri_value *id, int code)
{
    size_t max = buf->max, room = jri_answer_room(id);
    jri_error error = {.code = code};

    buf->max = SIZE_MAX;
    buf->tail = buf->tail > room ? buf->tail - room : 0;
    jri_answer_error(buf, id, &error);
    buf->max = max;
}

static json_t *id_value(const jri_value *id)
{
    return id->json ? json_incref(id->json) : json_null();
}

json_t *jri_answer_result_value(const jri_value *id, json_t *result)
{
    return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "result", result, "id", id_value(id));
}

/* A lossy copy: what jri_write_text() makes of bad UTF-8, read back. */
static json_t *text_value(const char *text, size_t len)
{
    json_t *value = NULL;
    jrpc_buf buf;

    jri_buf_init(&buf, SIZE_MAX);
    if (!jri_write_text(&buf, text, len))
        jri_json_build(buf.data, buf.len, &value);
    jri_buf_fini(&buf);
    return value;
}

json_t *jri_answer_error_value(const jri_value *id, const jri_error *error)
{
    const char *message = error->message ? error->message : jri_code_message(error->code);
    json_t *inner = json_pack("{s:i, s:o}", "code", error->code, "message",
                              text_value(message, strlen(message)));

    if (inner && (error->data || error->text)) {
        json_t *data =
            error->data ? json_deep_copy(error->data) : text_value(error->text, text_len(error));
        if (json_object_set_new(inner, "data", data)) {
            json_decref(inner);
            inner = NULL;
        }
    }
    return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "error", inner, "id", id_value(id));
}
