/* SPDX-License-Identifier: MIT */
/*
 * test_zmq_listen.c - URLs of ZeroMQ endpoints, addresses that are taken, and the end of listening
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "zmq_place.h"
#include "zmq_raw.h"

#define TCP "zmq+tcp://127.0.0.1:0"

static void check_refusal(zmq_place *place, const char *url, int status, const char *expected)
{
    char seen[512];
    int result = jrpc_server_listen(place->server, place->service, url, NULL, NULL);

    assert_int_equal(result, status);
    const jrpc_problem *problem = jrpc_server_problem(place->server);
    assert_non_null(problem);
    assert_int_equal(problem->code, status);
    snprintf(seen, sizeof(seen), "%s:%d: %s", problem->source, problem->column, problem->text);
    if (strcmp(seen, expected) != 0)
        fail_msg("expected %s\nbut got  %s", expected, seen);
}

static void bad_urls_are_refused(void **state)
{
    static const struct {
        const char *url;
        int status;
        const char *expected;
    } rows[] = {
        {"zmq+tcp://127.0.0.1", -EINVAL,
         "zmq+tcp://127.0.0.1:11: expected a host and a port, as in zmq+tcp://127.0.0.1:5555"},
        {"zmq+tcp:", -EINVAL,
         "zmq+tcp:11: expected a host and a port, as in zmq+tcp://127.0.0.1:5555"},
        {"zmq+ws:/a", -EINVAL,
         "zmq+ws:/a:10: expected a host and a port, as in zmq+ws://127.0.0.1:5555"},
        {TCP "/rpc", -EINVAL, TCP "/rpc:11: a path has no meaning here"},
        {"zmq+ipc:", -EINVAL, "zmq+ipc:11: expected a path"},
        {"zmq+inproc://", -EINVAL, "zmq+inproc://:14: expected a name"},
        {"zmq+wss://127.0.0.1:0", -ENOTSUP,
         "zmq+wss://127.0.0.1:0:1: this ZeroMQ has no encrypted WebSockets; zmq+tcp has CURVE, "
         "wss:// has TLS"},
        {TCP "?socket=req", -EINVAL, TCP ":30: socket: 'req' is not one of router|rep"},
        {TCP "?sokcet=rep", -EINVAL, TCP ":23: unknown option 'sokcet'; did you mean socket?"},
        {TCP "?sndhwm=0", -EINVAL, TCP ":30: sndhwm: '0' is not a number from 1 to 1000000"},
        {TCP "?rcvhwm=many", -EINVAL, TCP ":30: rcvhwm: 'many' is not a number from 1 to 1000000"},
        {TCP "?heartbeat_ms=-1", -EINVAL,
         TCP ":36: heartbeat_ms: '-1' is not a number from 0 to 3600000"},
        {"zmq+ws://127.0.0.1:0?heartbeat_ms=100", -EINVAL,
         "zmq+ws://127.0.0.1:0:22: option 'heartbeat_ms' has no effect here"},
        {TCP "?mode=0600", -EINVAL, TCP ":23: option 'mode' has no effect here"},
        {"zmq+ipc:/tmp/x?mode=0999", -EINVAL,
         "zmq+ipc:/tmp/x:21: mode: '0999' is not a file mode, octal and at most 0777 (try 0600)"},
        {TCP "?connect=maybe", -EINVAL, TCP ":31: connect: 'maybe' is neither yes nor no"},
        {TCP "?connect=yes", -EINVAL, TCP ":0: there is no port 0 to connect to"},
        {"zmq+inproc://x?connect=yes&socket=rep", -EINVAL,
         "zmq+inproc://x:0: connect=yes is for socket=router"},
        {"zmq+tcp://no-such-host.invalid:1", -ENODEV,
         "zmq+tcp://no-such-host.invalid:1:0: binding: no such address or interface"},
        {"zmq+tcp://192.0.2.1:0", -EADDRNOTAVAIL,
         "zmq+tcp://192.0.2.1:0:0: binding: Cannot assign requested address"},
        {"zmq+ipc:/no/such/folder", -ENOENT,
         "zmq+ipc:/no/such/folder:0: binding: No such file or directory"},
        {"zmq+ipc:/dev/null", -EEXIST, "zmq+ipc:/dev/null:0: binding: File exists"},
    };
    zmq_place *place = new_place(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        check_refusal(place, rows[i].url, rows[i].status, rows[i].expected);
    close_place(place);
}

static void address_is_the_real_one(void **state)
{
    static const struct {
        const char *url, *head, *tail; /* around the port */
    } rows[] = {
        {TCP, "zmq+tcp://127.0.0.1:", ""},
        {"zmq+tcp://localhost:0", "zmq+tcp://127.0.0.1:", ""},
        {"zmq+tcp://lo:0", "zmq+tcp://127.0.0.1:", ""},
        {"zmq+tcp://*:0", "zmq+tcp://0.0.0.0:", ""},
        {"zmq+ws://127.0.0.1:0/rpc", "zmq+ws://127.0.0.1:", "/rpc"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        zmq_place *place = open_place(rows[i].url, NULL);
        const char *address = jrpc_listener_address(place->listener);
        size_t len = strlen(rows[i].head);
        char *end;
        if (strncmp(address, rows[i].head, len) != 0 || strtol(address + len, &end, 10) < 1 ||
            strcmp(end, rows[i].tail) != 0)
            fail_msg("%s: %s", rows[i].url, address);
        close_place(place);
    }
}

