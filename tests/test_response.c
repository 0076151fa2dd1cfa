/* SPDX-License-Identifier: MIT */
/*
 * test_response.c - what a response tells, for single, error, notification and batch, on both paths
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ask.h"
#include "toy.h"

#define CALL(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":1}"
#define CALL_WITH(method, params)                                                                  \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":1}"

enum { MEMBERS_MAX = 4 };

struct answer {
    int code;
    const char *result, *message, *data; /* JSON; message as it is; NULL: absent */
};

static const struct {
    const char *behaviour, *sent;
    bool is_wanted;
    int http_status;
    size_t count;
    struct answer answers[MEMBERS_MAX];
} rows[] = {
    {"result", CALL("get_data"), true, 200, 1, {{0, "[\"hello\",5]", NULL, NULL}}},
    {"null_result", CALL("update"), true, 200, 1, {{0, "null", NULL, NULL}}},
    {"error", CALL("nope"), true, 404, 1, {{-32601, NULL, "Method not found", NULL}}},
    {"application_error_with_data",
     CALL("api_fail_data"),
     true,
     400,
     1,
     {{42, NULL, "Quota exceeded", "{\"limit\":10,\"used\":11}"}}},
    {"null_data_is_not_absent",
     CALL_WITH("fail", "[7,\"x\",null]"),
     true,
     400,
     1,
     {{7, NULL, "x", "null"}}},
    {"notification", "{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}", false, 204, 0, {{0}}},
    {"response_sent_to_us", "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}", false, 204, 0, {{0}}},
    {"parse_error", "{", true, 400, 1, {{-32700, NULL, "Parse error", NULL}}},
    {"deferred", CALL_WITH("defer", "[5]"), true, 200, 1, {{0, "5", NULL, NULL}}},
    {"batch",
     "[" CALL("ping") "," CALL("nope") ",{\"jsonrpc\":\"2.0\",\"method\":\"ping\"},1]",
     true,
     200,
     3,
     {{0, "\"pong\"", NULL, NULL},
      {-32601, NULL, "Method not found", NULL},
      {-32600, NULL, "Invalid Request", NULL}}},
    {"batch_of_one", "[" CALL("ping") "]", true, 200, 1, {{0, "\"pong\"", NULL, NULL}}},
    {"batch_of_notifications", "[{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}]", false, 204, 0, {{0}}},
    {"batch_with_deferred_members",
     "[" CALL("nope") "," CALL_WITH("later",
                                    "[[1]]") "," CALL("api_fail_data") "," CALL("release") "]",
     true,
     200,
     4,
     {{-32601, NULL, "Method not found", NULL},
      {0, "[1]", NULL, NULL},
      {42, NULL, "Quota exceeded", "{\"limit\":10,\"used\":11}"},
      {0, "1", NULL, NULL}}},
    {"empty_batch", "[]", true, 400, 1, {{-32600, NULL, "Invalid Request", NULL}}},
};

static void check_texts(const char *seen, const char *expected)
{
    if (!expected)
        assert_null(seen);
    else
        assert_string_equal(seen, expected);
}

static void check_answers(jrpc_response *response, const struct answer *answers, size_t count)
{
    assert_int_equal(jrpc_response_count(response), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(jrpc_response_code(response, i), answers[i].code);
        assert_json_equal(jrpc_response_result(response, i), answers[i].result);
        check_texts(jrpc_response_message(response, i), answers[i].message);
        assert_json_equal(jrpc_response_data(response, i), answers[i].data);
    }
    /* Behind the last one there is nothing. */
    for (size_t i = count; i < count + 2; i++) {
        assert_int_equal(jrpc_response_code(response, i), 0);
        assert_null(jrpc_response_result(response, i));
        assert_null(jrpc_response_message(response, i));
        assert_null(jrpc_response_data(response, i));
    }
    assert_int_equal(jrpc_response_code(response, SIZE_MAX), 0);
    assert_null(jrpc_response_result(response, SIZE_MAX));
}

