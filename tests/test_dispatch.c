/* SPDX-License-Identifier: MIT */
/*
 * test_dispatch.c - what may be said about one message: context, codec, size of the options; and
 * calling a method without text
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ask.h"
#include "toy.h"

#define ANSWER(result) "{\"jsonrpc\":\"2.0\",\"result\":" result ",\"id\":1}"
#define CALL(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":1}"

/*
 * Context
 */

static char some_context[] = "some";

static int run_context(jrpc_call *call, void *user)
{
    const char *context = jrpc_call_context(call);

    (void)user;
    assert_null(jrpc_call_peer(call));
    return jrpc_reply_pack(call, "[b,s?]", jrpc_call_has_context(call), context);
}

/* The same from a held call. */
static int run_deferred_context(jrpc_call *call, void *user)
{
    jrpc_call *held;

    assert_int_equal(jrpc_call_defer(call, &held), 0);
    run_context(held, user);
    jrpc_call_free(held);
    return 0;
}

static const jrpc_method context_methods[] = {
    JRPC_METHOD("now", run_context, "", NULL),
    JRPC_METHOD("later", run_deferred_context, "", NULL),
    JRPC_METHOD_END,
};

static const struct {
    const char *behaviour;
    void *context;
    bool has_context;
    const char *expect;
} contexts[] = {
    {"no_context", NULL, false, ANSWER("[false,null]")},
    {"null_context", NULL, true, ANSWER("[true,null]")},
    {"context", some_context, true, ANSWER("[true,\"some\"]")},
    {"context_needs_no_mark", some_context, false, ANSWER("[true,\"some\"]")},
};

static void absent_and_null_context_are_told_apart(void **state)
{
    jrpc_service *service = new_service(NULL, context_methods, NULL);
    jrpc_response *response = NULL;
    (void)state;

    for (size_t i = 0; i < sizeof(contexts) / sizeof(*contexts); i++)
        for (int path = 0; path < 2 * N_PATHS; path++) {
            jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
            const char *sent = path < N_PATHS ? CALL("now") : CALL("later");
            print_message("%s\n", contexts[i].behaviour);
            options.context = contexts[i].context;
            options.has_context = contexts[i].has_context;
            options.codec = path_codec(path % N_PATHS);
            assert_int_equal(jrpc_dispatch(service, sent, strlen(sent), &options, &response), 0);
            assert_json_equal(jrpc_response_json(response), contexts[i].expect);
        }
    /* The response of one dispatch brings no context into the next. */
    assert_int_equal(jrpc_dispatch(service, CALL("now"), strlen(CALL("now")), NULL, &response), 0);
    assert_json_equal(jrpc_response_json(response), ANSWER("[false,null]"));
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/*
 * Options
 */

static void no_answer(int status, jrpc_response *response, void *user)
{
    (void)status, (void)response, (void)user;
    fail_msg("done was called");
}

static void bad_options_are_refused_before_anything_runs(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_codec incomplete = JRPC_CODEC_INIT;
    jrpc_dispatch_options options[] = {JRPC_DISPATCH_OPTIONS_INIT, JRPC_DISPATCH_OPTIONS_INIT,
                                       JRPC_DISPATCH_OPTIONS_INIT};
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    options[0].size = 0;
    options[1].timeout_ms = -2;
    options[2].codec = &incomplete;
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        options[i].done = no_answer;
        assert_int_equal(jrpc_dispatch(service, CALL("ping"), 40, &options[i], &response), -EINVAL);
        assert_int_equal(jrpc_dispatch_async(service, CALL("ping"), 40, &options[i], NULL),
                         -EINVAL);
        assert_int_equal(jrpc_invoke(service, "ping", json_array(), &options[i], &response),
                         -EINVAL);
    }
    assert_null(response);
    assert_int_equal(toy.n_run, 0);
    jrpc_service_free(service);
}

/* A caller compiled with an older header has fewer members, one with a newer header more. */
static void options_of_other_versions_are_understood(void **state)
{
    struct {
        jrpc_dispatch_options known;
        long unknown;
    } newer = {JRPC_DISPATCH_OPTIONS_INIT, 12345};
    jrpc_dispatch_options older = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_service *service = new_service(NULL, context_methods, NULL);
    jrpc_response *response = NULL;
    (void)state;

    newer.known.size = sizeof(newer);
    newer.known.context = some_context;
    assert_int_equal(
        jrpc_dispatch(service, CALL("now"), strlen(CALL("now")), &newer.known, &response), 0);
    assert_json_equal(jrpc_response_json(response), ANSWER("[true,\"some\"]"));
    older.size = offsetof(jrpc_dispatch_options, context);
    older.context = some_context; /* lies behind what it says it has */
    older.timeout_ms = -5;
    assert_int_equal(jrpc_dispatch(service, CALL("now"), strlen(CALL("now")), &older, &response),
                     0);
    assert_json_equal(jrpc_response_json(response), ANSWER("[false,null]"));
    jrpc_response_free(response);
    jrpc_service_free(service);
}

