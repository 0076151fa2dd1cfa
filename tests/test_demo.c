/* SPDX-License-Identifier: MIT */
/*
 * test_demo.c - every method of the demo, by position and by name, on both ways through dispatch
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <uv.h>

#include "ask.h"
#include "demo_service.h"

#define NO_FRUITS "{\"code\":-32602,\"message\":\"Invalid params\"}"
#define INVALID NO_FRUITS
#define ADA "{\"user_id\":7,\"first_name\":\"Ada\"}"

/* What the answer has: a result, or an error. params NULL: none, or that style is not tried. */
static const struct {
    const char *method, *by_position, *by_name, *result, *error;
} rows[] = {
    {"ping", "[]", "{}", "\"pong\"", NULL},
    {"subtract", "[42, 23]", "{\"subtrahend\":23,\"minuend\":42}", "19", NULL},
    {"subtract", "[1, 0.5]", "{\"minuend\":1,\"subtrahend\":0.5}", "0.5", NULL},
    {"subtract", "[9007199254740993, 2]", NULL, "9007199254740991", NULL},
    {"subtract", "[-9223372036854775808, 1]", NULL, "-9.2233720368547758e18", NULL},
    {"subtract", "[42]", "{\"minuend\":42,\"subtrahend\":\"23\"}", NULL, INVALID},
    {"sum", "[]", "{}", "0", NULL},
    {"sum", "[1, 2, 4]", NULL, "7", NULL},
    {"sum", "[1, 2.5, 4]", NULL, "7.5", NULL},
    {"sum", "[9007199254740993, 2]", NULL, "9007199254740995", NULL},
    {"sum", "[9223372036854775807, 1]", NULL, "9.2233720368547758e18", NULL},
    {"sum", "[9223372036854775807, 1, -1]", NULL, "9.2233720368547758e18", NULL},
    {"sum", "[\"1\"]", "{\"numbers\":1}", NULL, INVALID},
    {"get_data", "[]", "{}", "[\"hello\",5]", NULL},
    {"update", "[1, \"two\", null]", "{}", "null", NULL},
    {"fruits", "[\"red\"]", "{\"color\":\"red\"}", "[\"apple\",\"cherry\"]", NULL},
    {"fruits", "[\"orange\"]", "{\"color\":\"orange\"}", "[\"mandarin\",\"persimmon\"]", NULL},
    {"fruits", "[\"yellow\"]", "{\"color\":\"yellow\"}", "[\"banana\",\"lemon\"]", NULL},
    {"fruits", "[\"blue\"]", "{\"color\":\"blue\"}", NULL, NO_FRUITS},
    {"api_fail", "[]", "{}", NULL, "{\"code\":1,\"message\":\"Can't fulfill the request\"}"},
    {"api_fail_data", "[]", "{}", NULL,
     "{\"code\":42,\"message\":\"Quota exceeded\",\"data\":{\"limit\":10,\"used\":11}}"},
    {"crash", "[]", "{}", NULL, "{\"code\":-32603,\"message\":\"Internal error\"}"},
    {"echo", "[1, [2], {\"three\":3}]", "{\"a\":[1],\"b\":null}", NULL, NULL},
    {"get_user_name", "[7]", "{\"user_id\":7}", ADA, NULL},
    {"get_user_name", "[7, \"Grace\"]", "{\"first_name\":\"Grace\",\"user_id\":7}",
     "{\"user_id\":7,\"first_name\":\"Grace\"}", NULL},
    {"get_user_name", "[7.5]", "{\"first_name\":\"Grace\"}", NULL, INVALID},
    {"slow", "[-1]", "{\"ms\":-1}", NULL, INVALID},
    {"work", "[\"1\"]", "{}", NULL, INVALID},
    {"work", "[1]", "{\"ms\":1}", "1", NULL},
    {"notify_me", "[-1, 1]", "{\"count\":1,\"every_ms\":-1}", NULL, INVALID},
    {"notify_me", "[1, 1]", "{\"count\":1,\"every_ms\":1}", NULL,
     "{\"code\":2,\"message\":\"This peer cannot be sent notifications\"}"},
};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static void request(char to[512], const char *method, const char *params)
{
    snprintf(to, 512, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"%s%s,\"id\":1}", method,
             params ? ",\"params\":" : "", params ? params : "");
}

