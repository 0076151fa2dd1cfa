/* SPDX-License-Identifier: MIT */
/*
 * test_threads.c - one service, many threads: dispatching, answering, cancelling, all at once
 *
 * Meant for ThreadSanitizer as well. Who wins a race is left open; that every request is answered
 * exactly once, and that what a reply returned agrees with what was answered, is not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ask.h"
#include "toy.h"

enum { N_THREADS = 8, N_MEMBERS = 50, N_ROUNDS = 160, N_RACES = 1500, QUEUE_MAX = 1024 };

/* cmocka's assertions may not leave another thread than the test's. */
static void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

#define REQUIRE(condition) require((condition), #condition)

/*
 * A queue of held calls, and workers that answer them
 */

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    jrpc_call *calls[QUEUE_MAX];
    size_t n_calls;
    bool is_closed;
    atomic_uint n_replied, n_refused; /* a reply was accepted; it came too late */
    atomic_uint n_spins;              /* before a worker answers */
};

static void init_queue(struct queue *queue)
{
    memset(queue, 0, sizeof(*queue));
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
}

static void fini_queue(struct queue *queue)
{
    assert_int_equal(queue->n_calls, 0);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
}

static void push(struct queue *queue, jrpc_call *call)
{
    pthread_mutex_lock(&queue->lock);
    REQUIRE(queue->n_calls < QUEUE_MAX);
    queue->calls[queue->n_calls++] = call;
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

/* The newest: so answers come out of order. NULL: closed and empty. */
static jrpc_call *pop(struct queue *queue)
{
    jrpc_call *call = NULL;

    pthread_mutex_lock(&queue->lock);
    while (!queue->n_calls && !queue->is_closed)
        pthread_cond_wait(&queue->changed, &queue->lock);
    if (queue->n_calls)
        call = queue->calls[--queue->n_calls];
    pthread_mutex_unlock(&queue->lock);
    return call;
}

static void close_queue(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

/* Each call in a way of its own; negative arguments are errors, multiples of ten forgotten. */
static int answer(jrpc_call *call)
{
    int64_t n = jrpc_arg_integer(call, 0);

    if (n < 0)
        return jrpc_fail_format(call, 7, "%lld", (long long)n);
    if (n % 10 == 0)
        return 0;
    if (n % 3 == 0)
        return jrpc_reply_json(call, json_incref(jrpc_arg_json(call, 0)));
    return jrpc_reply_integer(call, n);
}

static void *run_worker(void *user)
{
    struct queue *queue = user;
    jrpc_call *call;

    while ((call = pop(queue))) {
        for (unsigned i = 0; i < queue->n_spins && !jrpc_call_is_cancelled(call); i++)
            sched_yield();
        int status = answer(call);
        REQUIRE(status == 0 || status == -ECANCELED);
        REQUIRE((status == -ECANCELED) <= jrpc_call_is_cancelled(call));
        atomic_fetch_add(status ? &queue->n_refused : &queue->n_replied, 1);
        jrpc_call_free(call);
    }
    return NULL;
}

static int run_enqueue(jrpc_call *call, void *user)
{
    jrpc_call *held;
    int status = jrpc_call_defer(call, &held);

    if (!status)
        push(user, held);
    return status;
}

static const jrpc_method methods[] = {JRPC_METHOD("enqueue", run_enqueue, "n: integer", NULL),
                                      JRPC_METHOD_END};

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

static void start(pthread_t *threads, size_t n, void *(*run)(void *), void *user)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, user), 0);
}

