/* SPDX-License-Identifier: MIT */
/*
 * test_null.c - what every public function does with NULL
 *
 * That every public function has a row is checked against the headers. Servers' are in
 * test_null_server.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jrpc/jrpc.h>

#include "ask.h"
#include "null_rows.h"

#define CALL "{\"jsonrpc\":\"2.0\",\"method\":\"run\",\"params\":{\"a\":1},\"id\":1}"

static void nothing(jrpc_call *held, void *user)
{
    (void)held, (void)user;
}

static int run_nothing(jrpc_call *call, void *user)
{
    (void)call, (void)user;
    return 0;
}

/* printf-like functions are called through pointers: compilers would warn of a NULL format. */
static int (*const fail_format)(jrpc_call *call, int code, const char *format,
                                ...) = jrpc_fail_format;

/* 1 for each function that only has to survive. */
static bool free_nothing(void)
{
    jrpc_options_free(NULL);
    jrpc_service_free(NULL);
    jrpc_response_free(NULL);
    jrpc_call_free(NULL);
    jrpc_pending_free(NULL);
    jrpc_pending_cancel(NULL);
    return true;
}

static bool is_zero(double number)
{
    return fabs(number) <= 0;
}

/* NULL has no length. */
static bool arg_raw_is_empty(void)
{
    size_t len = 5;
    return !jrpc_arg_raw(NULL, 0, &len) && !len;
}

static bool params_raw_is_empty(void)
{
    size_t len = 5;
    return !jrpc_call_params_raw(NULL, &len) && !len;
}

static bool id_is_empty(void)
{
    size_t len = 5;
    return !jrpc_call_id(NULL, &len) && !len;
}

static bool text_is_empty(void)
{
    size_t len = 5;
    return !jrpc_response_text(NULL, &len) && !len;
}

static void never(int status, jrpc_response *response, void *user)
{
    (void)status, (void)response, (void)user;
    fail_msg("done was called");
}

static void service_that_is_null(void **state)
{
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_response *response = NULL;
    json_t *described = NULL;
    (void)state;

    const struct row rows[] = {
        {"jrpc_version", jrpc_version() == JRPC_VERSION},
        {"jrpc_options_free", free_nothing()},
        {"jrpc_service_free", free_nothing()},
        {"jrpc_pending_free", free_nothing()},
        {"jrpc_pending_cancel", free_nothing()},
        {"jrpc_options_new", jrpc_options_new(NULL) == -EINVAL},
        {"jrpc_options_set", jrpc_options_set(NULL, "debug", "yes") == -EINVAL},
        {"jrpc_options_set_integer", jrpc_options_set_integer(NULL, "debug", 1) == -EINVAL},
        {"jrpc_options_load", jrpc_options_load(NULL, NULL) == -EINVAL},
        {"jrpc_options_problem", !jrpc_options_problem(NULL)},
        {"jrpc_codec_jansson", jrpc_codec_jansson() != NULL},
        {"jrpc_buf_append", jrpc_buf_append(NULL, "x", 1) == -EINVAL},
        {"jrpc_service_new", jrpc_service_new(NULL, NULL) == -EINVAL},
        {"jrpc_service_put_rows",
         jrpc_service_put_rows(NULL, NULL, 0, sizeof(jrpc_method), false, NULL) == -EINVAL},
        {"jrpc_service_add_prefix",
         jrpc_service_add_prefix(NULL, "x", run_nothing, NULL) == -EINVAL},
        {"jrpc_service_remove", jrpc_service_remove(NULL, "x") == -EINVAL},
        {"jrpc_service_set_codec", jrpc_service_set_codec(NULL, NULL) == -EINVAL},
        {"jrpc_service_set_info", jrpc_service_set_info(NULL, "t", "1", "d") == -EINVAL},
        {"jrpc_service_problem", !jrpc_service_problem(NULL)},
        {"jrpc_service_describe", jrpc_service_describe(NULL, &described) == -EINVAL && !described},
        {"jrpc_service_set_hooks", jrpc_service_set_hooks(NULL, NULL, NULL) == -EINVAL},
        {"jrpc_dispatch", jrpc_dispatch(NULL, CALL, 5, NULL, &response) == -EINVAL},
        {"jrpc_dispatch_async", jrpc_dispatch_async(NULL, CALL, 5, &options, NULL) == -EINVAL},
        {"jrpc_invoke", jrpc_invoke(NULL, "x", json_array(), NULL, &response) == -EINVAL},
    };
    CHECK(rows);
    assert_null(response);
    CHECK_NAMES("options.h", rows);
    CHECK_NAMES("codec.h", rows);
    CHECK_NAMES("service.h", rows);
    CHECK_NAMES("version.h", rows);
}

