/* SPDX-License-Identifier: MIT */
/*
 * suite_desk.h - where the handlers of a test and the test itself meet
 *
 * Deferred calls are laid on the desk and taken from it; blocking ones wait there to be let go.
 * Nobody waits longer than DESK_PATIENCE_S.
 */
#ifndef TEST_SUITE_DESK_H
#define TEST_SUITE_DESK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jrpc/call.h>
#include <jrpc/server.h>

enum { DESK_CALLS = 4096, DESK_KEPT = 16, DESK_PATIENCE_S = 30 };

typedef struct suite_desk {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    jrpc_call *calls[DESK_CALLS]; /* a ring */
    size_t first, end;
    jrpc_call *kept[DESK_KEPT]; /* that nobody answers */
    size_t n_kept;
    unsigned n_blocked, n_let_go, n_told, n_counted;
    unsigned n_opened, n_refused, n_closed, n_listeners_closed, n_stopped;
    int closed_reason;
    int n_handles;       /* of the loop, when it had stopped */
    int refusal;         /* what peer_opened returns */
    jrpc_server *server; /* for handlers that stop it */
} suite_desk;

static inline void desk_init(suite_desk *desk)
{
    pthread_condattr_t attributes;

    *desk = (suite_desk){.n_handles = -1};
    pthread_mutex_init(&desk->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&desk->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static inline void desk_fini(suite_desk *desk)
{
    pthread_cond_destroy(&desk->changed);
    pthread_mutex_destroy(&desk->lock);
}

/* The lock is held. */
static inline void desk_wait(suite_desk *desk, const char *what)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += DESK_PATIENCE_S;
    if (pthread_cond_timedwait(&desk->changed, &desk->lock, &until)) {
        fprintf(stderr, "waited in vain for %s\n", what);
        abort(); /* not an assertion of cmocka: it may be another thread than the test's */
    }
}

static inline void desk_put(suite_desk *desk, jrpc_call *held)
{
    pthread_mutex_lock(&desk->lock);
    desk->calls[desk->end++ % DESK_CALLS] = held;
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

static inline jrpc_call *desk_take(suite_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    while (desk->first == desk->end)
        desk_wait(desk, "a deferred call");
    jrpc_call *held = desk->calls[desk->first++ % DESK_CALLS];
    pthread_mutex_unlock(&desk->lock);
    return held;
}

static inline void desk_count(suite_desk *desk, unsigned *counter)
{
    pthread_mutex_lock(&desk->lock);
    ++*counter;
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

static inline void desk_wait_for(suite_desk *desk, const unsigned *counter, unsigned n,
                                 const char *what)
{
    pthread_mutex_lock(&desk->lock);
    while (*counter < n)
        desk_wait(desk, what);
    pthread_mutex_unlock(&desk->lock);
}

/* The same as a question, for those who can tell what it means: within so many milliseconds. */
static inline bool desk_reaches(suite_desk *desk, const unsigned *counter, unsigned n, int ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&desk->lock);
    while (*counter < n && !pthread_cond_timedwait(&desk->changed, &desk->lock, &until))
        continue;
    bool is_there = *counter >= n;
    pthread_mutex_unlock(&desk->lock);
    return is_there;
}

static inline void desk_refuse(suite_desk *desk, int refusal)
{
    pthread_mutex_lock(&desk->lock);
    desk->refusal = refusal;
    pthread_mutex_unlock(&desk->lock);
}

static inline int desk_refusal(suite_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    int refusal = desk->refusal;
    pthread_mutex_unlock(&desk->lock);
    return refusal;
}

static inline unsigned desk_read(suite_desk *desk, const unsigned *counter)
{
    pthread_mutex_lock(&desk->lock);
    unsigned n = *counter;
    pthread_mutex_unlock(&desk->lock);
    return n;
}

/* A blocking handler: until it is let go. */
static inline void desk_block(suite_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    unsigned number = desk->n_blocked++;
    pthread_cond_broadcast(&desk->changed);
    while (desk->n_let_go <= number)
        desk_wait(desk, "being let go");
    pthread_mutex_unlock(&desk->lock);
}

static inline void desk_let_go(suite_desk *desk, unsigned n)
{
    pthread_mutex_lock(&desk->lock);
    desk->n_let_go += n;
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

#endif
