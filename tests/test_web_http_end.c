/* SPDX-License-Identifier: MIT */
/*
 * test_web_http_end.c - messages by POST: how answers go, tokens, limits, and the end
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
#define LENGTH_2 "Content-Length: 2\r\n"

#define UPGRADE(path)                                                                              \
    "GET " path " HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n"               \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

/*
 * Answers
 */

static void large_answers_go_out_whole(void **state)
{
    static const int lengths[] = {0, 1000, 70000, 262144, 5000000};
    suite_place *site = open_web(HTTP, NULL);
    web_client *client = web_visit(site);

    (void)state;
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        char text[128];
        web_response response;
        snprintf(text, sizeof(text), CALL("big", "[%d]", "1"), lengths[i]);
        web_post(client, "", text, strlen(text));
        web_receive(client, &response);
        assert_int_equal(response.status, 200);
        json_t *value = json_loads(response.body, 0, NULL);
        assert_int_equal(json_string_length(json_object_get(value, "result")), lengths[i]);
        json_decref(value);
        free(response.body);
    }
    web_close(client);
    close_site(site);
}

static void head_has_no_body(void **state)
{
    suite_place *site = open_web(HTTP, NULL);
    web_client *client = web_visit(site);
    char head[512];

    (void)state;
    web_puts(client, "HEAD /healthz HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(web_read_head(client, head, sizeof(head)), 200);
    assert_int_equal(strtol(web_header(head, "content-length"), NULL, 10), 3);
    assert_false(web_read(client));
    assert_int_equal(client->len, 0);
    web_close(client);
    close_site(site);
}

static void listed_origin_is_told_that_it_is(void **state)
{
    suite_place *site = open_web(HTTP "?origin=https://app.example", NULL);
    web_client *client = web_visit(site);
    web_response response;

    (void)state;
    web_puts(client, "OPTIONS / HTTP/1.1\r\n" HOST "Origin: https://app.example\r\n"
                     "Access-Control-Request-Method: POST\r\n\r\n");
    web_receive(client, &response);
    assert_int_equal(response.status, 204);
    assert_int_equal(strncmp(web_header(response.head, "access-control-allow-origin"),
                             "https://app.example\r\n", 21),
                     0);
    assert_non_null(web_header(response.head, "access-control-allow-headers"));
    web_close(client);
    client = web_visit(site);
    web_post(client, "Origin: https://app.example\r\n", PING, strlen(PING));
    web_receive(client, &response);
    assert_int_equal(response.status, 200);
    assert_non_null(web_header(response.head, "access-control-allow-origin"));
    assert_non_null(web_header(response.head, "vary"));
    free(response.body);
    web_call(client, PING, 200, RESULT("1", "1"));
    web_post(client, "", PING, strlen(PING));
    web_receive(client, &response);
    assert_null(web_header(response.head, "access-control-allow-origin"));
    free(response.body);
    web_close(client);
    close_site(site);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void token_is_asked_for(void **state)
{
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"POST / HTTP/1.1\r\n" HOST JSON LENGTH_2 "\r\n{}", 401},
        {"POST / HTTP/1.1\r\n" HOST JSON LENGTH_2 "Authorization: Bearer secret\r\n\r\n{}", 400},
        {"POST / HTTP/1.1\r\n" HOST JSON LENGTH_2 "Authorization: bearer other\r\n\r\n{}", 400},
        {"POST / HTTP/1.1\r\n" HOST JSON LENGTH_2 "Authorization: Bearer secre\r\n\r\n{}", 401},
        {"POST / HTTP/1.1\r\n" HOST JSON LENGTH_2 "Authorization: Bearer \r\n\r\n{}", 401},
        {"POST / HTTP/1.1\r\n" HOST JSON LENGTH_2 "Authorization: Basic secret\r\n\r\n{}", 401},
        {"POST /?access_token=secret HTTP/1.1\r\n" HOST JSON LENGTH_2 "\r\n{}", 401},
        {UPGRADE("/"), 401},
        {UPGRADE("/?access_token=wrong"), 401},
        {UPGRADE("/?access_token=secret"), 101},
        {UPGRADE("/?a=b&access_token=other"), 101},
        {"GET / HTTP/1.1\r\n" HOST "\r\n", 200}, /* the console is no secret */
    };
    char folder[] = "/tmp/jrpc-web-XXXXXX", path[64], url[128], head[4096];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/tokens", folder);
    write_file(path, "secret\nother\n");
    snprintf(url, sizeof(url), HTTP "?token_file=%s", path);
    suite_place *site = open_web(url, NULL);
    unlink(path);
    rmdir(folder);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        web_client *client = web_visit(site);
        web_puts(client, rows[i].request);
        int status = web_read_head(client, head, sizeof(head));
        if (status != rows[i].status)
            fail_msg("%d, not %d, to %s", status, rows[i].status, rows[i].request);
        web_close(client);
    }
    close_site(site);
}

