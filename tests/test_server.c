/* SPDX-License-Identifier: MIT */
/*
 * test_server.c - servers' lives: own loops and the application's, in any order, and listen errors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include <jrpc/jrpc.h>

#include "ask.h"
#include "memory_transport.h"

#define CALL(method, id) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":" id "}\n"
#define RESULT(result, id) "{\"jsonrpc\":\"2.0\",\"result\":" result ",\"id\":" id "}\n"

static int run_ping(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "pong");
}

/* Waiting for itself would take for ever. */
static int run_dispatch(jrpc_call *call, void *user)
{
    jrpc_service *const *service = user;
    jrpc_response *response = NULL;
    int status = jrpc_dispatch(*service, "{}", 2, NULL, &response);

    jrpc_response_free(response);
    return jrpc_reply_integer(call, status);
}

static int run_invoke(jrpc_call *call, void *user)
{
    jrpc_service *const *service = user;
    jrpc_response *response = NULL;
    int status = jrpc_invoke(*service, "ping", json_array(), NULL, &response);

    jrpc_response_free(response);
    return jrpc_reply_integer(call, status);
}

static int run_close(jrpc_call *call, void *user)
{
    (void)user;
    jrpc_listener_close(jrpc_peer_listener(jrpc_call_peer(call)));
    return jrpc_reply_string(call, "closed");
}

/* The old service goes while one of its handlers runs. */
static int run_swap(jrpc_call *call, void *user)
{
    jrpc_service **service = user;
    jrpc_listener *listener = jrpc_peer_listener(jrpc_call_peer(call));

    if (!*service)
        return jrpc_reply_string(call, "again");
    jrpc_service_free(*service);
    int status = jrpc_service_new(NULL, service);
    if (!status)
        status = jrpc_listener_set_service(listener, *service);
    return status ? status : jrpc_reply_string(call, "swapped");
}

static jrpc_service *service; /* of the test that runs */

static const jrpc_method methods[] = {
    JRPC_METHOD("ping", run_ping, NULL, NULL),
    JRPC_METHOD("dispatch", run_dispatch, NULL, NULL),
    JRPC_METHOD("invoke", run_invoke, NULL, NULL),
    JRPC_METHOD("close", run_close, NULL, NULL),
    JRPC_METHOD("swap", run_swap, NULL, NULL),
    JRPC_METHOD_END,
};

static int set_up(void **state)
{
    (void)state;
    service = new_service(NULL, methods, &service);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    jrpc_service_free(service);
    return 0;
}

static jrpc_server *new_server(uv_loop_t *loop)
{
    jrpc_server *server = NULL;

    assert_int_equal(jrpc_server_new(/* options */ NULL, loop, &server), 0);
    return server;
}

/* A socket at whose other end the server listens. */
/* options: NULL: none. Listening gives `status`. */
static int listen_on_socket_with(jrpc_server *server, const jrpc_listen_options *options,
                                 int status)
{
    int ends[2];
    char url[64];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    snprintf(url, sizeof(url), "fd:%d,%d", ends[1], ends[1]);
    assert_int_equal(jrpc_server_listen(server, service, url, options, NULL), status);
    close(ends[1]);
    return ends[0];
}

