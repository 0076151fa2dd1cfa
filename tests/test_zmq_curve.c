/* SPDX-License-Identifier: MIT */
/*
 * test_zmq_curve.c - who gets through to a socket with CURVE, and who it is then
 *
 * Raw sockets in one context. A client connects once; its monitor tells how its handshake ended, so
 * that "nothing arrived" is known and not waited for.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <utime.h>

#include <cmocka.h>

#include <jrpc/jrpc.h>

#include "endpoint.h"
#include "zmq_certificates.h"
#include "zmq_curve.h"
#include "zmq_zap.h"

enum { PATIENCE_MS = 30000 };

/* A folder with server(_secret) and clients/alice, and whoever is in them. */
typedef struct place {
    char folder[64];
    void *context;
    keys server, alice, mallory;
} place;

typedef struct curve_server {
    jri_zmq_curve *curve;
    void *socket;
    char endpoint[256];
    int patience_ms; /* of clients during their handshakes; 0: libzmq's */
} curve_server;

static int set_up(void **state)
{
    place *at = calloc(1, sizeof(*at));

    assert_non_null(at);
    *state = at;
    enter_folder(at->folder);
    at->context = zmq_ctx_new();
    assert_non_null(at->context);
    at->server = make_keys();
    at->alice = make_keys();
    at->mallory = make_keys();
    write_public("server", "server", &at->server);
    write_secret("server_secret", &at->server);
    assert_int_equal(mkdir("clients", 0755), 0);
    write_public("clients/alice", "alice", &at->alice);
    return 0;
}

static int tear_down(void **state)
{
    place *at = *state;

    /* It waits for sockets, which only a case that failed leaves open. */
    alarm(PATIENCE_MS / 1000);
    zmq_ctx_term(at->context);
    alarm(0);
    leave_folder(at->folder);
    free(at);
    return 0;
}

static int open_curve(const char *text, jrpc_problem *problem, jri_zmq_curve **out)
{
    jrpc_url *url;

    assert_int_equal(jri_endpoint_parse(text, &url, problem), 0);
    int status = jri_zmq_curve_open(url, problem, out);
    jri_endpoint_free(url);
    return status;
}

static void set_int(void *socket, int option, int value)
{
    assert_int_equal(zmq_setsockopt(socket, option, &value, sizeof(value)), 0);
}

static void serve_at(place *at, const char *url, const char *where, curve_server *out)
{
    jrpc_problem problem = {0};
    size_t len = sizeof(out->endpoint);

    *out = (curve_server){.curve = NULL};
    if (open_curve(url, &problem, &out->curve))
        fail_msg("%s", problem.text);
    out->socket = zmq_socket(at->context, ZMQ_ROUTER);
    set_int(out->socket, ZMQ_LINGER, 0);
    set_int(out->socket, ZMQ_RCVTIMEO, PATIENCE_MS);
    if (jri_zmq_curve_apply(out->curve, at->context, out->socket, &problem))
        fail_msg("%s", problem.text);
    assert_int_equal(zmq_bind(out->socket, where), 0);
    assert_int_equal(zmq_getsockopt(out->socket, ZMQ_LAST_ENDPOINT, out->endpoint, &len), 0);
}

static void serve(place *at, const char *url, curve_server *out)
{
    serve_at(at, url, "tcp://127.0.0.1:*", out);
}

static void end(curve_server *server)
{
    zmq_close(server->socket);
    jri_zmq_curve_free(server->curve);
}

static bool is_end(void *monitor)
{
    zmq_msg_t frame;
    uint16_t event;

    zmq_msg_init(&frame);
    assert_true(zmq_msg_recv(&frame, monitor, 0) >= (int)sizeof(event));
    memcpy(&event, zmq_msg_data(&frame), sizeof(event));
    assert_true(zmq_msg_more(&frame));
    zmq_msg_recv(&frame, monitor, 0);
    zmq_msg_close(&frame);
    return event & (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                    ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED);
}

