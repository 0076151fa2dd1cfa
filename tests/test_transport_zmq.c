/* SPDX-License-Identifier: MIT */
/*
 * test_transport_zmq.c - the transport suite over ZeroMQ: bare and delimited DEALERs, by each kind
 * of endpoint, and through a broker
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include <jrpc/zmq.h>

#include "transport_suite.h"

typedef struct zmq_link {
    suite_link link; /* first */
    const char *protocol;
    bool is_delimited, has_broker;
} zmq_link;

/* A server's clients, and the broker between them. */
typedef struct zmq_site {
    void *context; /* the clients' */
    char endpoint[512];
    char folder[64]; /* of an ipc socket; "": none */
    pthread_t broker;
    void *front, *back, *control, *control_end; /* the broker's; NULL: none */
} zmq_site;

typedef struct zmq_client {
    void *socket;
    bool is_delimited;
} zmq_client;

static void set(void *socket, int option, int value)
{
    assert_int_equal(zmq_setsockopt(socket, option, &value, sizeof(value)), 0);
}

/* A socket with nothing to keep its context from ending. */
static void *new_socket(void *context, int type)
{
    void *socket = zmq_socket(context, type);

    assert_non_null(socket);
    set(socket, ZMQ_LINGER, 0);
    set(socket, ZMQ_SNDTIMEO, SUITE_PATIENCE_MS);
    set(socket, ZMQ_RCVTIMEO, SUITE_PATIENCE_MS);
    return socket;
}

static void bind_socket(void *socket, char endpoint[512])
{
    size_t size = 512;

    assert_int_equal(zmq_bind(socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
}

static void *run_broker(void *user)
{
    zmq_site *site = user;

    zmq_proxy_steerable(site->front, site->back, /* capture */ NULL, site->control_end);
    return NULL;
}

/* Where clients come, and where servers take their messages from: the latter in url. */
static void start_broker(zmq_site *site, char url[600])
{
    char back[512];

    site->front = new_socket(site->context, ZMQ_ROUTER);
    site->back = new_socket(site->context, ZMQ_DEALER);
    set(site->front, ZMQ_SNDHWM, 0); /* a ROUTER that is full throws answers away */
    set(site->back, ZMQ_RCVHWM, 0);
    site->control = new_socket(site->context, ZMQ_PAIR);
    site->control_end = new_socket(site->context, ZMQ_PAIR);
    bind_socket(site->front, site->endpoint);
    bind_socket(site->back, back);
    assert_int_equal(zmq_bind(site->control, "inproc://control"), 0);
    assert_int_equal(zmq_connect(site->control_end, "inproc://control"), 0);
    snprintf(url, 600, "zmq+%s?connect=yes", back);
    assert_int_equal(pthread_create(&site->broker, NULL, run_broker, site), 0);
}

static void make_url(const zmq_link *kind, zmq_site *site, char url[600])
{
    if (kind->has_broker) {
        start_broker(site, url);
    } else if (!strcmp(kind->protocol, "ipc")) {
        strcpy(site->folder, "/tmp/jrpc-zmq-XXXXXX");
        assert_non_null(mkdtemp(site->folder));
        snprintf(url, 600, "zmq+ipc://%s/socket", site->folder);
    } else if (!strcmp(kind->protocol, "inproc")) {
        snprintf(url, 600, "zmq+inproc://suite-%p", (void *)site);
    } else {
        snprintf(url, 600, "zmq+%s://127.0.0.1:0", kind->protocol);
    }
}

static void open_zmq(const suite_link *link, suite_site *suite)
{
    const zmq_link *kind = (const zmq_link *)link;
    zmq_site *site = calloc(1, sizeof(*site));
    char url[600];

    assert_non_null(site);
    suite->link_state = site;
    /* inproc reaches only within one context. */
    bool is_inproc = !strcmp(kind->protocol, "inproc");
    site->context = is_inproc ? jrpc_zmq_context() : zmq_ctx_new();
    make_url(kind, site, url);
    suite_listen(suite, 0, url);
    if (!kind->has_broker) {
        const char *address = jrpc_listener_address(suite->listeners[0]);
        snprintf(site->endpoint, sizeof(site->endpoint), "%s", address + strlen("zmq+"));
    }
}

static void close_zmq(const suite_link *link, suite_site *suite)
{
    zmq_site *site = suite->link_state;

    (void)link;
    if (site->front) {
        zmq_send(site->control, "TERMINATE", 9, 0);
        pthread_join(site->broker, NULL);
        zmq_close(site->front);
        zmq_close(site->back);
        zmq_close(site->control);
        zmq_close(site->control_end);
    }
    if (site->context != jrpc_zmq_context())
        zmq_ctx_term(site->context);
    if (*site->folder)
        assert_int_equal(rmdir(site->folder), 0);
    free(site);
}

static void *connect_zmq(const suite_link *link, suite_site *suite, size_t index)
{
    const zmq_site *site = suite->link_state;
    zmq_client *client = calloc(1, sizeof(*client));

    (void)index;
    assert_non_null(client);
    client->is_delimited = ((const zmq_link *)link)->is_delimited;
    client->socket = new_socket(site->context, ZMQ_DEALER);
    assert_int_equal(zmq_connect(client->socket, site->endpoint), 0);
    return client;
}

static bool send_zmq(void *state, const char *data, size_t len)
{
    zmq_client *client = state;

    if (client->is_delimited && zmq_send(client->socket, "", 0, ZMQ_SNDMORE))
        return false;
    return zmq_send(client->socket, data, len, 0) >= 0;
}

/* One frame, NUL-terminated. */
static char *receive_frame(zmq_client *client, size_t *len)
{
    zmq_msg_t frame;

    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, client->socket, 0) < 0) {
        fprintf(stderr, "waited in vain for a message: %s\n", zmq_strerror(errno));
        abort();
    }
    *len = zmq_msg_size(&frame);
    char *text = malloc(*len + 1);
    assert_non_null(text);
    memcpy(text, zmq_msg_data(&frame), *len);
    text[*len] = '\0';
    zmq_msg_close(&frame);
    return text;
}

