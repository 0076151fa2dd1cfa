/* SPDX-License-Identifier: MIT */
/*
 * test_threads.c - one service, many threads that dispatch, many that answer
 *
 * Meant for ThreadSanitizer as well.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workers.h"

enum { N_MEMBERS = 50, N_ROUNDS = 160 };

/* A batch of members with the arguments from `first` on, every seventh a notification. */
static size_t write_batch(char *to, int64_t first)
{
    char *at = to;

    for (int64_t i = 0; i < N_MEMBERS; i++) {
        int64_t n = first + i;
        at += sprintf(at, "%c{\"jsonrpc\":\"2.0\",\"method\":\"enqueue\",\"params\":[%lld]",
                      i ? ',' : '[', (long long)(n % 5 ? n : -n));
        at += n % 7 ? sprintf(at, ",\"id\":%lld}", (long long)n) : sprintf(at, "}");
    }
    at += sprintf(at, "]");
    return (size_t)(at - to);
}

static void check_batch(jrpc_response *response, int64_t first)
{
    size_t i = 0;

    for (int64_t n = first; n < first + N_MEMBERS; n++) {
        if (n % 7 == 0)
            continue;
        json_t *answer = json_array_get(jrpc_response_json(response), i);
        REQUIRE(json_integer_value(json_object_get(answer, "id")) == n);
        if (n % 5 == 0 && n)
            REQUIRE(jrpc_response_code(response, i) == 7);
        else if (n % 10 == 0)
            REQUIRE(jrpc_response_code(response, i) == JRPC_INTERNAL_ERROR);
        else
            REQUIRE(json_integer_value(jrpc_response_result(response, i)) == n);
        i++;
    }
    REQUIRE(jrpc_response_count(response) == i);
}

static void many_threads_answer_one_batch_after_the_other(void **state)
{
    struct queue queue;
    pthread_t workers[N_THREADS];
    jrpc_service *service = new_service(NULL, queue_methods, &queue);
    jrpc_response *response = NULL;
    char text[N_MEMBERS * 96];
    (void)state;

    init_queue(&queue);
    start(workers, N_THREADS, run_worker, &queue);
    for (int64_t round = 0; round < N_ROUNDS; round++) {
        jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
        options.codec = path_codec(round & 1);
        size_t len = write_batch(text, round * N_MEMBERS);
        assert_int_equal(jrpc_dispatch(service, text, len, &options, &response), 0);
        check_batch(response, round * N_MEMBERS);
    }
    close_queue(&queue);
    join(workers, N_THREADS);
    assert_int_equal(queue.n_replied, N_ROUNDS * N_MEMBERS);
    fini_queue(&queue);
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/*
 * Many threads dispatch, others answer
 */

struct crowd {
    jrpc_service *service;
    atomic_uint n_next;
};

static void *run_dispatcher(void *user)
{
    struct crowd *crowd = user;
    char text[N_MEMBERS * 96];
    jrpc_response *response = NULL;
    unsigned i;

    while ((i = atomic_fetch_add(&crowd->n_next, 1)) < N_ROUNDS) {
        jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
        options.codec = path_codec(i & 1);
        size_t len = write_batch(text, i * N_MEMBERS);
        REQUIRE(!jrpc_dispatch(crowd->service, text, len, &options, &response));
        check_batch(response, i * N_MEMBERS);
    }
    jrpc_response_free(response);
    return NULL;
}

static void many_threads_dispatch_and_many_answer(void **state)
{
    struct queue queue;
    pthread_t workers[N_THREADS], dispatchers[N_THREADS];
    struct crowd crowd = {.service = new_service(NULL, queue_methods, &queue)};
    (void)state;

    init_queue(&queue);
    start(workers, N_THREADS, run_worker, &queue);
    start(dispatchers, N_THREADS, run_dispatcher, &crowd);
    join(dispatchers, N_THREADS);
    close_queue(&queue);
    join(workers, N_THREADS);
    assert_int_equal(queue.n_replied, N_ROUNDS * N_MEMBERS);
    fini_queue(&queue);
    jrpc_service_free(crowd.service);
}

static int count_received(jrpc_call *call, void *user)
{
    (void)call;
    atomic_fetch_add((atomic_uint *)user, 1);
    return 0;
}

static void count_answered(jrpc_call *call, const jrpc_outcome *outcome, void *user)
{
    (void)call, (void)outcome;
    atomic_fetch_add((atomic_uint *)user, 1);
}

static int run_sum(jrpc_call *call, void *user)
{
    int64_t sum = 0;

    (void)user;
    for (size_t i = 0; i < jrpc_arg_count(call); i++)
        sum += json_integer_value(jrpc_arg_json(call, i));
    return jrpc_reply_pack(call, "{s:s, s:I}", "name", jrpc_call_method(call, NULL), "sum",
                           (json_int_t)sum);
}

/* Defaults are shared by all calls, values made of them are not. */
static int run_change(jrpc_call *call, void *user)
{
    (void)user;
    json_array_append_new(jrpc_arg_json(call, 0), json_string("changed"));
    return jrpc_reply_json(call, json_incref(jrpc_arg_json(call, 0)));
}

static const struct {
    const char *sent, *expect;
} exchanges[] = {
    {"{\"jsonrpc\":\"2.0\",\"method\":\"sum\",\"params\":[1,2,3],\"id\":1}",
     "{\"jsonrpc\":\"2.0\",\"result\":{\"name\":\"sum\",\"sum\":6},\"id\":1}"},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"change\",\"id\":2}",
     "{\"jsonrpc\":\"2.0\",\"result\":[1,\"changed\"],\"id\":2}"},
    {"[{\"jsonrpc\":\"2.0\",\"method\":\"nope\",\"id\":3},"
     "{\"jsonrpc\":\"2.0\",\"method\":\"change\",\"params\":{\"list\":[]},\"id\":4}]",
     "[{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":3},"
     "{\"jsonrpc\":\"2.0\",\"result\":[\"changed\"],\"id\":4}]"},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"sum\",\"params\":{},\"id\":5}",
     "{\"jsonrpc\":\"2.0\",\"result\":{\"name\":\"sum\",\"sum\":0},\"id\":5}"},
};

