/* SPDX-License-Identifier: MIT */
/*
 * memory_transport.h - memory:NAME, a transport between threads of one process
 *
 * Written against jrpc/transport.h only, as somebody else's would be. Each message travels with an
 * exchange, a number, that must come back with its answer, once.
 */
#ifndef TEST_MEMORY_TRANSPORT_H
#define TEST_MEMORY_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <jrpc/transport.h>

extern const jrpc_transport memory_transport;

/* Where clients and the listener meet; the URL is memory:%p of it. */
typedef struct memory_place memory_place;
typedef struct memory_client memory_client;

memory_place *memory_place_new(void);
void memory_place_free(memory_place *place);

memory_client *memory_connect(memory_place *place);

/* Waits while the server has enough; false: it hung up. */
bool memory_send(memory_client *client, const char *data, size_t len);

/* The next message, to be freed; NULL: the server hung up, or nothing comes. */
char *memory_receive(memory_client *client, size_t *len);

/* So many bytes of a message that is not whole have come; 0: it is. False: it hung up. */
bool memory_send_part(memory_client *client, size_t len);

bool memory_is_hung_up(memory_client *client);

void memory_half_close(memory_client *client);

/* Gone and freed. False: an exchange was ended that was not open. */
bool memory_close(memory_client *client);

#endif
