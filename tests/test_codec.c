/* SPDX-License-Identifier: MIT */
/*
 * test_codec.c - codecs that are used for everything, and codecs that fail in every way
 *
 * The codec here is jansson's with a fault to be set: every way a user's codec may go wrong.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ask.h"
#include "toy.h"

#define CALL(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":1}"
#define CALL_WITH(method, params)                                                                  \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":1}"
#define ANSWER(result) "{\"jsonrpc\":\"2.0\",\"result\":" result ",\"id\":1}"
#define ERROR(code, message, id)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" #code ",\"message\":\"" message "\"},\"id\":" id "}"
#define ERROR_DATA(code, message, data, id)                                                        \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" #code ",\"message\":\"" message                    \
    "\",\"data\":" data "},\"id\":" id "}"
#define INTERNAL ERROR(-32603, "Internal error", "1")

enum fault {
    NONE,
    READ_CODE,     /* deserialize returns `code` */
    READ_NOTHING,  /* returns 0 and no value */
    READ_SCALAR,   /* returns a value that is no message */
    WRITE_CODE,    /* serialize returns `code` if the value has "poison" in it */
    WRITE_NOTHING, /* likewise returns 0 and appends nothing */
    WRITE_HALF,    /* likewise appends something and returns `code` */
    WRITE_BATCH,   /* returns `code` for every array */
    WRITE_NEVER,   /* returns `code` always */
};

struct codec {
    enum fault fault;
    int code;
    const char *text; /* of a problem; NULL: none */
    unsigned n_read, n_written;
};

static int read_value(const char *data, size_t len, void *user, json_t **out, jrpc_problem *problem)
{
    struct codec *codec = user;

    codec->n_read++;
    assert_non_null(problem);
    if (codec->text)
        snprintf(problem->text, sizeof(problem->text), "%s", codec->text);
    switch (codec->fault) {
    case READ_CODE:
        return codec->code;
    case READ_NOTHING:
        return 0;
    case READ_SCALAR:
        *out = json_string("scalar");
        return 0;
    default:
        return jrpc_codec_jansson()->deserialize(data, len, NULL, out, problem);
    }
}

static bool is_poisoned(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    bool is_found = text && strstr(text, "poison");

    free(text);
    return is_found;
}

static int write_value(const json_t *value, jrpc_buf *to, void *user)
{
    struct codec *codec = user;
    bool is_member =
        codec->fault == WRITE_CODE || codec->fault == WRITE_NOTHING || codec->fault == WRITE_HALF;

    codec->n_written++;
    if (codec->fault == WRITE_NEVER || (codec->fault == WRITE_BATCH && json_is_array(value)))
        return codec->code;
    if (!is_member || !is_poisoned(value))
        return jrpc_codec_jansson()->serialize(value, to, NULL);
    if (codec->fault == WRITE_NOTHING)
        return 0;
    if (codec->fault == WRITE_HALF)
        assert_int_equal(jrpc_buf_append(to, "{\"half\":", 8), 0);
    return codec->code;
}

