/* SPDX-License-Identifier: MIT */
/*
 * test_transport_ws.c - the transport suite over WebSocket, by ws: and by http:, alone and sharing
 * a port
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport_suite.h"
#include "web_client.h"

typedef struct ws_link {
    suite_link link; /* first */
    const char *url;
    enum { ALONE, LISTENER_EACH, SHARED_PORT } kind;
} ws_link;

typedef struct ws_client {
    web_client *web;
    bool is_binary;
} ws_client;

static unsigned port_of(const suite_site *site, size_t index)
{
    return (unsigned)atoi(strrchr(jrpc_listener_address(site->listeners[index]), ':') + 1);
}

/* The first finds the port; scheme: with the host. */
static void listen_at_one_port(suite_site *site, const char *scheme)
{
    char url[64];

    for (size_t i = 0; i < SUITE_PEERS; i++) {
        snprintf(url, sizeof(url), "%s:%u/%zu", scheme, i ? port_of(site, 0) : 0, i);
        suite_listen(site, i, url);
    }
}

static void open_listeners(const suite_link *link, suite_site *site)
{
    const ws_link *kind = (const ws_link *)link;

    if (kind->kind == SHARED_PORT) {
        listen_at_one_port(site, kind->url);
        return;
    }
    for (size_t i = 0; i < (kind->kind == LISTENER_EACH ? SUITE_PEERS : 1); i++)
        suite_listen(site, i, kind->url);
}

static void close_site(const suite_link *link, suite_site *site)
{
    (void)link, (void)site;
}

static bool is_binary(const suite_site *site, size_t index)
{
    const jrpc_codec *codec = jrpc_listener_codec(site->listeners[index]);

    return codec && codec->is_binary;
}

static void *connect_client(const suite_link *link, suite_site *site, size_t index)
{
    const char *path = strchr(strrchr(jrpc_listener_address(site->listeners[index]), ':'), '/');
    ws_client *client = calloc(1, sizeof(*client));
    int status;

    (void)link;
    assert_non_null(client);
    client->is_binary = is_binary(site, index);
    client->web = web_connect(port_of(site, index));
    status = ws_upgrade(client->web, path ? path : "/", "");
    if (status != 101)
        assert_int_equal(status, 503); /* refused: it hangs up */
    return client;
}

static bool send_message(void *state, const char *data, size_t len)
{
    ws_client *client = state;

    return ws_send(client->web, WS_FINAL | (client->is_binary ? WS_BINARY : WS_TEXT), data, len);
}

static char *receive_message(void *state, size_t *len)
{
    ws_client *client = state;

    return ws_receive(client->web, len);
}

static void close_client(void *state)
{
    ws_client *client = state;

    web_close(client->web);
    free(client);
}

#define WS_LINK(text, at, is)                                                                      \
    {                                                                                              \
        {                                                                                          \
            .name = (text),                                                                        \
            .has_push = true,                                                                      \
            .can_vanish = true,                                                                    \
            .hears_hang_up = true,                                                                 \
            .can_be_refused = true,                                                                \
            .is_text = true,                                                                       \
            .hangs_up_on_too_large = true,                                                         \
            .has_metrics = (is) != ALONE,                                                          \
            .open = open_listeners,                                                                \
            .close_site = close_site,                                                              \
            .connect = connect_client,                                                             \
            .send = send_message,                                                                  \
            .receive = receive_message,                                                            \
            .close = close_client,                                                                 \
        },                                                                                         \
            at, is                                                                                 \
    }

int main(void)
{
    static const ws_link links[] = {
        WS_LINK("ws: one listener", "ws://127.0.0.1:0", ALONE),
        WS_LINK("http: a listener each", "http://127.0.0.1:0", LISTENER_EACH),
        WS_LINK("http: listeners that share a port", "http://127.0.0.1", SHARED_PORT),
    };
    int n_failed = 0;

    for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
        n_failed += run_transport_suite(&links[i].link);
    return n_failed;
}
