/* SPDX-License-Identifier: MIT */
/*
 * memory_transport.c - memory:NAME, a transport between threads of one process
 *
 * The server's side. Peers and listeners are closed as soon as the server says so, from within its
 * call.
 */
#include "memory_transport.h"

#include <errno.h>
#include <stdio.h>

#include "memory_pipe.h"

typedef struct memory_listener {
    memory_place *place;
    jrpc_listener *owner;
    uv_async_t *wake;
    uv_loop_t *loop;
} memory_listener;

typedef struct memory_peer {
    memory_client *client;
    jrpc_buf *buf;
    bool is_paused, is_dropping, is_closed;
    int reason;
} memory_peer;

/*
 * The server's peer
 */

/* The exchange is over. The lock is held. */
static void end_exchange(memory_client *client, uint64_t number)
{
    bool is_known = number <= client->n_sent;

    client->is_broken |= !is_known || client->is_ended[number];
    if (is_known)
        client->is_ended[number] = 1;
}

static void close_peer(memory_peer *peer)
{
    memory_client *client = peer->client;

    pthread_mutex_lock(&client->place->lock);
    client->peer = NULL;
    client->is_hung_up = true;
    pthread_cond_broadcast(&client->place->changed);
    pthread_mutex_unlock(&client->place->lock);
    jrpc_buf_free(peer->buf);
    peer->is_closed = true; /* its state is there until the end of this turn */
    jrpc_transport_closed(peer, peer->reason);
}

static jrpc_buf *answer_begin(void *state, void *exchange)
{
    memory_peer *peer = state;

    (void)exchange;
    jrpc_buf_truncate(peer->buf, 0);
    return peer->buf;
}

static int answer_end(void *state, void *exchange, jrpc_buf *buf, size_t start, int http_status)
{
    memory_peer *peer = state;
    memory_client *client = peer->client;
    uint64_t number = 0;
    size_t len;
    const char *data = jrpc_buf_data(buf, &len);

    (void)http_status;
    if (exchange)
        memcpy(&number, exchange, sizeof(number));
    pthread_mutex_lock(&client->place->lock);
    bool is_put = len <= start || put(&client->to_client, number, data + start, len - start);
    if (exchange)
        end_exchange(client, number);
    pthread_mutex_unlock(&client->place->lock);
    return is_put ? 0 : -ENOMEM;
}

static void flush(void *state)
{
    memory_peer *peer = state;

    pthread_mutex_lock(&peer->client->place->lock);
    size_t unsent = peer->client->to_client.n_bytes;
    pthread_cond_broadcast(&peer->client->place->changed);
    pthread_mutex_unlock(&peer->client->place->lock);
    if (peer->is_dropping && !unsent)
        close_peer(peer);
    else
        jrpc_transport_writable(peer, unsent);
}

static int deliver_packet(memory_peer *peer, const memory_packet *packet)
{
    size_t len;

    if (packet->number)
        return jrpc_transport_received(peer, &packet->number, packet->data, packet->len);
    memcpy(&len, packet->data, sizeof(len));
    jrpc_transport_buffered(peer, len);
    return peer->is_closed ? -EPIPE : 0;
}

/* Delivers what the client sent; false: the peer is gone. */
static bool deliver(memory_peer *peer)
{
    memory_client *client = peer->client;
    memory_packet *packet = NULL;
    bool is_at_end;
    int status = 0;

    do {
        pthread_mutex_lock(&client->place->lock);
        packet = take(&client->to_server);
        is_at_end = client->is_at_end && !packet && !client->was_told_the_end;
        client->was_told_the_end |= is_at_end;
        pthread_cond_broadcast(&client->place->changed);
        pthread_mutex_unlock(&client->place->lock);
        if (packet)
            status = deliver_packet(peer, packet);
        free(packet);
    } while (packet && !status);
    if (is_at_end)
        jrpc_transport_ended(peer);
    return status >= 0 && !is_at_end;
}

static void pause_peer(void *state, bool is_paused)
{
    memory_peer *peer = state;

    peer->is_paused = is_paused;
    if (!is_paused) /* goes on with the next wake-up */
        wake_server(peer->client->place);
}

static void drop(void *state, int reason)
{
    memory_peer *peer = state;

    peer->is_dropping = true;
    peer->reason = reason;
    if (reason)
        close_peer(peer);
    else
        wake_server(peer->client->place);
}

/*
 * The listener
 */

