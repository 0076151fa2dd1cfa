/* SPDX-License-Identifier: MIT */
/*
 * framed_client.h - a client on descriptors: messages by lines or with headers, blocking, patient
 */
#ifndef TEST_FRAMED_CLIENT_H
#define TEST_FRAMED_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct framed_client - one client; made by its user, zero but for what is known
 * @in, @out:     the same for a socket; @out is -1 once nothing more is sent
 * @is_socket:    else they are pipes
 * @has_headers:  Content-Length, else lines
 * @resets:       a TCP socket whose closing is noticed at once
 */
typedef struct framed_client {
    int in, out;
    bool is_socket, has_headers, resets;
    char *data; /* received */
    size_t len, cap;
} framed_client;

/* Bytes as they are. False: the server takes no more. */
bool framed_write(framed_client *client, const char *data, size_t len);

/* For a suite_link: the client is a framed_client. */
bool framed_send(void *client, const char *data, size_t len);
char *framed_receive(void *client, size_t *len);
void framed_half_close(void *client);

/* Closes and frees what it has received, not the client itself. */
void framed_close(void *client);

#endif