static int listen_on_socket(jrpc_server *server)
{
    return listen_on_socket_with(server, /* options */ NULL, 0);
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Everything up to the end. */
static void expect_all(int fd, const char *expected)
{
    char seen[4096];
    size_t len = 0;
    ssize_t n;

    while ((n = read(fd, seen + len, sizeof(seen) - 1 - len)) > 0)
        len += (size_t)n;
    seen[len] = '\0';
    assert_string_equal(seen, expected);
    close(fd);
}

static void count(jrpc_server *server, void *user)
{
    (void)server;
    ++*(int *)user;
}

/*
 * Orders of things
 */

static void server_that_never_ran_is_freed(void **state)
{
    int n_stopped = 0, n_posted = 0;
    (void)state;

    jrpc_server_free(new_server(NULL));

    jrpc_server *server = new_server(NULL);
    int fd = listen_on_socket(server);
    send_text(fd, CALL("ping", "1"));
    assert_int_equal(jrpc_server_post(server, count, &n_posted), 0);
    assert_int_equal(jrpc_server_stop(server, count, &n_stopped), 0);
    assert_int_equal(jrpc_server_stop(server, count, &n_stopped), -EALREADY);
    jrpc_server_free(server);
    assert_int_equal(n_stopped, 1);
    assert_int_equal(n_posted, 1);
    close(fd);
}

static void server_runs_until_its_last_listener_closes(void **state)
{
    jrpc_server *server = new_server(NULL);
    int n_stopped = 0;
    (void)state;

    assert_int_equal(jrpc_server_run(server), -EINVAL);
    assert_string_equal(jrpc_server_problem(server)->text, "nothing listens");
    int fd = listen_on_socket(server);
    send_text(fd, CALL("ping", "1") CALL("dispatch", "2") "  \n" CALL("ping", "3"));
    shutdown(fd, SHUT_WR);
    assert_int_equal(jrpc_server_run(server), 0);
    char expected[256];
    snprintf(expected, sizeof(expected),
             RESULT("\"pong\"", "1") RESULT("%d", "2") RESULT("\"pong\"", "3"), -EDEADLK);
    expect_all(fd, expected);
    assert_int_equal(jrpc_server_run(server), -EINVAL);
    assert_int_equal(jrpc_server_stop(server, count, &n_stopped), -EALREADY);
    assert_int_equal(jrpc_server_post(server, count, &n_stopped), -EPIPE);
    jrpc_server_free(server);
    assert_int_equal(n_stopped, 0);
}

static void regression_loop_does_not_wait_for_what_it_invokes(void **state)
{
    jrpc_server *server = new_server(NULL);
    int fd = listen_on_socket(server);
    char expected[64];
    (void)state;

    send_text(fd, CALL("invoke", "1"));
    shutdown(fd, SHUT_WR);
    assert_int_equal(jrpc_server_run(server), 0);
    snprintf(expected, sizeof(expected), RESULT("%d", "1"), -EDEADLK);
    expect_all(fd, expected);
    jrpc_server_free(server);
}

static void started_server_is_stopped_by_free(void **state)
{
    jrpc_server *server = new_server(NULL);
    int fd = listen_on_socket(server);
    char answer[64] = "";
    (void)state;

    assert_int_equal(jrpc_server_start(server), 0);
    assert_int_equal(jrpc_server_start(server), -EBUSY);
    assert_int_equal(jrpc_server_run(server), -EBUSY);
    send_text(fd, CALL("ping", "1"));
    assert_true(read(fd, answer, sizeof(answer) - 1) > 0);
    assert_string_equal(answer, RESULT("\"pong\"", "1"));
    jrpc_server_free(server);
    expect_all(fd, "");
}

/* The application's loop: nothing of the server is left on it when it has stopped. */
struct application {
    uv_loop_t loop;
    uv_timer_t timer;
    int close_status, n_stopped;
};

static void free_it(jrpc_server *server, void *user)
{
    struct application *app = user;

    app->n_stopped++;
    jrpc_server_free(server);
}

static void stop_it(uv_timer_t *timer)
{
    struct application *app = timer->loop->data;

    assert_int_equal(jrpc_server_stop(timer->data, free_it, app), 0);
    uv_close((uv_handle_t *)timer, NULL);
}

static void server_lives_on_the_applications_loop(void **state)
{
    struct application app = {.n_stopped = 0};
    (void)state;

    for (int is_run = 0; is_run < 2; is_run++) {
        assert_int_equal(uv_loop_init(&app.loop), 0);
        app.loop.data = &app;
        jrpc_server *server = new_server(&app.loop);
        assert_ptr_equal(jrpc_server_loop(server), &app.loop);
        assert_int_equal(jrpc_server_start(server), -EINVAL);
        int fd = listen_on_socket(server);
        send_text(fd, CALL("ping", "1"));
        uv_timer_init(&app.loop, &app.timer);
        app.timer.data = server;
        uv_timer_start(&app.timer, stop_it, 20, 0);
        if (is_run)
            assert_int_equal(jrpc_server_run(server), 0);
        uv_run(&app.loop, UV_RUN_DEFAULT);
        assert_int_equal(app.n_stopped, is_run + 1);
        assert_int_equal(uv_loop_close(&app.loop), 0);
        expect_all(fd, RESULT("\"pong\"", "1"));
    }
}

static void server_that_has_not_stopped_is_not_freed(void **state)
{
    struct application app = {.n_stopped = 0};
    (void)state;

    assert_int_equal(uv_loop_init(&app.loop), 0);
    jrpc_server *server = new_server(&app.loop);
    jrpc_server_free(server);
    assert_int_equal(jrpc_server_stop(server, NULL, NULL), 0);
    jrpc_server_free(server);
    uv_run(&app.loop, UV_RUN_DEFAULT);
    jrpc_server_free(server);
    assert_int_equal(uv_loop_close(&app.loop), 0);
}

static void regression_handler_closes_its_own_listener(void **state)
{
    jrpc_server *server = new_server(NULL);
    int fd = listen_on_socket(server);
    (void)state;

    send_text(fd, CALL("close", "1"));
    assert_int_equal(jrpc_server_run(server), 0);
    jrpc_server_free(server);
    expect_all(fd, RESULT("\"closed\"", "1"));
}

static void regression_handler_swaps_its_own_service(void **state)
{
    jrpc_server *server = new_server(NULL);
    int fd = listen_on_socket(server);
    (void)state;

    send_text(fd, CALL("swap", "1") CALL("absent", "2"));
    shutdown(fd, SHUT_WR);
    assert_int_equal(jrpc_server_run(server), 0);
    jrpc_server_free(server);
    expect_all(fd, RESULT("\"swapped\"", "1") "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,"
                                              "\"message\":\"Method not found\"},\"id\":2}\n");
}

static jrpc_peer *kept;

static int refuse(jrpc_peer *peer, void *user)
{
    (void)user;
    kept = jrpc_peer_ref(peer);
    return -1;
}

static void refused_peer_cannot_be_notified(void **state)
{
    jrpc_server_hooks hooks = JRPC_SERVER_HOOKS_INIT;
    jrpc_server *server = new_server(NULL);
    (void)state;

    hooks.peer_opened = refuse;
    assert_int_equal(jrpc_server_set_hooks(server, &hooks, NULL), 0);
    int fd = listen_on_socket_with(server, /* options */ NULL, -ECONNREFUSED);
    assert_false(jrpc_peer_is_open(kept));
    assert_int_equal(jrpc_peer_notify(kept, "x", NULL), -EPIPE);
    jrpc_server_free(server);
    jrpc_peer_unref(kept);
    close(fd);
}

/* Flags are the service's: a listener's limits do not change what it takes for a request. */
static void regression_limits_have_no_flags(void **state)
{
    static const char request[] = "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1,\"more\":1}\n";
    jrpc_listen_options listen = JRPC_LISTEN_OPTIONS_INIT;
    jrpc_options *options = NULL;
    jrpc_server *server = new_server(NULL);
    char answer[256] = "";
    (void)state;

    assert_int_equal(jrpc_options_new(&options), 0);
    assert_int_equal(jrpc_options_set(options, "allow_unknown_members", "yes"), 0);
    listen.limits = options;
    int fd = listen_on_socket_with(server, &listen, 0);
    assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(jrpc_server_run(server), 0);
    assert_true(read(fd, answer, sizeof(answer) - 1) > 0);
    assert_non_null(strstr(answer, "-32600"));
    jrpc_server_free(server);
    jrpc_options_free(options);
    close(fd);
}

static char noted[256];

static void note_line(const jrpc_log_record *record, void *user)
{
    (void)user;
    snprintf(noted, sizeof(noted), "%d %s %s", record->level, record->transport, record->text);
}

/* The program's own log has what the server finds wrong, not only what handlers do. */
static void regression_lines_about_peers_reach_the_hook(void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    jrpc_hooks hooks = JRPC_HOOKS_INIT;
    jrpc_server *server = new_server(NULL);
    (void)state;

    hooks.logged = note_line;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, NULL), 0);
    int fd = listen_on_socket(server);
    assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
    assert_int_equal(jrpc_server_run(server), 0);
    assert_string_equal(noted, "4 stdio this looks like HTTP: use an http:// endpoint, closing");
    jrpc_server_free(server);
    close(fd);
}