static void answer(char to[512], const char *result, const char *error)
{
    snprintf(to, 512, "{\"jsonrpc\":\"2.0\",\"%s\":%s,\"id\":1}", result ? "result" : "error",
             result ? result : error);
}

static void every_method_answers_in_both_styles(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);
    char sent[512], expected[512];

    (void)state;
    assert_int_equal(demo_service_add(service, /* loop */ NULL), 0);
    for (size_t i = 0; i < N_ROWS; i++) {
        const char *const params[] = {rows[i].by_position, rows[i].by_name};
        for (size_t style = 0; style < 2; style++) {
            const char *result = rows[i].result;
            if (!params[style])
                continue;
            if (!result && !rows[i].error)
                result = params[style]; /* an echo */
            request(sent, rows[i].method, params[style]);
            answer(expected, result, rows[i].error);
            assert_answer(service, sent, expected);
        }
    }
    jrpc_service_free(service);
}

static void echo_of_nothing_is_an_empty_array(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);
    char sent[512];

    (void)state;
    assert_int_equal(demo_service_add(service, /* loop */ NULL), 0);
    request(sent, "echo", NULL);
    assert_answer(service, sent, "{\"jsonrpc\":\"2.0\",\"result\":[],\"id\":1}");
    jrpc_service_free(service);
}

static void notifications_are_silent(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);

    (void)state;
    assert_int_equal(demo_service_add(service, /* loop */ NULL), 0);
    assert_answer(service, "{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":[1]}", NULL);
    assert_answer(service, "{\"jsonrpc\":\"2.0\",\"method\":\"crash\"}", NULL);
    jrpc_service_free(service);
}

/*
 * slow, on a loop
 */

static void note_answer(int status, jrpc_response *response, void *user)
{
    json_t **out = user;

    assert_int_equal(status, 0);
    assert_null(*out);
    *out = json_incref(jrpc_response_json(response));
}

/* Calls slow(ms), and cancels it if wanted; the loop runs until nothing is left on it. */
static void check_slow(const char *params, bool is_cancelled, const char *expected)
{
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_pending *pending = NULL;
    json_t *seen = NULL;
    uv_loop_t loop;
    char sent[512];

    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(demo_service_add(service, &loop), 0);
    request(sent, "slow", params);
    options.done = note_answer;
    options.user = &seen;
    assert_int_equal(jrpc_dispatch_async(service, sent, strlen(sent), &options, &pending), 0);
    assert_null(seen);
    if (is_cancelled)
        jrpc_pending_cancel(pending);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_json_equal(seen, expected);
    json_decref(seen);
    jrpc_pending_free(pending);
    jrpc_service_free(service);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void slow_answers_from_the_loop(void **state)
{
    (void)state;
    check_slow("[1]", /* is_cancelled */ false, "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}");
    check_slow("{\"ms\":0}", /* is_cancelled */ false,
               "{\"jsonrpc\":\"2.0\",\"result\":0,\"id\":1}");
}

static void slow_can_be_cancelled(void **state)
{
    (void)state;
    check_slow("[600000]", /* is_cancelled */ true,
               "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32800,\"message\":\"Request cancelled\"},"
               "\"id\":1}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_answers_in_both_styles),
        cmocka_unit_test(echo_of_nothing_is_an_empty_array),
        cmocka_unit_test(notifications_are_silent),
        cmocka_unit_test(slow_answers_from_the_loop),
        cmocka_unit_test(slow_can_be_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