static void *run_exchanges(void *user)
{
    jrpc_response *response = NULL;

    for (unsigned i = 0; i < 2000; i++) {
        jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
        const char *sent = exchanges[i % 4].sent;
        options.codec = path_codec(i / 4 & 1);
        REQUIRE(!jrpc_dispatch(user, sent, strlen(sent), &options, &response));
        json_t *expect = json_loads(exchanges[i % 4].expect, 0, NULL);
        REQUIRE(json_equal(jrpc_response_json(response), expect));
        json_decref(expect);
    }
    jrpc_response_free(response);
    return NULL;
}

static void threads_share_a_service_without_meeting(void **state)
{
    static const jrpc_method shared[] = {
        JRPC_METHOD("sum", run_sum, "*numbers: integer", NULL),
        JRPC_METHOD("change", run_change, "list: array = [1]", NULL), JRPC_METHOD_END};
    static const char *const options[] = {"convert_camel_case", "yes", "debug", "no", NULL};
    jrpc_service *service = new_service(options, shared, NULL);
    jrpc_hooks hooks = JRPC_HOOKS_INIT;
    pthread_t threads[N_THREADS];
    atomic_uint n_calls = 0;
    (void)state;

    hooks.call_received = count_received;
    hooks.call_answered = count_answered;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, &n_calls), 0);
    start(threads, N_THREADS, run_exchanges, service);
    join(threads, N_THREADS);
    assert_int_equal(n_calls, 2 * N_THREADS * 2000 * 5 / 4);
    jrpc_service_free(service);
}

/* Nobody waits: all is given to workers, and everything but the held calls is freed before. */
static void count_done(int status, jrpc_response *response, void *user)
{
    REQUIRE(!status);
    REQUIRE(jrpc_response_count(response) > 0);
    atomic_fetch_add((atomic_uint *)user, 1);
}

static void last_worker_frees_the_service(void **state)
{
    (void)state;

    for (unsigned round = 0; round < 50; round++) {
        struct queue queue;
        pthread_t workers[N_THREADS];
        jrpc_service *service = new_service(NULL, queue_methods, &queue);
        jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
        jrpc_pending *pending[4];
        atomic_uint n_done = 0;
        char text[N_MEMBERS * 96];

        init_queue(&queue);
        options.done = count_done;
        options.user = &n_done;
        options.codec = path_codec(round & 1);
        for (size_t i = 0; i < 4; i++) {
            size_t len = write_batch(text, (int64_t)i * N_MEMBERS);
            assert_int_equal(jrpc_dispatch_async(service, text, len, &options, &pending[i]), 0);
            jrpc_pending_free(pending[i]);
        }
        jrpc_service_free(service);
        start(workers, N_THREADS, run_worker, &queue);
        close_queue(&queue);
        join(workers, N_THREADS);
        assert_int_equal(n_done, 4);
        fini_queue(&queue);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_answer_one_batch_after_the_other),
        cmocka_unit_test(many_threads_dispatch_and_many_answer),
        cmocka_unit_test(threads_share_a_service_without_meeting),
        cmocka_unit_test(last_worker_frees_the_service),
    };
    json_object_seed(0); /* before there are threads */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
