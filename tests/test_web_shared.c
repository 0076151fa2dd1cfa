/* SPDX-License-Identifier: MIT */
/*
 * test_web_shared.c - listeners that differ only in their path share a port
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "web_site.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define WHERE CALL("context", "[]", "1")
#define AT(name) RESULT("\"" name "\"", "1")

/* Something to be done with listeners, on the loop. Its context is its path. */
typedef struct listen_order {
    char url[192];
    char *path;
    jrpc_listener *listener;
    int status;
    jrpc_problem problem;
} listen_order;

static void listen_there(suite_place *site, void *user)
{
    listen_order *order = user;
    jrpc_listen_options options = JRPC_LISTEN_OPTIONS_INIT;

    options.context = order->path;
    order->status = jrpc_server_listen(site->at.server, site->at.service, order->url, &options,
                                       &order->listener);
    if (order->status)
        order->problem = *jrpc_server_problem(site->at.server);
}

/* Beside the first; rest: what stands behind the port. */
static int try_beside(suite_place *site, const char *scheme, const char *rest, listen_order *order)
{
    static char paths[16][16];
    static size_t n_paths;

    *order = (listen_order){.path = paths[n_paths++ % 16]};
    snprintf(order->path, 16, "%.*s", (int)strcspn(rest, "?"), rest);
    snprintf(order->url, sizeof(order->url), "%s://127.0.0.1:%u%s", scheme, web_port(site), rest);
    on_loop(site, listen_there, order);
    return order->status;
}

static jrpc_listener *listen_beside(suite_place *site, const char *scheme, const char *rest)
{
    listen_order order;

    if (try_beside(site, scheme, rest, &order))
        fail_msg("%s: %s", order.url, order.problem.text);
    assert_string_equal(strrchr(jrpc_listener_address(order.listener), '/'), order.path);
    return order.listener;
}

static void close_there(suite_place *site, void *user)
{
    (void)site;
    assert_int_equal(jrpc_listener_close(user), 0);
}

static void close_and_wait(suite_place *site, jrpc_listener *listener)
{
    unsigned n = desk_read(&site->desk, &site->desk.n_listeners_closed);

    on_loop(site, close_there, listener);
    desk_wait_for(&site->desk, &site->desk.n_listeners_closed, n + 1, "the listener's end");
}

/* /calc, which has no context, and /admin. */
static suite_place *open_two(void)
{
    suite_place *site = open_web(HTTP "/calc", NULL);

    listen_beside(site, "http", "/admin");
    return site;
}

static void put_post(web_client *client, const char *path, const char *text)
{
    char head[512];

    snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\n" HOST JSON "Content-Length: %zu\r\n\r\n%s",
             path, strlen(text), text);
    web_puts(client, head);
}

static void call_at(web_client *client, const char *path, const char *expected)
{
    put_post(client, path, WHERE);
    web_expect(client, 200, expected);
}

static void get_at(suite_place *site, const char *path, const char *headers, int status,
                   const char *part)
{
    web_client *client = web_visit(site);
    char text[512];
    web_response response;

    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n%s\r\n", path, headers);
    web_puts(client, text);
    web_receive(client, &response);
    if (response.status != status || !response.body || !strstr(response.body, part))
        fail_msg("%s: %d %s", path, response.status, response.body ? response.body : "");
    free(response.body);
    web_close(client);
}

/* One at a time: it is the peer of the listener that it has called last. */
static void connection_may_call_one_and_then_the_other(void **state)
{
    static const char *const paths[] = {"/calc",  "/calc", "/admin", "/admin",
                                        "/admin", "/calc", "/admin"};
    suite_place *site = open_two();
    web_client *client = web_visit(site);
    unsigned n_opened = 0;

    (void)state;
    for (size_t i = 0; i < LENGTH(paths); i++) {
        n_opened += !i || strcmp(paths[i], paths[i - 1]) != 0;
        call_at(client, paths[i], paths[i][1] == 'c' ? RESULT("false", "1") : AT("/admin"));
        assert_int_equal(desk_read(&site->desk, &site->desk.n_opened), n_opened);
        assert_int_equal(desk_read(&site->desk, &site->desk.n_closed), n_opened - 1);
    }
    web_close(client);
    close_site(site);
}

