/* SPDX-License-Identifier: MIT */
/*
 * test_transport_fd.c - the transport suite over fd:IN,OUT: sockets and pipes, lines and headers
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "framed_client.h"
#include "transport_suite.h"

typedef struct fd_link {
    suite_link link; /* first */
    bool has_pipes, has_headers;
} fd_link;

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
    framed_client *clients = calloc(SUITE_PEERS, sizeof(*clients));

    assert_non_null(clients);
    site->link_state = clients;
    for (size_t i = 0; i < SUITE_PEERS; i++) {
        int ours[2], theirs[2];
        char url[64];
        make_ends(kind->has_pipes, ours, theirs);
        clients[i] = (framed_client){.in = ours[0],
                                     .out = ours[1],
                                     .is_socket = !kind->has_pipes,
                                     .has_headers = kind->has_headers};
        snprintf(url, sizeof(url), "fd:%d,%d", theirs[0], theirs[1]);
        suite_listen(site, i, url);
        close(theirs[0]);
        if (kind->has_pipes)
            close(theirs[1]);
    }
}

static void close_fds(const suite_link *link, suite_site *site)
{
    framed_client *clients = site->link_state;

    (void)link;
    for (size_t i = 0; i < SUITE_PEERS; i++)
        framed_close(&clients[i]);
    free(clients);
}

static void *connect_fds(const suite_link *link, suite_site *site, size_t index)
{
    framed_client *clients = site->link_state;

    (void)link;
    return &clients[index];
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
            .send = framed_send,                                                                   \
            .receive = framed_receive,                                                             \
            .half_close = framed_half_close,                                                       \
            .close = framed_close,                                                                 \
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