static void version_6_addresses_work(void **state)
{
    zmq_place *place = open_place("zmq+tcp://[::1]:0", NULL);
    void *dealer = new_socket(place, ZMQ_DEALER);

    (void)state;
    assert_memory_equal(place->endpoint, "tcp://[::1]:", 12);
    set_socket(dealer, ZMQ_IPV6, 1);
    assert_int_equal(zmq_connect(dealer, place->endpoint), 0);
    expect_pong(dealer);
    zmq_close(dealer);
    close_place(place);
}

/* A beat comes unasked; who answers it is served as before. Who is late by three is hung up on, so
 * they are slower here than the slowest machine. */
static void heartbeats_do_no_harm(void **state)
{
    static const char pong[] = "\4PONG";
    zmq_place *place = open_place(TCP "?heartbeat_ms=500", NULL);
    int fd = open_raw(place);
    char text[256];

    (void)state;
    expect_raw_pong(fd);
    assert_int_equal(read_frame(fd, text), RAW_COMMAND);
    assert_memory_equal(text, "\4PING", 5);
    send_frame(fd, RAW_COMMAND, pong, sizeof(pong) - 1);
    expect_raw_pong(fd);
    close(fd);
    close_place(place);
}

static void silence_after_heartbeats_ends_a_connection(void **state)
{
    zmq_place *place = open_place(TCP "?heartbeat_ms=10", NULL);
    int fd = open_raw(place);
    char byte;
    ssize_t n;

    (void)state;
    do
        n = read(fd, &byte, 1);
    while (n > 0);
    assert_true(n == 0 || errno == ECONNRESET);
    close(fd);
    close_place(place);
}

/*
 * Addresses that are taken, and free again
 */

