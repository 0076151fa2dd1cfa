/* SPDX-License-Identifier: MIT */
/*
 * test_server_memory.c - messages that never become whole are memory too
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <jrpc/jrpc.h>

#include "ask.h"
#include "memory_transport.h"
#include "suite_service.h"

typedef struct fixture {
    jrpc_server *server;
    jrpc_service *service;
    memory_place *place;
    suite_desk desk;
} fixture;

static void peer_closed(jrpc_peer *peer, int reason, void *user)
{
    suite_desk *desk = user;

    (void)peer;
    desk->closed_reason = reason;
    desk_count(desk, &desk->n_closed);
}

static int set_up(void **state)
{
    fixture *it = calloc(1, sizeof(*it));
    jrpc_server_hooks hooks = JRPC_SERVER_HOOKS_INIT;
    jrpc_options *options = NULL;
    char url[64];

    assert_non_null(it);
    desk_init(&it->desk);
    it->service = new_service(NULL, suite_methods, &it->desk);
    it->place = memory_place_new();
    assert_int_equal(jrpc_options_new(&options), 0);
    assert_int_equal(jrpc_options_set(options, "memory_max", "100K"), 0);
    assert_int_equal(jrpc_server_new(options, /* loop */ NULL, &it->server), 0);
    jrpc_options_free(options);
    hooks.peer_closed = peer_closed;
    assert_int_equal(jrpc_server_set_hooks(it->server, &hooks, &it->desk), 0);
    assert_int_equal(jrpc_server_add_transport(it->server, &memory_transport), 0);
    snprintf(url, sizeof(url), "memory:%p", (void *)it->place);
    assert_int_equal(jrpc_server_listen(it->server, it->service, url, NULL, NULL), 0);
    assert_int_equal(jrpc_server_start(it->server), 0);
    *state = it;
    return 0;
}

static int tear_down(void **state)
{
    fixture *it = *state;

    jrpc_server_free(it->server);
    memory_place_free(it->place);
    jrpc_service_free(it->service);
    desk_fini(&it->desk);
    free(it);
    return 0;
}

static void expect_echo(memory_client *client)
{
    static const char call[] = "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[1],\"id\":1}";
    size_t len;

    assert_true(memory_send(client, call, sizeof(call) - 1));
    char *answer = memory_receive(client, &len);
    assert_non_null(answer);
    assert_string_equal(answer, "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}");
    free(answer);
}

static void peer_of_an_unfinished_message_over_memory_max_is_dropped(void **state)
{
    fixture *it = *state;
    memory_client *greedy = memory_connect(it->place), *modest = memory_connect(it->place);
    size_t len;

    expect_echo(greedy);
    assert_true(memory_send_part(modest, 30 * 1024));
    for (size_t part = 10; part <= 110; part += 10)
        memory_send_part(greedy, part * 1024);
    assert_null(memory_receive(greedy, &len));
    desk_wait_for(&it->desk, &it->desk.n_closed, 1, "the greedy peer's end");
    assert_int_equal(it->desk.closed_reason, -ENOBUFS);
    assert_true(memory_send_part(modest, 0));
    expect_echo(modest);
    assert_true(memory_close(greedy));
    assert_true(memory_close(modest));
}

/* What one has taken up is there again for others when its message is whole, or it has gone. */
static void memory_of_unfinished_messages_comes_back(void **state)
{
    fixture *it = *state;
    memory_client *last = memory_connect(it->place);

    for (int i = 0; i < 5; i++) {
        memory_client *client = memory_connect(it->place);
        assert_true(memory_send_part(client, 90 * 1024));
        if (i % 2)
            assert_true(memory_send_part(client, 0));
        expect_echo(client);
        expect_echo(last);
        assert_true(memory_close(client));
    }
    assert_true(memory_send_part(last, 90 * 1024));
    expect_echo(last);
    assert_true(memory_close(last));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(peer_of_an_unfinished_message_over_memory_max_is_dropped),
        CASE(memory_of_unfinished_messages_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