static void call_that_is_null(void **state)
{
    jrpc_call *held = NULL;
    int target;
    (void)state;

    const struct row rows[] = {
        {"jrpc_call_free", free_nothing()},
        {"jrpc_arg_count", !jrpc_arg_count(NULL)},
        {"jrpc_arg_type", jrpc_arg_type(NULL, 0) == JRPC_ABSENT},
        {"jrpc_arg_is_given", !jrpc_arg_is_given(NULL, 0)},
        {"jrpc_arg_integer", !jrpc_arg_integer(NULL, 0)},
        {"jrpc_arg_number", is_zero(jrpc_arg_number(NULL, 0))},
        {"jrpc_arg_boolean", !jrpc_arg_boolean(NULL, 0)},
        {"jrpc_arg_string", !jrpc_arg_string(NULL, 0, NULL)},
        {"jrpc_arg_raw", arg_raw_is_empty()},
        {"jrpc_arg_json", !jrpc_arg_json(NULL, 0)},
        {"jrpc_arg_name", !jrpc_arg_name(NULL, 0, NULL)},
        {"jrpc_arg_find", jrpc_arg_find(NULL, "x") == -EINVAL},
        {"jrpc_args_read",
         jrpc_args_read(NULL, (const jrpc_field[]){JRPC_FIELD_END}, &target) == -EINVAL},
        {"jrpc_call_params", !jrpc_call_params(NULL)},
        {"jrpc_call_params_raw", params_raw_is_empty()},
        {"jrpc_call_is_named", !jrpc_call_is_named(NULL)},
        {"jrpc_call_method", !jrpc_call_method(NULL, NULL)},
        {"jrpc_call_id", id_is_empty()},
        {"jrpc_call_is_notification", !jrpc_call_is_notification(NULL)},
        {"jrpc_call_has_context", !jrpc_call_has_context(NULL)},
        {"jrpc_call_context", !jrpc_call_context(NULL)},
        {"jrpc_call_peer", !jrpc_call_peer(NULL)},
        {"jrpc_call_alloc", !jrpc_call_alloc(NULL, 1)},
        {"jrpc_call_defer", jrpc_call_defer(NULL, &held) == -EINVAL && !held},
        {"jrpc_call_is_cancelled", !jrpc_call_is_cancelled(NULL)},
        {"jrpc_call_on_cancelled", jrpc_call_on_cancelled(NULL, nothing, NULL) == -EINVAL},
        {"jrpc_reply_null", jrpc_reply_null(NULL) == -EINVAL},
        {"jrpc_reply_boolean", jrpc_reply_boolean(NULL, true) == -EINVAL},
        {"jrpc_reply_integer", jrpc_reply_integer(NULL, 1) == -EINVAL},
        {"jrpc_reply_number", jrpc_reply_number(NULL, 1) == -EINVAL},
        {"jrpc_reply_string", jrpc_reply_string(NULL, "x") == -EINVAL},
        {"jrpc_reply_stringn", jrpc_reply_stringn(NULL, "x", 1) == -EINVAL},
        {"jrpc_reply_json", jrpc_reply_json(NULL, json_array()) == -EINVAL},
        {"jrpc_reply_pack", jrpc_reply_pack(NULL, "[s]", "x") == -EINVAL},
        {"jrpc_reply_raw", jrpc_reply_raw(NULL, "1", 1) == -EINVAL},
        {"jrpc_fail", jrpc_fail(NULL, 7, "x") == -EINVAL},
        {"jrpc_fail_format", jrpc_fail_format(NULL, 7, "%d", 1) == -EINVAL},
        {"jrpc_fail_data", jrpc_fail_data(NULL, 7, "x", json_array()) == -EINVAL},
    };
    CHECK(rows);
    CHECK_NAMES("call.h", rows);
}

