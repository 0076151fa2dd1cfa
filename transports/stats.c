/* SPDX-License-Identifier: MIT */
/*
 * stats.c - what a server tells of itself: the same numbers as JSON and for Prometheus
 *
 * One list yields both. Numbers by method are there only if somebody measures: metrics.h.
 */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../core/buf.h"

/* GAUGE(name in JSON, name for Prometheus, value, help); COUNTER likewise. */
#define STATS(GAUGE, COUNTER)                                                                      \
    GAUGE(listeners, "listeners", server->n_listeners, "Endpoints that are listened on.")          \
    GAUGE(peers, "peers", server->n_peers, "Peers that are open.")                                 \
    COUNTER(peers_opened, "peers_opened", server->counts.peers_opened, "Peers opened so far.")     \
    COUNTER(messages, "messages", server->counts.messages, "Messages run.")                        \
    COUNTER(bytes_in, "received_bytes", server->counts.bytes_in, "Bytes of messages received.")    \
    COUNTER(bytes_out, "sent_bytes", server->counts.bytes_out, "Bytes of answers and pushes.")     \
    GAUGE(in_flight, "in_flight", server->n_calls, "Calls that are not answered yet.")             \
    COUNTER(deferred, "deferred", server->counts.deferred,                                         \
            "Calls put aside to be answered later.")                                               \
    COUNTER(pushes, "pushes", server->counts.pushes, "Notifications sent to peers.")               \
    COUNTER(framing_failures, "framing_failures", server->counts.failures,                         \
            "Things received that were no messages.")                                              \
    GAUGE(memory_held, "memory_held_bytes", server->memory,                                        \
          "Bytes of messages, calls in flight and unsent answers.")                                \
    GAUGE(workers_queued, "workers_queued", jri_workers_queued(&server->workers),                  \
          "Blocking calls that wait for a worker.")

int jrpc_server_stats(jrpc_server *server, json_t **out)
{
    if (!server || !out)
        return -EINVAL;

    json_t *stats = json_object();
    int status = stats ? 0 : -1;
#define SET(name, series, value, help)                                                             \
    if (!status)                                                                                   \
        status = json_object_set_new(stats, #name, json_integer((json_int_t)(value)));
    STATS(SET, SET)
#undef SET
    if (!status && server->metrics)
        status = json_object_set_new(stats, "methods", jri_metrics_json(server->metrics));
    if (status) {
        json_decref(stats);
        return -ENOMEM;
    }
    *out = stats;
    return 0;
}

static int write_number(jrpc_buf *to, const char *series, const char *type, const char *help,
                        uint64_t value)
{
    const char *total = strcmp(type, "counter") ? "" : "_total";
    char text[512];
    int len = snprintf(text, sizeof(text),
                       "# HELP jrpc_%s%s %s\n# TYPE jrpc_%s%s %s\njrpc_%s%s %llu\n", series, total,
                       help, series, total, type, series, total, (unsigned long long)value);

    return jri_buf_append(to, text, (size_t)len);
}

/* By transport, which STATS has together. */
static int write_peers(const jrpc_server *server, jrpc_buf *to)
{
    char text[256];
    int status = 0;

    for (size_t i = 0; i < server->n_transports && !status; i++) {
        const jrpc_transport *transport = server->transports[i];
        size_t n_peers = 0, n_listeners = 0;
        for (const jrpc_listener *at = server->listeners; at; at = at->next) {
            n_listeners += at->transport == transport;
            n_peers += at->transport == transport ? at->n_peers : 0;
        }
        int len = snprintf(text, sizeof(text), "jrpc_transport_peers{transport=\"%s\"} %zu\n",
                           transport->name, n_peers);
        if (n_listeners)
            status = jri_buf_append(to, text, (size_t)len);
    }
    return status;
}

int jrpc_listener_metrics(jrpc_listener *listener, jrpc_buf *to)
{
    if (!listener || !to)
        return -EINVAL;

    jrpc_server *server = listener->server;
    int status = 0;
#define GAUGE(name, series, value, help)                                                           \
    if (!status)                                                                                   \
        status = write_number(to, series, "gauge", help, (uint64_t)(value));
#define COUNTER(name, series, value, help)                                                         \
    if (!status)                                                                                   \
        status = write_number(to, series, "counter", help, (uint64_t)(value));
    STATS(GAUGE, COUNTER)
#undef GAUGE
#undef COUNTER
    if (!status)
        status = jri_buf_append_literal(to, "# HELP jrpc_transport_peers Open peers by transport.\n"
                                            "# TYPE jrpc_transport_peers gauge\n");
    if (!status)
        status = write_peers(server, to);
    if (!status && server->metrics)
        status = jri_metrics_write(server->metrics, to);
    return status;
}

int jrpc_listener_measure(jrpc_listener *listener)
{
    if (!listener)
        return -EINVAL;
    if (!listener->server->metrics)
        listener->server->metrics = jri_metrics_new();
    listener->server->ready_for = NULL; /* from now on calls are timed */
    return listener->server->metrics ? 0 : -ENOMEM;
}
