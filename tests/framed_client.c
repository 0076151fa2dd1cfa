/* SPDX-License-Identifier: MIT */
/*
 * framed_client.c - a client on descriptors: messages by lines or with headers, blocking, patient
 */
#define _GNU_SOURCE
#include "framed_client.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "transport_suite.h"

static void await(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};

    if (poll(&poll_fd, 1, SUITE_PATIENCE_MS) != 1) {
        fprintf(stderr, "waited in vain for descriptor %d\n", fd);
        abort();
    }
}

/* A socket is asked only when it is full: it says that it is writable not before three quarters of
 * it are free. */
bool framed_write(framed_client *client, const char *data, size_t len)
{
    while (len) {
        if (!client->is_socket)
            await(client->out, POLLOUT);
        ssize_t n = client->is_socket ? send(client->out, data, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                                      : write(client->out, data, len < 4096 ? len : 4096);
        if (n < 0 && errno == EAGAIN) {
            await(client->out, POLLOUT);
            continue;
        }
        if (n < 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* In one piece: small packets have a price, which fills a socket early. */
bool framed_send(void *state, const char *data, size_t len)
{
    framed_client *client = state;
    char header[64] = "", *text = malloc(len + sizeof(header)), *end;

    assert_non_null(text);
    if (client->has_headers)
        snprintf(header, sizeof(header), "Content-Length: %zu\r\n\r\n", len);
    end = mempcpy(mempcpy(text, header, strlen(header)), data, len);
    if (!client->has_headers)
        *end++ = '\n';
    bool is_sent = framed_write(client, text, (size_t)(end - text));
    free(text);
    return is_sent;
}

/* Where the first whole message is in what was received: its bytes, and all with its frame. */
static bool find_message(const framed_client *client, size_t *start, size_t *len, size_t *whole)
{
    const char *data = client->data;

    if (!client->has_headers) {
        const char *end = data ? memchr(data, '\n', client->len) : NULL;
        *start = 0;
        *len = end ? (size_t)(end - data) : 0;
        *whole = *len + 1;
        return end;
    }
    const char *end = data ? memmem(data, client->len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return false;
    assert_int_equal(sscanf(data, "Content-Length: %zu", len), 1);
    *start = (size_t)(end - data) + 4;
    *whole = *start + *len;
    return client->len >= *whole;
}

static bool read_more(framed_client *client)
{
    if (client->cap - client->len < 65536) {
        client->cap = client->cap * 2 + 65536;
        client->data = realloc(client->data, client->cap + 1);
        assert_non_null(client->data);
    }
    await(client->in, POLLIN);
    ssize_t n = read(client->in, client->data + client->len, client->cap - client->len);
    if (n <= 0)
        return false;
    client->len += (size_t)n;
    client->data[client->len] = '\0';
    return true;
}

char *framed_receive(void *state, size_t *out_len)
{
    framed_client *client = state;
    size_t start, len, whole;

    while (!find_message(client, &start, &len, &whole))
        if (!read_more(client)) {
            assert_int_equal(client->len, 0); /* else the last message is torn */
            return NULL;
        }
    char *text = strndup(client->data + start, len);
    assert_non_null(text);
    assert_int_equal(strlen(text), len);
    memmove(client->data, client->data + whole, client->len - whole);
    client->len -= whole;
    *out_len = len;
    return text;
}

void framed_half_close(void *state)
{
    framed_client *client = state;

    if (client->is_socket)
        shutdown(client->out, SHUT_WR);
    else
        close(client->out);
    client->out = -1;
}

void framed_close(void *state)
{
    framed_client *client = state;
    const struct linger none = {.l_onoff = 1};

    if (client->in >= 0 && client->resets)
        setsockopt(client->in, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    if (client->in >= 0)
        close(client->in);
    if (client->out >= 0 && client->out != client->in)
        close(client->out);
    client->in = client->out = -1;
    free(client->data);
    client->data = NULL;
    client->len = client->cap = 0;
}
