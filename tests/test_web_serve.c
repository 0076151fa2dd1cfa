/* SPDX-License-Identifier: MIT */
/*
 * test_web_serve.c - jrpc_serve() where nobody says where: port 5000, signals, and a port that is
 * taken
 *
 * The port is the point, and somebody else's may be in use: so the tests run in a network of their
 * own, which Linux gives to root and mostly to all others; else they are skipped. Other programs
 * can be tried there, too:
 *
 *     test_web_serve --alone COMMAND [ARGUMENT]...    in such a network
 *     test_web_serve --serve                          the server
 */
#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "web_site.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

enum { PORT = 5000, SKIPPED = 77, LINE_SIZE = 256 };

/*
 * The server
 */

/* Nobody answers it. */
static int run_keep_for_ever(jrpc_call *call, void *user)
{
    jrpc_call *held;

    (void)user;
    return jrpc_call_defer(call, &held);
}

static const jrpc_method serve_methods[] = {
    JRPC_METHOD("echo", run_echo, "value: any", NULL),
    JRPC_METHOD("keep", run_keep_for_ever, NULL, NULL),
    JRPC_METHOD_END,
};

/* Exits with 0, or with the number of the error. */
static int serve(void)
{
    jrpc_service *service = NULL;

    int status = jrpc_service_new(/* options */ NULL, &service);
    if (!status)
        status = jrpc_service_add_table(service, serve_methods, /* user */ NULL);
    if (!status)
        status = jrpc_serve(service, /* urls */ NULL);
    jrpc_service_free(service);
    return -status;
}

/* A network with nothing but the loopback. */
static bool enter_network(void)
{
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

    if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &loopback) == 0;
    close(fd);
    return is_up;
}

typedef struct child {
    pid_t pid;
    int log; /* its standard error */
} child;

static child start(void)
{
    child made;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    made.pid = fork();
    assert_true(made.pid >= 0);
    if (!made.pid) {
        dup2(ends[1], STDERR_FILENO);
        execl("/proc/self/exe", "test_web_serve", "--serve", NULL);
        _Exit(127);
    }
    close(ends[1]);
    made.log = ends[0];
    return made;
}

/* The next line of its log, without its end; "" when that is over. */
static void read_line(const child *it, char line[LINE_SIZE])
{
    size_t len = 0;

    for (; len + 1 < LINE_SIZE; len++) {
        web_await(it->log, POLLIN);
        if (read(it->log, line + len, 1) != 1 || line[len] == '\n')
            break;
    }
    line[len] = '\0';
}

static void expect_line(const child *it, const char *expected)
{
    char line[LINE_SIZE];

    read_line(it, line);
    assert_string_equal(line, expected);
}

/* It says nothing more, and ends so. */
static void expect_exit(child *it, int expected)
{
    int status = 0;

    expect_line(it, "");
    close(it->log);
    assert_int_equal(waitpid(it->pid, &status, 0), it->pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
        fail_msg("ended with %d, signal %d", WEXITSTATUS(status), WTERMSIG(status));
}

static child start_listening(void)
{
    child made = start();

    expect_line(&made, "listening on http://127.0.0.1:5000");
    return made;
}

/*
 * Tests
 */

static void without_urls_it_serves_post_and_websocket_on_port_5000(void **state)
{
    child server = start_listening();
    web_client *poster = web_connect(PORT), *talker = web_connect(PORT);

    (void)state;
    web_call(poster, PING, 200, RESULT("1", "1"));
    assert_int_equal(ws_upgrade(talker, "/", ""), 101);
    ws_text(talker, PING);
    ws_expect(talker, RESULT("1", "1"));
    kill(server.pid, SIGTERM);
    ws_expect_end(talker, 1001);
    assert_false(web_read(poster));
    expect_exit(&server, 0);
    web_close(poster);
    web_close(talker);
}

static void regression_signal_as_soon_as_it_listens_stops_it_with_0(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM};

    (void)state;
    for (size_t i = 0; i < 20; i++) {
        child server = start_listening();
        kill(server.pid, signals[i % LENGTH(signals)]);
        expect_exit(&server, 0);
    }
}

/* The first has come when new calls are refused. */
static void await_stopping(web_client *client)
{
    bool is_stopping = false;
    size_t len;

    for (int i = 0; i < 100000 && !is_stopping; i++) {
        ws_text(client, PING);
        char *text = ws_receive(client, &len);
        assert_non_null(text);
        is_stopping = strstr(text, "-32000") != NULL;
        free(text);
    }
    assert_true(is_stopping);
}

static void second_signal_quits_at_once_whatever_is_in_flight(void **state)
{
    static const struct {
        int first, second;
    } rows[] = {{SIGTERM, SIGTERM}, {SIGINT, SIGINT}, {SIGINT, SIGTERM}};

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        child server = start_listening();
        web_client *client = web_connect(PORT);
        assert_int_equal(ws_upgrade(client, "/", ""), 101);
        ws_text(client, CALL("keep", "[]", "1"));
        kill(server.pid, rows[i].first);
        await_stopping(client);
        kill(server.pid, rows[i].second);
        expect_exit(&server, 128 + rows[i].second);
        web_close(client);
    }
}

static void port_that_is_taken_is_told_in_a_line(void **state)
{
    child server = start_listening(), late = start();
    web_client *client = web_connect(PORT);

    (void)state;
    expect_line(&late, "http://127.0.0.1:5000: address already in use");
    expect_exit(&late, EADDRINUSE);
    web_call(client, PING, 200, RESULT("1", "1"));
    kill(server.pid, SIGTERM);
    expect_exit(&server, 0);
    web_close(client);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_urls_it_serves_post_and_websocket_on_port_5000),
        cmocka_unit_test(regression_signal_as_soon_as_it_listens_stops_it_with_0),
        cmocka_unit_test(second_signal_quits_at_once_whatever_is_in_flight),
        cmocka_unit_test(port_that_is_taken_is_told_in_a_line),
    };

    if (argc > 1 && !strcmp(argv[1], "--serve"))
        return serve();
    if (!enter_network()) {
        fputs("skipped: no network of one's own is to be had\n", stderr);
        return SKIPPED;
    }
    if (argc > 2 && !strcmp(argv[1], "--alone")) {
        execvp(argv[2], argv + 2);
        return 127;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
