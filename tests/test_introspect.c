/* SPDX-License-Identifier: MIT */
/*
 * test_introspect.c - the methods that a service has of itself: rpc.discover and rpc.methods
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ask.h"
#include "workers.h"

#define CALL(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":1}"
#define CALL_WITH(method, params)                                                                  \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":1}"
#define NOTIFY(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\"}"
#define RESULT(value) "{\"jsonrpc\":\"2.0\",\"result\":" value ",\"id\":1}"
#define ERROR(code, message)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" code ",\"message\":\"" message "\"},\"id\":1}"
#define NOT_FOUND ERROR("-32601", "Method not found")
#define INVALID_PARAMS ERROR("-32602", "Invalid params")

#define INFO "{\"title\":\"jrpc service\",\"version\":\"0.0.0\"}"
#define ADD                                                                                        \
    "{\"name\":\"add\",\"summary\":\"The sum.\",\"paramStructure\":\"either\",\"params\":["        \
    "{\"name\":\"a\",\"required\":true,\"schema\":{\"type\":\"number\"}},"                         \
    "{\"name\":\"b\",\"required\":false,\"schema\":{\"default\":0.1}}],"                           \
    "\"result\":{\"name\":\"result\",\"schema\":{\"type\":\"number\"}}}"
#define ZERO                                                                                       \
    "{\"name\":\"zero\",\"paramStructure\":\"either\",\"params\":[],"                              \
    "\"result\":{\"name\":\"result\",\"schema\":{}}}"
#define DOCUMENT(info, methods)                                                                    \
    "{\"openrpc\":\"1.3.2\",\"info\":" info ",\"methods\":[" methods "]}"

static int run_nothing(jrpc_call *call, void *user)
{
    (void)call, (void)user;
    return 0;
}

static int run_own(jrpc_call *call, void *user)
{
    return jrpc_reply_string(call, user);
}

static const jrpc_method methods[] = {
    JRPC_METHOD("zero", run_nothing, "", NULL),
    JRPC_METHOD("add", run_nothing, "a: number, b = 0.1 -> number", "The sum."),
    JRPC_METHOD_FLAGS("secret", run_nothing, "", "Not for everybody.", JRPC_HIDDEN, 0),
    JRPC_METHOD_END,
};

static const jrpc_method own_discover = JRPC_METHOD("rpc.discover", run_own, NULL, NULL);
static const jrpc_method own_methods = JRPC_METHOD("rpc.methods", run_own, NULL, NULL);

/* Both as they are for the methods above. */
#define BOTH DOCUMENT(INFO, ADD "," ZERO)
#define NAMES "[\"add\",\"zero\"]"

static const struct {
    const char *behaviour, *sent, *expected;
} rows[] = {
    {"document", CALL("rpc.discover"), RESULT(BOTH)},
    {"names_are_sorted_and_hidden_ones_left_out", CALL("rpc.methods"), RESULT(NAMES)},
    {"empty_params", CALL_WITH("rpc.discover", "[]"), RESULT(BOTH)},
    {"empty_named_params", CALL_WITH("rpc.methods", "{}"), RESULT(NAMES)},
    {"one_param", CALL_WITH("rpc.discover", "[1]"), INVALID_PARAMS},
    {"one_named_param", CALL_WITH("rpc.methods", "{\"a\":1}"), INVALID_PARAMS},
    {"notification_is_silent", NOTIFY("rpc.discover"), NULL},
    {"escaped_name", CALL("rpc\\u002emethods"), RESULT(NAMES)},
    {"longer_name", CALL("rpc.methods2"), NOT_FOUND},
    {"shorter_name", CALL("rpc.method"), NOT_FOUND},
    {"name_with_a_nul", CALL("rpc.methods\\u0000"), NOT_FOUND},
    {"other_case", CALL("rpc.Methods"), NOT_FOUND},
    {"batch", "[" CALL("rpc.methods") "," NOTIFY("rpc.methods") "," CALL("zero") "]",
     "[" RESULT(NAMES) "," RESULT("null") "]"},
};

static void a_service_tells_what_it_has(void **state)
{
    static const char *const debug[] = {"debug", "yes", "convert_camel_case", "yes", NULL};
    jrpc_service *service = new_service(NULL, methods, NULL);
    jrpc_service *other = new_service(debug, methods, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        print_message("%s\n", rows[i].behaviour);
        assert_answer(service, rows[i].sent, rows[i].expected);
        if (!rows[i].expected || !strstr(rows[i].expected, "error"))
            assert_answer(other, rows[i].sent, rows[i].expected);
    }
    jrpc_service_free(service);
    jrpc_service_free(other);
}