/* Whether the server hears something before the client's only connection ends. */
static bool is_heard(void *socket, void *monitor)
{
    zmq_pollitem_t items[] = {{socket, 0, ZMQ_POLLIN, 0}, {monitor, 0, ZMQ_POLLIN, 0}};

    for (;;) {
        if (zmq_poll(items, 2, PATIENCE_MS) < 1)
            fail_msg("nothing is heard, and the connection stays");
        if (items[0].revents)
            return true;
        if (is_end(monitor))
            return false;
    }
}

/* Connects, says hello and goes. pair and server_key NULL: no CURVE. The identity that the server
 * sees; "": it hears nothing. Valid until the next call. */
static const char *say_hello(place *at, curve_server *server, const keys *pair,
                             const char *server_key)
{
    static char who[256];
    static int n_clients;
    char address[64];
    void *client = zmq_socket(at->context, ZMQ_DEALER);
    void *monitor = zmq_socket(at->context, ZMQ_PAIR);
    zmq_msg_t frame;

    set_int(client, ZMQ_LINGER, 0);
    set_int(client, ZMQ_RECONNECT_IVL, -1);
    if (server->patience_ms)
        set_int(client, ZMQ_HANDSHAKE_IVL, server->patience_ms);
    if (server_key) {
        zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, server_key, 40);
        zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, pair->public_key, 40);
        zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, pair->secret_key, 40);
    }
    snprintf(address, sizeof(address), "inproc://monitor-%d", n_clients++);
    assert_int_equal(zmq_socket_monitor(client, address, ZMQ_EVENT_ALL), 0);
    assert_int_equal(zmq_connect(monitor, address), 0);
    assert_int_equal(zmq_connect(client, server->endpoint), 0);
    /* It fails if the client has been refused already. */
    zmq_send(client, address, strlen(address), ZMQ_DONTWAIT);

    zmq_msg_init(&frame);
    who[0] = 0;
    if (is_heard(server->socket, monitor)) {
        assert_true(zmq_msg_recv(&frame, server->socket, 0) > 0);
        assert_true(zmq_msg_recv(&frame, server->socket, 0) > 0);
        assert_memory_equal(zmq_msg_data(&frame), address, strlen(address));
        const char *identity = jri_zmq_curve_identity(server->curve, &frame);
        snprintf(who, sizeof(who), "%s", identity ? identity : "(nobody)");
    } else {
        assert_int_equal(zmq_msg_recv(&frame, server->socket, ZMQ_DONTWAIT), -1);
    }
    zmq_msg_close(&frame);
    /* First: an event that nobody can receive would stop all of libzmq's connections. */
    zmq_socket_monitor(client, NULL, 0);
    zmq_close(monitor);
    zmq_close(client);
    return who;
}

static const char *greet(place *at, curve_server *server, const keys *pair)
{
    return say_hello(at, server, pair, at->server.public_key);
}

#define FOLDER "zmq+tcp://127.0.0.1:0?curve_key=server&clients=clients"

static void certificate_in_the_folder_is_let_in_by_its_name(void **state)
{
    place *at = *state;
    curve_server server;

    serve(at, FOLDER, &server);
    assert_string_equal(greet(at, &server, &at->alice), "alice");
    end(&server);
}

static void secret_file_may_be_named_itself(void **state)
{
    place *at = *state;
    curve_server server;

    serve(at, "zmq+tcp://127.0.0.1:0?curve_key=server_secret&clients=clients", &server);
    assert_string_equal(greet(at, &server, &at->alice), "alice");
    end(&server);
}

static void certificate_without_name_is_known_by_its_key(void **state)
{
    place *at = *state;
    curve_server server;

    write_public("clients/alice", NULL, &at->alice);
    serve(at, FOLDER, &server);
    assert_string_equal(greet(at, &server, &at->alice), at->alice.public_key);
    end(&server);
}

