/* SPDX-License-Identifier: MIT */
/*
 * server.c - the loop: from the first listener to the last closed handle
 *
 * Serving, draining, closing, stopped: in this order and never back. jri_server_settle() is called
 * whenever something has ended and takes the next step if it was the last of its kind.
 */
#include "server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/hash.h"
#include "builtin.h"

int jri_server_fail(jrpc_server *server, int status, const char *source, const char *format, ...)
{
    va_list args;

    server->problem = (jrpc_problem){.code = status};
    snprintf(server->problem.source, sizeof(server->problem.source), "%s", source ? source : "");
    va_start(args, format);
    vsnprintf(server->problem.text, sizeof(server->problem.text), format, args);
    va_end(args);
    return status;
}

const jrpc_problem *jrpc_server_problem(const jrpc_server *server)
{
    return server && server->problem.code ? &server->problem : NULL;
}

int jrpc_server_add_transport(jrpc_server *server, const jrpc_transport *transport)
{
    if (!server || !transport || transport->size < sizeof(*transport) || !transport->schemes)
        return -EINVAL;
    for (size_t i = 0; i < server->n_transports; i++)
        for (const char *const *a = server->transports[i]->schemes; *a; a++)
            for (const char *const *b = transport->schemes; *b; b++)
                if (!strcmp(*a, *b))
                    return jri_server_fail(server, -EEXIST, *b, "this scheme is taken");

    const jrpc_transport **transports =
        realloc(server->transports, (server->n_transports + 1) * sizeof(*transports));
    if (!transports)
        return jri_server_fail(server, -ENOMEM, NULL, "out of memory");
    server->transports = transports;
    transports[server->n_transports++] = transport;
    if (transport->exchange_size > server->exchange_max) {
        server->exchange_max = transport->exchange_size;
        jri_job_free_spares(server); /* they are too small now */
    }
    return 0;
}

/*
 * The end
 */

static void handle_closed(uv_handle_t *handle)
{
    jrpc_server *server = handle->data;

    if (--server->n_handles)
        return;
    server->phase = JRI_STOPPED;
    void (*stopped)(jrpc_server *, void *) = server->stopped;
    void *user = server->stopped_user;
    atomic_store(&server->is_stopped, true);
    if (stopped)
        stopped(server, user); /* may free the server */
}

static void close_handles(jrpc_server *server)
{
    jri_server_flush(server);
    uv_close((uv_handle_t *)&server->check, handle_closed);
    uv_close((uv_handle_t *)&server->prepare, handle_closed);
    uv_close((uv_handle_t *)&server->drain, handle_closed);
    uv_close((uv_handle_t *)&server->timer, handle_closed);
    jri_outbox_close(&server->outbox, handle_closed);
}

static jrpc_listener *find_unclosed(const jrpc_server *server)
{
    jrpc_listener *listener = server->listeners;

    while (listener && listener->is_closing)
        listener = listener->next;
    return listener;
}

/* Peers, then listeners, then our own handles. reason 0: peers get what is unsent. */
static void close_all(jrpc_server *server, int reason)
{
    jrpc_listener *next;

    server->phase = JRI_ENDING;
    while ((next = find_unclosed(server)))
        jrpc_listener_close(next); /* the hook may close others, which are gone then */
    for (jrpc_listener *listener = server->listeners; listener; listener = next) {
        next = listener->next;
        jri_listener_drop_peers(listener, reason);
    }
    jri_server_settle(server);
}

static bool is_idle(const jrpc_server *server)
{
    if (server->n_jobs)
        return false;
    for (const jrpc_listener *listener = server->listeners; listener; listener = listener->next)
        for (const jrpc_peer *peer = listener->peers; peer; peer = peer->next)
            if (peer->inbox || atomic_load(&peer->n_unsent) || atomic_load(&peer->n_pushing))
                return false;
    return true;
}

void jri_server_settle(jrpc_server *server)
{
    if (server->phase == JRI_DRAINING && is_idle(server))
        close_all(server, 0);
    /* With its last listener a running server has done its work. */
    if (server->phase == JRI_SERVING && !server->n_listeners && atomic_load(&server->is_running))
        server->phase = JRI_ENDING;
    if (server->phase == JRI_ENDING && !server->n_listeners && !server->n_jobs &&
        !server->is_ended) {
        server->is_ended = true;
        close_handles(server);
    }
}