static void one_without_methods_has_nothing_to_tell(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);

    (void)state;
    assert_answer(service, CALL("rpc.methods"), RESULT("[]"));
    assert_answer(service, CALL("rpc.discover"), RESULT(DOCUMENT(INFO, "")));
    jrpc_service_free(service);
}

static void it_tells_nothing_if_it_is_told_so(void **state)
{
    static const char *const options[] = {"introspection", "no", NULL};
    jrpc_service *service = new_service(options, methods, NULL);
    json_t *document = NULL;

    (void)state;
    assert_answer(service, CALL("rpc.discover"), NOT_FOUND);
    assert_answer(service, CALL("rpc.methods"), NOT_FOUND);
    assert_int_equal(jrpc_service_describe(service, &document), 0);
    assert_json_equal(document, BOTH);
    json_decref(document);
    jrpc_service_free(service);
}

/* With and without the option; neither is listed. */
static void a_programs_own_methods_go_first(void **state)
{
    static char own[] = "mine";
    static const char *const options[] = {"introspection", "no", NULL};

    (void)state;
    for (int is_off = 0; is_off < 2; is_off++) {
        jrpc_service *service = new_service(is_off ? options : NULL, methods, NULL);
        assert_int_equal(jrpc_service_add(service, &own_discover, own), 0);
        assert_answer(service, CALL_WITH("rpc.discover", "[1]"), RESULT("\"mine\""));
        assert_answer(service, CALL("rpc.methods"), is_off ? NOT_FOUND : RESULT(NAMES));
        assert_int_equal(jrpc_service_add(service, &own_methods, own), 0);
        assert_answer(service, CALL("rpc.methods"), RESULT("\"mine\""));
        assert_int_equal(jrpc_service_remove(service, "rpc.methods"), 0);
        assert_answer(service, CALL("rpc.methods"), is_off ? NOT_FOUND : RESULT(NAMES));
        jrpc_service_free(service);
    }
}

static void neither_is_a_prefix(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);

    (void)state;
    assert_int_equal(jrpc_service_add_prefix(service, "rpc.discover", run_own, NULL), -EINVAL);
    assert_string_equal(jrpc_service_problem(service)->text,
                        "names that begin with \"rpc.\" are reserved");
    assert_int_equal(jrpc_service_add_prefix(service, "", run_own, NULL), -EINVAL);
    assert_int_equal(jrpc_service_add_prefix(service, "r", run_own, NULL), 0);
    assert_answer(service, CALL("rpc.methods"), RESULT("[]"));
    jrpc_service_free(service);
}

static void every_change_is_told(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);

    (void)state;
    assert_answer(service, CALL("rpc.methods"), RESULT("[]"));
    assert_int_equal(jrpc_service_add(service, &methods[0], NULL), 0);
    assert_answer(service, CALL("rpc.methods"), RESULT("[\"zero\"]"));
    assert_answer(service, CALL("rpc.discover"), RESULT(DOCUMENT(INFO, ZERO)));
    assert_int_equal(jrpc_service_add(service, &methods[1], NULL), 0);
    assert_answer(service, CALL("rpc.methods"), RESULT(NAMES));
    assert_answer(service, CALL("rpc.discover"), RESULT(BOTH));
    assert_int_equal(jrpc_service_remove(service, "zero"), 0);
    assert_answer(service, CALL("rpc.methods"), RESULT("[\"add\"]"));
    assert_answer(service, CALL("rpc.discover"), RESULT(DOCUMENT(INFO, ADD)));
    jrpc_service_free(service);
}