static void others_are_not_heard(void **state)
{
    place *at = *state;
    keys torn = at->alice;
    curve_server server;

    /* Alice's public key, known to everybody, and a secret of one's own. */
    memcpy(torn.secret_key, at->mallory.secret_key, sizeof(torn.secret_key));
    serve(at, FOLDER, &server);
    assert_string_equal(greet(at, &server, &at->mallory), "");
    assert_string_equal(greet(at, &server, &torn), "");
    assert_string_equal(say_hello(at, &server, &at->alice, at->mallory.public_key), "");
    assert_string_equal(say_hello(at, &server, NULL, NULL), "");
    assert_string_equal(greet(at, &server, &at->alice), "alice");
    end(&server);
}

static void any_client_with_the_servers_key_is_let_in_by_its_own(void **state)
{
    place *at = *state;
    curve_server server;

    serve(at, "zmq+tcp://127.0.0.1:0?curve_key=server&clients=any", &server);
    assert_string_equal(greet(at, &server, &at->mallory), at->mallory.public_key);
    assert_string_equal(say_hello(at, &server, &at->alice, at->mallory.public_key), "");
    assert_string_equal(say_hello(at, &server, NULL, NULL), "");
    end(&server);
}

static void other_kinds_of_sockets_are_guarded_as_well(void **state)
{
    static const char *const addresses[] = {"ipc://socket", "ws://127.0.0.1:*"};
    place *at = *state;

    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
        curve_server server;
        serve_at(at, FOLDER, addresses[i], &server);
        assert_string_equal(greet(at, &server, &at->mallory), "");
        assert_string_equal(say_hello(at, &server, NULL, NULL), "");
        assert_string_equal(greet(at, &server, &at->alice), "alice");
        end(&server);
    }
}

/* A client that speaks ZMTP without CURVE, whatever the server says. */
static void plain_bytes_are_not_heard(void **state)
{
    static const char hello[] =
        "\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06"
        "DEALER\0\x02hi";
    place *at = *state;
    curve_server server;
    char back[256];
    ssize_t n;

    serve(at, FOLDER, &server);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(strrchr(server.endpoint, ':') + 1)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL), sizeof(hello) - 1);
    do {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&poll_fd, 1, PATIENCE_MS), 1);
        n = recv(fd, back, sizeof(back), 0);
    } while (n > 0);
    close(fd);
    assert_int_equal(zmq_recv(server.socket, back, sizeof(back), ZMQ_DONTWAIT), -1);
    assert_string_equal(greet(at, &server, &at->alice), "alice");
    end(&server);
}

static void servers_of_one_process_stay_apart(void **state)
{
    place *at = *state;
    curve_server one, two, any;

    mkdir("others", 0755);
    write_public("others/mallory", "mallory", &at->mallory);
    serve(at, FOLDER, &one);
    serve(at, "zmq+tcp://127.0.0.1:0?curve_key=server&clients=others", &two);
    serve(at, "zmq+tcp://127.0.0.1:0?curve_key=server&clients=any", &any);
    assert_string_equal(greet(at, &one, &at->alice), "alice");
    assert_string_equal(greet(at, &one, &at->mallory), "");
    assert_string_equal(greet(at, &two, &at->alice), "");
    assert_string_equal(greet(at, &two, &at->mallory), "mallory");
    assert_string_equal(greet(at, &any, &at->alice), at->alice.public_key);
    end(&any);
    assert_string_equal(greet(at, &one, &at->mallory), "");
    end(&one);
    assert_string_equal(greet(at, &two, &at->mallory), "mallory");
    end(&two);
}

static void folder_as_it_is_now_counts(void **state)
{
    place *at = *state;
    curve_server server;

    serve(at, FOLDER, &server);
    assert_string_equal(greet(at, &server, &at->mallory), "");
    write_public("clients/mallory", "mallory", &at->mallory);
    assert_string_equal(greet(at, &server, &at->mallory), "mallory");
    write_public("clients/mallory", "malicia", &at->mallory);
    assert_string_equal(greet(at, &server, &at->mallory), "malicia");
    assert_int_equal(unlink("clients/mallory"), 0);
    assert_string_equal(greet(at, &server, &at->mallory), "");
    assert_string_equal(greet(at, &server, &at->alice), "alice");
    end(&server);
}

