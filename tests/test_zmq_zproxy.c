/* SPDX-License-Identifier: MIT */
/*
 * test_zmq_zproxy.c - two servers as workers behind czmq's zproxy
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <czmq.h>

#include "zmq_place.h"

/* Of each client: zproxy's ROUTER throws away what is more than libzmq keeps for one, which can be
 * half of 1,000. */
enum { N_CALLS = 250, N_CLIENTS = 4, N_WORKERS = 2 };

typedef struct proxy_place {
    char folder[32], front[64], back[64];
    zactor_t *proxy;
    zmq_place *workers[N_WORKERS];
} proxy_place;

static void tell(zactor_t *proxy, const char *end, const char *type, const char *endpoint)
{
    zstr_sendx(proxy, end, type, endpoint, NULL);
    assert_int_equal(zsock_wait(proxy), 0);
}

static int open_all(void **state)
{
    proxy_place *place = calloc(1, sizeof(*place));
    char url[128];

    assert_non_null(place);
    strcpy(place->folder, "/tmp/jrpc-zproxy-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->front, sizeof(place->front), "ipc://%s/front", place->folder);
    snprintf(place->back, sizeof(place->back), "ipc://%s/back", place->folder);
    snprintf(url, sizeof(url), "zmq+%s?connect=yes", place->back);
    assert_non_null(jrpc_zmq_context()); /* before zproxy makes one that catches signals */
    place->proxy = zactor_new(zproxy, NULL);
    assert_non_null(place->proxy);
    tell(place->proxy, "FRONTEND", "ROUTER", place->front);
    tell(place->proxy, "BACKEND", "DEALER", place->back);
    for (int i = 0; i < N_WORKERS; i++)
        place->workers[i] = open_place(url, NULL);
    *state = place;
    return 0;
}

static int close_all(void **state)
{
    proxy_place *place = *state;
    char path[128];

    for (int i = 0; i < N_WORKERS; i++)
        if (place->workers[i])
            close_place(place->workers[i]);
    zactor_destroy(&place->proxy);
    for (const char *const *end = (const char *const[]){"front", "back", NULL}; *end; end++) {
        snprintf(path, sizeof(path), "%s/%s", place->folder, *end);
        unlink(path);
    }
    assert_int_equal(rmdir(place->folder), 0);
    free(place);
    return 0;
}

static void *connect_front(proxy_place *place, int type)
{
    void *socket = new_socket(place->workers[0], type);

    set_socket(socket, ZMQ_SNDHWM, 0);
    set_socket(socket, ZMQ_RCVHWM, 0);
    assert_int_equal(zmq_connect(socket, place->front), 0);
    return socket;
}

static void send_calls(void *dealer, const char *before)
{
    char text[256];

    for (int i = 0; i < N_CALLS; i++) {
        snprintf(text, sizeof(text), "%s" CALL("ping", "[]", "%d"), before, i);
        send_message(dealer, text);
    }
}

/* Every id once, in whatever order. */
static void receive_all(void *dealer, const char *before)
{
    bool is_seen[N_CALLS] = {false};
    char frames[TEXT_SIZE];

    for (int i = 0; i < N_CALLS; i++) {
        receive_message(dealer, frames);
        assert_int_equal(strncmp(frames, before, strlen(before)), 0);
        json_t *answer = json_loads(frames + strlen(before), 0, NULL);
        assert_non_null(answer);
        json_int_t id = json_integer_value(json_object_get(answer, "id"));
        assert_in_range(id, 0, N_CALLS - 1);
        assert_false(is_seen[id]);
        is_seen[id] = true;
        assert_non_null(json_object_get(answer, "result"));
        json_decref(answer);
    }
}

/* Until both workers have connected, which they do when they like: each gets every other call. */
static void wait_for_workers(proxy_place *place, void *dealer)
{
    for (int i = 0; i < N_WORKERS; i++)
        while (!desk_read(&place->workers[i]->desk, &place->workers[i]->desk.n_opened)) {
            send_message(dealer, PING);
            expect_message(dealer, PONG);
        }
}

static void both_workers_answer_every_call_once(void **state)
{
    proxy_place *place = *state;
    void *clients[N_CLIENTS];

    for (int i = 0; i < N_CLIENTS; i++)
        clients[i] = connect_front(place, ZMQ_DEALER);
    wait_for_workers(place, clients[0]);
    for (int i = 0; i < N_CLIENTS; i++)
        send_calls(clients[i], i % 2 ? "|" : "");
    for (int i = 0; i < N_CLIENTS; i++) {
        receive_all(clients[i], i % 2 ? "|" : "");
        zmq_close(clients[i]);
    }
    for (int i = 0; i < N_WORKERS; i++)
        assert_true(stat_of(place->workers[i], "messages") >= N_CALLS);
}

static void req_is_served_behind_a_proxy(void **state)
{
    proxy_place *place = *state;
    void *req = connect_front(place, ZMQ_REQ);
    char frames[TEXT_SIZE];

    for (int i = 0; i < N_CALLS; i++) {
        send_message(req, PING);
        receive_message(req, frames);
        assert_string_equal(frames, PONG);
    }
    zmq_close(req);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_workers_answer_every_call_once, open_all, close_all),
        cmocka_unit_test_setup_teardown(req_is_served_behind_a_proxy, open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
