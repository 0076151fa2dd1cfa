/* SPDX-License-Identifier: MIT */
/*
 * 05-unit-test.c - handlers tested without a server, a peer or a line of JSON text
 *
 * jrpc_invoke() calls a method as a request would: the signature is checked, defaults are filled
 * in, and the response is what a peer would get. Any test framework will do; here is none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/jrpc.h>

/*
 * What is tested
 */

struct account {
    int64_t balance;
};

static int greet(jrpc_call *call, void *user)
{
    const char *name = jrpc_arg_string(call, 0, /* len */ NULL);
    const char *greeting = jrpc_arg_string(call, 1, /* len */ NULL);

    (void)user;
    return jrpc_reply_json(call, json_sprintf("%s, %s", greeting, name));
}

static int withdraw(jrpc_call *call, void *user)
{
    struct account *account = jrpc_call_context(call);
    int64_t amount = jrpc_arg_integer(call, 0);

    (void)user;
    if (amount <= 0)
        return jrpc_fail(call, JRPC_INVALID_PARAMS, "nothing to withdraw");
    if (amount > account->balance)
        return jrpc_fail_data(call, 42, "Not enough money", json_integer(account->balance));
    account->balance -= amount;
    return jrpc_reply_integer(call, account->balance);
}

static const jrpc_method methods[] = {
    JRPC_METHOD("greet", greet, "name: string, greeting: string = \"Hello\" -> string", "Greets."),
    JRPC_METHOD("withdraw", withdraw, "amount: integer -> integer", "Returns the new balance."),
    JRPC_METHOD_END,
};

/*
 * The tests
 */

struct fixture {
    jrpc_service *service;
    jrpc_response *response; /* the last one */
    struct account account;  /* new for each test */
    int n_failed;
};

#define CHECK(fixture, condition) check((fixture), (condition), #condition, __LINE__)

static void check(struct fixture *fixture, bool is_right, const char *text, int line)
{
    if (is_right)
        return;
    fprintf(stderr, "line %d: %s\n", line, text);
    fixture->n_failed++;
}

/* params is stolen, NULL if its maker ran out of memory. */
static void invoke(struct fixture *fixture, const char *method, json_t *params)
{
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;

    options.context = &fixture->account;
    CHECK(fixture,
          jrpc_invoke(fixture->service, method, params, &options, &fixture->response) == 0);
}

static void greeting_is_hello_by_default(struct fixture *fixture)
{
    invoke(fixture, "greet", json_pack("{s:s}", "name", "Ada"));
    json_t *result = jrpc_response_result(fixture->response, 0);
    CHECK(fixture, result && strcmp(json_string_value(result), "Hello, Ada") == 0);
}

static void name_is_required(struct fixture *fixture)
{
    invoke(fixture, "greet", /* params */ NULL);
    CHECK(fixture, jrpc_response_code(fixture->response, 0) == JRPC_INVALID_PARAMS);
}

static void withdrawing_lowers_the_balance(struct fixture *fixture)
{
    invoke(fixture, "withdraw", json_pack("[i]", 30));
    CHECK(fixture, json_integer_value(jrpc_response_result(fixture->response, 0)) == 70);
    CHECK(fixture, fixture->account.balance == 70);
}

static void error_carries_the_balance_as_data(struct fixture *fixture)
{
    invoke(fixture, "withdraw", json_pack("[i]", 101));
    CHECK(fixture, jrpc_response_code(fixture->response, 0) == 42);
    CHECK(fixture, json_integer_value(jrpc_response_data(fixture->response, 0)) == 100);
    CHECK(fixture, fixture->account.balance == 100);
}

int main(void)
{
    static const struct test {
        const char *name;
        void (*fn)(struct fixture *fixture);
    } tests[] = {
        {"greeting_is_hello_by_default", greeting_is_hello_by_default},
        {"name_is_required", name_is_required},
        {"withdrawing_lowers_the_balance", withdrawing_lowers_the_balance},
        {"error_carries_the_balance_as_data", error_carries_the_balance_as_data},
    };
    struct fixture fixture = {0};

    CHECK(&fixture, jrpc_service_new(/* options */ NULL, &fixture.service) == 0);
    CHECK(&fixture, jrpc_service_add_table(fixture.service, methods, /* user */ NULL) == 0);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        int n_before = fixture.n_failed;
        fixture.account.balance = 100;
        tests[i].fn(&fixture);
        printf("%s %s\n", fixture.n_failed > n_before ? "FAILED" : "ok    ", tests[i].name);
    }
    jrpc_response_free(fixture.response);
    jrpc_service_free(fixture.service);
    return fixture.n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