/* Refused clients are told, and stay away; here they are kept waiting and may come again. */
static void folder_that_is_gone_lets_in_nobody(void **state)
{
    place *at = *state;
    char line[512], wanted[512];
    curve_server server;

    serve(at, FOLDER, &server);
    assert_int_equal(rename("clients", "elsewhere"), 0);
    server.patience_ms = 200;
    assert_string_equal(greet(at, &server, &at->alice), "");
    snprintf(wanted, sizeof(wanted),
             "client with key '%s' from '127.0.0.1' refused: %s/clients cannot be read: no such "
             "file or directory (1 since the last such line)",
             at->alice.public_key, at->folder);
    assert_true(jri_zmq_curve_report(server.curve, line, sizeof(line)));
    assert_string_equal(line, wanted);

    assert_int_equal(rename("elsewhere", "clients"), 0);
    server.patience_ms = 0;
    assert_string_equal(greet(at, &server, &at->alice), "alice");
    end(&server);
}

/* czmq's store looks at the number of files, their size together and the newest of their times. */
static void regression_certificate_replaced_by_one_like_it_is_noticed(void **state)
{
    const struct utimbuf long_ago = {1577836800, 1577836800};
    place *at = *state;
    curve_server server;

    write_public("others", "malic", &at->mallory);
    utime("others", &long_ago);
    utime("clients/alice", &long_ago);
    serve(at, FOLDER, &server);
    assert_string_equal(greet(at, &server, &at->alice), "alice");
    assert_int_equal(rename("others", "clients/alice"), 0);
    assert_string_equal(greet(at, &server, &at->alice), "");
    assert_string_equal(greet(at, &server, &at->mallory), "malic");
    end(&server);
}

/* It ended the process, with czmq's store. */
static void regression_certificate_may_lie_there_twice(void **state)
{
    place *at = *state;
    curve_server server;

    write_public("clients/copy", "alice", &at->alice);
    serve(at, FOLDER, &server);
    assert_string_equal(greet(at, &server, &at->alice), "alice");
    end(&server);
}

static void folder_may_be_relative_and_the_program_move(void **state)
{
    place *at = *state;
    curve_server server;

    serve(at, FOLDER, &server);
    assert_int_equal(chdir("/"), 0);
    assert_string_equal(greet(at, &server, &at->alice), "alice");
    end(&server);
}

/* Certificates are made by those who have them. */
static void nobody_takes_the_name_of_another(void **state)
{
    place *at = *state;
    keys bob = make_keys();
    char line[512], wanted[512];
    curve_server server;

    serve(at, FOLDER, &server);
    write_public("clients/bob", NULL, &bob);
    write_public("clients/mallory", "alice", &at->mallory);
    assert_string_equal(greet(at, &server, &at->mallory), at->mallory.public_key);
    assert_string_equal(greet(at, &server, &at->alice), at->alice.public_key);
    snprintf(wanted, sizeof(wanted),
             "clients: 'alice' in %s/clients: its name is another certificate's, too: its key "
             "stands for it; and there are more such files",
             at->folder);
    assert_true(jri_zmq_curve_report(server.curve, line, sizeof(line)));
    assert_string_equal(line, wanted);

    write_public("clients/mallory", bob.public_key, &at->mallory);
    assert_string_equal(greet(at, &server, &at->mallory), at->mallory.public_key);
    assert_string_equal(greet(at, &server, &at->alice), "alice");
    assert_string_equal(greet(at, &server, &bob), bob.public_key);
    end(&server);
}

static void what_is_no_certificate_is_passed_over_and_told(void **state)
{
    place *at = *state;
    char line[512], wanted[512];
    curve_server server;

    write_file("clients/README", 0644, "Put certificates here.\n");
    write_file("clients/.hidden", 0644, "hidden\n");
    write_secret("clients/mallory_secret", &at->mallory);
    mkdir("clients/folder", 0755);
    assert_int_equal(symlink("/nowhere", "clients/broken"), 0);
    serve(at, FOLDER, &server);
    snprintf(wanted, sizeof(wanted),
             "clients: 'README' in %s/clients: not a certificate: it has no public-key",
             at->folder);
    assert_true(jri_zmq_curve_report(server.curve, line, sizeof(line)));
    assert_string_equal(line, wanted);
    assert_string_equal(greet(at, &server, &at->alice), "alice");
    assert_false(jri_zmq_curve_report(server.curve, line, sizeof(line)));
    assert_string_equal(greet(at, &server, &at->mallory), "");
    end(&server);
}

