/* SPDX-License-Identifier: MIT */
/*
 * test_thread_races.c - held calls answered, freed, cancelled and timed out at the same moment
 *
 * Who wins is left open; that every request is answered exactly once, and that what a reply
 * returned agrees with what was answered, is not. Meant for ThreadSanitizer as well.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workers.h"

enum { N_RACES = 1500 };

/*
 * Answering, freeing and cancelling
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

    race->n_held = 0;
    race->n_done = 0;
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
 * Freeing while the owner is told
 */

struct telling {
    atomic_bool is_inside, is_over;
    jrpc_call *held;
};

static void tell_slowly(jrpc_call *held, void *user)
{
    struct telling *telling = user;

    telling->is_inside = true;
    for (int i = 0; i < 200; i++)
        sched_yield();
    REQUIRE(jrpc_call_is_cancelled(held));
    telling->is_over = true;
}

static void *run_freeing(void *user)
{
    struct telling *telling = user;

    while (!telling->is_inside)
        sched_yield();
    jrpc_call_free(telling->held);
    REQUIRE(telling->is_over);
    return NULL;
}

static int run_telling(jrpc_call *call, void *user)
{
    struct telling *telling = user;
    int status = jrpc_call_defer(call, &telling->held);
    return status ? status : jrpc_call_on_cancelled(telling->held, tell_slowly, telling);
}

static void ignore_done(int status, jrpc_response *response, void *user)
{
    (void)user;
    REQUIRE(!status && jrpc_response_code(response, 0) == JRPC_CANCELLED);
}

static void freeing_waits_until_its_owner_was_told(void **state)
{
    static const char sent[] = "{\"jsonrpc\":\"2.0\",\"method\":\"tell\",\"id\":0}";
    static const jrpc_method telling_methods[] = {JRPC_METHOD("tell", run_telling, NULL, NULL),
                                                  JRPC_METHOD_END};
    struct telling telling;
    jrpc_service *service = new_service(NULL, telling_methods, &telling);
    (void)state;

    for (int i = 0; i < 50; i++) {
        jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
        jrpc_pending *pending = NULL;
        pthread_t thread;
        telling.is_inside = false;
        telling.is_over = false;
        options.codec = path_codec(i & 1);
        options.done = ignore_done;
        assert_int_equal(jrpc_dispatch_async(service, sent, strlen(sent), &options, &pending), 0);
        start(&thread, 1, run_freeing, &telling);
        jrpc_pending_cancel(pending);
        join(&thread, 1);
        jrpc_pending_free(pending);
    }
    jrpc_service_free(service);
}

/*
 * Time-outs and answers
 */

static void time_outs_race_with_answers(void **state)
{
    struct queue queue;
    pthread_t workers[2];
    jrpc_service *service = new_service(NULL, queue_methods, &queue);
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answering_freeing_and_cancelling_race),
        cmocka_unit_test(freeing_waits_until_its_owner_was_told),
        cmocka_unit_test(time_outs_race_with_answers),
    };
    json_object_seed(0); /* before there are threads */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