/* drain_ms are over: what is left is timed out, sent if it can be, and closed. */
static void drained(uv_timer_t *timer)
{
    jrpc_server *server = timer->data;

    for (jrpc_listener *listener = server->listeners; listener; listener = listener->next)
        for (jrpc_peer *peer = listener->peers; peer; peer = peer->next)
            for (jri_job *job = peer->jobs; job; job = job->next)
                jri_held_abandon(job->response->message, JRPC_TIMED_OUT,
                                 /* only_expired */ false, /* now */ 0);
    jri_outbox_drain(&server->outbox); /* their answers */
    jri_server_flush(server);
    if (server->phase == JRI_DRAINING)
        close_all(server, -ETIMEDOUT);
}

static void do_stop(jri_outbox_item *item)
{
    jrpc_server *server = (jrpc_server *)((char *)item - offsetof(jrpc_server, order.item));
    int64_t drain_ms = server->settings.drain_ms;

    server->stopped = server->order.stopped;
    server->stopped_user = server->order.user;
    if (server->phase != JRI_SERVING)
        return;
    server->phase = JRI_DRAINING;
    for (jrpc_listener *listener = server->listeners; listener; listener = listener->next)
        jri_listener_stop(listener);
    if (drain_ms >= 0)
        uv_timer_start(&server->drain, drained, (uint64_t)drain_ms, /* once */ 0);
    jri_server_settle(server);
}

int jrpc_server_stop(jrpc_server *server, void (*stopped)(jrpc_server *server, void *user),
                     void *user)
{
    if (!server)
        return -EINVAL;
    if (atomic_exchange(&server->is_stopping, true))
        return -EALREADY;

    server->order.stopped = stopped;
    server->order.user = user;
    server->order.item.run = do_stop;
    /* Refused: the server has ended by itself meanwhile. */
    return jri_outbox_put(&server->outbox, &server->order.item) ? -EALREADY : 0;
}

void jri_server_unref(jrpc_server *server)
{
    if (atomic_fetch_sub_explicit(&server->n_refs, 1, memory_order_acq_rel) > 1)
        return;
    jri_outbox_fini(&server->outbox);
    uv_mutex_destroy(&server->topics_lock);
    free(server);
}

/* What only the loop and its user need; the rest lives until the last peer is let go. */
static void release(jrpc_server *server)
{
    jri_workers_fini(&server->workers);
    jrpc_response_free(server->scratch);
    jrpc_response_free(server->reader);
    jri_job_free_spares(server);
    jri_deadlines_fini(&server->deadlines);
    jri_metrics_free(server->metrics);
    free(server->transports);
    if (server->loop == &server->own_loop)
        uv_loop_close(&server->own_loop);
    jri_server_unref(server);
}

void jrpc_server_free(jrpc_server *server)
{
    if (!server)
        return;
    if (!atomic_load(&server->is_stopped) && server->loop == &server->own_loop) {
        jrpc_server_stop(server, NULL, NULL);
        if (!server->has_thread)
            uv_run(server->loop, UV_RUN_DEFAULT);
    }
    if (server->has_thread)
        uv_thread_join(&server->thread);
    if (!atomic_load(&server->is_stopped)) {
        jri_log_line(&server->log, JRPC_LOG_ERROR, NULL,
                     "jrpc_server_free() of a server that has not stopped: not freed");
        return;
    }
    release(server);
}

/*
 * The beginning
 */

static void flush_after_input(uv_check_t *check)
{
    jri_server_flush(check->data);
}

static void flush_before_input(uv_prepare_t *prepare)
{
    jri_server_flush(prepare->data);
}

/* Handles that do not keep the loop alive, but for the outbox: threads may have something. */
static int init_handles(jrpc_server *server)
{
    int status = jri_outbox_init(&server->outbox, server->loop);
    if (status)
        return status;

    server->outbox.wake.data = server;
    uv_check_init(server->loop, &server->check);
    uv_prepare_init(server->loop, &server->prepare);
    uv_timer_init(server->loop, &server->drain);
    uv_timer_init(server->loop, &server->timer);
    server->check.data = server->prepare.data = server;
    server->drain.data = server->timer.data = server;
    uv_check_start(&server->check, flush_after_input);
    uv_prepare_start(&server->prepare, flush_before_input);
    uv_unref((uv_handle_t *)&server->check);
    uv_unref((uv_handle_t *)&server->prepare);
    server->n_handles = 5;
    return 0;
}