static void clients_refused_are_told_sparingly(void **state)
{
    place *at = *state;
    char line[512], wanted[512];
    curve_server server;

    serve(at, FOLDER, &server);
    assert_false(jri_zmq_curve_report(server.curve, line, sizeof(line)));
    for (int i = 0; i < 3; i++)
        assert_string_equal(greet(at, &server, &at->mallory), "");
    snprintf(wanted, sizeof(wanted),
             "client with key '%s' from '127.0.0.1' refused: no certificate in %s/clients (3 since "
             "the last such line)",
             at->mallory.public_key, at->folder);
    assert_true(jri_zmq_curve_report(server.curve, line, sizeof(line)));
    assert_string_equal(line, wanted);
    assert_string_equal(greet(at, &server, &at->mallory), "");
    assert_false(jri_zmq_curve_report(server.curve, line, sizeof(line)));
    end(&server);
}

static void handler_comes_and_goes(void **state)
{
    place *at = *state;
    curve_server server;

    for (int i = 0; i < 100; i++) {
        serve(at, FOLDER, &server);
        if (i % 10 == 0)
            assert_string_equal(greet(at, &server, &at->alice), "alice");
        end(&server);
    }
}

/* By default libzmq lets in everybody when there is nobody to ask. */
static void without_handler_nobody_is_let_in(void **state)
{
    place *at = *state;
    curve_server server;

    serve(at, FOLDER, &server);
    jri_zmq_curve_free(server.curve);
    server.curve = NULL;
    server.patience_ms = 200;
    assert_string_equal(greet(at, &server, &at->alice), "");
    end(&server);
}

static void handler_survives_what_is_no_question(void **state)
{
    place *at = *state;
    curve_server server;

    serve(at, FOLDER, &server);
    for (int n = 1; n < 12; n++) {
        void *asker = zmq_socket(at->context, ZMQ_REQ);
        char back[64];
        set_int(asker, ZMQ_LINGER, 0);
        set_int(asker, ZMQ_RCVTIMEO, PATIENCE_MS);
        assert_int_equal(zmq_connect(asker, "inproc://zeromq.zap.01"), 0);
        for (int i = 1; i <= n; i++)
            assert_int_equal(zmq_send(asker, "1.0", 3, i < n ? ZMQ_SNDMORE : 0), 3);
        for (int i = 0; i < 3; i++)
            assert_true(zmq_recv(asker, back, sizeof(back), 0) >= 0);
        assert_memory_equal(back, "400", 3);
        zmq_close(asker);
    }
    assert_string_equal(greet(at, &server, &at->alice), "alice");
    end(&server);
}

static void handler_of_the_application_is_told(void **state)
{
    place *at = *state;
    void *theirs = zmq_socket(at->context, ZMQ_REP);
    void *socket = zmq_socket(at->context, ZMQ_ROUTER);
    jri_zmq_curve *curve;
    jrpc_problem problem = {0};

    assert_int_equal(zmq_bind(theirs, "inproc://zeromq.zap.01"), 0);
    assert_int_equal(open_curve(FOLDER, &problem, &curve), 0);
    assert_int_equal(jri_zmq_curve_apply(curve, at->context, socket, &problem), -EADDRINUSE);
    assert_int_equal(problem.code, -EADDRINUSE);
    assert_string_equal(problem.text, "the application has a ZAP handler of its own in this "
                                      "context: address already in use");
    jri_zmq_curve_free(curve);
    zmq_close(theirs);
    zmq_close(socket);
}

