/* SPDX-License-Identifier: MIT */
/*
 * test_zmq_identity.c - a server with CURVE tells its handlers who calls, and never somebody else
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <jrpc/jrpc.h>

#include "zmq_certificates.h"

enum { PATIENCE_MS = 30000, ATTEMPT_MS = 300 };

typedef struct place {
    char folder[64];
    void *context; /* the clients' */
    keys server, alice, bob;
    jrpc_service *service;
    jrpc_server *at;
    char endpoint[256];
} place;

static int whoami(jrpc_call *call, void *user)
{
    const char *who = jrpc_peer_identity(jrpc_call_peer(call));

    (void)user;
    return jrpc_reply_string(call, who ? who : "nobody");
}

static int set_up(void **state)
{
    static const jrpc_method method = JRPC_METHOD("whoami", whoami, "-> string", "Who calls.");
    place *site = calloc(1, sizeof(*site));

    assert_non_null(site);
    *state = site;
    enter_folder(site->folder);
    site->context = zmq_ctx_new();
    site->server = make_keys();
    site->alice = make_keys();
    site->bob = make_keys();
    write_secret("server_secret", &site->server);
    assert_int_equal(mkdir("clients", 0755), 0);
    write_public("clients/alice", "alice", &site->alice);
    write_public("clients/bob", "bob", &site->bob);
    assert_int_equal(jrpc_service_new(NULL, &site->service), 0);
    assert_int_equal(jrpc_service_add(site->service, &method, NULL), 0);
    assert_int_equal(jrpc_server_new(NULL, NULL, &site->at), 0);
    return 0;
}

static int tear_down(void **state)
{
    place *site = *state;

    /* It waits for sockets, which only a case that failed leaves open. */
    alarm(PATIENCE_MS / 1000);
    jrpc_server_stop(site->at, NULL, NULL);
    jrpc_server_free(site->at);
    jrpc_service_free(site->service);
    zmq_ctx_term(site->context);
    alarm(0);
    leave_folder(site->folder);
    free(site);
    return 0;
}

static void serve(place *site, const char *url)
{
    jrpc_listener *listener;

    if (jrpc_server_listen(site->at, site->service, url, NULL, &listener))
        fail_msg("%s", jrpc_server_problem(site->at)->text);
    snprintf(site->endpoint, sizeof(site->endpoint), "%s",
             jrpc_listener_address(listener) + strlen("zmq+"));
    site->endpoint[strcspn(site->endpoint, "?")] = 0;
    assert_int_equal(jrpc_server_start(site->at), 0);
}

static void *connect_client(place *site, const keys *pair, const char *route, int patience_ms)
{
    void *client = zmq_socket(site->context, ZMQ_REQ);
    const int zero = 0;

    zmq_setsockopt(client, ZMQ_LINGER, &zero, sizeof(zero));
    zmq_setsockopt(client, ZMQ_RCVTIMEO, &patience_ms, sizeof(patience_ms));
    zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, site->server.public_key, 40);
    zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, pair->public_key, 40);
    zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, pair->secret_key, 40);
    if (route)
        zmq_setsockopt(client, ZMQ_ROUTING_ID, route, strlen(route));
    assert_int_equal(zmq_connect(client, site->endpoint), 0);
    return client;
}

/* The answer; NULL if there is none. Valid until the next call. */
static const char *ask(void *client)
{
    static const char call[] = "{\"jsonrpc\":\"2.0\",\"method\":\"whoami\",\"id\":1}";
    static char text[256];

    assert_int_equal(zmq_send(client, call, sizeof(call) - 1, 0), sizeof(call) - 1);
    int n = zmq_recv(client, text, sizeof(text) - 1, 0);
    if (n < 0)
        return NULL;
    text[n] = 0;
    return text;
}

static void expect(const char *answer, const char *who)
{
    char wanted[256];

    assert_non_null(answer);
    snprintf(wanted, sizeof(wanted), "{\"jsonrpc\":\"2.0\",\"result\":\"%s\",\"id\":1}", who);
    assert_string_equal(answer, wanted);
}

static void check_both(place *site)
{
    void *alice = connect_client(site, &site->alice, /* route */ NULL, PATIENCE_MS);
    void *bob = connect_client(site, &site->bob, /* route */ NULL, PATIENCE_MS);

    for (int i = 0; i < 3; i++) {
        expect(ask(alice), "alice");
        expect(ask(bob), "bob");
    }
    zmq_close(alice);
    zmq_close(bob);
}

#define KEYS "curve_key=server&clients=clients"

static void router_tells_who_calls(void **state)
{
    serve(*state, "zmq+tcp://127.0.0.1:0?" KEYS);
    check_both(*state);
}

static void ipc_tells_who_calls(void **state)
{
    serve(*state, "zmq+ipc://socket?" KEYS);
    check_both(*state);
}

/* Its only peer stood for whoever came first. */
static void regression_rep_tells_who_calls(void **state)
{
    serve(*state, "zmq+tcp://127.0.0.1:0?socket=rep&" KEYS);
    check_both(*state);
}

static void without_certificates_the_key_is_told(void **state)
{
    place *site = *state;

    serve(site, "zmq+tcp://127.0.0.1:0?curve_key=server&clients=any");
    void *bob = connect_client(site, &site->bob, /* route */ NULL, PATIENCE_MS);
    expect(ask(bob), site->bob.public_key);
    zmq_close(bob);
}

/* Routes are chosen by clients: whoever takes one over does not become who had it. */
static void route_of_another_does_not_make_one_that_other(void **state)
{
    place *site = *state;

    serve(site, "zmq+tcp://127.0.0.1:0?" KEYS);
    for (int i = 0; i < 20; i++) {
        bool is_alice = i % 2 == 0, is_answered = false;
        /* As long as the connection of the one before is there, the route is taken. */
        for (int n = 0; !is_answered && n < PATIENCE_MS / ATTEMPT_MS; n++) {
            void *client =
                connect_client(site, is_alice ? &site->alice : &site->bob, "route", ATTEMPT_MS);
            const char *answer = ask(client);
            is_answered = answer;
            if (answer)
                expect(answer, is_alice ? "alice" : "bob");
            zmq_close(client);
        }
        assert_true(is_answered);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(router_tells_who_calls),
        CASE(ipc_tells_who_calls),
        CASE(regression_rep_tells_who_calls),
        CASE(without_certificates_the_key_is_told),
        CASE(route_of_another_does_not_make_one_that_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
