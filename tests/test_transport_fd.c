/* SPDX-License-Identifier: MIT */
/*
 * test_transport_fd.c - the transport suite over fd:IN,OUT: sockets and pipes, lines and headers
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "transport_suite.h"

typedef struct fd_link {
    suite_link link; /* first */
    bool has_pipes, has_headers;
} fd_link;

/* Descriptors of one peer: the server's are closed here once it listens. */
typedef struct fd_client {
    int in, out; /* the client's; out is -1 once nothing more is sent */
    bool is_socket, has_headers;
    char *data;
    size_t len, cap;
} fd_client;

/* Both ends: theirs are the server's. */
static void make_ends(bool has_pipes, int ours[2], int theirs[2])
{
    int there[2], back[2];

    if (!has_pipes) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, there), 0);
        ours[0] = ours[1] = there[0];
        theirs[0] = theirs[1] = there[1];
        return;
    }
    assert_int_equal(pipe2(there, O_CLOEXEC), 0);
    assert_int_equal(pipe2(back, O_CLOEXEC), 0);
    ours[0] = back[0];
    ours[1] = there[1];
    theirs[0] = there[0];
    theirs[1] = back[1];
}

static void open_fds(const suite_link *link, suite_site *site)
{
    const fd_link *kind = (const fd_link *)link;
    fd_client *clients = calloc(SUITE_PEERS, sizeof(*clients));

    assert_non_null(clients);
    site->link_state = clients;
    for (size_t i = 0; i < SUITE_PEERS; i++) {
        int ours[2], theirs[2];
        char url[64];
        make_ends(kind->has_pipes, ours, theirs);
        clients[i] = (fd_client){.in = ours[0],
                                 .out = ours[1],
                                 .is_socket = !kind->has_pipes,
                                 .has_headers = kind->has_headers};
        snprintf(url, sizeof(url), "fd:%d,%d", theirs[0], theirs[1]);
        if (jrpc_server_listen(site->server, site->service, url, NULL, &site->listeners[i]))
            fail_msg("%s: %s", url, jrpc_server_problem(site->server)->text);
        close(theirs[0]);
        if (kind->has_pipes)
            close(theirs[1]);
    }
}

static void close_fd_client(void *state)
{
    fd_client *client = state;

    if (client->in >= 0)
        close(client->in);
    if (client->out >= 0 && client->out != client->in)
        close(client->out);
    client->in = client->out = -1;
    free(client->data);
    client->data = NULL;
}

static void close_fds(const suite_link *link, suite_site *site)
{
    fd_client *clients = site->link_state;

    (void)link;
    for (size_t i = 0; i < SUITE_PEERS; i++)
        close_fd_client(&clients[i]);
    free(clients);
}

static void *connect_fds(const suite_link *link, suite_site *site, size_t index)
{
    fd_client *clients = site->link_state;

    (void)link;
    return &clients[index];
}

static void await(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};

    if (poll(&poll_fd, 1, SUITE_PATIENCE_MS) != 1) {
        fprintf(stderr, "waited in vain for descriptor %d\n", fd);
        abort();
    }
}

static bool write_all(fd_client *client, const char *data, size_t len)
{
    while (len) {
        await(client->out, POLLOUT);
        ssize_t n = client->is_socket ? send(client->out, data, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                                      : write(client->out, data, len < 4096 ? len : 4096);
        if (n < 0 && errno == EAGAIN)
            continue;
        if (n < 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool send_framed(void *state, const char *data, size_t len)
{
    fd_client *client = state;
    char header[64];

    if (!client->has_headers)
        return write_all(client, data, len) && write_all(client, "\n", 1);
    int n = snprintf(header, sizeof(header), "Content-Length: %zu\r\n\r\n", len);
    return write_all(client, header, (size_t)n) && write_all(client, data, len);
}

/* Where the first whole message is in what was received: its bytes, and all with its frame. */
static bool find_message(const fd_client *client, size_t *start, size_t *len, size_t *whole)
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

static bool read_more(fd_client *client)
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

static char *receive_framed(void *state, size_t *out_len)
{
    fd_client *client = state;
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

static void half_close_fd(void *state)
{
    fd_client *client = state;

    if (client->is_socket)
        shutdown(client->out, SHUT_WR);
    else
        close(client->out);
    client->out = -1;
}

#define FD_LINK(text, pipes, headers)                                                              \
    {                                                                                              \
        {                                                                                          \
            .name = (text),                                                                        \
            .has_push = true,                                                                      \
            .can_vanish = true,                                                                    \
            .can_half_close = true,                                                                \
            .hears_hang_up = true,                                                                 \
            .open = open_fds,                                                                      \
            .close_site = close_fds,                                                               \
            .connect = connect_fds,                                                                \
            .send = send_framed,                                                                   \
            .receive = receive_framed,                                                             \
            .half_close = half_close_fd,                                                           \
            .close = close_fd_client,                                                              \
        },                                                                                         \
            pipes, headers                                                                         \
    }

int main(void)
{
    static const fd_link links[] = {
        FD_LINK("fd: sockets, lines", false, false),
        FD_LINK("fd: sockets, headers", false, true),
        FD_LINK("fd: pipes, lines", true, false),
        FD_LINK("fd: pipes, headers", true, true),
    };
    int n_failed = 0;

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
        n_failed += run_transport_suite(&links[i].link);
    return n_failed;
}