static const struct {
    const char *behaviour;
    struct codec codec;
    const char *sent, *expect;
} rows[] = {
    {"no_fault", {.fault = NONE}, CALL("ping"), ANSWER("\"pong\"")},
    {"reading_fails",
     {READ_CODE, -EBADMSG, NULL, 0, 0},
     CALL("ping"),
     ERROR(-32700, "Parse error", "null")},
    {"reading_fails_with_a_text",
     {READ_CODE, -EBADMSG, "no \"map\"", 0, 0},
     CALL("ping"),
     ERROR_DATA(-32700, "Parse error", "\"no \\\"map\\\"\"", "null")},
    {"reading_fails_with_any_code",
     {READ_CODE, -EIO, NULL, 0, 0},
     CALL("ping"),
     ERROR(-32700, "Parse error", "null")},
    {"reading_fails_with_a_code_of_ours",
     {READ_CODE, -EMSGSIZE, NULL, 0, 0},
     CALL("ping"),
     ERROR(-32700, "Parse error", "null")},
    {"reading_fails_with_a_positive_code",
     {READ_CODE, 1, NULL, 0, 0},
     CALL("ping"),
     ERROR(-32700, "Parse error", "null")},
    {"reading_runs_out_of_memory",
     {READ_CODE, -ENOMEM, NULL, 0, 0},
     CALL("ping"),
     ERROR(-32603, "Internal error", "null")},
    {"reading_gives_nothing",
     {READ_NOTHING, 0, NULL, 0, 0},
     CALL("ping"),
     ERROR(-32700, "Parse error", "null")},
    {"reading_gives_no_message",
     {READ_SCALAR, 0, NULL, 0, 0},
     CALL("ping"),
     ERROR_DATA(-32600, "Invalid Request", "\"a request is an object\"", "null")},
    {"reading_fails_for_a_notification_too",
     {READ_CODE, -EBADMSG, NULL, 0, 0},
     "{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}",
     ERROR(-32700, "Parse error", "null")},
    {"writing_fails", {WRITE_CODE, -EIO, NULL, 0, 0}, CALL_WITH("echo", "[\"poison\"]"), INTERNAL},
    {"writing_fails_with_a_positive_code",
     {WRITE_CODE, 1, NULL, 0, 0},
     CALL_WITH("echo", "[\"poison\"]"),
     INTERNAL},
    {"writing_runs_out_of_memory",
     {WRITE_CODE, -ENOMEM, NULL, 0, 0},
     CALL_WITH("echo", "[\"poison\"]"),
     INTERNAL},
    {"writing_passes_reply_max",
     {WRITE_CODE, -EMSGSIZE, NULL, 0, 0},
     CALL_WITH("echo", "[\"poison\"]"),
     ERROR(-32003, "Reply too large", "1")},
    {"writing_gives_nothing",
     {WRITE_NOTHING, 0, NULL, 0, 0},
     CALL_WITH("echo", "[\"poison\"]"),
     INTERNAL},
    {"writing_stops_halfway",
     {WRITE_HALF, -EIO, NULL, 0, 0},
     CALL_WITH("echo", "[\"poison\"]"),
     INTERNAL},
    {"error_that_cannot_be_written",
     {WRITE_CODE, -EIO, NULL, 0, 0},
     CALL_WITH("fail", "[7,\"x\",\"poison\"]"),
     INTERNAL},
    {"deferred_answer_that_cannot_be_written",
     {WRITE_CODE, -EIO, NULL, 0, 0},
     CALL_WITH("defer", "[\"poison\"]"),
     INTERNAL},
    {"only_the_failing_member_becomes_an_error",
     {WRITE_CODE, -EIO, NULL, 0, 0},
     "[" CALL("ping") "," CALL_WITH("echo", "[\"poison\"]") "," CALL("nope") "," CALL("ping") "]",
     "[" ANSWER("\"pong\"") "," INTERNAL "," ERROR_DATA(-32601, "Method not found", "\"nope\"",
                                                        "1") "," ANSWER("\"pong\"") "]"},
    {"member_that_gives_nothing",
     {WRITE_NOTHING, 0, NULL, 0, 0},
     "[" CALL_WITH("echo", "[\"poison\"]") "," CALL("ping") "]",
     "[" INTERNAL "," ANSWER("\"pong\"") "]"},
    {"member_that_stops_halfway",
     {WRITE_HALF, -EIO, NULL, 0, 0},
     "[" CALL("ping") "," CALL_WITH("echo", "[\"poison\"]") "]",
     "[" ANSWER("\"pong\"") "," INTERNAL "]"},
    {"all_members_fail",
     {WRITE_CODE, -EIO, NULL, 0, 0},
     "[" CALL_WITH("echo", "[\"poison\"]") "," CALL_WITH("defer", "[\"poison\"]") "]",
     "[" INTERNAL "," INTERNAL "]"},
    {"batches_cannot_be_written",
     {WRITE_BATCH, -EIO, NULL, 0, 0},
     "[" CALL("ping") "," CALL("nope") "]",
     "[" INTERNAL "," ERROR(-32601, "Method not found", "1") "]"},
    {"nothing_can_be_written", {WRITE_NEVER, -EIO, NULL, 0, 0}, CALL("ping"), INTERNAL},
    {"not_even_errors_can_be_written", {WRITE_NEVER, -EIO, NULL, 0, 0}, CALL("nope"), INTERNAL},
    {"not_even_a_batch_can_be_written",
     {WRITE_NEVER, -EIO, NULL, 0, 0},
     "[" CALL("ping") ",1," CALL("update") "]",
     "[" INTERNAL "," ERROR(-32603, "Internal error", "null") "," INTERNAL "]"},
};

