/* SPDX-License-Identifier: MIT */
/*
 * test_transport_memory.c - the transport suite over a transport of somebody else's
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "memory_transport.h"
#include "transport_suite.h"

typedef struct memory_link {
    suite_link link; /* first */
    bool is_apart;   /* each peer has a listener of its own */
} memory_link;

static void open_memory(const suite_link *link, suite_site *site)
{
    bool is_apart = ((const memory_link *)link)->is_apart;
    memory_place **places = calloc(SUITE_PEERS, sizeof(memory_place *));

    assert_non_null(places);
    site->link_state = places;
    assert_int_equal(jrpc_server_add_transport(site->server, &memory_transport), 0);
    for (size_t i = 0; i < SUITE_PEERS; i++) {
        char url[64];
        if (i > 0 && !is_apart) {
            places[i] = places[0];
            continue;
        }
        places[i] = memory_place_new();
        snprintf(url, sizeof(url), "memory:%p", (void *)places[i]);
        suite_listen(site, i, url);
    }
}

static void close_memory(const suite_link *link, suite_site *site)
{
    memory_place **places = site->link_state;

    for (size_t i = 0; i < (((const memory_link *)link)->is_apart ? SUITE_PEERS : 1); i++)
        memory_place_free(places[i]);
    free(places);
}

static void *connect_memory(const suite_link *link, suite_site *site, size_t index)
{
    memory_place **places = site->link_state;

    (void)link;
    return memory_connect(places[index]);
}

static bool send_memory(void *client, const char *data, size_t len)
{
    return memory_send(client, data, len);
}

static char *receive_memory(void *client, size_t *len)
{
    return memory_receive(client, len);
}

static void half_close(void *client)
{
    memory_half_close(client);
}

static void close_client(void *client)
{
    assert_true(memory_close(client));
}

#define MEMORY_LINK(text, apart)                                                                   \
    {                                                                                              \
        {                                                                                          \
            .name = (text),                                                                        \
            .has_push = true,                                                                      \
            .can_vanish = true,                                                                    \
            .can_half_close = true,                                                                \
            .hears_hang_up = true,                                                                 \
            .can_be_refused = true,                                                                \
            .open = open_memory,                                                                   \
            .close_site = close_memory,                                                            \
            .connect = connect_memory,                                                             \
            .send = send_memory,                                                                   \
            .receive = receive_memory,                                                             \
            .half_close = half_close,                                                              \
            .close = close_client,                                                                 \
        },                                                                                         \
            (apart)                                                                                \
    }

int main(void)
{
    static const memory_link one = MEMORY_LINK("memory: one listener", false);
    static const memory_link two = MEMORY_LINK("memory: two listeners", true);

    return run_transport_suite(&one.link) + run_transport_suite(&two.link);
}