static void pages_are_those_of_their_path(void **state)
{
    suite_place *site = open_two();

    (void)state;
    listen_beside(site, "ws", "/socket");
    listen_beside(site, "http", "/quiet?console=no&openrpc=no");
    get_at(site, "/calc", HOST, 200, "<title>");
    get_at(site, "/admin", HOST, 200, "<title>");
    get_at(site, "/admin/openrpc.json", HOST, 200, "\"openrpc\"");
    get_at(site, "/calc/openrpc.json", HOST, 200, "\"openrpc\"");
    get_at(site, "/openrpc.json", HOST, 404, "Not found");
    get_at(site, "/", HOST, 404, "Not found");
    get_at(site, "/socket", HOST, 426, "WebSocket");
    get_at(site, "/quiet", HOST, 405, "POST");
    get_at(site, "/quiet/openrpc.json", HOST, 404, "Not found");
    get_at(site, "/healthz", HOST, 200, "ok\n");
    get_at(site, "/metrics", HOST, 200, "# HELP ");
    listen_beside(site, "http", "/");
    get_at(site, "/openrpc.json", HOST, 200, "\"openrpc\"");
    close_site(site);
}

static void numbers_are_there_if_one_shows_them(void **state)
{
    suite_place *site = open_web(HTTP "/calc?metrics=no", NULL);

    (void)state;
    listen_beside(site, "ws", "/socket");
    get_at(site, "/metrics", HOST, 404, "Not found");
    listen_beside(site, "http", "/admin");
    get_at(site, "/metrics", HOST, 200, "# HELP ");
    close_site(site);
}

static void each_lets_in_whom_it_likes(void **state)
{
    suite_place *site = open_two();

    (void)state;
    listen_beside(site, "http", "/named?host=api.example&origin=http://a.example");
    listen_beside(site, "http", "/secret?token_file=" JRPC_SOURCE_DIR "/LICENSE");
    get_at(site, "/named", "Host: api.example\r\n", 200, "<title>");
    get_at(site, "/calc", "Host: api.example\r\n", 421, "host");
    get_at(site, "/healthz", "Host: api.example\r\n", 200, "ok\n");
    get_at(site, "/none", "Host: api.example\r\n", 404, "Not found");
    get_at(site, "/none", "Host: evil.example\r\n", 421, "host");
    get_at(site, "/named/openrpc.json", HOST "Origin: http://a.example\r\n", 200, "\"openrpc\"");
    get_at(site, "/calc/openrpc.json", HOST "Origin: http://a.example\r\n", 403, "origin");
    get_at(site, "/secret/openrpc.json", HOST, 401, "token");
    get_at(site, "/secret/openrpc.json", HOST "Authorization: Bearer MIT License\r\n", 200,
           "\"openrpc\"");
    close_site(site);
}

static void upgrade_is_to_the_listener_of_its_path(void **state)
{
    static const struct {
        const char *path, *expected; /* NULL: 404 */
    } rows[] = {
        {"/calc", RESULT("false", "1")}, {"/admin", AT("/admin")},     {"/socket", AT("/socket")},
        {"/admin/openrpc.json", NULL},   {"/admin?a=b", AT("/admin")}, {"/none", NULL},
    };
    suite_place *site = open_two();

    (void)state;
    listen_beside(site, "ws", "/socket");
    for (size_t i = 0; i < LENGTH(rows); i++) {
        web_client *client = web_visit(site);
        if (i % 2) { /* it may have been the peer of another */
            call_at(client, "/calc", RESULT("false", "1"));
        }
        assert_int_equal(ws_upgrade(client, rows[i].path, ""), rows[i].expected ? 101 : 404);
        if (rows[i].expected) {
            ws_text(client, WHERE);
            ws_expect(client, rows[i].expected);
        }
        web_close(client);
    }
    close_site(site);
}

