/* SPDX-License-Identifier: MIT */
/*
 * memory_client.c - the client's side of the memory transport
 */
#include <stdio.h>
#include <time.h>

#include "memory_pipe.h"

enum { PIPE_BYTES = 1024 * 1024, MEMORY_PATIENCE_S = 10 };

static void clear(memory_queue *queue)
{
    memory_packet *packet;

    while ((packet = take(queue)))
        free(packet);
}

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

/* The lock is held. False: nothing has happened, nor will. */
static bool is_changed(memory_place *place, const char *what)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += MEMORY_PATIENCE_S;
    if (!pthread_cond_timedwait(&place->changed, &place->lock, &until))
        return true;
    fprintf(stderr, "waited in vain for %s\n", what);
    return false;
}

/* The lock is held. */
static void wait_for_server(memory_place *place, const char *what)
{
    if (!is_changed(place, what))
        abort();
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

/* Room for the mark of one exchange more. The lock is held. */
static void reserve_exchange(memory_client *client)
{
    if (client->n_sent + 1 < client->cap)
        return;

    size_t cap = (size_t)client->n_sent * 2 + 64;
    client->is_ended = realloc(client->is_ended, cap);
    if (!client->is_ended)
        abort();
    memset(client->is_ended + client->cap, 0, cap - client->cap);
    client->cap = cap;
}

static bool send_packet(memory_client *client, bool is_part, const char *data, size_t len)
{
    memory_place *place = client->place;
    uint64_t number = 0;

    pthread_mutex_lock(&place->lock);
    while (client->to_server.n_bytes > PIPE_BYTES && !client->is_hung_up)
        wait_for_server(place, "room to send");
    bool is_open = !client->is_hung_up;
    if (is_open) {
        reserve_exchange(client);
        if (!is_part)
            number = ++client->n_sent;
        if (!put(&client->to_server, number, data, len))
            abort();
        wake_server(place);
    }
    pthread_mutex_unlock(&place->lock);
    return is_open;
}

bool memory_send(memory_client *client, const char *data, size_t len)
{
    return send_packet(client, /* is_part */ false, data, len);
}

bool memory_send_part(memory_client *client, size_t len)
{
    return send_packet(client, /* is_part */ true, (const char *)&len, sizeof(len));
}

char *memory_receive(memory_client *client, size_t *len)
{
    memory_place *place = client->place;

    pthread_mutex_lock(&place->lock);
    while (!client->to_client.first && !client->is_hung_up && is_changed(place, "a message"))
        continue;
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

bool memory_is_hung_up(memory_client *client)
{
    pthread_mutex_lock(&client->place->lock);
    bool is_hung_up = client->is_hung_up;
    pthread_mutex_unlock(&client->place->lock);
    return is_hung_up;
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
    while (!client->is_hung_up || client->is_visited)
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