static void join(pthread_t *threads, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void many_threads_answer_one_batch_after_the_other(void **state)
{
    struct queue queue;
    pthread_t workers[N_THREADS];
    jrpc_service *service = new_service(NULL, methods, &queue);
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
    struct crowd crowd = {.service = new_service(NULL, methods, &queue)};
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

/*
 * Races
 */

/* One message of four held calls, and the threads that want something of it. */
struct race {
    pthread_barrier_t barrier;
    jrpc_call *held[4];
    size_t n_held;
    jrpc_pending *pending;
    int statuses[4]; /* of the replies */
    atomic_uint n_told[4], n_done;
    int codes[4];
    unsigned round;
    bool is_over;
};

static int run_join_race(jrpc_call *call, void *user)
{
    struct race *race = user;
    return jrpc_call_defer(call, &race->held[race->n_held++]);
}

static void note_told(jrpc_call *held, void *user)
{
    REQUIRE(jrpc_call_is_cancelled(held));
    atomic_fetch_add((atomic_uint *)user, 1);
}

static void note_race_done(int status, jrpc_response *response, void *user)
{
    struct race *race = user;

    REQUIRE(!status);
    REQUIRE(jrpc_response_count(response) == 4);
    for (size_t i = 0; i < 4; i++)
        race->codes[i] = jrpc_response_code(response, i);
    atomic_fetch_add(&race->n_done, 1);
}

/* Replies to two of the calls, frees all but one, asks to be told late about another. */
static void *run_owner(void *user)
{
    struct race *race = user;

    for (;;) {
        pthread_barrier_wait(&race->barrier);
        if (race->is_over)
            return NULL;
        race->statuses[0] = jrpc_reply_integer(race->held[0], 1);
        jrpc_call_free(race->held[0]);
        race->statuses[1] = jrpc_fail_data(race->held[1], 7, "seven", json_array());
        REQUIRE(!jrpc_call_on_cancelled(race->held[2], note_told, &race->n_told[2]));
        jrpc_call_free(race->held[2]);
        jrpc_call_free(race->held[1]);
        pthread_barrier_wait(&race->barrier);
    }
}

/* Two of them, so that they race with each other as well. */
static void *run_canceller(void *user)
{
    struct race *race = user;

    for (;;) {
        pthread_barrier_wait(&race->barrier);
        if (race->is_over)
            return NULL;
        jrpc_pending_cancel(race->pending);
        pthread_barrier_wait(&race->barrier);
    }
}

static void check_race(struct race *race)
{
    static const int codes[4] = {0, 7, JRPC_INTERNAL_ERROR, JRPC_CANCELLED};

    REQUIRE(race->n_done == 1);
    for (size_t i = 0; i < 4; i++) {
        bool is_cancelled = race->codes[i] == JRPC_CANCELLED;
        REQUIRE(is_cancelled || race->codes[i] == codes[i]);
        if (i < 2)
            REQUIRE(race->statuses[i] == (is_cancelled ? -ECANCELED : 0));
        REQUIRE(race->n_told[i] == is_cancelled);
    }
    REQUIRE(jrpc_reply_null(race->held[3]) == -ECANCELED);
    jrpc_call_free(race->held[3]);
}

static void prepare_race(struct race *race, jrpc_service *service)
{
    static const char sent[] = "[{\"jsonrpc\":\"2.0\",\"method\":\"race\",\"id\":0},"
                               "{\"jsonrpc\":\"2.0\",\"method\":\"race\",\"id\":1},"
                               "{\"jsonrpc\":\"2.0\",\"method\":\"race\",\"id\":2},"
                               "{\"jsonrpc\":\"2.0\",\"method\":\"race\",\"id\":3}]";
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;

    race->n_held = race->n_done = 0;
    options.codec = path_codec(race->round++ & 1);
    options.done = note_race_done;
    options.user = race;
    assert_int_equal(jrpc_dispatch_async(service, sent, strlen(sent), &options, &race->pending), 0);
    for (size_t i = 0; i < 4; i++) {
        race->n_told[i] = 0;
        if (i != 2)
            assert_int_equal(jrpc_call_on_cancelled(race->held[i], note_told, &race->n_told[i]), 0);
    }
}

static void answering_freeing_and_cancelling_race(void **state)
{
    static const jrpc_method race_methods[] = {JRPC_METHOD("race", run_join_race, NULL, NULL),
                                               JRPC_METHOD_END};
    struct race race = {.n_held = 0};
    pthread_t owner, cancellers[2];
    jrpc_service *service = new_service(NULL, race_methods, &race);
    (void)state;

    pthread_barrier_init(&race.barrier, NULL, 4);
    start(&owner, 1, run_owner, &race);
    start(cancellers, 2, run_canceller, &race);
    for (unsigned i = 0; i < N_RACES; i++) {
        prepare_race(&race, service);
        pthread_barrier_wait(&race.barrier);
        if (i % 3 == 0)
            jrpc_pending_cancel(race.pending);
        pthread_barrier_wait(&race.barrier);
        check_race(&race);
        jrpc_pending_free(race.pending);
    }
    race.is_over = true;
    pthread_barrier_wait(&race.barrier);
    join(&owner, 1);
    join(cancellers, 2);
    pthread_barrier_destroy(&race.barrier);
    jrpc_service_free(service);
}

/*
 * Time-outs and answers at the same time
 */

static void time_outs_race_with_answers(void **state)
{
    struct queue queue;
    pthread_t workers[2];
    jrpc_service *service = new_service(NULL, methods, &queue);
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_response *response = NULL;
    unsigned n_answered = 0, n_timed_out = 0, n_calls = 0;
    (void)state;

    init_queue(&queue);
    start(workers, 2, run_worker, &queue);
    options.timeout_ms = 1;
    queue.n_spins = 64;
    for (unsigned i = 0; i < 300; i++) {
        static const char sent[] =
            "[{\"jsonrpc\":\"2.0\",\"method\":\"enqueue\",\"params\":[1],\"id\":1},"
            "{\"jsonrpc\":\"2.0\",\"method\":\"enqueue\",\"params\":[2],\"id\":2}]";
        assert_int_equal(jrpc_dispatch(service, sent, strlen(sent), &options, &response), 0);
        /* Later if it was in time, sooner if not: the two meet. */
        if (jrpc_response_code(response, 0))
            queue.n_spins -= queue.n_spins / 8;
        else
            queue.n_spins += queue.n_spins / 8;
        for (size_t n = 0; n < 2; n++, n_calls++) {
            int code = jrpc_response_code(response, n);
            assert_true(code == 0 || code == JRPC_TIMED_OUT);
            n_answered += code == 0;
            n_timed_out += code != 0;
        }
    }
    close_queue(&queue);
    join(workers, 2);
    assert_int_equal(queue.n_replied, n_answered);
    assert_int_equal(queue.n_refused, n_timed_out);
    assert_int_equal(n_calls, 600);
    fini_queue(&queue);
    jrpc_response_free(response);
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
        jrpc_service *service = new_service(NULL, methods, &queue);
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
        cmocka_unit_test(answering_freeing_and_cancelling_race),
        cmocka_unit_test(time_outs_race_with_answers),
        cmocka_unit_test(last_worker_frees_the_service),
    };
    json_object_seed(0); /* before there are threads */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