static void unix_socket_serves_http(void **state)
{
    char folder[] = "/tmp/jrpc-web-XXXXXX", url[128];
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
    snprintf(url, sizeof(url), "http+unix:%s?mode=0600", address.sun_path);
    suite_place *site = open_web(url, NULL);
    assert_string_equal(jrpc_listener_address(site->at.listeners[0]) + strlen("http+unix:"),
                        address.sun_path);
    web_client *client = calloc(1, sizeof(*client));
    assert_non_null(client);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    web_call(client, PING, 200, RESULT("1", "1"));
    assert_int_equal(ws_upgrade(client, "/", ""), 101);
    assert_non_null(strstr(jrpc_peer_identity(site->peers[0]), "uid="));
    web_close(client);
    close_site(site);
    assert_int_equal(rmdir(folder), 0); /* the socket's file is gone */
}

/*
 * Limits, and the end
 */

static void peer_past_peers_max_is_told_so(void **state)
{
    static const char *const options[] = {"peers_max", "1", NULL};
    suite_place *site = open_web(HTTP, options);
    web_client *first = web_visit(site), *second = web_visit(site);

    (void)state;
    web_call(first, PING, 200, RESULT("1", "1"));
    web_post(second, "", PING, strlen(PING));
    web_expect(second, 503, NULL);
    web_close(second);
    web_close(first);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    first = web_visit(site);
    web_call(first, PING, 200, RESULT("1", "1"));
    web_close(first);
    close_site(site);
}

static void strangers_past_handshakes_max_wait_for_others_to_go(void **state)
{
    static const char *const options[] = {"handshakes_max", "2", NULL};
    suite_place *site = open_web(HTTP, options);
    web_client *clients[5];

    (void)state;
    for (size_t i = 0; i < LENGTH(clients); i++)
        clients[i] = web_visit(site);
    web_post(clients[4], "", PING, strlen(PING));
    web_post(clients[3], "", PING, strlen(PING));
    for (size_t i = 0; i < 3; i++)
        web_close(clients[i]);
    for (size_t i = 3; i < 5; i++) {
        web_expect(clients[i], 200, RESULT("1", "1"));
        web_close(clients[i]);
    }
    close_site(site);
}

static void regression_connection_that_stays_idle_is_closed(void **state)
{
    static const char *const options[] = {"idle_ms", "300", NULL};
    static const char *const calls[] = {PING, CALL("big", "[8000000]", "1")};
    suite_place *site = open_web(HTTP, options);

    (void)state;
    for (size_t i = 0; i < LENGTH(calls); i++) {
        web_client *client = web_visit(site);
        web_response response;
        web_post(client, "", calls[i], strlen(calls[i]));
        web_receive(client, &response);
        assert_int_equal(response.status, 200);
        free(response.body);
        assert_false(web_read(client));
        web_close(client);
    }
    close_site(site);
}

static void vanished_clients_call_is_cancelled(void **state)
{
    suite_place *site = open_web(HTTP, NULL);
    web_client *client = web_visit(site);

    (void)state;
    web_post(client, "", CALL("hold", "[]", "1"), strlen(CALL("hold", "[]", "1")));
    jrpc_call *held = desk_take(&site->desk);
    web_close(client);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    assert_true(jrpc_call_is_cancelled(held));
    assert_int_equal(jrpc_reply_integer(held, 1), -EPIPE);
    jrpc_call_free(held);
    close_site(site);
}

static void stopping_server_answers_and_closes(void **state)
{
    suite_place *site = open_web(HTTP, NULL);
    web_client *idle = web_visit(site), *busy = web_visit(site), *stranger = web_visit(site);
    web_response response;

    (void)state;
    web_call(idle, PING, 200, RESULT("1", "1"));
    web_post(busy, "", CALL("hold", "[]", "1"), strlen(CALL("hold", "[]", "1")));
    jrpc_call *held = desk_take(&site->desk);
    begin_stop(site);
    web_post(idle, "", PING, strlen(PING));
    web_receive(idle, &response);
    assert_int_equal(response.status, 503);
    assert_string_equal(response.body, BUSY("1"));
    assert_non_null(web_header(response.head, "connection"));
    free(response.body);
    assert_int_equal(jrpc_reply_integer(held, 7), 0);
    jrpc_call_free(held);
    web_receive(busy, &response);
    assert_string_equal(response.body, RESULT("7", "1"));
    assert_non_null(web_header(response.head, "connection"));
    free(response.body);
    assert_false(web_read(idle));
    assert_false(web_read(busy));
    assert_false(web_read(stranger));
    web_close(idle);
    web_close(busy);
    web_close(stranger);
    close_site(site);
}

