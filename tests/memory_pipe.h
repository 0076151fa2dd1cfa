/* SPDX-License-Identifier: MIT */
/*
 * memory_pipe.h - what the two sides of the memory transport share
 *
 * Client and peer share two queues of packets, guarded by their place's lock. Each side wakes the
 * other, the client by a condition, the loop by a uv_async.
 */
#ifndef TEST_MEMORY_PIPE_H
#define TEST_MEMORY_PIPE_H

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "memory_transport.h"

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
    bool is_visited;       /* by the server: not to be freed */
};

struct memory_place {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    memory_client *clients;
    uv_async_t *wake; /* NULL: nobody listens */
};

/* False: no memory. */
static inline bool put(memory_queue *queue, uint64_t number, const char *data, size_t len)
{
    memory_packet *packet = malloc(sizeof(*packet) + len + 1);
    if (!packet)
        return false;

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
    return true;
}

static inline memory_packet *take(memory_queue *queue)
{
    memory_packet *packet = queue->first;

    if (packet) {
        queue->first = packet->next;
        queue->n_bytes -= packet->len;
    }
    return packet;
}

/* The lock is held. */
static inline void wake_server(memory_place *place)
{
    if (place->wake)
        uv_async_send(place->wake);
}

#endif
