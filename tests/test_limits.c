/* SPDX-License-Identifier: MIT */
/*
 * test_limits.c - reply_max at every size: an answer fits, or is an error, and is always JSON
 */
#define _GNU_SOURCE
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
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":\"a\"}"
#define VALUE "[1,{\"a\":{\"b\":[\"c\",null]},\"a longer name\":-1.5},\"\\u00e9\\n\"]"

static const struct {
    const char *behaviour, *sent;
} messages[] = {
    {"string", CALL("ping")},
    {"integer", CALL_WITH("subtract", "[42,23]")},
    {"real", CALL_WITH("sum", "[0.1]")},
    {"null", CALL("update")},
    {"raw", CALL_WITH("echo", VALUE)},
    {"value", CALL_WITH("echo_json", VALUE)},
    {"long_name", CALL_WITH("echo_json", "{\"0123456789abcdef0123456789abcdef0123456789\":1}")},
    {"packed", CALL("get_data")},
    {"deferred", CALL_WITH("defer", "[" VALUE "]")},
    {"error_with_a_text", CALL("api_fail")},
    {"error_with_data", CALL("api_fail_data")},
    {"plain_error", CALL("nope")},
    {"batch", "[" CALL("ping") "," CALL_WITH("echo_json", VALUE) "," CALL("nope") ",1," CALL(
                  "api_fail_data") "," CALL_WITH("subtract", "[3,1]") "]"},
    {"batch_with_deferred_members",
     "[" CALL_WITH("defer", "[" VALUE "]") "," CALL("ping") "," CALL("defer_fail") "," CALL(
         "forget") "," CALL_WITH("defer", "[7]") "]"},
};

static json_t *answer_at(json_t *answer, size_t i)
{
    return json_is_array(answer) ? json_array_get(answer, i) : answer;
}

/* Every answer is what it would have been, or -32003. */
static void check_answers(jrpc_response *response, json_t *expected)
{
    json_t *seen = jrpc_response_json(response);
    size_t n = json_is_array(expected) ? json_array_size(expected) : 1;

    assert_int_equal(jrpc_response_count(response), n);
    assert_int_equal(json_is_array(seen), json_is_array(expected));
    for (size_t i = 0; i < n; i++) {
        json_t *one = answer_at(seen, i), *other = answer_at(expected, i);
        assert_true(json_equal(json_object_get(one, "id"), json_object_get(other, "id")));
        if (!json_equal(one, other))
            assert_int_equal(jrpc_response_code(response, i), JRPC_REPLY_TOO_LARGE);
    }
}

static bool has_error(const jrpc_response *response)
{
    for (size_t i = 0; i < jrpc_response_count(response); i++)
        if (jrpc_response_code(response, i))
            return true;
    return false;
}

static void check_size(size_t message, int path, size_t reply_max, json_t *expected, size_t full)
{
    struct toy toy = {.n_held = 0};
    char text[24];
    jrpc_response *response = NULL;

    snprintf(text, sizeof(text), "%zu", reply_max);
    const char *const options[] = {"reply_max", text, NULL};
    jrpc_service *service = new_service(options, NULL, NULL);
    assert_int_equal(toy_add(service, &toy), 0);
    ask(service, path, messages[message].sent, &response);
    check_answers(response, expected);
    if (reply_max >= full)
        assert_true(json_equal(jrpc_response_json(response), expected));
    else
        assert_true(has_error(response)); /* errors alone may be larger */
    jrpc_response_free(response);
    jrpc_service_free(service);
}

static void answer_fits_or_is_an_error_whatever_reply_max(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_response *response = NULL;
    size_t full;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
        for (int path = 0; path < N_PATHS; path++) {
            print_message("%s (%s)\n", messages[i].behaviour, path_name(path));
            ask(service, path, messages[i].sent, &response);
            jrpc_response_text(response, &full);
            for (size_t n = 1; n <= full + 2; n++)
                check_size(i, path, n, jrpc_response_json(response), full);
        }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/* What one message spent is not missing in the next. */
static void reply_max_is_each_messages_own(void **state)
{
    static const char *const options[] = {"reply_max", "100", NULL};
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(options, NULL, NULL);
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    for (int i = 0; i < 12; i++) {
        ask(service, i & 1, CALL_WITH("defer", "[\"0123456789012345678901234567890123456789\"]"),
            &response);
        assert_int_equal(jrpc_response_code(response, 0), 0);
        ask(service, i & 1, CALL_WITH("fill", "[1000]"), &response);
        assert_int_equal(jrpc_response_code(response, 0), JRPC_REPLY_TOO_LARGE);
        ask(service, i >> 1 & 1, "[" CALL("ping") "," CALL("ping") "]", &response);
        assert_int_equal(jrpc_response_code(response, 1), 0);
    }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/* The plain errors before them are past reply_max already. */
static void regression_deferred_members_do_not_pass_what_errors_passed(void **state)
{
    static const char *const options[] = {"reply_max", "100", NULL};
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(options, NULL, NULL);
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    ask(service, 0, "[1,2,3," CALL_WITH("defer", "[7]") "," CALL_WITH("defer", "[8]") "]",
        &response);
    assert_int_equal(jrpc_response_count(response), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(jrpc_response_code(response, i),
                         i < 3 ? JRPC_INVALID_REQUEST : JRPC_REPLY_TOO_LARGE);
    jrpc_response_free(response);
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_fits_or_is_an_error_whatever_reply_max),
        cmocka_unit_test(reply_max_is_each_messages_own),
        cmocka_unit_test(regression_deferred_members_do_not_pass_what_errors_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