/* A worker at a broker that speaks CURVE: here the broker is one of our own servers. */
static void worker_speaks_curve_to_its_broker(void **state)
{
    place *at = *state;
    curve_server broker;
    jri_zmq_curve *curve;
    jrpc_problem problem = {0};
    char text[16];
    zmq_msg_t frame;

    write_secret("alice_secret", &at->alice);
    serve(at, FOLDER, &broker);
    assert_int_equal(open_curve("zmq+tcp://127.0.0.1:1?connect=1&curve_key=alice&server_key=server",
                                &problem, &curve),
                     0);
    void *worker = zmq_socket(at->context, ZMQ_DEALER);
    set_int(worker, ZMQ_RCVTIMEO, PATIENCE_MS);
    set_int(worker, ZMQ_LINGER, 0);
    assert_int_equal(jri_zmq_curve_apply(curve, at->context, worker, &problem), 0);
    assert_int_equal(zmq_connect(worker, broker.endpoint), 0);
    assert_int_equal(zmq_send(worker, "here", 4, 0), 4);

    zmq_msg_init(&frame);
    assert_true(zmq_msg_recv(&frame, broker.socket, 0) > 0);
    assert_int_equal(zmq_recv(broker.socket, text, sizeof(text), 0), 4);
    zmq_msg_send(&frame, broker.socket, ZMQ_SNDMORE);
    zmq_send(broker.socket, "work", 4, 0);
    assert_int_equal(zmq_msg_recv(&frame, worker, 0), 4);
    assert_string_equal(jri_zmq_curve_identity(curve, &frame), "server");
    assert_false(jri_zmq_curve_report(curve, text, sizeof(text)));
    zmq_msg_close(&frame);
    zmq_close(worker);
    jri_zmq_curve_free(curve);
    end(&broker);
}

static void without_options_there_is_no_curve(void **state)
{
    place *at = *state;
    jri_zmq_curve *curve = (jri_zmq_curve *)at;
    jrpc_problem problem = {0};
    char line[64];

    assert_int_equal(open_curve("zmq+tcp://127.0.0.1:0?connect=1", &problem, &curve), 0);
    assert_null(curve);
    assert_int_equal(jri_zmq_curve_apply(curve, NULL, NULL, &problem), 0);
    assert_null(jri_zmq_curve_identity(curve, NULL));
    assert_false(jri_zmq_curve_report(curve, line, sizeof(line)));
    jri_zmq_curve_free(curve);
}

static const struct {
    const char *name, *options;
    int status;
    const char *text;
} refused[] = {
    {"no_clients", "curve_key=server", -EINVAL,
     "curve_key: it needs clients=DIR, the folder of the clients' public certificates, or "
     "clients=any"},
    {"no_key", "clients=clients", -EINVAL,
     "clients: it needs curve_key=FILE, the server's certificate"},
    {"empty_key", "curve_key=&clients=clients", -EINVAL, "curve_key: the value is empty"},
    {"empty_clients", "curve_key=server&clients=", -EINVAL, "clients: the value is empty"},
    {"key_missing", "curve_key=nothing&clients=any", -ENOENT,
     "curve_key: nothing: no such file or directory"},
    {"key_is_a_folder", "curve_key=clients&clients=any", -EBADMSG,
     "curve_key: clients: not a regular file"},
    {"key_is_none", "curve_key=garbage&clients=any", -EBADMSG,
     "curve_key: garbage: not a certificate: it has no public-key"},
    {"key_is_public_only", "curve_key=public&clients=any", -EBADMSG,
     "curve_key: public: it has no secret-key"},
    {"key_is_open_to_all", "curve_key=open&clients=any", -EPERM,
     "curve_key: open_secret: others than its owner may read or change it (chmod 600)"},
    {"clients_missing", "curve_key=server&clients=nowhere", -ENOENT,
     "clients: nowhere: no such file or directory"},
    {"clients_is_a_file", "curve_key=server&clients=public", -ENOTDIR,
     "clients: public: not a directory"},
    {"broker_without_key", "connect=1&server_key=server", -EINVAL,
     "server_key: it needs curve_key=FILE, a certificate of our own"},
    {"broker_unknown", "connect=1&curve_key=server", -EINVAL,
     "curve_key: with connect=1 it needs server_key=FILE, the broker's public certificate"},
    {"broker_missing", "connect=1&curve_key=server&server_key=nothing", -ENOENT,
     "server_key: nothing: no such file or directory"},
    {"broker_is_none", "connect=1&curve_key=server&server_key=garbage", -EBADMSG,
     "server_key: garbage: not a certificate: it has no public-key"},
    {"broker_and_clients", "connect=1&curve_key=server&server_key=server&clients=any", -EINVAL,
     "clients: with connect=1 it is the broker who knows clients"},
    {"broker_of_who_listens", "curve_key=server&server_key=server", -EINVAL,
     "server_key: it is for connect=1"},
};