/*
 * Listening
 */

static void bad_endpoints_are_refused(void **state)
{
    static const struct {
        const char *url;
        int status;
        const char *text;
    } rows[] = {
        {"", -EINVAL, NULL},
        {"nonsense", -EINVAL, NULL},
        {"nosuch:x", -ENOTSUP, "no transport for 'nosuch', only for stdio, fd, unix, tcp"},
        {"stdio:x", -EINVAL, "options only"},
        {"stdio:?guard=maybe", -EINVAL, "guard"},
        {"stdio:?framing=none", -EINVAL, "framing"},
        {"stdio:?framin=line", -EINVAL, "did you mean framing"},
        {"fd:", -EINVAL, "two descriptors"},
        {"fd:3", -EINVAL, "two descriptors"},
        {"fd:3,4x", -EINVAL, "two descriptors"},
        {"fd:-1,4", -EINVAL, "two descriptors"},
        {"fd:+3,4", -EINVAL, "two descriptors"},
        {"fd:3, 4", -EINVAL, "two descriptors"},
        {"fd:4294967296,4", -EINVAL, "two descriptors"}, /* not 0 */
        {"fd:3,18446744073709551617", -EINVAL, "two descriptors"},
        {"fd:3,4?guard=no", -EINVAL, "guard"},
        {"fd:9998,9999", -EBADF, "input descriptor"},
        {"fd:0,9999", -EBADF, "output descriptor"},
    };
    jrpc_server *server = new_server(NULL);
    jrpc_listener *listener = NULL;
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int status = jrpc_server_listen(server, service, rows[i].url, NULL, &listener);
        const jrpc_problem *problem = jrpc_server_problem(server);
        if (status != rows[i].status || !problem || problem->code != status || !problem->text[0] ||
            (rows[i].text && !strstr(problem->text, rows[i].text)))
            fail_msg("'%s': expected %d, %s; but got %d, %s", rows[i].url, rows[i].status,
                     rows[i].text, status, problem ? problem->text : "no problem");
    }
    assert_null(listener);
    assert_int_equal(jrpc_server_stop(server, NULL, NULL), 0);
    jrpc_server_free(server);
}