static void regression_call_is_told_that_it_timed_out_when_draining_ends(void **state)
{
    static const char *const options[] = {"drain_ms", "5", NULL};
    suite_place *site = open_web(HTTP, options);
    web_client *client = web_visit(site);

    (void)state;
    web_post(client, "", CALL("hold", "[]", "1"), strlen(CALL("hold", "[]", "1")));
    jrpc_call *held = desk_take(&site->desk);
    stop_site(site);
    web_expect(client, 504, TIMED_OUT("1"));
    assert_false(web_read(client));
    jrpc_call_free(held);
    web_close(client);
    close_site(site);
}

static void call_may_take_longer_than_anything_behind_a_chunked_body(void **state)
{
    static const char text[] = "POST / HTTP/1.1\r\n" HOST JSON "Transfer-Encoding: chunked\r\n\r\n"
                               "36\r\n{\"jsonrpc\":\"2.0\",\"method\":\"hold\",\"params\":[],"
                               "\"id\":1  }\r\n0\r\n\r\n";
    suite_place *site = open_web(HTTP, NULL);
    web_client *client = web_visit(site);

    (void)state;
    web_puts(client, text);
    answer(&site->desk, 7, 0);
    web_expect(client, 200, RESULT("7", "1"));
    web_close(client);
    close_site(site);
}

/*
 * Listening
 */

static void endpoint_at_fault_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *url;
        int status;
        const char *text; /* of the reason */
    } rows[] = {
        {"http://127.0.0.1", -EADDRINUSE, "address already in use"},
        {"http:/path", -EINVAL, "expected a host"},
        {"http://127.0.0.1:0?hosts=a", -EINVAL, "did you mean host?"},
        {"ws://127.0.0.1:0?host=", -EINVAL, "host"},
        {"ws://127.0.0.1:0?message_max=1", -EINVAL, "message_max"},
        {"http://256.0.0.1:0", -EINVAL, ""},
        {"http+unix:", -EINVAL, "expected a path"},
        {"https://127.0.0.1:0", -EINVAL, "needs cert= and key="},
        {"https://127.0.0.1:0?cert=/absent&key=/absent", -ENOENT, "cert: no such file"},
        {"wss://127.0.0.1:0?cert=/dev/null&key=/dev/null", -EINVAL, "certificate"},
        {"http://127.0.0.1:0?cert=/dev/null", -EINVAL, "cert"},
        {"http://127.0.0.1:0?token_file=/dev/null", -EINVAL, "expected tokens"},
        {"http://127.0.0.1:0?mode=0600", -EINVAL, "mode"},
    };
    suite_place *site = open_web(HTTP, NULL);
    jrpc_server *server = NULL;

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char url[128];
        if (rows[i].status == -EADDRINUSE)
            snprintf(url, sizeof(url), "%s:%u", rows[i].url, web_port(site));
        else
            snprintf(url, sizeof(url), "%s", rows[i].url);
        assert_int_equal(jrpc_server_new(NULL, NULL, &server), 0);
        int status = jrpc_server_listen(server, site->at.service, url, NULL, NULL);
        const jrpc_problem *problem = jrpc_server_problem(server);
        assert_non_null(problem);
        if (status != rows[i].status || !strstr(problem->text, rows[i].text))
            fail_msg("%s: %d %s", url, status, problem->text);
        jrpc_server_free(server);
    }
    close_site(site);
}

static void address_has_the_real_port_and_the_path(void **state)
{
    suite_place *site = open_web("http://localhost:0/rpc?host=a", NULL);
    const char *address = jrpc_listener_address(site->at.listeners[0]);
    unsigned port = 0;
    char path[16] = "";

    (void)state;
    assert_int_equal(sscanf(address, "http://localhost:%u/%15s", &port, path), 2);
    assert_in_range(port, 1, 65535);
    assert_string_equal(path, "rpc");
    close_site(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_answers_go_out_whole),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(listed_origin_is_told_that_it_is),
        cmocka_unit_test(token_is_asked_for),
        cmocka_unit_test(unix_socket_serves_http),
        cmocka_unit_test(peer_past_peers_max_is_told_so),
        cmocka_unit_test(strangers_past_handshakes_max_wait_for_others_to_go),
        cmocka_unit_test(regression_connection_that_stays_idle_is_closed),
        cmocka_unit_test(vanished_clients_call_is_cancelled),
        cmocka_unit_test(stopping_server_answers_and_closes),
        cmocka_unit_test(regression_call_is_told_that_it_timed_out_when_draining_ends),
        cmocka_unit_test(call_may_take_longer_than_anything_behind_a_chunked_body),
        cmocka_unit_test(endpoint_at_fault_is_refused_with_the_reason),
        cmocka_unit_test(address_has_the_real_port_and_the_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
