/* SPDX-License-Identifier: MIT */
/*
 * test_deferred.c - calls answered later: in every order, freed, outliving what they came with
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "desk.h"

/*
 * Interleavings: four held calls in a batch, each replied to, failed or freed, in all orders
 */

enum way { REPLY, FAIL, FREE, N_WAYS };
enum { N_HELD = 4, N_ORDERS = 24, N_WAYS_OF_ALL = N_WAYS * N_WAYS * N_WAYS * N_WAYS };

static const char *const answers[N_WAYS][N_HELD] = {
    {RESULT("\"0\"", "0"), RESULT("\"1\"", "1"), RESULT("\"2\"", "2"), RESULT("\"3\"", "3")},
    {ERROR(7, "failed", "0"), ERROR(7, "failed", "1"), ERROR(7, "failed", "2"),
     ERROR(7, "failed", "3")},
    {INTERNAL("0"), INTERNAL("1"), INTERNAL("2"), INTERNAL("3")},
};

static void answer(jrpc_call *held, enum way way, unsigned i)
{
    char text[2] = {(char)('0' + i), '\0'};

    if (way == REPLY)
        assert_int_equal(jrpc_reply_string(held, text), 0);
    else if (way == FAIL)
        assert_int_equal(jrpc_fail(held, 7, "failed"), 0);
    jrpc_call_free(held);
}

/* The i-th of all orders of four. */
static void order_of(unsigned i, unsigned order[N_HELD])
{
    unsigned left[N_HELD] = {0, 1, 2, 3};

    for (unsigned n = N_HELD; n > 0; n--) {
        unsigned k = i % n;
        order[N_HELD - n] = left[k];
        memmove(&left[k], &left[k + 1], (n - 1 - k) * sizeof(*left));
        i /= n;
    }
}

static void check_order(jrpc_service *service, struct desk *desk, int path, unsigned i,
                        const enum way ways[N_HELD])
{
    static const char sent[] =
        "[{\"jsonrpc\":\"2.0\",\"method\":\"at_once\",\"id\":\"first\"}," HOLD(
            "0") ","
                 "{\"jsonrpc\":\"2.0\",\"method\":\"nope\",\"id\":\"second\"}," HOLD("1") "," HOLD(
                     "2") ",5,"
                          "{\"jsonrpc\":\"2.0\",\"method\":\"at_once\"}," HOLD("3") "]";
    unsigned order[N_HELD];
    char expect[1024];

    snprintf(expect, sizeof(expect), "[%s,%s,%s,%s,%s,%s,%s]", RESULT("\"at once\"", "\"first\""),
             answers[ways[0]][0], ERROR(-32601, "Method not found", "\"second\""),
             answers[ways[1]][1], answers[ways[2]][2], ERROR(-32600, "Invalid Request", "null"),
             answers[ways[3]][3]);
    send_async(service, path, sent, desk, NULL);
    assert_int_equal(desk->n_held, N_HELD);
    order_of(i, order);
    for (unsigned n = 0; n < N_HELD; n++) {
        assert_int_equal(desk->n_done, 0);
        answer(desk->held[order[n]], ways[order[n]], order[n]);
    }
    assert_done(desk, expect);
    clear_desk(desk);
}

static void answers_keep_the_order_of_requests(void **state)
{
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    (void)state;

    for (unsigned i = 0; i < N_ORDERS * N_WAYS_OF_ALL; i++) {
        unsigned rest = i / N_ORDERS;
        enum way ways[N_HELD];
        for (unsigned n = 0; n < N_HELD; n++, rest /= N_WAYS)
            ways[n] = (enum way)(rest % N_WAYS);
        for (int path = 0; path < N_PATHS; path++)
            check_order(service, &desk, path, i % N_ORDERS, ways);
    }
    jrpc_service_free(service);
}

static void single_call_is_done_with_its_answer(void **state)
{
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    (void)state;

    for (int path = 0; path < N_PATHS; path++)
        for (int way = 0; way < N_WAYS; way++) {
            send_async(service, path, HOLD("0"), &desk, NULL);
            assert_int_equal(desk.n_done, 0);
            answer(desk.held[0], (enum way)way, 0);
            assert_done(&desk, answers[way][0]);
            clear_desk(&desk);
        }
    jrpc_service_free(service);
}

static void message_without_held_calls_is_done_at_once(void **state)
{
    static const struct {
        const char *sent, *expect;
    } messages[] = {
        {"{\"jsonrpc\":\"2.0\",\"method\":\"at_once\",\"id\":1}", RESULT("\"at once\"", "1")},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"at_once\"}", ""},
        {"{", ERROR(-32700, "Parse error", "null")},
        {"[]", ERROR(-32600, "Invalid Request", "null")},
        {"{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}", ""},
    };
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    (void)state;

    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
        for (int path = 0; path < N_PATHS; path++) {
            jrpc_pending *pending = NULL;
            send_async(service, path, messages[i].sent, &desk, path ? &pending : NULL);
            assert_done(&desk, messages[i].expect);
            jrpc_pending_cancel(pending);
            jrpc_pending_free(pending);
            clear_desk(&desk);
        }
    jrpc_service_free(service);
}