static int open_listener(void *state, const jrpc_url *url, struct uv_loop_s *loop,
                         jrpc_listener *owner, jrpc_problem *problem)
{
    memory_listener *listener = state;
    void *place;

    if (sscanf(url->rest, "%p", &place) != 1)
        return jrpc_url_fault(url, /* column */ 8, problem, "expected an address");
    listener->place = place;
    listener->owner = owner;
    listener->loop = loop;
    return jrpc_url_check(url, /* known */ NULL, problem);
}

static void greet(memory_listener *listener, memory_client *client)
{
    void *peer = NULL;
    const jrpc_peer_info info = {.size = sizeof(info), .address = "memory", .has_push = true};
    int status = jrpc_transport_opened(listener->owner, &info, &peer);

    if (!status) {
        ((memory_peer *)peer)->client = client;
        status = jrpc_buf_new(SIZE_MAX, &((memory_peer *)peer)->buf);
        if (status) {
            jrpc_transport_closed(peer, status);
            peer = NULL;
        }
    }
    pthread_mutex_lock(&listener->place->lock);
    client->peer = peer;
    client->is_hung_up = status;
    pthread_cond_broadcast(&listener->place->changed);
    pthread_mutex_unlock(&listener->place->lock);
}

/* Whatever there is to be done for a client. */
static void attend(memory_listener *listener, memory_client *client)
{
    pthread_mutex_lock(&listener->place->lock);
    memory_peer *peer = client->peer;
    bool is_new = !peer && !client->is_hung_up, is_gone = client->is_gone;
    pthread_mutex_unlock(&listener->place->lock);

    if (is_new) {
        greet(listener, client);
    } else if (peer && is_gone) {
        peer->reason = -EPIPE;
        close_peer(peer);
    } else if (peer && (peer->is_paused || peer->is_dropping || deliver(peer))) {
        flush(peer);
    }
}

/* False: it has gone meanwhile. */
static bool begin_visit(memory_place *place, memory_client *client)
{
    pthread_mutex_lock(&place->lock);
    memory_client *known = place->clients;
    while (known && known != client)
        known = known->next;
    if (known)
        known->is_visited = true;
    pthread_mutex_unlock(&place->lock);
    return known;
}

static void end_visit(memory_place *place, memory_client *client)
{
    pthread_mutex_lock(&place->lock);
    client->is_visited = false;
    pthread_cond_broadcast(&place->changed);
    pthread_mutex_unlock(&place->lock);
}

static void woken(uv_async_t *wake)
{
    memory_listener *listener = wake->data;
    memory_client *clients[16];
    size_t n_clients = 0;

    pthread_mutex_lock(&listener->place->lock);
    for (memory_client *client = listener->place->clients; client; client = client->next)
        clients[n_clients++] = client;
    pthread_mutex_unlock(&listener->place->lock);
    for (size_t i = 0; i < n_clients && listener->place->wake; i++)
        if (begin_visit(listener->place, clients[i])) {
            attend(listener, clients[i]);
            end_visit(listener->place, clients[i]);
        }
}

static int start_listener(void *state, jrpc_problem *problem)
{
    memory_listener *listener = state;

    (void)problem;
    listener->wake = malloc(sizeof(*listener->wake));
    if (!listener->wake)
        return -ENOMEM;
    uv_async_init(listener->loop, listener->wake, woken);
    listener->wake->data = listener;
    listener->place->wake = listener->wake;
    return 0;
}

static void stop_listener(void *state)
{
    (void)state;
}

static void wake_closed(uv_handle_t *handle)
{
    memory_listener *listener = handle->data;

    free(handle);
    jrpc_listener_closed(listener->owner, 0);
}

static void close_listener(void *state)
{
    memory_listener *listener = state;

    pthread_mutex_lock(&listener->place->lock);
    listener->place->wake = NULL;
    pthread_mutex_unlock(&listener->place->lock);
    if (listener->wake)
        uv_close((uv_handle_t *)listener->wake, wake_closed);
    else
        jrpc_listener_closed(listener->owner, 0); /* it has never started */
}

static const char *const schemes[] = {"memory", NULL};

const jrpc_transport memory_transport = {
    .size = sizeof(jrpc_transport),
    .name = "memory",
    .schemes = schemes,
    .listener_size = sizeof(memory_listener),
    .peer_size = sizeof(memory_peer),
    .exchange_size = sizeof(uint64_t),
    .open = open_listener,
    .start = start_listener,
    .stop = stop_listener,
    .close = close_listener,
    .answer_begin = answer_begin,
    .answer_end = answer_end,
    .flush = flush,
    .pause = pause_peer,
    .drop = drop,
};