static void title_version_and_description_are_told(void **state)
{
    static const char bad[] = "\xFF";
    jrpc_service *service = new_service(NULL, NULL, NULL);

    (void)state;
    assert_answer(service, CALL("rpc.discover"), RESULT(DOCUMENT(INFO, "")));
    assert_int_equal(jrpc_service_set_info(service, "Caf\u00e9", "1.2", "A \"d\"."), 0);
    assert_answer(service, CALL("rpc.discover"),
                  RESULT(DOCUMENT("{\"title\":\"Caf\u00e9\",\"version\":\"1.2\","
                                  "\"description\":\"A \\\"d\\\".\"}",
                                  "")));
    assert_int_equal(jrpc_service_set_info(service, bad, NULL, NULL), -EINVAL);
    assert_int_equal(jrpc_service_set_info(service, NULL, bad, NULL), -EINVAL);
    assert_int_equal(jrpc_service_set_info(service, NULL, NULL, bad), -EINVAL);
    assert_string_equal(jrpc_service_problem(service)->text, "the information is not UTF-8");
    assert_int_equal(jrpc_service_set_info(NULL, "t", "1", "d"), -EINVAL);
    assert_int_equal(jrpc_service_set_info(service, "T", NULL, NULL), 0);
    assert_answer(service, CALL("rpc.discover"),
                  RESULT(DOCUMENT("{\"title\":\"T\",\"version\":\"0.0.0\"}", "")));
    assert_int_equal(jrpc_service_set_info(service, NULL, NULL, NULL), 0);
    assert_answer(service, CALL("rpc.discover"), RESULT(DOCUMENT(INFO, "")));
    jrpc_service_free(service);
}

static void reply_max_holds_for_them(void **state)
{
    static const char *const options[] = {"reply_max", "100", NULL};
    jrpc_service *service = new_service(options, methods, NULL);

    (void)state;
    for (int again = 0; again < 2; again++) {
        assert_answer(service, CALL("rpc.discover"), ERROR("-32003", "Reply too large"));
        assert_answer(service, CALL("rpc.methods"), RESULT(NAMES));
    }
    jrpc_service_free(service);
}

/* As a program would that has them only for some. */
static int refuse_introspection(jrpc_call *call, void *user)
{
    (*(int *)user)++;
    if (strncmp(jrpc_call_method(call, /* len */ NULL), "rpc.", 4) != 0)
        return 0;
    return jrpc_fail(call, 403, "Not for you");
}

static void count_answered(jrpc_call *call, const jrpc_outcome *outcome, void *user)
{
    (void)call;
    *(int *)user += outcome->code ? 100 : 10;
}

static void hooks_see_them_and_may_refuse_them(void **state)
{
    int n_seen = 0;
    jrpc_service *service = new_service(NULL, methods, NULL);
    jrpc_hooks hooks = JRPC_HOOKS_INIT;

    (void)state;
    hooks.call_answered = count_answered;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, &n_seen), 0);
    assert_answer(service, CALL("rpc.methods"), RESULT(NAMES));
    assert_int_equal(n_seen, 20); /* on two paths */

    n_seen = 0;
    hooks.call_received = refuse_introspection;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, &n_seen), 0);
    assert_answer(service, CALL("rpc.discover"), ERROR("403", "Not for you"));
    assert_answer(service, NOTIFY("rpc.methods"), NULL);
    assert_answer(service, CALL("zero"), RESULT("null"));
    assert_int_equal(n_seen, 6 + 400 + 20);
    jrpc_service_free(service);
}

static void *ask_first(void *user)
{
    static const char sent[] = "[" CALL("rpc.methods") "," CALL("rpc.discover") "]";
    jrpc_response *response = NULL;

    REQUIRE(!jrpc_dispatch(user, sent, sizeof(sent) - 1, NULL, &response));
    REQUIRE(jrpc_response_count(response) == 2);
    REQUIRE(json_array_size(jrpc_response_result(response, 0)) == 2);
    REQUIRE(json_object_size(jrpc_response_result(response, 1)) == 3);
    jrpc_response_free(response);
    return NULL;
}

static void many_threads_may_be_the_first_to_ask(void **state)
{
    enum { N_ROUNDS = 20 };
    pthread_t threads[N_THREADS];

    (void)state;
    for (int round = 0; round < N_ROUNDS; round++) {
        jrpc_service *service = new_service(NULL, methods, NULL);
        start(threads, N_THREADS, ask_first, service);
        join(threads, N_THREADS);
        jrpc_service_free(service);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_tells_what_it_has),
        cmocka_unit_test(one_without_methods_has_nothing_to_tell),
        cmocka_unit_test(it_tells_nothing_if_it_is_told_so),
        cmocka_unit_test(a_programs_own_methods_go_first),
        cmocka_unit_test(neither_is_a_prefix),
        cmocka_unit_test(every_change_is_told),
        cmocka_unit_test(title_version_and_description_are_told),
        cmocka_unit_test(reply_max_holds_for_them),
        cmocka_unit_test(hooks_see_them_and_may_refuse_them),
        cmocka_unit_test(many_threads_may_be_the_first_to_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