static int refuse(const char *data, size_t len, void *user, json_t **out, jrpc_problem *problem)
{
    (void)data, (void)len, (void)user, (void)out, (void)problem;
    return -EBADMSG;
}

static void codec_of_the_dispatch_goes_before_the_services(void **state)
{
    jrpc_codec codec = *jrpc_codec_jansson();
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    codec.deserialize = refuse;
    assert_int_equal(jrpc_service_set_codec(service, &codec), 0);
    codec.deserialize = NULL; /* it was copied */
    options.codec = jrpc_codec_jansson();
    assert_int_equal(jrpc_dispatch(service, CALL("ping"), 40, NULL, &response), 0);
    assert_int_equal(jrpc_response_code(response, 0), JRPC_PARSE_ERROR);
    assert_int_equal(jrpc_dispatch(service, CALL("ping"), 40, &options, &response), 0);
    assert_json_equal(jrpc_response_json(response), ANSWER("\"pong\""));
    assert_int_equal(jrpc_service_set_codec(service, NULL), 0);
    assert_int_equal(jrpc_dispatch(service, CALL("ping"), 40, NULL, &response), 0);
    assert_json_equal(jrpc_response_json(response), ANSWER("\"pong\""));
    jrpc_response_free(response);
    jrpc_service_free(service);
}

static void text_need_not_be_terminated(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    assert_int_equal(
        jrpc_dispatch(service, CALL("ping") "}}}}", strlen(CALL("ping")), NULL, &response), 0);
    assert_json_equal(jrpc_response_json(response), ANSWER("\"pong\""));
    assert_int_equal(jrpc_dispatch(service, NULL, 0, NULL, &response), 0);
    assert_int_equal(jrpc_response_code(response, 0), JRPC_PARSE_ERROR);
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/*
 * Invoking
 */

static const struct {
    const char *behaviour, *method, *params, *expect;
} invocations[] = {
    {"without_params", "ping", NULL, ANSWER("\"pong\"")},
    {"by_position", "subtract", "[42,23]", ANSWER("19")},
    {"by_name", "subtract", "{\"subtrahend\":23,\"minuend\":42}", ANSWER("19")},
    {"echo_of_everything", "echo", "[1,1.5,null,true,\"\\u0000\",[],{\"a\":{}}]",
     ANSWER("[1,1.5,null,true,\"\\u0000\",[],{\"a\":{}}]")},
    {"default", "get_user_name", "[1]", ANSWER("{\"user_id\":1,\"first_name\":\"Ada\"}")},
    {"prefix", "gate.x", "[]", ANSWER("\"gate.x\"")},
    {"deferred", "defer", "[[1]]", ANSWER("[1]")},
    {"unknown_method", "nope", "[]",
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}"},
    {"empty_method", "", NULL,
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}"},
    {"method_not_utf8", "\xFF", NULL,
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}"},
    {"reserved_method", "rpc.x", "[]",
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}"},
    {"invalid_params", "ping", "[1]",
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32602,\"message\":\"Invalid params\"},\"id\":1}"},
    {"params_of_a_wrong_type", "ping", "5",
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid Request\"},\"id\":"
     "null}"},
    {"failing_method", "crash", NULL,
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,\"message\":\"Internal error\"},\"id\":1}"},
    {"application_error", "api_fail_data", NULL,
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":42,\"message\":\"Quota exceeded\",\"data\":{"
     "\"limit\":10,\"used\":11}},\"id\":1}"},
};

static void method_is_invoked_without_text(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_response *response = NULL;
    size_t len;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    for (size_t i = 0; i < sizeof(invocations) / sizeof(*invocations); i++) {
        print_message("%s\n", invocations[i].behaviour);
        assert_int_equal(jrpc_invoke(service, invocations[i].method,
                                     value_of(invocations[i].params), NULL, &response),
                         0);
        assert_json_equal(jrpc_response_json(response), invocations[i].expect);
        /* A value is also its text. */
        const char *text = jrpc_response_text(response, &len);
        assert_json_equal(jrpc_response_json(response), text);
        assert_null(answer_fault(text, len));
    }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

static int run_echo_context(jrpc_call *call, void *user)
{
    size_t len;
    const char *id = jrpc_call_id(call, &len);

    (void)user;
    assert_int_equal(len, 1);
    assert_memory_equal(id, "1", 1);
    assert_false(jrpc_call_is_notification(call));
    return jrpc_reply_string(call, jrpc_call_context(call));
}

static int count_call(jrpc_call *call, void *user)
{
    (void)call;
    ++*(unsigned *)user;
    return 0;
}

static int refuse_to_write(const json_t *value, jrpc_buf *to, void *user)
{
    (void)value, (void)to, (void)user;
    return -EIO;
}

/* Hooks, options and context included, but no codec: nothing is read or written by one. */
static void invoking_is_a_dispatch_with_id_1(void **state)
{
    static const char *const camel[] = {"convert_camel_case", "yes", "args_max", "2", NULL};
    static const jrpc_method rows[] = {JRPC_METHOD("echo_context", run_echo_context, NULL, NULL),
                                       JRPC_METHOD_END};
    jrpc_service *service = new_service(camel, rows, NULL);
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_hooks hooks = JRPC_HOOKS_INIT;
    jrpc_response *response = NULL;
    jrpc_codec codec = *jrpc_codec_jansson();
    unsigned n_received = 0;
    (void)state;

    hooks.call_received = count_call;
    codec.deserialize = refuse;
    codec.serialize = refuse_to_write;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, &n_received), 0);
    assert_int_equal(jrpc_service_set_codec(service, &codec), 0);
    options.context = some_context;
    options.codec = &codec;
    assert_int_equal(jrpc_invoke(service, "echoContext", json_pack("{s:{s:i}}", "aB", "cD", 1),
                                 &options, &response),
                     0);
    assert_json_equal(jrpc_response_json(response), ANSWER("\"some\""));
    assert_int_equal(n_received, 1);
    assert_int_equal(
        jrpc_invoke(service, "echoContext", json_pack("[i,i,i]", 1, 2, 3), &options, &response), 0);
    assert_int_equal(jrpc_response_code(response, 0), JRPC_INVALID_PARAMS);
    jrpc_response_free(response);
    jrpc_service_free(service);
}

