/* SPDX-License-Identifier: MIT */
/*
 * test_stream_peers.c - who comes to unix: and tcp:, in what numbers, and how they go
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
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "duplex.h"
#include "framed_client.h"
#include "server.h"
#include "stream_place.h"
#include "suite_place.h"

/*
 * The log
 */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char text[65536]; /* lines "PEER: TEXT" */
    size_t len;
} book = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void note_line(const jrpc_log_record *record, void *user)
{
    (void)user;
    pthread_mutex_lock(&book.lock);
    int n = snprintf(book.text + book.len, sizeof(book.text) - book.len, "%s: %s\n", record->peer,
                     record->text);
    book.len += (size_t)n < sizeof(book.text) - book.len ? (size_t)n : 0;
    pthread_cond_broadcast(&book.changed);
    pthread_mutex_unlock(&book.lock);
}

static void await_line(const char *needle)
{
    struct timespec until;
    int status = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DESK_PATIENCE_S;
    pthread_mutex_lock(&book.lock);
    while (!strstr(book.text, needle) && !status)
        status = pthread_cond_timedwait(&book.changed, &book.lock, &until);
    pthread_mutex_unlock(&book.lock);
    if (status)
        fail_msg("waited in vain for: %s\nwhat was logged: %s", needle, book.text);
}

static size_t count_lines(const char *needle)
{
    size_t n = 0;

    pthread_mutex_lock(&book.lock);
    for (const char *at = book.text; (at = strstr(at, needle)); at++)
        n++;
    pthread_mutex_unlock(&book.lock);
    return n;
}

/*
 * A server at one endpoint, and clients that the test connects itself
 */

enum { AT_UNIX, AT_TCP, N_WAYS };

static struct {
    char folder[FOLDER_SIZE], given[128], url[128]; /* the latter as the listener says */
    const char *options;                            /* of the URL */
    int way;
} place;

static void open_link(const suite_link *link, suite_site *site)
{
    (void)link;
    book.len = 0;
    *book.text = '\0';
    site->server->log.logged = note_line;
    make_folder(place.folder);
    if (place.way == AT_TCP)
        snprintf(place.given, sizeof(place.given), "tcp://127.0.0.1:0%s", place.options);
    else
        snprintf(place.given, sizeof(place.given), "unix:%s/s%s", place.folder, place.options);
    if (jrpc_server_listen(site->server, site->service, place.given, NULL, &site->listeners[0]))
        fail_msg("%s: %s", place.given, jrpc_server_problem(site->server)->text);
    snprintf(place.url, sizeof(place.url), "%s", jrpc_listener_address(site->listeners[0]));
}

static void close_link(const suite_link *link, suite_site *site)
{
    (void)link;
    (void)site;
    remove_folder(place.folder);
}

static void *connect_link(const suite_link *link, suite_site *site, size_t index)
{
    static framed_client clients[SUITE_PEERS];
    int fd = connect_to(place.url);

    (void)link;
    (void)site;
    assert_true(fd >= 0);
    clients[index] =
        (framed_client){.in = fd, .out = fd, .is_socket = true, .resets = place.way == AT_TCP};
    return &clients[index];
}

static const suite_link stream_link = {
    .name = "stream",
    .hears_hang_up = true,
    .open = open_link,
    .close_site = close_link,
    .connect = connect_link,
    .send = framed_send,
    .receive = framed_receive,
    .half_close = framed_half_close,
    .close = framed_close,
};

static suite_place *serve_at(int way, const char *url_options, const char *const options[])
{
    void *state = (void *)(uintptr_t)&stream_link;

    place.way = way;
    place.options = url_options;
    return open_site(&state, options);
}

static framed_client *client_of(suite_place *site, size_t index)
{
    return site->clients[index];
}

/* Nothing more comes, and the end is no failure. */
static void expect_end(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char byte;

    assert_int_equal(poll(&ready, 1, SUITE_PATIENCE_MS), 1);
    assert_int_equal(read(fd, &byte, 1), 0);
}

/*
 * Who they are
 */

