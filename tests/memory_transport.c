/* SPDX-License-Identifier: MIT */
/*
 * memory_transport.c - memory:NAME, a transport between threads of one process
 *
 * Client and peer share a pipe, guarded by its place's lock: two queues of packets. Each side wakes
 * the other, the client by a condition, the loop by a uv_async. Peers and listeners are closed as
 * soon as the server says so, from within its call.
 */
#include "memory_transport.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uv.h>

enum { PIPE_BYTES = 1024 * 1024, MEMORY_PATIENCE_S = 30 };

typedef struct memory_packet {
    struct memory_packet *next;
    uint64_t number; /* its exchange; 0: a notification */
    size_t len;
    char data[];
} memory_packet;

typedef struct memory_queue {
    memory_packet *first, **last;
    size_t n_bytes;
} memory_queue;

struct memory_client {
    memory_place *place;
    memory_client *next;
    memory_queue to_server, to_client;
    uint64_t n_sent;       /* numbers given to messages */
    uint8_t *is_ended;     /* by number */
    size_t cap;            /* of it */
    bool is_broken;        /* an exchange ended that was not open */
    bool is_at_end;        /* the client sends no more */
    bool is_gone;          /* the client receives no more */
    bool is_hung_up;       /* the server */
    void *peer;            /* the server's, NULL: none */
    bool was_told_the_end; /* the server */
};

struct memory_place {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    memory_client *clients;
    uv_async_t *wake; /* NULL: nobody listens */
};

typedef struct memory_listener {
    memory_place *place;
    jrpc_listener *owner;
    uv_async_t *wake;
    uv_loop_t *loop;
} memory_listener;

typedef struct memory_peer {
    memory_client *client;
    jrpc_buf *buf;
    bool is_paused, is_dropping, is_delivering;
    int reason;
} memory_peer;

static void put(memory_queue *queue, uint64_t number, const char *data, size_t len)
{
    memory_packet *packet = malloc(sizeof(*packet) + len + 1);

    if (!packet)
        abort();
    packet->next = NULL;
    packet->number = number;
    packet->len = len;
    if (len)
        memcpy(packet->data, data, len);
    packet->data[len] = '\0';
    if (!queue->first)
        queue->last = &queue->first;
    *queue->last = packet;
    queue->last = &packet->next;
    queue->n_bytes += len;
}

static memory_packet *take(memory_queue *queue)
{
    memory_packet *packet = queue->first;

    if (packet) {
        queue->first = packet->next;
        queue->n_bytes -= packet->len;
    }
    return packet;
}

static void clear(memory_queue *queue)
{
    memory_packet *packet;

    while ((packet = take(queue)))
        free(packet);
}

/*
 * The client
 */

memory_place *memory_place_new(void)
{
    memory_place *place = calloc(1, sizeof(*place));
    pthread_condattr_t attributes;

    if (!place)
        abort();
    pthread_mutex_init(&place->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&place->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return place;
}

void memory_place_free(memory_place *place)
{
    pthread_cond_destroy(&place->changed);
    pthread_mutex_destroy(&place->lock);
    free(place);
}

/* The lock is held. */
static void wake_server(memory_place *place)
{
    if (place->wake)
        uv_async_send(place->wake);
}

/* The lock is held. */
static void wait_for_server(memory_place *place, const char *what)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += MEMORY_PATIENCE_S;
    if (pthread_cond_timedwait(&place->changed, &place->lock, &until)) {
        fprintf(stderr, "waited in vain for %s\n", what);
        abort();
    }
}

memory_client *memory_connect(memory_place *place)
{
    memory_client *client = calloc(1, sizeof(*client));

    if (!client)
        abort();
    client->place = place;
    pthread_mutex_lock(&place->lock);
    client->next = place->clients;
    place->clients = client;
    wake_server(place);
    while (!client->peer && !client->is_hung_up)
        wait_for_server(place, "a peer");
    pthread_mutex_unlock(&place->lock);
    return client;
}

bool memory_send(memory_client *client, const char *data, size_t len)
{
    memory_place *place = client->place;

    pthread_mutex_lock(&place->lock);
    while (client->to_server.n_bytes > PIPE_BYTES && !client->is_hung_up)
        wait_for_server(place, "room to send");
    bool is_open = !client->is_hung_up;
    if (is_open) {
        put(&client->to_server, ++client->n_sent, data, len);
        wake_server(place);
    }
    pthread_mutex_unlock(&place->lock);
    return is_open;
}

char *memory_receive(memory_client *client, size_t *len)
{
    memory_place *place = client->place;

    pthread_mutex_lock(&place->lock);
    while (!client->to_client.first && !client->is_hung_up)
        wait_for_server(place, "a message");
    memory_packet *packet = take(&client->to_client);
    wake_server(place);
    pthread_mutex_unlock(&place->lock);
    if (!packet)
        return NULL;

    char *text = malloc(packet->len + 1);
    if (!text)
        abort();
    memcpy(text, packet->data, packet->len + 1);
    *len = packet->len;
    free(packet);
    return text;
}

void memory_half_close(memory_client *client)
{
    pthread_mutex_lock(&client->place->lock);
    client->is_at_end = true;
    wake_server(client->place);
    pthread_mutex_unlock(&client->place->lock);
}

bool memory_close(memory_client *client)
{
    memory_place *place = client->place;
    memory_client **link = &place->clients;

    pthread_mutex_lock(&place->lock);
    client->is_gone = true;
    wake_server(place);
    while (!client->is_hung_up)
        wait_for_server(place, "the server to hang up");
    while (*link != client)
        link = &(*link)->next;
    *link = client->next;
    pthread_mutex_unlock(&place->lock);

    bool is_right = !client->is_broken;
    clear(&client->to_server);
    clear(&client->to_client);
    free(client->is_ended);
    free(client);
    return is_right;
}

/*
 * The server's peer
 */

/* The exchange is over. The lock is held. */
static void end_exchange(memory_client *client, uint64_t number)
{
    if (number >= client->cap) {
        size_t cap = (size_t)number * 2 + 64;
        client->is_ended = realloc(client->is_ended, cap);
        if (!client->is_ended)
            abort();
        memset(client->is_ended + client->cap, 0, cap - client->cap);
        client->cap = cap;
    }
    client->is_broken |= number > client->n_sent || client->is_ended[number];
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
    if (exchange)
        end_exchange(client, number);
    if (len > start)
        put(&client->to_client, number, data + start, len - start);
    pthread_mutex_unlock(&client->place->lock);
    return 0;
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
            status = jrpc_transport_received(peer, &packet->number, packet->data, packet->len);
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
        if (status)
            abort();
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

static void woken(uv_async_t *wake)
{
    memory_listener *listener = wake->data;
    memory_client *clients[16];
    size_t n_clients = 0;

    pthread_mutex_lock(&listener->place->lock);
    for (memory_client *client = listener->place->clients; client; client = client->next)
        clients[n_clients++] = client;
    pthread_mutex_unlock(&listener->place->lock);
    /* A client that hangs up frees itself only when its peer is closed, which is done here. */
    for (size_t i = 0; i < n_clients && listener->place->wake; i++)
        attend(listener, clients[i]);
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
    uv_close((uv_handle_t *)listener->wake, wake_closed);
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
