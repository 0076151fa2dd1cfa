/* SPDX-License-Identifier: MIT */
/*
 * listener.c - where a service is served: opening, swapping, closing
 *
 * Closing goes from the inside out: peers first, then the transport's listener, then ours.
 */
#include "server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/introspect.h"
#include "endpoint.h"

static const jrpc_transport *find_transport(const jrpc_server *server, const char *scheme)
{
    for (size_t i = 0; i < server->n_transports; i++)
        for (const char *const *known = server->transports[i]->schemes; *known; known++)
            if (!strcmp(*known, scheme))
                return server->transports[i];
    return NULL;
}

/* Says which schemes there are: most who come here have left one out, or have written another's. */
static int fail_unknown(jrpc_server *server, const char *text, const char *scheme)
{
    char known[160] = "";
    size_t len = 0;

    for (size_t i = 0; i < server->n_transports; i++)
        for (const char *const *s = server->transports[i]->schemes; *s; s++)
            if (len + strlen(*s) + strlen(", ") < sizeof(known))
                len +=
                    (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", len ? ", " : "", *s);
    return jri_server_fail(server, -ENOTSUP, text,
                           "this build has no transport for '%.20s', only for %s", scheme, known);
}

static void free_listener(jrpc_listener *listener)
{
    jri_metrics_forget_rows(listener->server->metrics);
    listener->server->ready_for = NULL;
    if (listener->service) {
        atomic_fetch_sub(&listener->service->n_users, 1);
        jrpc_service_free(listener->service);
    }
    jrpc_options_free(listener->limits);
    free(listener->address);
    free(listener);
}

/* After the service or the limits have changed. */
static void update_settings(jrpc_listener *listener)
{
    listener->server->ready_for = NULL;
    listener->settings = listener->server->settings;
    listener->service_settings = listener->service->settings;
    jri_options_overlay_limits(listener->limits, &listener->settings);
    jri_options_overlay_limits(listener->limits, &listener->service_settings);
}

static jrpc_listener *new_listener(jrpc_server *server, const jrpc_transport *transport,
                                   jrpc_service *service, const jrpc_listen_options *options)
{
    jrpc_listener *listener = calloc(1, sizeof(*listener) + transport->listener_size);
    if (!listener)
        return NULL;

    listener->server = server;
    listener->transport = transport;
    listener->service = jri_service_ref(service);
    atomic_fetch_add(&service->n_users, 1);
    if (options->codec) {
        listener->codec = *options->codec;
        listener->has_codec = true;
    }
    listener->context = options->context;
    listener->has_context = options->has_context || options->context;
    if (jri_options_copy(options->limits, &listener->limits)) {
        free_listener(listener);
        return NULL;
    }
    update_settings(listener);
    return listener;
}

/* Opens and starts: from here on there are peers. If that fails, the listener is gone. */
static int start(jrpc_listener *listener, const jrpc_url *url, const char *text)
{
    jrpc_server *server = listener->server;
    const jrpc_transport *transport = listener->transport;

    int status = jrpc_listener_set_address(listener, text);
    if (!status)
        status = transport->open(listener->state, url, server->loop, listener, &server->problem);
    if (status) {
        free_listener(listener);
        return status;
    }
    listener->next = server->listeners;
    server->listeners = listener;
    server->n_listeners++;
    listener->n_visits++;
    status = transport->start(listener->state, &server->problem);
    listener->n_visits--;
    listener->is_failed = status;
    if (status && !listener->is_closing)
        jrpc_listener_close(listener);
    else
        jri_listener_settle(listener); /* the hook of its peer may have closed it */
    return status;
}

/* Options as this version knows them, whatever the caller was compiled with. */
static bool read_options(const jrpc_listen_options *given, jrpc_listen_options *out)
{
    *out = (jrpc_listen_options)JRPC_LISTEN_OPTIONS_INIT;
    if (given && given->size < sizeof(given->size))
        return false;
    if (given)
        memcpy(out, given, given->size < sizeof(*out) ? given->size : sizeof(*out));
    return !out->codec || (out->codec->deserialize && out->codec->serialize);
}

int jrpc_server_listen(jrpc_server *server, jrpc_service *service, const char *text,
                       const jrpc_listen_options *options, jrpc_listener **out)
{
    jrpc_listen_options known;
    jrpc_url *url = NULL;

    if (!server || !service || !text || !read_options(options, &known))
        return -EINVAL;
    server->problem = (jrpc_problem){0};
    if (server->phase != JRI_SERVING)
        return jri_server_fail(server, -EBUSY, text, "the server is stopping");
    int status = jri_endpoint_parse(text, &url, &server->problem);
    if (status)
        return status;

    const char *scheme = url->scheme;
    const jrpc_transport *transport = find_transport(server, scheme);
    jrpc_listener *listener = NULL;
    if (!transport)
        status = fail_unknown(server, text, scheme);
    else if (!(listener = new_listener(server, transport, service, &known)))
        status = jri_server_fail(server, -ENOMEM, text, "out of memory");
    else
        status = start(listener, url, text);
    jri_endpoint_free(url);
    if (status) {
        if (!server->problem.code)
            jri_server_fail(server, status, text, "%s", uv_strerror(status));
        return status;
    }
    if (out)
        *out = listener;
    return 0;
}

void jri_listener_stop(jrpc_listener *listener)
{
    if (listener->is_stopped)
        return;
    listener->is_stopped = true;
    listener->transport->stop(listener->state);
}

void jri_listener_drop_peers(jrpc_listener *listener, int reason)
{
    jrpc_peer *next;

    for (jrpc_peer *peer = listener->peers; peer; peer = next) {
        next = peer->next;
        jrpc_peer_ref(peer);
        jri_peer_drop(peer, reason);
        jrpc_peer_unref(peer);
    }
}

void jri_listener_settle(jrpc_listener *listener)
{
    if (!listener->is_closing || listener->peers || listener->n_visits || listener->is_released)
        return;
    listener->is_released = true;
    listener->transport->close(listener->state);
}

int jrpc_listener_close(jrpc_listener *listener)
{
    jrpc_peer *next;

    if (!listener)
        return -EINVAL;
    if (listener->is_closing)
        return 0;
    listener->is_closing = true;
    listener->n_visits++;
    jri_listener_stop(listener);
    for (jrpc_peer *peer = listener->peers; peer; peer = next) {
        next = peer->next;
        jrpc_transport_ended(peer->state); /* each goes when it is answered */
    }
    listener->n_visits--;
    jri_listener_settle(listener);
    return 0;
}

void jrpc_listener_closed(jrpc_listener *listener, int reason)
{
    if (!listener)
        return;

    jrpc_server *server = listener->server;
    jrpc_listener **link = &server->listeners;

    while (*link && *link != listener)
        link = &(*link)->next;
    if (*link)
        *link = listener->next;
    server->n_listeners--;
    if (server->hooks.listener_closed && !listener->is_failed)
        server->hooks.listener_closed(listener, reason, server->hooks_user);
    free_listener(listener);
    jri_server_settle(server);
}

static void let_go(jrpc_server *server, void *service)
{
    (void)server;
    jrpc_service_free(service);
}

int jrpc_listener_set_service(jrpc_listener *listener, jrpc_service *service)
{
    if (!listener || !service)
        return -EINVAL;

    jrpc_service *old = listener->service;
    /* One of its handlers may be who asks: it is needed until that has returned. */
    int status = listener->server->running ? jrpc_server_post(listener->server, let_go, old) : 0;
    if (status)
        return status;
    listener->service = jri_service_ref(service);
    atomic_fetch_add(&service->n_users, 1);
    atomic_fetch_sub(&old->n_users, 1);
    update_settings(listener);
    jri_metrics_forget_rows(listener->server->metrics);
    uv_mutex_lock(&listener->server->topics_lock);
    for (jrpc_peer *peer = listener->peers; peer && !listener->has_codec; peer = peer->next)
        peer->codec = service->codec;
    uv_mutex_unlock(&listener->server->topics_lock);
    if (!listener->server->running)
        jrpc_service_free(old);
    return 0;
}

const jrpc_codec *jrpc_listener_codec(const jrpc_listener *listener)
{
    if (!listener)
        return NULL;
    if (listener->has_codec)
        return &listener->codec;
    return listener->service->codec.serialize ? &listener->service->codec : NULL;
}

jrpc_service *jrpc_listener_service(const jrpc_listener *listener)
{
    return listener ? listener->service : NULL;
}

int jrpc_listener_document(const jrpc_listener *listener, const char **text, size_t *len)
{
    if (!listener || !text || !len)
        return -EINVAL;
    int status = jri_introspect_document(listener->service, text);
    if (!status)
        *len = strlen(*text);
    return status;
}

void *jrpc_listener_next(const jrpc_listener *listener, const void *state)
{
    if (!listener)
        return NULL;
    jrpc_listener *next = listener->server->listeners;
    while (state && next && next->state != state)
        next = next->next;
    if (state && next)
        next = next->next;
    while (next && next->transport != listener->transport)
        next = next->next;
    return next ? next->state : NULL;
}

bool jrpc_listener_is_serving(const jrpc_listener *listener)
{
    return listener && !listener->is_closing && listener->server->phase == JRI_SERVING;
}

const char *jrpc_listener_address(const jrpc_listener *listener)
{
    return listener ? listener->address : NULL;
}

int jrpc_listener_set_address(jrpc_listener *listener, const char *url)
{
    char *copy = listener && url ? strdup(url) : NULL;
    if (!copy)
        return listener && url ? -ENOMEM : -EINVAL;

    free(listener->address);
    listener->address = copy;
    return 0;
}

#define LIMIT(name, ...) {#name, offsetof(jri_settings, name)},
#define NO_LIMIT(...)
static const struct {
    const char *name;
    size_t offset;
} limits[] = {JRPC_OPTIONS(NO_LIMIT, LIMIT, LIMIT)};

long long jrpc_listener_limit(const jrpc_listener *listener, const char *name)
{
    if (!listener || !name)
        return -1;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        const char *settings = (const char *)&listener->settings;
        if (!strcmp(limits[i].name, name))
            return *(const int64_t *)(const void *)(settings + limits[i].offset);
    }
    return -1;
}

/* Where lines about a listener and its peers go: to the hook of its service, if the program has set
 * one. */
static const jri_log *log_of(const jrpc_listener *listener)
{
    const jri_log *log = &listener->service->log;
    return log->logged ? log : &listener->server->log;
}

void jrpc_listener_log(jrpc_listener *listener, void *state, int level, const char *format, ...)
{
    char text[512];
    va_list args;

    if (!listener || !jri_log_is_on(log_of(listener)))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const jri_log_source source = {listener->transport->name,
                                   state ? jri_peer_of(state)->address : listener->address};
    jri_log_line(log_of(listener), level, &source, "%s", text);
}