static void response_that_is_null(void **state)
{
    (void)state;

    const struct row rows[] = {
        {"jrpc_response_free", free_nothing()},
        {"jrpc_response_is_wanted", !jrpc_response_is_wanted(NULL)},
        {"jrpc_response_text", text_is_empty()},
        {"jrpc_response_json", !jrpc_response_json(NULL)},
        {"jrpc_response_http_status", !jrpc_response_http_status(NULL)},
        {"jrpc_response_count", !jrpc_response_count(NULL)},
        {"jrpc_response_code", !jrpc_response_code(NULL, 0)},
        {"jrpc_response_result", !jrpc_response_result(NULL, 0)},
        {"jrpc_response_message", !jrpc_response_message(NULL, 0)},
        {"jrpc_response_data", !jrpc_response_data(NULL, 0)},
    };
    CHECK(rows);
    CHECK_NAMES("response.h", rows);
}

/*
 * Other pointers that are NULL
 */

static void service_is_left_as_it_was(void **state)
{
    static const jrpc_method methods[] = {JRPC_METHOD("run", run_nothing, NULL, NULL),
                                          JRPC_METHOD_END};
    jrpc_service *service = new_service(NULL, methods, NULL);
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT, with_done = options;
    jrpc_response *response = NULL;
    jrpc_pending *pending = NULL;
    (void)state;

    with_done.done = never;
    const struct row rows[] = {
        {"add no row", jrpc_service_add(service, &methods[1], NULL) == -EINVAL},
        {"put no rows",
         jrpc_service_put_rows(service, NULL, 1, sizeof(*methods), false, NULL) == -EINVAL},
        {"add no table", jrpc_service_add_table(service, NULL, NULL) == -EINVAL},
        {"prefix without a name",
         jrpc_service_add_prefix(service, NULL, run_nothing, NULL) == -EINVAL},
        {"prefix without a handler", jrpc_service_add_prefix(service, "x", NULL, NULL) == -EINVAL},
        {"remove nothing", jrpc_service_remove(service, NULL) == -EINVAL},
        {"problem of it", jrpc_service_problem(service)->code == -EINVAL},
        {"describe into nothing", jrpc_service_describe(service, NULL) == -EINVAL},
        {"no codec", jrpc_service_set_codec(service, NULL) == 0},
        {"no hooks", jrpc_service_set_hooks(service, NULL, NULL) == 0},
        {"no problem", !jrpc_service_problem(service)},
        {"dispatch of no text", jrpc_dispatch(service, NULL, 5, NULL, &response) == -EINVAL},
        {"dispatch into nothing", jrpc_dispatch(service, CALL, 5, NULL, NULL) == -EINVAL},
        {"invoke nothing", jrpc_invoke(service, NULL, json_array(), NULL, &response) == -EINVAL},
        {"invoke into nothing", jrpc_invoke(service, "run", json_array(), NULL, NULL) == -EINVAL},
        {"async without options", jrpc_dispatch_async(service, CALL, 5, NULL, &pending) == -EINVAL},
        {"async without done",
         jrpc_dispatch_async(service, CALL, 5, &options, &pending) == -EINVAL},
        {"async of no text",
         jrpc_dispatch_async(service, NULL, 5, &with_done, &pending) == -EINVAL},
        {"nothing was made", !response && !pending},
    };
    CHECK(rows);
    assert_answer(service, CALL, "{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":1}");
    jrpc_service_free(service);
}