/* done comes for silence too: somebody may wait to send an empty frame. */
static void deferred_notifications_are_done_in_silence(void **state)
{
    static const char sent[] = "[{\"jsonrpc\":\"2.0\",\"method\":\"hold\"},"
                               "{\"jsonrpc\":\"2.0\",\"method\":\"hold\",\"params\":[1]}]";
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    (void)state;

    for (int path = 0; path < N_PATHS; path++) {
        send_async(service, path, sent, &desk, NULL);
        assert_true(jrpc_call_is_notification(desk.held[0]));
        assert_int_equal(jrpc_reply_null(desk.held[1]), 0);
        assert_int_equal(jrpc_reply_null(desk.held[1]), -EALREADY);
        jrpc_call_free(desk.held[1]);
        assert_int_equal(desk.n_done, 0);
        jrpc_call_free(desk.held[0]);
        assert_done(&desk, "");
        clear_desk(&desk);
    }
    jrpc_service_free(service);
}

/*
 * Handlers that return something after deferring
 */

static void handler_that_defers_and_fails_has_answered(void **state)
{
    static const int statuses[] = {-EIO, 5};
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        desk.returns = statuses[i / 2];
        send_async(service, i % 2, HOLD("0"), &desk, NULL);
        assert_done(&desk, INTERNAL("0"));
        assert_false(jrpc_call_is_cancelled(desk.held[0]));
        assert_int_equal(jrpc_reply_null(desk.held[0]), -EALREADY);
        assert_int_equal(jrpc_fail(desk.held[0], 7, "x"), -EALREADY);
        jrpc_call_free(desk.held[0]);
        clear_desk(&desk);
    }
    jrpc_service_free(service);
}

static int run_answer_and_fail(jrpc_call *call, void *user)
{
    bool is_freed_first = *(bool *)user;
    jrpc_call *held;

    assert_int_equal(jrpc_call_defer(call, &held), 0);
    if (!is_freed_first)
        assert_int_equal(jrpc_reply_integer(held, 1), 0);
    jrpc_call_free(held);
    return -EIO;
}

static void answer_goes_before_what_the_handler_returns(void **state)
{
    static const jrpc_method methods[] = {JRPC_METHOD("hold", run_answer_and_fail, NULL, NULL),
                                          JRPC_METHOD_END};
    bool is_freed_first = false;
    jrpc_service *service = new_service(NULL, methods, &is_freed_first);
    (void)state;

    assert_answer(service, HOLD("0"), RESULT("1", "0"));
    is_freed_first = true;
    assert_answer(service, HOLD("0"), INTERNAL("0"));
    jrpc_service_free(service);
}

/*
 * What a held call keeps
 */

static void service_lives_as_long_as_its_held_calls(void **state)
{
    static const char *const debug[] = {"debug", "yes", NULL};
    struct desk desk = {.n_held = 0};
    (void)state;

    for (int path = 0; path < N_PATHS; path++) {
        jrpc_service *service = new_service(debug, desk_methods, &desk);
        send_async(service, path, "[" HOLD("0") "," HOLD("1") "]", &desk, NULL);
        jrpc_service_free(service);
        assert_int_equal(jrpc_fail(desk.held[1], JRPC_INVALID_PARAMS, "why"), 0);
        jrpc_call_free(desk.held[1]);
        assert_int_equal(jrpc_reply_json(desk.held[0], json_integer(5)), 0);
        jrpc_call_free(desk.held[0]);
        assert_done(
            &desk,
            "[" RESULT("5", "0") ",{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32602,"
                                 "\"message\":\"Invalid params\",\"data\":\"why\"},\"id\":1}]");
        clear_desk(&desk);
    }
}

/* Arguments, name and id are there until jrpc_call_free(), though the text is gone. */
static void check_kept(jrpc_call *held, int path)
{
    size_t len;

    assert_string_equal(jrpc_call_method(held, &len), "hold");
    assert_int_equal(len, 4);
    assert_memory_equal(jrpc_call_id(held, &len), "\"\\u0041\"", path ? 0 : 8);
    assert_int_equal(jrpc_arg_count(held), 3);
    assert_string_equal(jrpc_arg_string(held, 0, NULL), "é\n");
    assert_string_equal(jrpc_arg_name(held, 0, NULL), "a");
    assert_int_equal(jrpc_arg_find(held, "\"b"), 1);
    assert_json_equal(jrpc_arg_json(held, 1), "{\"x\":[1,2.5]}");
    assert_int_equal(jrpc_arg_integer(held, 2), -7);
    const char *raw = jrpc_arg_raw(held, 2, &len);
    assert_int_equal(len, 2);
    assert_memory_equal(raw, "-7", 2);
    assert_json_equal(jrpc_call_params(held),
                      "{\"a\":\"é\\n\",\"\\\"b\":{\"x\":[1,2.5]},\"c\":-7}");
    raw = jrpc_call_params_raw(held, &len);
    assert_non_null(raw);
    assert_true(raw[0] == '{' && raw[len - 1] == '}');
}

