/* SPDX-License-Identifier: MIT */
/*
 * test_transport_memory.c - the transport suite over a transport of somebody else's
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "memory_transport.h"
#include "transport_suite.h"

static void open_memory(const suite_link *link, suite_site *site)
{
    memory_place *place = memory_place_new();
    char url[64];

    (void)link;
    site->link_state = place;
    snprintf(url, sizeof(url), "memory:%p", (void *)place);
    assert_int_equal(jrpc_server_add_transport(site->server, &memory_transport), 0);
    assert_int_equal(
        jrpc_server_listen(site->server, site->service, url, NULL, &site->listeners[0]), 0);
    for (size_t i = 1; i < SUITE_PEERS; i++)
        site->listeners[i] = site->listeners[0];
}

static void close_memory(const suite_link *link, suite_site *site)
{
    (void)link;
    memory_place_free(site->link_state);
}

static void *connect_memory(const suite_link *link, suite_site *site, size_t index)
{
    (void)link, (void)index;
    return memory_connect(site->link_state);
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

int main(void)
{
    static const suite_link link = {
        .name = "memory:",
        .has_push = true,
        .can_vanish = true,
        .can_half_close = true,
        .hears_hang_up = true,
        .open = open_memory,
        .close_site = close_memory,
        .connect = connect_memory,
        .send = send_memory,
        .receive = receive_memory,
        .half_close = half_close,
        .close = close_client,
    };
    return run_transport_suite(&link);
}