static void new_folder(char folder[64])
{
    strcpy(folder, "/tmp/jrpc-zmq-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void taken_addresses_are_refused(void **state)
{
    char folder[64], urls[3][128], expected[512];
    zmq_place *first = open_place(TCP, NULL), *second = new_place(NULL);

    (void)state;
    new_folder(folder);
    snprintf(urls[0], sizeof(urls[0]), "%s", jrpc_listener_address(first->listener));
    snprintf(urls[1], sizeof(urls[1]), "zmq+inproc://taken");
    snprintf(urls[2], sizeof(urls[2]), "zmq+ipc://%s/socket", folder);
    for (size_t i = 0; i < 3; i++) {
        zmq_place *holder = i ? open_place(urls[i], NULL) : NULL;
        snprintf(expected, sizeof(expected), "%s:0: binding: Address already in use", urls[i]);
        check_refusal(second, urls[i], -EADDRINUSE, expected);
        void *dealer = connect_socket(i ? holder : first, ZMQ_DEALER); /* the first still has it */
        expect_pong(dealer);
        zmq_close(dealer);
        if (holder)
            close_place(holder);
    }
    assert_int_equal(rmdir(folder), 0);
    close_place(second);
    close_place(first);
}

/* When a listener is closed its address is free at once. */
static void regression_address_can_be_bound_again_at_once(void **state)
{
    char folder[64], urls[4][128];

    (void)state;
    new_folder(folder);
    zmq_place *place = open_place(TCP, NULL);
    snprintf(urls[0], sizeof(urls[0]), "%s", jrpc_listener_address(place->listener));
    close_place(place);
    place = open_place("zmq+ws://127.0.0.1:0/", NULL);
    snprintf(urls[1], sizeof(urls[1]), "%s", jrpc_listener_address(place->listener));
    close_place(place);
    snprintf(urls[2], sizeof(urls[2]), "zmq+ipc://%s/socket", folder);
    snprintf(urls[3], sizeof(urls[3]), "zmq+inproc://again");
    for (size_t i = 0; i < 4; i++)
        for (int round = 0; round < 20; round++) {
            place = open_place(urls[i], NULL);
            void *dealer = connect_socket(place, ZMQ_DEALER);
            expect_pong(dealer);
            zmq_close(dealer);
            close_place(place);
        }
    assert_int_equal(rmdir(folder), 0);
}

static void ipc_sockets_are_private_and_leave_nothing(void **state)
{
    static const struct {
        const char *options;
        mode_t mode;
    } rows[] = {{"", 0600}, {"?mode=0666", 0666}, {"?mode=0620", 0620}};
    char folder[64], path[128], url[256];
    struct stat about;

    (void)state;
    new_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        snprintf(url, sizeof(url), "zmq+ipc:%s%s", path, rows[i].options);
        zmq_place *place = open_place(url, NULL);
        assert_int_equal(stat(path, &about), 0);
        assert_true(S_ISSOCK(about.st_mode));
        assert_int_equal(about.st_mode & 0777, rows[i].mode);
        close_place(place);
        assert_int_equal(stat(path, &about), -1);
    }
    assert_int_equal(rmdir(folder), 0);
}

/* One that a dead process has left is taken; a file is not, and stays. */
static void only_dead_sockets_are_replaced(void **state)
{
    char folder[64], path[128], url[256], expected[512];

    (void)state;
    new_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
    snprintf(url, sizeof(url), "zmq+ipc:%s", path);
    assert_int_equal(mknod(path, S_IFSOCK | 0600, 0), 0);
    close_place(open_place(url, NULL));

    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    zmq_place *place = new_place(NULL);
    snprintf(expected, sizeof(expected), "%s:0: binding: File exists", url);
    check_refusal(place, url, -EEXIST, expected);
    close_place(place);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/*
 * Stopping
 */

/* Whoever is known goes on; others are not taken any more, and do not wait in vain. */
static void stopping_answers_who_is_known(void **state)
{
    zmq_place *place = open_place(TCP, NULL);
    void *known = connect_socket(place, ZMQ_DEALER), *other = connect_socket(place, ZMQ_REQ);

    (void)state;
    send_message(known, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&place->desk);
    assert_int_equal(jrpc_server_stop(place->server, NULL, NULL), 0);
    stat_of(place, "messages"); /* it has begun to */
    send_message(known, PING);
    expect_message(known, ERROR(-32000, "Server busy", "1"));
    send_message(other, PING);
    expect_message(other, "");
    assert_int_equal(jrpc_reply_integer(held, 7), 0);
    jrpc_call_free(held);
    expect_message(known, RESULT("7", "1"));
    zmq_close(known);
    zmq_close(other);
    close_place(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_urls_are_refused),
        cmocka_unit_test(address_is_the_real_one),
        cmocka_unit_test(version_6_addresses_work),
        cmocka_unit_test(heartbeats_do_no_harm),
        cmocka_unit_test(silence_after_heartbeats_ends_a_connection),
        cmocka_unit_test(taken_addresses_are_refused),
        cmocka_unit_test(regression_address_can_be_bound_again_at_once),
        cmocka_unit_test(ipc_sockets_are_private_and_leave_nothing),
        cmocka_unit_test(only_dead_sockets_are_replaced),
        cmocka_unit_test(stopping_answers_who_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