/* A running call asked without the pointers it could fill. */
static int run_call(jrpc_call *call, void *user)
{
    jrpc_field fields[] = {JRPC_FIELD_END};
    size_t len;
    const struct row rows[] = {
        {"string", !jrpc_arg_string(call, 0, NULL)},
        {"raw without a length", !jrpc_arg_raw(call, 0, NULL)},
        {"name", !strcmp(jrpc_arg_name(call, 0, NULL), "a")},
        {"find nothing", jrpc_arg_find(call, NULL) == -EINVAL},
        {"params without a length", !jrpc_call_params_raw(call, NULL)},
        {"method", !strcmp(jrpc_call_method(call, NULL), "run")},
        {"id without a length", !jrpc_call_id(call, NULL)},
        {"read no fields", jrpc_args_read(call, NULL, &len) == -EINVAL},
        {"read into nothing", jrpc_args_read(call, fields, NULL) == -EINVAL},
        {"defer into nothing", jrpc_call_defer(call, NULL) == -EINVAL},
        {"no memory", jrpc_call_alloc(call, 0) != NULL},
        {"is no held call", jrpc_call_on_cancelled(call, nothing, NULL) == -EINVAL},
        {"is not cancelled", !jrpc_call_is_cancelled(call)},
    };

    (void)user;
    CHECK(rows);
    jrpc_call_free(call); /* is no held call */
    return fail_format(call, 7, NULL);
}

static int run_held(jrpc_call *call, void *user)
{
    jrpc_call *held = NULL, *again = NULL;

    (void)user;
    assert_int_equal(jrpc_call_defer(call, &held), 0);
    assert_int_equal(jrpc_call_on_cancelled(held, NULL, NULL), -EINVAL);
    assert_int_equal(jrpc_call_defer(held, &again), -EALREADY);
    assert_int_equal(jrpc_call_defer(call, &again), -EALREADY);
    assert_null(again);
    assert_int_equal(fail_format(held, 7, NULL), 0);
    jrpc_call_free(held);
    return 0;
}

static void call_is_left_as_it_was(void **state)
{
    static const jrpc_method methods[][2] = {
        {JRPC_METHOD("run", run_call, NULL, NULL), JRPC_METHOD_END},
        {JRPC_METHOD("run", run_held, NULL, NULL), JRPC_METHOD_END},
    };
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        jrpc_service *service = new_service(NULL, methods[i], NULL);
        assert_answer(service, CALL,
                      "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":7,\"message\":\"Application "
                      "error\"},\"id\":1}");
        jrpc_service_free(service);
    }
}

static int serialize_nothing(const json_t *value, jrpc_buf *to, void *user)
{
    (void)user;
    assert_int_equal(jrpc_buf_append(to, NULL, 1), -EINVAL);
    assert_int_equal(jrpc_buf_append(to, NULL, 0), 0);
    assert_int_equal(jrpc_buf_append(to, "", 0), 0);
    assert_int_equal(jrpc_codec_jansson()->serialize(NULL, to, NULL), -ENOMEM);
    return jrpc_codec_jansson()->serialize(value, to, NULL);
}

static void buffer_is_left_as_it_was(void **state)
{
    static const jrpc_method methods[] = {JRPC_METHOD("run", run_nothing, NULL, NULL),
                                          JRPC_METHOD_END};
    jrpc_service *service = new_service(NULL, methods, NULL);
    jrpc_codec codec = *jrpc_codec_jansson();
    jrpc_response *response = NULL;
    (void)state;

    codec.serialize = serialize_nothing;
    assert_int_equal(jrpc_service_set_codec(service, &codec), 0);
    assert_int_equal(jrpc_dispatch(service, CALL, strlen(CALL), NULL, &response), 0);
    assert_json_equal(jrpc_response_json(response),
                      "{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":1}");
    jrpc_response_free(response);
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(service_that_is_null),   cmocka_unit_test(call_that_is_null),
        cmocka_unit_test(response_that_is_null),  cmocka_unit_test(service_is_left_as_it_was),
        cmocka_unit_test(call_is_left_as_it_was), cmocka_unit_test(buffer_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