static void request_lives_as_long_as_its_held_call(void **state)
{
    static const char sent[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"h\\u006fld\",\"id\":\"\\u0041\",\"params\":{\"a\":"
        "\"\\u00e9\\n\",\"\\\"b\":{\"x\":[1,2.5]},\"c\":-7}}";
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    (void)state;

    for (int path = 0; path < N_PATHS; path++) {
        send_async(service, path, sent, &desk, NULL);
        jrpc_call *held = desk.held[0];
        check_kept(held, path);
        char *memory = jrpc_call_alloc(held, 100000);
        assert_non_null(memory);
        memset(memory, 'm', 100000);
        size_t len;
        const char *raw = jrpc_arg_raw(held, 1, &len);
        assert_int_equal(jrpc_reply_raw(held, raw, len), 0);
        assert_done(&desk, RESULT("{\"x\":[1,2.5]}", "\"A\""));
        check_kept(held, path); /* also when it is answered */
        assert_int_equal(memory[99999], 'm');
        jrpc_call_free(held);
        clear_desk(&desk);
    }
    jrpc_service_free(service);
}

static void name_given_by_a_prefix_stays(void **state)
{
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    size_t len;
    (void)state;

    assert_int_equal(jrpc_service_add_prefix(service, "any.", run_hold, &desk), 0);
    for (int path = 0; path < N_PATHS; path++) {
        send_async(service, path, "{\"jsonrpc\":\"2.0\",\"method\":\"any.n\\u0061me\",\"id\":0}",
                   &desk, NULL);
        assert_string_equal(jrpc_call_method(desk.held[0], &len), "any.name");
        assert_int_equal(len, 8);
        jrpc_call_free(desk.held[0]);
        clear_desk(&desk);
    }
    jrpc_service_free(service);
}

static void note_line(const jrpc_log_record *record, void *user)
{
    snprintf(user, 256, "%s", record->text);
}

/* The log names the method of a held call, too. */
static void value_null_is_logged_with_the_name(void **state)
{
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_hooks hooks = JRPC_HOOKS_INIT;
    char line[256] = "";
    (void)state;

    hooks.logged = note_line;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, line), 0);
    assert_int_equal(jrpc_service_add_prefix(service, "any.", run_hold, &desk), 0);
    send_async(service, 0, "{\"jsonrpc\":\"2.0\",\"method\":\"any.name\",\"id\":0}", &desk, NULL);
    assert_int_equal(jrpc_reply_json(desk.held[0], NULL), -ENOMEM);
    jrpc_call_free(desk.held[0]);
    assert_done(&desk, INTERNAL("0"));
    assert_non_null(strstr(line, "'any.name'"));
    clear_desk(&desk);
    jrpc_service_free(service);
}

/* What was asked for before deferring stays: values, strings, params. */
static int run_look_and_hold(jrpc_call *call, void *user)
{
    struct desk *desk = user;
    json_t *value = jrpc_arg_json(call, 0), *params = jrpc_call_params(call);
    const char *string = jrpc_arg_string(call, 1, NULL);
    char *memory = jrpc_call_alloc(call, 10);

    strcpy(memory, "memory");
    assert_int_equal(jrpc_call_defer(call, &desk->held[0]), 0);
    assert_ptr_equal(jrpc_arg_json(desk->held[0], 0), value);
    assert_ptr_equal(jrpc_call_params(desk->held[0]), params);
    assert_ptr_equal(jrpc_arg_string(desk->held[0], 1, NULL), string);
    desk->n_held = 1;
    return 0;
}

static void what_was_asked_for_before_deferring_stays(void **state)
{
    static const jrpc_method methods[] = {
        JRPC_METHOD("hold", run_look_and_hold, "value, text: string = \"default\"", NULL),
        JRPC_METHOD_END};
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, methods, &desk);
    (void)state;

    for (int path = 0; path < N_PATHS; path++) {
        send_async(service, path, HOLD("0"), &desk, NULL);
        assert_string_equal(jrpc_arg_string(desk.held[0], 1, NULL), "default");
        assert_int_equal(jrpc_reply_json(desk.held[0], json_incref(jrpc_call_params(desk.held[0]))),
                         0);
        jrpc_call_free(desk.held[0]);
        assert_done(&desk, RESULT("[0]", "0"));
        clear_desk(&desk);
    }
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_keep_the_order_of_requests),
        cmocka_unit_test(single_call_is_done_with_its_answer),
        cmocka_unit_test(message_without_held_calls_is_done_at_once),
        cmocka_unit_test(deferred_notifications_are_done_in_silence),
        cmocka_unit_test(handler_that_defers_and_fails_has_answered),
        cmocka_unit_test(answer_goes_before_what_the_handler_returns),
        cmocka_unit_test(service_lives_as_long_as_its_held_calls),
        cmocka_unit_test(request_lives_as_long_as_its_held_call),
        cmocka_unit_test(name_given_by_a_prefix_stays),
        cmocka_unit_test(value_null_is_logged_with_the_name),
        cmocka_unit_test(what_was_asked_for_before_deferring_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