static void peers_say_who_they_are(void **state)
{
    (void)state;
    for (int way = 0; way < N_WAYS; way++) {
        suite_place *site = serve_at(way, "", NULL);
        struct sockaddr_in name;
        socklen_t len = sizeof(name);
        char address[64] = "", identity[64];

        connect_client(site, 0);
        expect_echo(site, 0, 1);
        const char *seen = jrpc_peer_identity(site->peers[0]);
        if (way == AT_TCP) {
            assert_int_equal(getsockname(client_of(site, 0)->in, (struct sockaddr *)&name, &len),
                             0);
            snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(name.sin_port));
            assert_null(seen);
        } else {
            snprintf(address, sizeof(address), "%s/s", place.folder);
            snprintf(identity, sizeof(identity), "uid=%u,gid=%u,pid=%d", getuid(), getgid(),
                     getpid());
            assert_string_equal(seen, identity);
        }
        assert_string_equal(jrpc_peer_address(site->peers[0]), address);
        assert_string_equal(jrpc_peer_transport(site->peers[0]), "stream");
        close_site(site);
    }
}

/*
 * Other protocols
 */

#define HTTP "this looks like HTTP: use an http:// endpoint, closing"
#define TLS "this looks like TLS: use an https:// or wss:// endpoint, closing"
#define ZMQ "this looks like ZeroMQ: use a zmq+tcp:// endpoint, closing"
#define BYTES(literal) (literal), sizeof(literal) - 1

static void other_protocols_are_told_apart_and_not_answered(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *line;
    } rows[] = {
        {BYTES("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), HTTP},
        {BYTES("POST /rpc HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"), HTTP},
        {BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HTTP},
        {BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), TLS},
        {BYTES("\xff\0\0\0\0\0\0\0\1\x7f"), ZMQ},
    };
    static const char *const framings[] = {"", "?framing=line", "?framing=header"};
    (void)state;

    for (int way = 0; way < N_WAYS; way++)
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
            for (size_t k = 0; k < sizeof(framings) / sizeof(*framings); k++) {
                suite_place *site = serve_at(way, framings[k], NULL);
                connect_client(site, 0);
                assert_true(framed_write(client_of(site, 0), rows[i].bytes, rows[i].len));
                expect_end(client_of(site, 0)->in);
                await_line(rows[i].line);
                desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
                assert_int_equal(site->desk.closed_reason, -EPROTO);
                close_site(site);
                assert_int_equal(count_lines("\n"), 1);
            }
}

static void garbage_is_survived(void **state)
{
    enum { N = 300 };
    uint32_t seed = 1;
    (void)state;

    for (int way = 0; way < N_WAYS; way++) {
        suite_place *site = serve_at(way, "", NULL);
        for (int i = 0; i < N; i++) {
            char bytes[400];
            for (size_t k = 0; k < sizeof(bytes); k++) {
                seed = seed * 1664525 + 1013904223;
                bytes[k] = (char)(seed >> 24);
            }
            connect_client(site, 0);
            /* It may have been hung up on before all is sent. */
            framed_write(client_of(site, 0), bytes, sizeof(bytes) - (size_t)i);
            if (i % 2)
                framed_half_close(client_of(site, 0));
            close_client(site, 0);
        }
        connect_client(site, 1);
        expect_echo(site, 1, 1);
        close_site(site);
    }
}

/* The rest of what it sends would make the kernel throw away what it has not read yet. */
static void regression_broken_header_is_answered_while_more_comes(void **state)
{
    static const char broken[] = "Content-Length: x\r\n\r\n";
    enum { MORE = 300000 };
    char *more = calloc(1, MORE);
    (void)state;

    assert_non_null(more);
    for (int way = 0; way < N_WAYS; way++) {
        suite_place *site = serve_at(way, "", NULL);
        framed_client *client = connect_client(site, 0);
        assert_true(framed_write(client, broken, strlen(broken)));
        assert_true(framed_write(client, more, MORE));
        client->has_headers = true;
        expect(site, 0, ERROR(-32700, "Parse error", "null"));
        expect_end(client->in);
        close_client(site, 0);
        desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
        assert_int_equal(site->desk.closed_reason, 0);
        close_site(site);
    }
    free(more);
}

/*
 * Numbers
 */

static void crowd_is_served(void **state)
{
    enum { N = 300 };
    static framed_client clients[N];
    (void)state;

    for (int way = 0; way < N_WAYS; way++) {
        suite_place *site = serve_at(way, "", NULL);
        for (int i = 0; i < N; i++) {
            int fd = connect_to(place.url);
            assert_true(fd >= 0);
            clients[i] = (framed_client){.in = fd, .out = fd, .is_socket = true};
            assert_true(framed_send(&clients[i], BYTES(CALL("echo", "[1]", "1"))));
        }
        for (int i = 0; i < N; i++) {
            size_t len;
            char *text = framed_receive(&clients[i], &len);
            assert_string_equal(text, RESULT("1", "1"));
            free(text);
        }
        for (int i = 0; i < N; i++)
            framed_close(&clients[i]);
        desk_wait_for(&site->desk, &site->desk.n_closed, N, "all peers' ends");
        close_site(site);
    }
}

