/* SPDX-License-Identifier: MIT */
/*
 * test_chaos_setup.c - every allocation of setting a service up fails once
 *
 * Each step happens wholly or not at all: one that ran out of memory is taken again, and then works
 * as if for the first time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ask.h"
#include "chaos.h"
#include "toy.h"

#define CALL(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":1}"

static int run_look(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_boolean(call, true);
}

static const jrpc_method methods[] = {
    JRPC_METHOD("look", run_look, NULL, NULL),
    JRPC_METHOD("see", run_look, "a: integer = 5, **fields", "With a summary."),
    JRPC_METHOD_END,
};

static unsigned n_retried;

/* True if the step is to be taken again. */
static bool is_to_retry(int status)
{
    assert_true(status == 0 || status == -ENOMEM);
    n_retried += status != 0;
    return status != 0;
}

static void set_up(jrpc_service **out, struct toy *toy)
{
    static const jrpc_method extra =
        JRPC_METHOD("extra", run_look, "a: array = [1, {\"b\": \"\\u0041\"}], **rest", "Extra.");
    static const jrpc_method replaced = JRPC_METHOD("ping", run_look, "", "Replaced.");
    jrpc_options *options = NULL;

    while (is_to_retry(jrpc_options_new(&options)))
        assert_null(options);
    while (is_to_retry(jrpc_options_set(options, "debug", "yes")))
        continue;
    while (is_to_retry(jrpc_service_new(options, out)))
        assert_null(*out);
    while (is_to_retry(jrpc_service_add_table(*out, toy_methods, toy)))
        assert_int_equal(jrpc_service_problem(*out)->code, -ENOMEM);
    while (is_to_retry(jrpc_service_add_prefix(*out, "see.", run_look, toy)))
        assert_int_equal(jrpc_service_problem(*out)->code, -ENOMEM);
    while (is_to_retry(jrpc_service_add_table(*out, methods, toy)))
        assert_int_equal(jrpc_service_problem(*out)->code, -ENOMEM);
    while (is_to_retry(jrpc_service_add(*out, &extra, toy)))
        assert_int_equal(jrpc_service_problem(*out)->code, -ENOMEM);
    while (is_to_retry(jrpc_service_replace(*out, &replaced, toy)))
        assert_int_equal(jrpc_service_problem(*out)->code, -ENOMEM);
    while (is_to_retry(jrpc_service_remove(*out, "crash")))
        continue;
    while (is_to_retry(jrpc_service_set_codec(*out, jrpc_codec_jansson())))
        continue;
    while (is_to_retry(jrpc_service_set_info(*out, "Title", "1.2.3", "With a description.")))
        assert_int_equal(jrpc_service_problem(*out)->code, -ENOMEM);
    jrpc_options_free(options);
}

static void set_up_happens_wholly_or_not_at_all(void **state)
{
    unsigned n = 0, n_allocations;
    (void)state;

    do {
        struct toy toy = {.n_held = 0};
        jrpc_service *service = NULL;
        n_retried = 0;
        chaos_begin(++n, false);
        set_up(&service, &toy);
        n_allocations = chaos_end();
        assert_int_equal(n_retried, n_allocations >= n);
        assert_null(jrpc_service_problem(service));
        assert_answer(service, CALL("ping"), "{\"jsonrpc\":\"2.0\",\"result\":true,\"id\":1}");
        assert_answer(service, CALL("see.x"), "{\"jsonrpc\":\"2.0\",\"result\":true,\"id\":1}");
        assert_answer(service, CALL("extra"), "{\"jsonrpc\":\"2.0\",\"result\":true,\"id\":1}");
        assert_answer(service, CALL("crash"),
                      "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not "
                      "found\",\"data\":\"crash\"},\"id\":1}");
        jrpc_service_free(service);
    } while (n_allocations >= n);
    print_message("%u failures survived\n", n - 1);
}

static void describing_survives(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, methods, &toy);
    json_t *expected = NULL;
    unsigned n = 0, n_allocations;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    assert_int_equal(jrpc_service_describe(service, &expected), 0);
    do {
        json_t *described = NULL;
        chaos_begin(++n, false);
        int status = jrpc_service_describe(service, &described);
        n_allocations = chaos_end();
        if (status)
            assert_true(status == -ENOMEM && !described);
        else
            assert_true(json_equal(described, expected));
        json_decref(described);
    } while (n_allocations >= n);
    json_decref(expected);
    jrpc_service_free(service);
}

/* A document that there was no memory for costs its first caller the answer, and nobody else. */
static void being_asked_to_describe_survives(void **state)
{
    unsigned n = 0, n_allocations;
    (void)state;

    do {
        static const char sent[] = "[" CALL("rpc.discover") "," CALL("rpc.methods") "]";
        struct toy toy = {.n_held = 0};
        jrpc_service *service = new_service(NULL, methods, &toy);
        jrpc_response *response = NULL, *again = NULL;
        chaos_begin(++n, false);
        int status = jrpc_dispatch(service, sent, sizeof(sent) - 1, /* options */ NULL, &response);
        n_allocations = chaos_end();
        assert_true(status == 0 || status == -ENOMEM);
        ask(service, 0, sent, &again);
        assert_int_equal(jrpc_response_count(again), 2);
        assert_false(jrpc_response_code(again, 0) || jrpc_response_code(again, 1));
        for (size_t i = 0; i < jrpc_response_count(response); i++) {
            json_t *result = jrpc_response_result(response, i);
            if (result)
                assert_true(json_equal(result, jrpc_response_result(again, i)));
            else
                assert_int_equal(jrpc_response_code(response, i), JRPC_INTERNAL_ERROR);
        }
        jrpc_response_free(response);
        jrpc_response_free(again);
        jrpc_service_free(service);
    } while (n_allocations >= n);
    assert_true(n > 100);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_up_happens_wholly_or_not_at_all),
        cmocka_unit_test(describing_survives),
        cmocka_unit_test(being_asked_to_describe_survives),
    };
    chaos_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