static void service_is_busy_while_it_is_served(void **state)
{
    jrpc_server *server = new_server(NULL);
    int fd = listen_on_socket(server);
    (void)state;

    assert_int_equal(jrpc_service_remove(service, "ping"), -EBUSY);
    jrpc_server_free(server);
    assert_int_equal(jrpc_service_remove(service, "ping"), 0);
    close(fd);
}

static void schemes_are_taken_once(void **state)
{
    static const char *const schemes[] = {"mine", "fd", NULL};
    jrpc_transport transport = memory_transport;
    jrpc_server *server = new_server(NULL);
    (void)state;

    assert_int_equal(jrpc_server_add_transport(server, &memory_transport), 0);
    assert_int_equal(jrpc_server_add_transport(server, &memory_transport), -EEXIST);
    transport.schemes = schemes;
    assert_int_equal(jrpc_server_add_transport(server, &transport), -EEXIST);
    assert_string_equal(jrpc_server_problem(server)->source, "fd");
    transport.size = 8;
    assert_int_equal(jrpc_server_add_transport(server, &transport), -EINVAL);
    assert_int_equal(jrpc_server_add_transport(server, NULL), -EINVAL);
    assert_int_equal(jrpc_server_listen(server, service, "memory:x", NULL, NULL), -EINVAL);
    jrpc_server_free(server);
}

static void limits_are_told_by_name(void **state)
{
    jrpc_server *server = new_server(NULL);
    jrpc_listener *listener = NULL;
    int ends[2];
    char url[64];
    (void)state;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    snprintf(url, sizeof(url), "fd:%d,%d", ends[1], ends[1]);
    assert_int_equal(jrpc_server_listen(server, service, url, NULL, &listener), 0);
    assert_string_equal(jrpc_listener_address(listener), url);
    assert_int_equal(jrpc_listener_limit(listener, "message_max"), 4194304);
    assert_int_equal(jrpc_listener_limit(listener, "drain_ms"), 10000);
    assert_int_equal(jrpc_listener_limit(listener, "debug"), -1);
    assert_int_equal(jrpc_listener_limit(listener, "x"), -1);
    jrpc_server_free(server);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(server_that_never_ran_is_freed),
        CASE(server_runs_until_its_last_listener_closes),
        CASE(started_server_is_stopped_by_free),
        CASE(server_lives_on_the_applications_loop),
        CASE(server_that_has_not_stopped_is_not_freed),
        CASE(regression_loop_does_not_wait_for_what_it_invokes),
        CASE(regression_handler_closes_its_own_listener),
        CASE(regression_handler_swaps_its_own_service),
        CASE(refused_peer_cannot_be_notified),
        CASE(regression_limits_have_no_flags),
        CASE(regression_lines_about_peers_reach_the_hook),
        CASE(bad_endpoints_are_refused),
        CASE(service_is_busy_while_it_is_served),
        CASE(schemes_are_taken_once),
        CASE(limits_are_told_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