static void note_line(const jrpc_log_record *record, void *user)
{
    strcat(strcat(user, record->text), "\n");
}

static void invoking_is_logged(void **state)
{
    static const char *const basic[] = {"basic_logging", "yes", NULL};
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(basic, NULL, NULL);
    jrpc_hooks hooks = JRPC_HOOKS_INIT;
    jrpc_response *response = NULL;
    char lines[512] = "";
    (void)state;

    hooks.logged = note_line;
    assert_int_equal(toy_add(service, &toy), 0);
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, lines), 0);
    assert_int_equal(jrpc_invoke(service, "ping", NULL, NULL, &response), 0);
    assert_string_equal(lines, "--> {\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}\n"
                               "<-- " ANSWER("\"pong\"") "\n");
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/* The caller may keep a reference to params and use them afterwards: they are as they were. */
static void invoking_leaves_kept_params_alone(void **state)
{
    struct toy toy = {.n_held = 0};
    static const char *const camel[] = {"convert_camel_case", "yes", NULL};
    jrpc_service *service = new_service(camel, NULL, NULL);
    json_t *params = value_of("[{\"aB\":[{\"cD\":1}]}]");
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    assert_int_equal(jrpc_invoke(service, "echoJson", json_incref(params), NULL, &response), 0);
    assert_json_equal(jrpc_response_json(response), ANSWER("[{\"a_b\":[{\"c_d\":1}]}]"));
    jrpc_response_free(response);
    assert_json_equal(params, "[{\"aB\":[{\"cD\":1}]}]");
    assert_int_equal(params->refcount, 1);
    json_decref(params);
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_and_null_context_are_told_apart),
        cmocka_unit_test(bad_options_are_refused_before_anything_runs),
        cmocka_unit_test(options_of_other_versions_are_understood),
        cmocka_unit_test(codec_of_the_dispatch_goes_before_the_services),
        cmocka_unit_test(text_need_not_be_terminated),
        cmocka_unit_test(method_is_invoked_without_text),
        cmocka_unit_test(invoking_is_a_dispatch_with_id_1),
        cmocka_unit_test(invoking_is_logged),
        cmocka_unit_test(invoking_leaves_kept_params_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