static void set_codec(jrpc_codec *codec, struct codec *user)
{
    *codec = (jrpc_codec)JRPC_CODEC_INIT;
    codec->name = "faulty";
    codec->content_type = "application/json";
    codec->user = user;
    codec->deserialize = read_value;
    codec->serialize = write_value;
}

static void check_row(size_t i, jrpc_service *service, jrpc_response **response)
{
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    struct codec user = rows[i].codec;
    jrpc_codec codec;
    size_t len;

    print_message("%s\n", rows[i].behaviour);
    set_codec(&codec, &user);
    options.codec = &codec;
    assert_int_equal(jrpc_dispatch(service, rows[i].sent, strlen(rows[i].sent), &options, response),
                     0);
    const char *text = jrpc_response_text(*response, &len);
    assert_null(answer_fault(text, len));
    assert_json_equal(jrpc_response_json(*response), text);
    assert_json_equal(jrpc_response_json(*response), rows[i].expect);
    assert_int_equal(user.n_read, 1);
    assert_true(user.n_written > 0);
}

static void failing_codec_costs_a_member_its_result_never_its_answer(void **state)
{
    static const char *const debug[] = {"debug", "yes", NULL};
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(debug, NULL, NULL);
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        check_row(i, service, &response);
        check_row(i, service, &response); /* and nothing of the failure is left */
    }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

static int fail_at_a_line(const char *data, size_t len, void *user, json_t **out,
                          jrpc_problem *problem)
{
    (void)data;
    (void)len;
    (void)user;
    (void)out;
    problem->line = 3;
    snprintf(problem->text, sizeof(problem->text), "no map");
    return -EBADMSG;
}

static void regression_problem_has_a_line_and_no_column(void **state)
{
    static const char *const debug[] = {"debug", "yes", NULL};
    jrpc_service *service = new_service(debug, NULL, NULL);
    jrpc_codec codec = *jrpc_codec_jansson();
    jrpc_response *response = NULL;
    (void)state;

    codec.deserialize = fail_at_a_line;
    assert_int_equal(jrpc_service_set_codec(service, &codec), 0);
    assert_int_equal(jrpc_dispatch(service, "", 0, NULL, &response), 0);
    assert_json_equal(jrpc_response_json(response),
                      ERROR_DATA(-32700, "Parse error", "\"line 3: no map\"", "null"));
    jrpc_response_free(response);
    jrpc_service_free(service);
}

static void codec_writes_every_answer_and_no_silence(void **state)
{
    static const struct {
        const char *sent;
        unsigned n_written;
    } messages[] = {
        {CALL("ping"), 1},
        {CALL("nope"), 1},
        {"{", 1},
        {"[]", 1},
        {"[" CALL("ping") "," CALL("nope") "]", 1},
        {CALL_WITH("defer", "[1]"), 1},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}", 0},
        {"[{\"jsonrpc\":\"2.0\",\"method\":\"defer\"}]", 0},
        {"{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}", 0},
    };
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
        struct codec user = {.fault = NONE};
        jrpc_codec codec;
        set_codec(&codec, &user);
        assert_int_equal(jrpc_service_set_codec(service, &codec), 0);
        assert_int_equal(
            jrpc_dispatch(service, messages[i].sent, strlen(messages[i].sent), NULL, &response), 0);
        assert_int_equal(user.n_read, 1);
        assert_int_equal(user.n_written, messages[i].n_written);
    }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/* A message over message_max is refused before the codec sees it, but answered by it. */