static void peer_past_peers_max_is_hung_up_on_with_a_line(void **state)
{
    static const char *const options[] = {"peers_max", "1", NULL};
    (void)state;

    for (int way = 0; way < N_WAYS; way++) {
        suite_place *site = serve_at(way, "", options);
        connect_client(site, 0);
        expect_echo(site, 0, 1);
        connect_client(site, 1);
        expect_end(client_of(site, 1)->in);
        await_line("peers_max 1 are there, closing");
        assert_int_equal(count_lines("\n"), 1);
        close_client(site, 1);
        close_client(site, 0);
        desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
        connect_client(site, 0);
        expect_echo(site, 0, 2);
        close_site(site);
    }
}

/* Every descriptor that the limit leaves; how many. */
static size_t fill_descriptors(int fds[], size_t max)
{
    size_t n = 0;

    while (n < max && (fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    assert_true(n < max);
    return n;
}

/* A client's socket exists before there are no descriptors left. */
static void connect_late(int fd)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    snprintf(to.sun_path, sizeof(to.sun_path), "%s/s", place.folder);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
}

static void without_descriptors_peers_wait_for_those_that_go(void **state)
{
    enum { MAX = 256 };
    static const char line[] = "cannot accept: Too many open files; peers wait until others go";
    struct rlimit before, few;
    int fillers[MAX];
    suite_place *site = serve_at(AT_UNIX, "", NULL);
    framed_client late[2];
    (void)state;

    connect_client(site, 0);
    expect_echo(site, 0, 1);
    for (int i = 0; i < 2; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        late[i] = (framed_client){.in = fd, .out = fd, .is_socket = true};
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 128;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    size_t n = fill_descriptors(fillers, MAX);
    for (int i = 0; i < 2; i++) {
        connect_late(late[i].in);
        assert_true(framed_send(&late[i], BYTES(CALL("echo", "[1]", "1"))));
    }
    await_line(line);
    expect_echo(site, 0, 2);
    close_client(site, 0); /* for the first of the two */
    for (size_t i = 0; i < 2; i++) {
        size_t len;
        char *text = framed_receive(&late[i], &len);
        assert_string_equal(text, RESULT("1", "1"));
        free(text);
        framed_close(&late[i]); /* for the second */
    }
    while (n)
        close(fillers[--n]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(count_lines(line), 1);
    close_site(site);
}

/* Nobody goes, but the limit is raised. */
static void without_descriptors_accepting_is_tried_again(void **state)
{
    enum { MAX = 256 };
    struct rlimit before, few;
    int fillers[MAX];
    suite_place *site = serve_at(AT_UNIX, "", NULL);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    framed_client late = {.in = fd, .out = fd, .is_socket = true};
    size_t len;
    (void)state;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 128;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    size_t n = fill_descriptors(fillers, MAX);
    connect_late(fd);
    assert_true(framed_send(&late, BYTES(CALL("echo", "[1]", "1"))));
    await_line("cannot accept");
    while (n)
        close(fillers[--n]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    char *text = framed_receive(&late, &len);
    assert_string_equal(text, RESULT("1", "1"));
    free(text);
    framed_close(&late);
    close_site(site);
}

/*
 * How they go
 */

static void await_more_than(suite_place *site, const char *name, json_int_t n)
{
    while (stat_of(site, name) <= n)
        continue;
}

static void regression_leftover_output_is_polled_for_on_one_descriptor(void **state)
{
    enum { N = 8, SIZE = 1000000 };
    (void)state;

    for (int way = 0; way < N_WAYS; way++) {
        suite_place *site = serve_at(way, "", NULL);
        connect_client(site, 0);
        for (int i = 0; i < N; i++)
            send_text(site, 0, CALL("big", "[1000000]", "1"));
        await_stat(site, "messages", N);
        await_more_than(site, "memory_held", SIZE); /* it reads nothing: they are left over */
        for (int i = 0; i < N; i++) {
            json_t *value = receive(site, 0);
            assert_int_equal(json_string_length(json_object_get(value, "result")), SIZE);
            json_decref(value);
        }
        expect_echo(site, 0, 1);
        await_stat(site, "memory_held", 0);
        close_site(site);
    }
}

static void half_closed_peer_gets_all_its_answers(void **state)
{
    enum { N = 2000 };
    (void)state;

    for (int way = 0; way < N_WAYS; way++) {
        suite_place *site = serve_at(way, "", NULL);
        connect_client(site, 0);
        send_text(site, 0, CALL("hold", "[]", "-1"));
        jrpc_call *held = desk_take(&site->desk);
        for (int i = 0; i < N; i++) {
            char text[128];
            snprintf(text, sizeof(text), CALL("echo", "[%d]", "%d"), i, i);
            send_text(site, 0, text);
        }
        framed_half_close(client_of(site, 0));
        for (int i = 0; i < N; i++) {
            char text[128];
            snprintf(text, sizeof(text), RESULT("%d", "%d"), i, i);
            expect(site, 0, text);
        }
        assert_int_equal(jrpc_reply_integer(held, 7), 0);
        jrpc_call_free(held);
        expect(site, 0, RESULT("7", "-1"));
        expect_end(client_of(site, 0)->in);
        close_site(site);
    }
}

static void note_cancelled(jrpc_call *held, void *user)
{
    suite_desk *desk = user;

    (void)held;
    desk_count(desk, &desk->n_told);
}

static void read_pause(suite_place *site, void *user)
{
    *(bool *)user = site->peers[0]->is_paused;
}

enum { READ_FROM, HALF_CLOSED, PAUSED, N_STATES };

/* Abruptly, whatever is being waited for. */
static void peer_that_is_gone_has_its_calls_cancelled(void **state)
{
    static const char *const options[] = {"pending_max", "1", "inbox_max", "1000", NULL};
    (void)state;

    for (int way = 0; way < N_WAYS; way++)
        for (int kind = 0; kind < N_STATES; kind++) {
            suite_place *site = serve_at(way, "", options);
            bool is_paused = kind != PAUSED;
            connect_client(site, 0);
            send_text(site, 0, CALL("hold", "[]", "1"));
            jrpc_call *held = desk_take(&site->desk);
            assert_int_equal(jrpc_call_on_cancelled(held, note_cancelled, &site->desk), 0);
            for (int i = 0; i < 20 && kind == PAUSED; i++)
                send_text(site, 0, CALL("echo", "[1]", "2"));
            while (!is_paused)
                on_loop(site, read_pause, &is_paused);
            if (kind == HALF_CLOSED)
                framed_half_close(client_of(site, 0));
            close_client(site, 0);
            desk_wait_for(&site->desk, &site->desk.n_told, 1, "being told");
            desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
            assert_int_equal(jrpc_reply_integer(held, 1), -EPIPE);
            jrpc_call_free(held);
            close_site(site);
        }
}

static void urgent_data_does_no_harm(void **state)
{
    suite_place *site = serve_at(AT_TCP, "", NULL);
    (void)state;

    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    assert_int_equal(send(client_of(site, 0)->out, "!", 1, MSG_OOB), 1);
    framed_half_close(client_of(site, 0));
    assert_int_equal(jrpc_reply_integer(held, 1), 0);
    jrpc_call_free(held);
    expect(site, 0, RESULT("1", "1"));
    expect_end(client_of(site, 0)->in);
    close_site(site);
}

static void reader_of_nothing_is_hung_up_on_after_a_while(void **state)
{
    suite_place *site = serve_at(AT_UNIX, "", NULL);
    uint64_t begin = uv_hrtime();
    (void)state;

    connect_client(site, 0);
    send_text(site, 0, CALL("big", "[4000000]", "1"));
    framed_half_close(client_of(site, 0));
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    assert_int_equal(site->desk.closed_reason, -ETIMEDOUT);
    assert_in_range((uv_hrtime() - begin) / 1000000, JRI_DUPLEX_LINGER_MS - 100,
                    JRI_DUPLEX_LINGER_MS + 20000);
    await_line("last bytes was read for 5 s, closing");
    close_site(site);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_say_who_they_are),
        cmocka_unit_test(other_protocols_are_told_apart_and_not_answered),
        cmocka_unit_test(garbage_is_survived),
        cmocka_unit_test(regression_broken_header_is_answered_while_more_comes),
        cmocka_unit_test(crowd_is_served),
        cmocka_unit_test(peer_past_peers_max_is_hung_up_on_with_a_line),
        cmocka_unit_test(without_descriptors_peers_wait_for_those_that_go),
        cmocka_unit_test(without_descriptors_accepting_is_tried_again),
        cmocka_unit_test(regression_leftover_output_is_polled_for_on_one_descriptor),
        cmocka_unit_test(half_closed_peer_gets_all_its_answers),
        cmocka_unit_test(peer_that_is_gone_has_its_calls_cancelled),
        cmocka_unit_test(urgent_data_does_no_harm),
        cmocka_unit_test(reader_of_nothing_is_hung_up_on_after_a_while),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