static int init(jrpc_server *server, const jri_settings *settings, struct uv_loop_s *loop)
{
    server->settings = *settings;
    jri_host_init(&server->host);
    server->log.is_basic = server->settings.basic_logging;
    server->seed = jri_random_seed();
    server->timer_ns = UINT64_MAX;
    atomic_init(&server->n_refs, 1);
    int status = uv_mutex_init(&server->topics_lock);
    if (status)
        return status;
    status = jri_workers_init(&server->workers, (size_t)server->settings.workers);
    if (status) {
        uv_mutex_destroy(&server->topics_lock);
        return status;
    }

    server->loop = loop ? loop : &server->own_loop;
    status = loop ? 0 : uv_loop_init(&server->own_loop);
    if (!status) {
        status = init_handles(server);
        if (status && !loop)
            uv_loop_close(&server->own_loop);
    }
    if (status) {
        jri_workers_fini(&server->workers);
        uv_mutex_destroy(&server->topics_lock);
    }
    return status;
}

int jri_server_new(const jri_settings *settings, struct uv_loop_s *loop, jrpc_server **out)
{
    jrpc_server *server = calloc(1, sizeof(*server));
    if (!server)
        return -ENOMEM;
    int status = 0;
    for (const jrpc_transport *const *builtin = jri_builtin_transports; *builtin && !status;
         builtin++)
        status = jrpc_server_add_transport(server, *builtin);
    if (!status && settings->metrics) {
        server->metrics = jri_metrics_new();
        status = server->metrics ? 0 : -ENOMEM;
    }
    if (!status) /* last: the loop may be the application's, and has handles on it from then on */
        status = init(server, settings, loop);
    if (status) {
        jri_metrics_free(server->metrics);
        free(server->transports);
        free(server);
        return status;
    }
    *out = server;
    return 0;
}

int jrpc_server_new(const jrpc_options *options, struct uv_loop_s *loop, jrpc_server **out)
{
    jri_settings settings;

    if (!out)
        return -EINVAL;
    jri_options_resolve(options, &settings);
    return jri_server_new(&settings, loop, out);
}

int jrpc_server_set_hooks(jrpc_server *server, const jrpc_server_hooks *hooks, void *user)
{
    if (!server || (hooks && hooks->size < sizeof(*hooks)))
        return -EINVAL;
    server->hooks = hooks ? *hooks : (jrpc_server_hooks){0};
    server->hooks_user = user;
    return 0;
}

struct uv_loop_s *jrpc_server_loop(const jrpc_server *server)
{
    return server ? server->loop : NULL;
}

static void run(jrpc_server *server)
{
    bool was_loop_thread = jri_is_loop_thread;

    jri_is_loop_thread = true;
    atomic_fetch_add(&server->n_refs, 1); /* `stopped` may free the server */
    jri_server_settle(server);            /* a listener may have come and gone already */
    while (!atomic_load(&server->is_stopped))
        uv_run(server->loop, UV_RUN_ONCE);
    jri_is_loop_thread = was_loop_thread;
    jri_server_unref(server);
}

static void run_thread(void *user)
{
    run(user);
}

int jrpc_server_run(jrpc_server *server)
{
    if (!server)
        return -EINVAL;
    if (!server->n_listeners)
        return jri_server_fail(server, -EINVAL, NULL, "nothing listens");
    if (atomic_exchange(&server->is_running, true))
        return -EBUSY;
    run(server);
    return 0;
}

int jrpc_server_start(jrpc_server *server)
{
    if (!server || server->loop != &server->own_loop)
        return -EINVAL;
    if (!server->n_listeners)
        return jri_server_fail(server, -EINVAL, NULL, "nothing listens");
    if (atomic_exchange(&server->is_running, true))
        return -EBUSY;

    server->has_thread = true;
    int status = uv_thread_create(&server->thread, run_thread, server);
    if (status) {
        server->has_thread = false;
        atomic_store(&server->is_running, false);
    }
    return status;
}

/*
 * Posts
 */

typedef struct server_post {
    jri_outbox_item item; /* first */
    jrpc_server *server;
    void (*fn)(jrpc_server *server, void *user);
    void *user;
} server_post;

static void run_post(jri_outbox_item *item)
{
    server_post *post = (server_post *)item;
    bool was_loop_thread = jri_is_loop_thread;

    jri_is_loop_thread = true;
    post->fn(post->server, post->user);
    jri_is_loop_thread = was_loop_thread;
    free(post);
}

int jrpc_server_post(jrpc_server *server, void (*fn)(jrpc_server *server, void *user), void *user)
{
    if (!server || !fn)
        return -EINVAL;

    server_post *post = malloc(sizeof(*post));
    if (!post)
        return -ENOMEM;
    *post = (server_post){.item.run = run_post, .server = server, .fn = fn, .user = user};
    int status = jri_outbox_put(&server->outbox, &post->item);
    if (status)
        free(post);
    return status;
}