static void neighbour_at_fault_is_refused_and_told_why(void **state)
{
    static const struct {
        const char *scheme, *rest, *text;
    } rows[] = {
        {"http", "/calc", "that path is served by http://127.0.0.1:"},
        {"ws", "/calc", "that path is served by http://127.0.0.1:"},
        {"http", "/calc?console=no", "/calc already"},
        {"https", "/other", "speaks TLS, unlike http://127.0.0.1:"},
        {"wss", "/other?cert=/dev/null&key=/dev/null", "/calc at the same port"},
    };
    suite_place *site = open_web(HTTP "/calc", NULL);
    listen_order order;

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        assert_int_equal(try_beside(site, rows[i].scheme, rows[i].rest, &order), -EADDRINUSE);
        assert_int_equal(order.problem.code, -EADDRINUSE);
        if (!strstr(order.problem.text, rows[i].text) ||
            !strstr(order.problem.source, "://127.0.0.1:"))
            fail_msg("%s: %s", order.problem.source, order.problem.text);
    }
    get_at(site, "/calc", HOST, 200, "<title>");
    close_site(site);
}

static void closed_listener_takes_nobody_else_along(void **state)
{
    suite_place *site = open_web(HTTP "/calc", NULL);
    jrpc_listener *admin = listen_beside(site, "http", "/admin");
    web_client *calc = web_visit(site), *at_admin = web_visit(site), *socket = web_visit(site);

    (void)state;
    put_post(calc, "/calc", CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    call_at(at_admin, "/admin", AT("/admin"));
    assert_int_equal(ws_upgrade(socket, "/admin", ""), 101);
    for (int round = 0; round < 3; round++) {
        close_and_wait(site, admin);
        assert_int_equal(desk_read(&site->desk, &site->desk.n_opened) -
                             desk_read(&site->desk, &site->desk.n_closed),
                         1);
        get_at(site, "/admin", HOST, 404, "Not found");
        get_at(site, "/calc", HOST, 200, "<title>");
        admin = listen_beside(site, "http", "/admin");
        get_at(site, "/admin", HOST, 200, "<title>");
    }
    assert_false(web_read(at_admin));
    ws_expect_end(socket, 1000 + 1);
    assert_int_equal(jrpc_reply_integer(held, 7), 0);
    jrpc_call_free(held);
    web_expect(calc, 200, RESULT("7", "1"));
    call_at(calc, "/admin", AT("/admin"));
    web_close(calc);
    web_close(at_admin);
    web_close(socket);
    close_site(site);
}

/* Its path may be taken again though its last call is not answered yet. */
static void path_may_change_hands(void **state)
{
    suite_place *site = open_web(HTTP "/calc", NULL);
    jrpc_listener *old = listen_beside(site, "http", "/admin");
    web_client *busy = web_visit(site), *other = web_visit(site);

    (void)state;
    put_post(busy, "/admin", CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    on_loop(site, close_there, old);
    put_post(other, "/admin", WHERE);
    web_expect(other, 503, NULL);
    web_close(other);
    listen_beside(site, "http", "/admin");
    other = web_visit(site);
    call_at(other, "/admin", AT("/admin"));
    assert_int_equal(jrpc_reply_integer(held, 7), 0);
    jrpc_call_free(held);
    web_expect(busy, 200, RESULT("7", "1"));
    desk_wait_for(&site->desk, &site->desk.n_listeners_closed, 1, "the listener's end");
    call_at(other, "/admin", AT("/admin"));
    web_close(busy);
    web_close(other);
    close_site(site);
}

/* Whatever it was doing, from within the call of one of its own connections. */
static void listener_may_close_itself(void **state)
{
    suite_place *site = open_two();

    (void)state;
    for (int i = 0; i < 3; i++) {
        web_client *client = web_visit(site);
        put_post(client, "/admin", CALL("close_listener", "[]", "1"));
        web_expect(client, 200, RESULT("0", "1"));
        assert_false(web_read(client));
        web_close(client);
        desk_wait_for(&site->desk, &site->desk.n_listeners_closed, (unsigned)i + 1, "the end");
        listen_beside(site, "http", "/admin");
    }
    close_site(site);
}

static void last_one_closes_the_port(void **state)
{
    suite_place *site = open_web(HTTP "/calc", NULL);
    jrpc_listener *admin = listen_beside(site, "ws", "/admin");
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)web_port(site))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    close_and_wait(site, site->at.listeners[0]); /* the one that opened it */
    web_client *client = web_connect((unsigned)ntohs(address.sin_port));
    assert_int_equal(ws_upgrade(client, "/admin", ""), 101);
    web_close(client);
    close_and_wait(site, admin);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(fd);
    close_site(site);
}

