/* SPDX-License-Identifier: MIT */
/*
 * workers.h - a queue of held calls, and threads that answer them
 *
 * Include after cmocka.h.
 */
#ifndef TEST_WORKERS_H
#define TEST_WORKERS_H

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "ask.h"

enum { N_THREADS = 8, QUEUE_MAX = 1024 };

/* cmocka's assertions may not leave another thread than the test's. */
static inline void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

#define REQUIRE(condition) require((condition), #condition)

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    jrpc_call *calls[QUEUE_MAX];
    size_t n_calls;
    bool is_closed;
    atomic_uint n_replied, n_refused; /* a reply was accepted; it came too late */
    atomic_uint n_spins;              /* before a worker answers */
};

static inline void init_queue(struct queue *queue)
{
    memset(queue, 0, sizeof(*queue));
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
}

static inline void fini_queue(struct queue *queue)
{
    assert_int_equal(queue->n_calls, 0);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
}

static inline void push(struct queue *queue, jrpc_call *call)
{
    pthread_mutex_lock(&queue->lock);
    REQUIRE(queue->n_calls < QUEUE_MAX);
    queue->calls[queue->n_calls++] = call;
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

/* The newest: so answers come out of order. NULL: closed and empty. */
static inline jrpc_call *pop(struct queue *queue)
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

static inline void close_queue(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

/* Each call in a way of its own; negative arguments are errors, multiples of ten forgotten. */
static inline int answer(jrpc_call *call)
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

static inline void *run_worker(void *user)
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

static inline int run_enqueue(jrpc_call *call, void *user)
{
    jrpc_call *held;
    int status = jrpc_call_defer(call, &held);

    if (!status)
        push(user, held);
    return status;
}

static const jrpc_method queue_methods[] = {JRPC_METHOD("enqueue", run_enqueue, "n: integer", NULL),
                                            JRPC_METHOD_END};

static inline void start(pthread_t *threads, size_t n, void *(*run)(void *), void *user)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, user), 0);
}

static inline void join(pthread_t *threads, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

#endif