static void options_that_cannot_be_are_refused(void **state)
{
    place *at = *state;

    write_file("garbage", 0600, "hello\n");
    write_public("public", "p", &at->server);
    assert_int_equal(chmod("public", 0600), 0);
    write_secret("open_secret", &at->server);
    assert_int_equal(chmod("open_secret", 0640), 0);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        char url[256];
        jri_zmq_curve *curve;
        jrpc_problem problem = {0};
        snprintf(url, sizeof(url), "zmq+tcp://127.0.0.1:0?%s", refused[i].options);
        print_message("%s\n", refused[i].name);
        int status = open_curve(url, &problem, &curve);
        assert_string_equal(problem.text, refused[i].text);
        assert_int_equal(status, refused[i].status);
        assert_int_equal(problem.code, refused[i].status);
        assert_true(problem.column > 0);
        assert_string_equal(problem.source, "zmq+tcp://127.0.0.1:0");
    }
}

/* libzmq takes keys there, and lets everybody in. */
static void inproc_has_no_curve(void **state)
{
    jri_zmq_curve *curve;
    jrpc_problem problem = {0};

    (void)state;
    assert_int_equal(open_curve("zmq+inproc://name?curve_key=server&clients=any", &problem, &curve),
                     -EINVAL);
    assert_string_equal(problem.text,
                        "curve_key: inproc has no CURVE: both ends are in this process");
}

static void long_paths_are_cut_to_their_ends(void **state)
{
    char url[1024], wanted[1024];
    jri_zmq_curve *curve;
    jrpc_problem problem = {0};

    (void)state;
    snprintf(url, sizeof(url), "zmq+tcp://127.0.0.1:0?curve_key=/%0200d/key&clients=any", 7);
    snprintf(wanted, sizeof(wanted), "curve_key: ...%092d/key: no such file or directory", 7);
    assert_int_equal(open_curve(url, &problem, &curve), -ENOENT);
    assert_string_equal(problem.text, wanted);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(certificate_in_the_folder_is_let_in_by_its_name),
        CASE(secret_file_may_be_named_itself),
        CASE(certificate_without_name_is_known_by_its_key),
        CASE(others_are_not_heard),
        CASE(any_client_with_the_servers_key_is_let_in_by_its_own),
        CASE(other_kinds_of_sockets_are_guarded_as_well),
        CASE(plain_bytes_are_not_heard),
        CASE(servers_of_one_process_stay_apart),
        CASE(folder_as_it_is_now_counts),
        CASE(folder_that_is_gone_lets_in_nobody),
        CASE(regression_certificate_replaced_by_one_like_it_is_noticed),
        CASE(regression_certificate_may_lie_there_twice),
        CASE(folder_may_be_relative_and_the_program_move),
        CASE(nobody_takes_the_name_of_another),
        CASE(what_is_no_certificate_is_passed_over_and_told),
        CASE(clients_refused_are_told_sparingly),
        CASE(handler_comes_and_goes),
        CASE(without_handler_nobody_is_let_in),
        CASE(handler_survives_what_is_no_question),
        CASE(handler_of_the_application_is_told),
        CASE(worker_speaks_curve_to_its_broker),
        CASE(without_options_there_is_no_curve),
        CASE(options_that_cannot_be_are_refused),
        CASE(inproc_has_no_curve),
        CASE(long_paths_are_cut_to_their_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
