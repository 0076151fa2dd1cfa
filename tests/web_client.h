/* SPDX-License-Identifier: MIT */
/*
 * web_client.h - clients of HTTP and WebSocket that can do everything wrong: bytes on a socket
 *
 * Include after cmocka.h.
 */
#ifndef TEST_WEB_CLIENT_H
#define TEST_WEB_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WEB_PATIENCE_MS = 30000, /* what has not come by then never will */
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
    WS_FINAL = 0x80
};

typedef struct web_client {
    int fd;
    char *data; /* received and not taken yet, NUL-terminated */
    size_t len, cap;
    unsigned close_code; /* of the server's close frame; 0: none */
} web_client;

/*
 * Bytes
 */

static inline void web_await(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};

    if (poll(&poll_fd, 1, WEB_PATIENCE_MS) != 1) {
        fprintf(stderr, "waited in vain for descriptor %d\n", fd);
        abort(); /* not an assertion of cmocka: it may be another thread than the test's */
    }
}

static inline web_client *web_connect(unsigned port)
{
    web_client *client = calloc(1, sizeof(*client));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;

    if (!client)
        abort();
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&address, sizeof(address)))
        abort();
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return client;
}

static inline void web_close(void *state)
{
    web_client *client = state;

    close(client->fd);
    free(client->data);
    free(client);
}