static void unix_socket_is_shared_as_well(void **state)
{
    char folder[] = "/tmp/jrpc-web-XXXXXX", url[128];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    listen_order order = {.path = (char[]){"/admin"}};

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
    snprintf(url, sizeof(url), "http+unix:%s", address.sun_path);
    suite_place *site = open_web(url, NULL);
    snprintf(order.url, sizeof(order.url), "%s?path=/admin", url);
    on_loop(site, listen_there, &order);
    assert_int_equal(order.status, 0);
    assert_string_equal(jrpc_listener_address(order.listener), order.url);
    web_client *client = calloc(1, sizeof(*client));
    assert_non_null(client);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    call_at(client, "/", RESULT("false", "1"));
    call_at(client, "/admin", AT("/admin"));
    web_close(client);
    snprintf(order.url, sizeof(order.url), "%s?path=/other&mode=0666", url);
    on_loop(site, listen_there, &order);
    assert_int_equal(order.status, -EADDRINUSE);
    assert_non_null(strstr(order.problem.text, "it has another mode=, unlike"));
    snprintf(order.url, sizeof(order.url), "%s?path=other", url);
    on_loop(site, listen_there, &order);
    assert_int_equal(order.status, -EINVAL);
    close_site(site);
    assert_int_equal(rmdir(folder), 0); /* the socket's file is gone */
}

/* By calling the other the connection ceases to be a peer of the first. */
static void regression_hook_closes_the_listener_that_is_being_called(void **state)
{
    suite_place *site = open_web(HTTP "/calc", NULL);
    jrpc_listener *admin = listen_beside(site, "http", "/admin");
    web_client *client = web_visit(site);
    web_response response;

    (void)state;
    call_at(client, "/calc", RESULT("false", "1"));
    site->closes_next = admin;
    put_post(client, "/admin", WHERE);
    web_receive(client, &response);
    assert_int_equal(response.status, 404);
    free(response.body);
    web_close(client);
    close_site(site);
}

/* That which is to be closed after it. */
static void regression_hook_closes_another_listener_when_stopping(void **state)
{
    suite_place *site = open_web("http://127.0.0.1:0/a", NULL);
    jrpc_listener *second = listen_beside(site, "http", "/b");

    (void)state;
    listen_beside(site, "http", "/c");
    site->closes_next = second;
    stop_site(site);
    desk_wait_for(&site->desk, &site->desk.n_stopped, 1, "the end");
    assert_int_equal(site->desk.n_listeners_closed, 3);
    close_site(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_may_call_one_and_then_the_other),
        cmocka_unit_test(pages_are_those_of_their_path),
        cmocka_unit_test(numbers_are_there_if_one_shows_them),
        cmocka_unit_test(each_lets_in_whom_it_likes),
        cmocka_unit_test(upgrade_is_to_the_listener_of_its_path),
        cmocka_unit_test(neighbour_at_fault_is_refused_and_told_why),
        cmocka_unit_test(closed_listener_takes_nobody_else_along),
        cmocka_unit_test(path_may_change_hands),
        cmocka_unit_test(listener_may_close_itself),
        cmocka_unit_test(last_one_closes_the_port),
        cmocka_unit_test(regression_hook_closes_the_listener_that_is_being_called),
        cmocka_unit_test(regression_hook_closes_another_listener_when_stopping),
        cmocka_unit_test(unix_socket_is_shared_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
