/* SPDX-License-Identifier: MIT */
/*
 * test_allocations.c - small calls take no memory from the heap, once the response is warm
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ask.h"
#include "chaos.h"
#include "toy.h"

static int run_greet(jrpc_call *call, void *user)
{
    size_t len;
    const char *name = jrpc_arg_string(call, 0, &len);

    (void)user;
    return jrpc_reply_stringn(call, name, len);
}

static int run_scale(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_number(call, jrpc_arg_number(call, 0) * jrpc_arg_number(call, 1));
}

static int run_quota(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_fail_format(call, 42, "Quota of %d exceeded", 10);
}

static int run_look(jrpc_call *call, void *user)
{
    size_t len;

    (void)user;
    return jrpc_reply_boolean(call, jrpc_call_method(call, NULL) && jrpc_call_id(call, &len) &&
                                        jrpc_call_alloc(call, 100) &&
                                        jrpc_arg_name(call, 0, NULL) &&
                                        jrpc_arg_find(call, "b") == 1);
}

struct point {
    int x;
    double y;
    const char *name;
};

static int run_point(jrpc_call *call, void *user)
{
    static const jrpc_field fields[] = {
        JRPC_FIELD(struct point, x, JRPC_INTEGER), JRPC_FIELD(struct point, y, JRPC_NUMBER),
        JRPC_FIELD(struct point, name, JRPC_STRING), JRPC_FIELD_END};
    struct point point = {.x = 0};
    int status = jrpc_args_read(call, fields, &point);

    (void)user;
    return status ? status : jrpc_reply_integer(call, point.x);
}

static const jrpc_method methods[] = {
    JRPC_METHOD("greet", run_greet, "name: string = \"Ada\" -> string", NULL),
    JRPC_METHOD("scale", run_scale, "a: number, b: number = 2 -> number", NULL),
    JRPC_METHOD("quota", run_quota, "", NULL),
    JRPC_METHOD("look", run_look, "a, b?", NULL),
    JRPC_METHOD("point", run_point, "**fields", NULL),
    JRPC_METHOD_END,
};

#define CALL(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":1}"
#define CALL_WITH(method, params)                                                                  \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":1}"
#define FIVE_PINGS CALL("ping") "," CALL("ping") "," CALL("ping") "," CALL("ping") "," CALL("ping")

static const struct {
    const char *behaviour, *sent;
} rows[] = {
    {"ping", CALL("ping")},
    {"positional", CALL_WITH("subtract", "[42,23]")},
    {"named", CALL_WITH("subtract", "{\"subtrahend\":23,\"minuend\":42}")},
    {"real_numbers", CALL_WITH("scale", "[0.1,1e-7]")},
    {"notification", "{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}"},
    {"failing_notification", "{\"jsonrpc\":\"2.0\",\"method\":\"crash\"}"},
    {"unknown_method", CALL("nope")},
    {"invalid_json", "{\"jsonrpc\":\"2.0\",\"method\":"},
    {"invalid_request", "{\"jsonrpc\":\"2.0\",\"id\":1}"},
    {"invalid_params", CALL_WITH("subtract", "[1,\"2\"]")},
    {"empty_batch", "[]"},
    {"response", "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}"},
    {"batch_of_ten_pings", "[" FIVE_PINGS "," FIVE_PINGS "]"},
    {"mixed_batch", "[" CALL("ping") ",1," CALL("nope") "," CALL_WITH("sum", "[1,2]") "]"},
    {"raw_echo", CALL_WITH("echo", "[1,{\"a\":[true,null]},\"\\u00e9\"]")},
    {"defaulted_string", CALL("greet")},
    {"escaped_string", CALL_WITH("greet", "[\"\\u00e9\\n\\ud83d\\ude00\"]")},
    {"named_string", CALL_WITH("greet", "{\"name\":\"Grace\"}")},
    {"rest", CALL_WITH("sum", "[1,2,3,4,5,6,7,8,9,10,11,12]")},
    {"error_with_a_text", CALL("api_fail")},
    {"error_with_a_format", CALL("quota")},
    {"answer_of_the_library", CALL("update")},
    {"failing_handler", CALL("crash")},
    {"looking_at_the_call", CALL_WITH("look", "{\"b\":1,\"a\":2}")},
    {"filling_a_struct", CALL_WITH("point", "{\"x\":1,\"y\":2.5,\"name\":\"p\"}")},
    {"prefix", CALL("gate.x")},
    {"escaped_method", CALL("p\\u0069ng")},
};

static unsigned count(jrpc_service *service, const char *sent, jrpc_response **response)
{
    chaos_begin(0, false);
    int status = jrpc_dispatch(service, sent, strlen(sent), NULL, response);
    jrpc_response_text(*response, NULL);
    jrpc_response_http_status(*response);
    jrpc_response_code(*response, 0);
    unsigned n = chaos_end();
    assert_int_equal(status, 0);
    return n;
}

static void check_rows(const char *const options[])
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(options, methods, NULL);
    jrpc_response *response = NULL;
    unsigned n_wrong = 0;

    assert_int_equal(toy_add(service, &toy), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        count(service, rows[i].sent, &response);
        unsigned n = count(service, rows[i].sent, &response);
        if (n)
            print_error("%s: %u allocations, expected none\n", rows[i].behaviour, n);
        n_wrong += n != 0;
    }
    assert_int_equal(n_wrong, 0);
    jrpc_response_free(response);
    jrpc_service_free(service);
}

static void small_calls_take_no_memory(void **state)
{
    (void)state;
    check_rows(NULL);
}

static void nor_do_they_with_debug_and_camel_case(void **state)
{
    static const char *const options[] = {"debug", "yes", "convert_camel_case", "yes", NULL};
    (void)state;
    check_rows(options);
}

/* That the count is right: a new response takes memory, and so does a value. */
static void what_takes_memory_is_counted(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    assert_true(count(service, CALL("ping"), &response) > 0);
    assert_true(count(service, CALL("get_data"), &response) > 0);
    assert_true(count(service, CALL_WITH("echo_json", "[1]"), &response) > 0);
    assert_int_equal(count(service, CALL("ping"), &response), 0);
    jrpc_response_free(response);
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_calls_take_no_memory),
        cmocka_unit_test(nor_do_they_with_debug_and_camel_case),
        cmocka_unit_test(what_takes_memory_is_counted),
    };
    chaos_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