static void too_large_message_is_not_deserialized(void **state)
{
    static const char *const small[] = {"message_max", "10", NULL};
    jrpc_service *service = new_service(small, NULL, NULL);
    struct codec user = {.fault = NONE};
    jrpc_response *response = NULL;
    jrpc_codec codec;
    (void)state;

    set_codec(&codec, &user);
    assert_int_equal(jrpc_service_set_codec(service, &codec), 0);
    assert_int_equal(jrpc_dispatch(service, CALL("ping"), 40, NULL, &response), 0);
    assert_int_equal(jrpc_response_code(response, 0), JRPC_REQUEST_TOO_LARGE);
    assert_int_equal(user.n_read, 0);
    assert_int_equal(user.n_written, 1);
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/* A value deeper than any text: a codec need not be limited as jansson's reader is. */
static int read_deep(const char *data, size_t len, void *user, json_t **out, jrpc_problem *problem)
{
    json_t *params = json_array();
    int depth = *(int *)user;

    (void)data, (void)len, (void)problem;
    for (int i = 1; i < depth - 1; i++)
        params = json_pack("[o]", params);
    *out = json_pack("{s:s,s:s,s:o,s:i}", "jsonrpc", "2.0", "method", "echo", "params", params,
                     "id", 1);
    return 0;
}

static void depth_of_a_codecs_value_is_checked(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_codec codec = *jrpc_codec_jansson();
    jrpc_response *response = NULL;
    int depth = 128;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    codec.deserialize = read_deep;
    codec.user = &depth;
    assert_int_equal(jrpc_service_set_codec(service, &codec), 0);
    assert_int_equal(jrpc_dispatch(service, "", 0, NULL, &response), 0);
    assert_int_equal(jrpc_response_code(response, 0), 0);
    for (depth = 129; depth < 100000; depth *= 5) {
        assert_int_equal(jrpc_dispatch(service, "", 0, NULL, &response), 0);
        assert_int_equal(jrpc_response_code(response, 0), JRPC_PARSE_ERROR);
    }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/* A codec's strings need not be UTF-8, nor its names. */
static int read_given(const char *data, size_t len, void *user, json_t **out, jrpc_problem *problem)
{
    (void)data, (void)len, (void)problem;
    *out = json_incref(user);
    return 0;
}

static json_t *request_of(json_t *method, json_t *params, json_t *id)
{
    return json_pack("{s:s, s:o, s:o, s:o}", "jsonrpc", "2.0", "method", method, "params", params,
                     "id", id);
}

static json_t *bad_string(void)
{
    return json_string_nocheck("\xFF");
}

static json_t *object_with_a_bad_name(void)
{
    json_t *object = json_object();
    json_object_set_new_nocheck(object, "\xFF", json_true());
    return object;
}

static void codecs_strings_are_not_trusted(void **state)
{
    static const char *const debug[] = {"debug", "yes", NULL};
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(debug, NULL, NULL);
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    const struct {
        json_t *request;
        int code;
    } requests[] = {
        {request_of(json_string("ping"), json_array(), bad_string()), JRPC_INVALID_REQUEST},
        {request_of(bad_string(), json_array(), json_integer(1)), JRPC_METHOD_NOT_FOUND},
        {request_of(json_string("echo"), json_pack("[o]", bad_string()), json_integer(1)),
         JRPC_INTERNAL_ERROR},
        {request_of(json_string("echo_json"), json_pack("[o]", bad_string()), json_integer(1)),
         JRPC_INTERNAL_ERROR},
        {request_of(json_string("echo_json"), object_with_a_bad_name(), json_integer(1)),
         JRPC_INTERNAL_ERROR},
        {request_of(json_string("ping"), object_with_a_bad_name(), json_integer(1)),
         JRPC_INVALID_PARAMS},
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        jrpc_codec codec = *jrpc_codec_jansson();
        size_t len;
        codec.deserialize = read_given;
        codec.user = requests[i].request;
        assert_int_equal(jrpc_service_set_codec(service, &codec), 0);
        assert_int_equal(jrpc_dispatch(service, "", 0, NULL, &response), 0);
        const char *text = jrpc_response_text(response, &len);
        assert_null(answer_fault(text, len));
        assert_int_equal(jrpc_response_code(response, 0), requests[i].code);
        jrpc_response_free(response);
        response = NULL;
        json_decref(requests[i].request);
    }
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_codec_costs_a_member_its_result_never_its_answer),
        cmocka_unit_test(regression_problem_has_a_line_and_no_column),
        cmocka_unit_test(codec_writes_every_answer_and_no_silence),
        cmocka_unit_test(too_large_message_is_not_deserialized),
        cmocka_unit_test(depth_of_a_codecs_value_is_checked),
        cmocka_unit_test(codecs_strings_are_not_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
