/* SPDX-License-Identifier: MIT */
/*
 * web.c - http: and ws: listeners: their options, their beginning and their end
 *
 * One port takes both: messages by POST, and WebSocket by an upgrade on the same path. What a peer
 * does is HTTP's or WebSocket's, as its connection is.
 */
#define _GNU_SOURCE
#include "web.h"

#include <errno.h>
#include <stdio.h>

#include "builtin.h"
#include "endpoint.h"

/*
 * The listener
 */

static jri_web_link *link_of(void *peer)
{
    return *(jri_web_link **)peer;
}

static int open_listener(void *state, const jrpc_url *url, struct uv_loop_s *loop,
                         jrpc_listener *owner, jrpc_problem *problem)
{
    jri_web_listener *listener = state;

    *listener = (jri_web_listener){.owner = owner, .url = url, .site = jri_web_site_new(loop)};
    if (!listener->site)
        return -ENOMEM;
    listener->message_max = (size_t)jrpc_listener_limit(owner, "message_max");
    listener->idle_ms = jrpc_listener_limit(owner, "idle_ms");
    listener->site->idle_ms = listener->idle_ms;
    listener->site->handshakes_max = (size_t)jrpc_listener_limit(owner, "handshakes_max");
    int status = jri_web_options_read(listener, url, problem);
    if (status) {
        jri_web_options_free(listener);
        jri_web_site_free(listener->site);
    }
    return status;
}

static int start_listener(void *state, jrpc_problem *problem)
{
    static const char *const shown[] = {"path", NULL};
    jri_web_listener *listener = state;
    char address[JRI_ENDPOINT_SIZE];

    int status = jri_web_site_enter(listener, problem);
    if (!status && listener->has_metrics)
        status = jrpc_listener_measure(listener->owner);
    if (status)
        return status;
    jri_endpoint_format(listener->url, listener->site->place.is_unix ? -1 : listener->site->port,
                        shown, address, sizeof(address));
    listener->url = NULL;
    return jrpc_listener_set_address(listener->owner, address);
}

static void stop_listener(void *state)
{
    jri_web_site_stop(state);
}

static void close_listener(void *state)
{
    jri_web_site_stop(state);
    jri_web_site_leave(state);
}

/* Nothing has to do with it any more. */
void jri_web_left(jri_web_listener *listener)
{
    jri_web_options_free(listener);
    jrpc_listener_closed(listener->owner, 0);
}

/* A codec may change with the service. */
bool jri_web_is_binary(const jri_web_listener *listener)
{
    const jrpc_codec *codec = jrpc_listener_codec(listener->owner);

    return codec && codec->is_binary;
}

const char *jri_web_type(const jri_web_listener *listener)
{
    const jrpc_codec *codec = jrpc_listener_codec(listener->owner);

    return codec ? codec->content_type : NULL;
}

/*
 * Peers
 */

static jrpc_buf *begin_answer(void *peer, void *exchange)
{
    jri_web_link *link = link_of(peer);
    size_t reserved = link->is_websocket ? JRI_WEBSOCKET_RESERVED : JRI_HTTP_HEAD_MAX;
    jrpc_buf *buf = jri_web_link_output(link);

    (void)exchange;
    if (!buf || !jrpc_buf_reserve(buf, reserved))
        return NULL;
    jrpc_buf_advance(buf, reserved);
    return buf;
}

static int end_answer(void *peer, void *exchange, jrpc_buf *buf, size_t start, int http_status)
{
    jri_web_link *link = link_of(peer);

    (void)exchange;
    return link->is_websocket ? jri_websocket_answer_end(link, buf, start)
                              : jri_http_answer_end(link, buf, start, http_status);
}

static void flush(void *peer)
{
    jri_web_link *link = link_of(peer);

    if (link->is_killed)
        return;
    if ((link->is_websocket ? jri_websocket_writable(link) : jri_http_flush(link)) < 0)
        jri_web_link_kill(link, -EPIPE);
}

/* Over HTTP there is nothing to pause: one body, of message_max at most, and then the answer. */
static void pause_reading(void *peer, bool is_paused)
{
    jri_web_link *link = link_of(peer);

    if (link->is_websocket && !link->close_code)
        lws_rx_flow_control(link->wsi, !is_paused);
}

static void drop(void *peer, int reason)
{
    jri_web_link *link = link_of(peer);

    if (link->is_websocket)
        jri_websocket_drop(link, reason);
    else
        jri_http_drop(link, reason);
}

static const char *header(void *peer, const char *name)
{
    return jri_web_headers_find(link_of(peer), name);
}

static const char *const schemes[] = {"http", "https", "http+unix", "ws", "wss", NULL};

const jrpc_transport jri_web_transport = {
    .size = sizeof(jrpc_transport),
    .name = "web",
    .schemes = schemes,
    .listener_size = sizeof(jri_web_listener),
    .peer_size = sizeof(jri_web_link *),
    .open = open_listener,
    .start = start_listener,
    .stop = stop_listener,
    .close = close_listener,
    .answer_begin = begin_answer,
    .answer_end = end_answer,
    .flush = flush,
    .pause = pause_reading,
    .drop = drop,
    .header = header,
};