/* false: the server takes no more. */
static inline bool web_write(web_client *client, const void *data, size_t len)
{
    const char *at = data;

    while (len) {
        web_await(client->fd, POLLOUT);
        ssize_t n = send(client->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n < 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static inline bool web_puts(web_client *client, const char *text)
{
    return web_write(client, text, strlen(text));
}

/* More bytes; false: the server hung up. */
static inline bool web_read(web_client *client)
{
    if (client->cap - client->len < 65536) {
        client->cap = client->cap * 2 + 65536;
        client->data = realloc(client->data, client->cap + 1);
        if (!client->data)
            abort();
    }
    web_await(client->fd, POLLIN);
    ssize_t n = recv(client->fd, client->data + client->len, client->cap - client->len, 0);
    if (n <= 0)
        return false;
    client->len += (size_t)n;
    client->data[client->len] = '\0';
    return true;
}

static inline void web_take(web_client *client, size_t len)
{
    memmove(client->data, client->data + len, client->len - len + 1);
    client->len -= len;
}

/* Reads on to the end: what is left in data is all that came. */
static inline void web_read_all(web_client *client)
{
    while (web_read(client))
        continue;
}

/*
 * HTTP
 */

/* Reads a response's status and headers up to the empty line, copied to head. -1: none came. */
static inline int web_read_head(web_client *client, char *head, size_t size)
{
    const char *end;
    int status;

    while (!client->data || !(end = strstr(client->data, "\r\n\r\n")))
        if (!web_read(client))
            return -1;
    size_t len = (size_t)(end - client->data) + 4;
    if (len >= size || sscanf(client->data, "HTTP/1.%*c %d", &status) != 1)
        abort();
    memcpy(head, client->data, len);
    head[len] = '\0';
    web_take(client, len);
    return status;
}

/* The value of a header, up to its line's end; NULL: there is none. */
static inline const char *web_header(const char *head, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (!strncasecmp(line + 2, name, len) && line[2 + len] == ':')
            return line + 2 + len + 2;
    return NULL;
}

typedef struct web_response {
    int status; /* -1: the server hung up */
    char head[4096];
    char *body; /* NUL-terminated, to be freed; NULL: none */
    size_t len;
} web_response;

static inline void web_receive(web_client *client, web_response *response)
{
    *response = (web_response){0};
    do
        response->status = web_read_head(client, response->head, sizeof(response->head));
    while (response->status == 100);
    const char *length = response->status < 0 ? NULL : web_header(response->head, "content-length");
    if (!length)
        return;
    response->len = strtoul(length, NULL, 10);
    while (client->len < response->len)
        if (!web_read(client)) {
            response->status = -1;
            return;
        }
    response->body = malloc(response->len + 1);
    if (!response->body)
        abort();
    memcpy(response->body, client->data, response->len);
    response->body[response->len] = '\0';
    web_take(client, response->len);
}

/* A message as others would send it. headers: more of them, each line ended. */
static inline bool web_post(web_client *client, const char *headers, const char *data, size_t len)
{
    char head[1024];
    int n = snprintf(head, sizeof(head),
                     "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n%s\r\n",
                     len, headers);

    return web_write(client, head, (size_t)n) && web_write(client, data, len);
}

/*
 * WebSocket
 */

/* Asks for the upgrade with more headers: the status of the response. */
static inline int ws_upgrade(web_client *client, const char *path, const char *headers)
{
    char text[2048];

    snprintf(text, sizeof(text),
             "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
             path, headers);
    return web_puts(client, text) ? web_read_head(client, text, sizeof(text)) : -1;
}

/* A masked frame. first: opcode and, with WS_FINAL, the last of its message. The header in to: its
 * length. The mask is four times the same, so that it is simple and no zero. */
enum { WS_MASK = 0x5a };

static inline size_t ws_put_header(unsigned char *to, unsigned first, size_t len)
{
    size_t n = 2;

    to[0] = (unsigned char)first;
    to[1] = 0x80 | (unsigned char)(len < 126 ? len : len < 65536 ? 126 : 127);
    for (int shift = len < 126 ? -8 : len < 65536 ? 8 : 56; shift >= 0; shift -= 8)
        to[n++] = (unsigned char)((uint64_t)len >> shift);
    memset(to + n, WS_MASK, 4);
    return n + 4;
}

static inline size_t ws_put_frame(unsigned char *to, unsigned first, const void *data, size_t len)
{
    size_t n = ws_put_header(to, first, len);

    for (size_t i = 0; i < len; i++)
        to[n + i] = ((const unsigned char *)data)[i] ^ WS_MASK;
    return n + len;
}

static inline bool ws_send(web_client *client, unsigned first, const void *data, size_t len)
{
    unsigned char *frame = malloc(len + 14);

    if (!frame)
        abort();
    bool is_sent = web_write(client, frame, ws_put_frame(frame, first, data, len));
    free(frame);
    return is_sent;
}

/* The next frame as it came: its first byte; -1: the server hung up. data: to be freed. */
static inline int ws_receive_frame(web_client *client, char **data, size_t *len)
{
    size_t header = 2;

    *len = 0;
    for (;; header = 2) {
        const unsigned char *at = (unsigned char *)client->data;
        if (client->len >= 2 && (at[1] & 0x7f) >= 126)
            header += (at[1] & 0x7f) == 126 ? 2 : 8;
        if (client->len >= header) {
            *len = header == 2 ? at[1] & 0x7fu : 0;
            for (size_t i = 2; i < header; i++)
                *len = *len << 8 | at[i];
            if (client->len - header >= *len)
                break;
        }
        if (!web_read(client)) {
            *data = NULL;
            return -1;
        }
    }
    int first = (unsigned char)client->data[0];
    if (client->data[1] & 0x80)
        abort(); /* servers do not mask */
    *data = malloc(*len + 1);
    if (!*data)
        abort();
    memcpy(*data, client->data + header, *len);
    (*data)[*len] = '\0';
    web_take(client, header + *len);
    return first;
}

/* The next message, to be freed; pings are answered, and so is the end. NULL: that it was. */
static inline char *ws_receive(web_client *client, size_t *len)
{
    char *data;
    int first;

    while ((first = ws_receive_frame(client, &data, len)) >= 0) {
        if (first == (WS_FINAL | WS_TEXT) || first == (WS_FINAL | WS_BINARY))
            return data;
        if (first == (WS_FINAL | WS_PING))
            ws_send(client, WS_FINAL | WS_PONG, data, *len);
        if (first == (WS_FINAL | WS_CLOSE)) {
            if (*len >= 2)
                client->close_code = (unsigned char)data[0] << 8 | (unsigned char)data[1];
            ws_send(client, WS_FINAL | WS_CLOSE, data, *len);
        }
        free(data);
    }
    return NULL;
}

#endif
