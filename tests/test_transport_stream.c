/* SPDX-License-Identifier: MIT */
/*
 * test_transport_stream.c - the transport suite over unix: and tcp:, lines and headers
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "framed_client.h"
#include "stream_place.h"
#include "transport_suite.h"

typedef struct stream_link {
    suite_link link; /* first */
    bool is_tcp, has_headers;
    size_t n_listeners; /* 1, or one for each peer */
} stream_link;

typedef struct stream_site {
    char folder[FOLDER_SIZE];
    char urls[SUITE_PEERS][128];
    framed_client clients[SUITE_PEERS];
} stream_site;

static void open_streams(const suite_link *link, suite_site *site)
{
    const stream_link *kind = (const stream_link *)link;
    const char *framing = kind->n_listeners == 1 ? "auto" : kind->has_headers ? "header" : "line";
    stream_site *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    site->link_state = place;
    make_folder(place->folder);
    for (size_t i = 0; i < kind->n_listeners; i++) {
        char url[128];
        if (kind->is_tcp)
            snprintf(url, sizeof(url), "tcp://127.0.0.1:0?framing=%s", framing);
        else
            snprintf(url, sizeof(url), "unix:%s/%zu?framing=%s", place->folder, i, framing);
        suite_listen(site, i, url);
        for (size_t k = i; k < SUITE_PEERS; k++)
            snprintf(place->urls[k], sizeof(place->urls[k]), "%s",
                     jrpc_listener_address(site->listeners[i]));
    }
}

static void close_streams(const suite_link *link, suite_site *site)
{
    stream_site *place = site->link_state;

    (void)link;
    remove_folder(place->folder);
    free(place);
}

static void *connect_stream(const suite_link *link, suite_site *site, size_t index)
{
    const stream_link *kind = (const stream_link *)link;
    stream_site *place = site->link_state;
    framed_client *client = &place->clients[index];
    int fd = connect_to(place->urls[index]);

    assert_true(fd >= 0);
    *client = (framed_client){.in = fd,
                              .out = fd,
                              .is_socket = true,
                              .has_headers = kind->has_headers,
                              .resets = kind->is_tcp};
    return client;
}

#define STREAM_LINK(text, tcp, headers, n)                                                         \
    {                                                                                              \
        {                                                                                          \
            .name = (text),                                                                        \
            .has_push = true,                                                                      \
            .can_vanish = true,                                                                    \
            .can_half_close = true,                                                                \
            .hears_hang_up = true,                                                                 \
            .can_be_refused = true,                                                                \
            .open = open_streams,                                                                  \
            .close_site = close_streams,                                                           \
            .connect = connect_stream,                                                             \
            .send = framed_send,                                                                   \
            .receive = framed_receive,                                                             \
            .half_close = framed_half_close,                                                       \
            .close = framed_close,                                                                 \
        },                                                                                         \
            tcp, headers, n                                                                        \
    }

int main(void)
{
    static const stream_link links[] = {
        STREAM_LINK("unix: lines", false, false, 1),
        STREAM_LINK("unix: headers, two listeners", false, true, SUITE_PEERS),
        STREAM_LINK("tcp: lines, two listeners", true, false, SUITE_PEERS),
        STREAM_LINK("tcp: headers", true, true, 1),
    };
    int n_failed = 0;

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
        n_failed += run_transport_suite(&links[i].link);
    return n_failed;
}