static void check_text(jrpc_response *response, bool is_wanted)
{
    size_t len = 12345;
    const char *text = jrpc_response_text(response, &len);

    assert_non_null(text);
    assert_int_equal(strlen(text), len);
    assert_int_equal(len != 0, is_wanted);
    assert_ptr_equal(jrpc_response_text(response, NULL), text);
    if (is_wanted)
        assert_json_equal(jrpc_response_json(response), text);
    else
        assert_null(jrpc_response_json(response));
    assert_ptr_equal(jrpc_response_json(response), jrpc_response_json(response));
}

static void response_tells_what_came_out(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for (int path = 0; path < N_PATHS; path++) {
            jrpc_response *response = NULL;
            print_message("%s (%s)\n", rows[i].behaviour, path_name(path));
            ask(service, path, rows[i].sent, &response);
            assert_int_equal(jrpc_response_is_wanted(response), rows[i].is_wanted);
            assert_int_equal(jrpc_response_http_status(response), rows[i].http_status);
            check_text(response, rows[i].is_wanted);
            check_answers(response, rows[i].answers, rows[i].count);
            jrpc_response_free(response);
        }
    jrpc_service_free(service);
}

/* In any order of messages, nothing of an earlier one is left. */
static void response_is_used_again(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_response *response = NULL, *first = NULL;
    size_t n = sizeof(rows) / sizeof(*rows);
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    for (size_t i = 0; i < n * n * 4; i++) {
        size_t row = (i & 1 ? i / n : i) % n;
        ask(service, i >> 1 & 1, rows[row].sent, &response);
        if (!first)
            first = response;
        assert_ptr_equal(response, first);
        assert_int_equal(jrpc_response_is_wanted(response), rows[row].is_wanted);
        assert_int_equal(jrpc_response_http_status(response), rows[row].http_status);
        if (i & 4)
            check_text(response, rows[row].is_wanted);
        check_answers(response, rows[row].answers, rows[row].count);
    }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

static void response_serves_several_services(void **state)
{
    static const char *const http_200[] = {"http_200_errors", "yes", NULL};
    static const char *const small[] = {"reply_max", "10", NULL};
    struct toy toy = {.n_held = 0};
    jrpc_service *services[] = {new_service(NULL, NULL, NULL), new_service(http_200, NULL, NULL),
                                new_service(small, NULL, NULL)};
    static const int statuses[] = {404, 200, 404}, codes[] = {0, 0, -32003};
    jrpc_response *response = NULL;
    (void)state;

    for (size_t i = 0; i < 12; i++) {
        if (i < 3)
            assert_int_equal(toy_add(services[i], &toy), 0);
        ask(services[i % 3], i & 1, CALL("nope"), &response);
        assert_int_equal(jrpc_response_http_status(response), statuses[i % 3]);
        ask(services[i % 3], i & 1, CALL("ping"), &response);
        assert_int_equal(jrpc_response_code(response, 0), codes[i % 3]);
    }
    for (size_t i = 0; i < 3; i++)
        jrpc_service_free(services[i]);
    /* It outlives them. */
    assert_int_equal(jrpc_response_http_status(response), 500);
    assert_int_equal(jrpc_response_code(response, 0), -32003);
    jrpc_response_free(response);
}

/* What jansson cannot hold has a text, a code and a status, but no value. */
static void answer_without_a_value_has_a_text(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    ask(service, 0, CALL_WITH("echo", "[1e400]"), &response);
    assert_string_equal(jrpc_response_text(response, NULL),
                        "{\"jsonrpc\":\"2.0\",\"result\":[1e400],\"id\":1}");
    assert_null(jrpc_response_json(response));
    assert_null(jrpc_response_result(response, 0));
    assert_int_equal(jrpc_response_code(response, 0), 0);
    assert_int_equal(jrpc_response_count(response), 1);
    assert_int_equal(jrpc_response_http_status(response), 200);

    ask(service, 0, CALL_WITH("echo", "[123456789012345678901234567890]"), &response);
    assert_json_equal(jrpc_response_result(response, 0), "[1.2345678901234568e29]");
    jrpc_response_free(response);
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(response_tells_what_came_out),
        cmocka_unit_test(response_is_used_again),
        cmocka_unit_test(response_serves_several_services),
        cmocka_unit_test(answer_without_a_value_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