static char *receive_zmq(void *state, size_t *len)
{
    zmq_client *client = state;
    char *text;

    do {
        if (client->is_delimited) {
            free(receive_frame(client, len));
            assert_int_equal(*len, 0);
        }
        text = receive_frame(client, len);
        if (!*len) /* the answer to a notification */
            free(text);
    } while (!*len);
    return text;
}

static void close_client(void *state)
{
    zmq_client *client = state;

    zmq_close(client->socket);
    free(client);
}

#define ZMQ_LINK(text, scheme, delimited, broker, vanishing)                                       \
    {                                                                                              \
        {                                                                                          \
            .name = (text),                                                                        \
            .has_push = !(delimited),                                                              \
            .can_vanish = (vanishing),                                                             \
            .is_shared = true,                                                                     \
            .open = open_zmq,                                                                      \
            .close_site = close_zmq,                                                               \
            .connect = connect_zmq,                                                                \
            .send = send_zmq,                                                                      \
            .receive = receive_zmq,                                                                \
            .close = close_client,                                                                 \
        },                                                                                         \
            scheme, delimited, broker                                                              \
    }

int main(int argc, char **argv)
{
    static const zmq_link links[] = {
        ZMQ_LINK("zmq+tcp: DEALER", "tcp", false, false, true),
        ZMQ_LINK("zmq+ipc: DEALER, delimited", "ipc", true, false, true),
        ZMQ_LINK("zmq+inproc: DEALER, delimited", "inproc", true, false, false),
        ZMQ_LINK("zmq+ws: DEALER", "ws", false, false, true),
        ZMQ_LINK("zmq+tcp: DEALER, behind a broker", "tcp", false, true, false),
        ZMQ_LINK("zmq+tcp: DEALER, delimited, behind a broker", "tcp", true, true, false),
    };
    int n_failed = 0;

    for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
        if (argc < 2 || strstr(links[i].link.name, argv[1]))
            n_failed += run_transport_suite(&links[i].link);
    return n_failed;
}
