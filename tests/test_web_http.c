/* SPDX-License-Identifier: MIT */
/*
 * test_web_http.c - messages by POST: who is let in, how bodies come
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

#include <cmocka.h>

#include "web_site.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define LENGTH_2 "Content-Length: 2\r\n"

static void messages_are_answered_with_their_status(void **state)
{
    static const struct {
        const char *text;
        int status;
        const char *expected;
    } rows[] = {
        {CALL("echo", "[1]", "1"), 200, RESULT("1", "1")},
        {NOTIFICATION("count", "[]"), 204, NULL},
        {"[" NOTIFICATION("count", "[]") "]", 204, NULL},
        {"{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}", 204, NULL},
        {"{", 400, ERROR(-32700, "Parse error", "null")},
        {"\"\xff\"", 400, ERROR(-32700, "Parse error", "null")},
        {"{}", 400, ERROR(-32600, "Invalid Request", "null")},
        {CALL("absent", "[]", "1"), 404, ERROR(-32601, "Method not found", "1")},
        {CALL("echo", "[1,2,3]", "1"), 400, NULL /* looked at below */},
        {"[" CALL("echo", "[1]", "1") "," CALL("echo", "[2]", "2") "]", 200,
         "[" RESULT("1", "1") "," RESULT("2", "2") "]"},
    };
    suite_place *site = open_web(HTTP, NULL);
    web_client *client = web_visit(site);

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        if (rows[i].status == 400 && !rows[i].expected)
            web_call(client, rows[i].text, 400, ERROR(-32602, "Invalid params", "1"));
        else
            web_call(client, rows[i].text, rows[i].status, rows[i].expected);
    }
    assert_int_equal(desk_read(&site->desk, &site->desk.n_opened), 1);
    web_close(client);
    close_site(site);
}

static void empty_body_is_a_parse_error(void **state)
{
    suite_place *site = open_web(HTTP, NULL);
    web_client *client = web_visit(site);

    (void)state;
    web_call(client, "", 400, ERROR(-32700, "Parse error", "null"));
    web_close(client);
    close_site(site);
}

/* Each has a context of libwebsockets on a thread of its own. */
static void several_servers_serve_side_by_side(void **state)
{
    enum { N = 3 };
    suite_place *sites[N];
    web_client *clients[N];

    (void)state;
    for (int i = 0; i < N; i++) {
        sites[i] = open_web(HTTP, NULL);
        clients[i] = web_visit(sites[i]);
    }
    for (int round = 0; round < 200; round++)
        for (int i = 0; i < N; i++)
            web_call(clients[i], PING, 200, RESULT("1", "1"));
    for (int i = 0; i < N; i++) {
        web_close(clients[i]);
        close_site(sites[i]);
    }
}

/*
 * Requests
 */

enum { JUNK = -2 };

static const struct {
    const char *request;
    int status; /* -1: hung up on; JUNK: so, or 403 */
    const char *header, *value;
} requests[] = {
    {"GET / HTTP/1.1\r\n" HOST "\r\n", 200, "Content-Security-Policy", "default-src 'none'"},
    {"PUT / HTTP/1.1\r\n" HOST LENGTH_2 "\r\n{}", 405, "Connection", "close"},
    {"DELETE / HTTP/1.1\r\n" HOST "\r\n", 405, "Allow", "POST"},
    {"OPTIONS / HTTP/1.1\r\n" HOST "\r\n", 405, "Allow", "POST"},
    {"GET /healthz HTTP/1.1\r\n" HOST "\r\n", 200, "Content-Length", "3"},
    {"GET /metrics HTTP/1.1\r\n" HOST "\r\n", 200, "Content-Type",
     "text/plain; version=0.0.4; charset=utf-8"},
    {"GET /metrics HTTP/1.1\r\n" HOST "X-Forwarded-For: 192.0.2.1\r\n\r\n", 403, NULL, NULL},
    {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, NULL, NULL},
    {"GET /other HTTP/1.1\r\n" HOST "\r\n", 404, NULL, NULL},
    {"POST /other HTTP/1.1\r\n" HOST JSON LENGTH_2 "\r\n{}", 404, "Connection", "close"},
    {"POST /?a=b HTTP/1.1\r\n" HOST JSON LENGTH_2 "\r\n{}", 400, "Content-Type",
     "application/json"},
    {"POST / HTTP/1.1\r\n" JSON LENGTH_2 "\r\n{}", 421, "Connection", "close"},
    {"POST / HTTP/1.1\r\nHost: evil.example\r\n" JSON LENGTH_2 "\r\n{}", 421, NULL, NULL},
    {"POST / HTTP/1.1\r\n" HOST HOST JSON LENGTH_2 "\r\n{}", 421, NULL, NULL},
    {"POST / HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\n" JSON LENGTH_2 "\r\n{}", 403, NULL,
     NULL},
    {"POST / HTTP/1.1\r\n" HOST "Origin: http://localhost\r\n" JSON LENGTH_2 "\r\n{}", 400, NULL,
     NULL},
    {"POST / HTTP/1.1\r\n" HOST LENGTH_2 "\r\n{}", 415, NULL, NULL},
    {"POST / HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\n" LENGTH_2 "\r\n{}", 415, NULL, NULL},
    {"POST / HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n" JSON LENGTH_2 "\r\n{}", 415,
     NULL, NULL},
    {"POST / HTTP/1.1\r\n" HOST JSON "\r\n", 411, "Connection", "close"},
    {"POST / HTTP/1.1\r\n" HOST JSON "Content-Length: two\r\n\r\n{}", 400, NULL, NULL},
    {"POST / HTTP/1.1\r\n" HOST JSON "Content-Length: -2\r\n\r\n{}", 400, NULL, NULL},
    {"POST / HTTP/1.1\r\n" HOST JSON LENGTH_2 LENGTH_2 "\r\n{}", 400, NULL, NULL},
    {"POST / HTTP/1.1\r\n" HOST JSON LENGTH_2
     "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
     400, NULL, NULL},
    {"POST / HTTP/1.1\r\n" HOST JSON "Transfer-Encoding: gzip, chunked\r\n\r\n", 400, NULL, NULL},
    {"POST / HTTP/1.0\r\n" HOST JSON "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, NULL,
     NULL},
    {"POST / HTTP/1.1\r\n" HOST JSON "Content-Length: 999999999999999999999999\r\n\r\n{}", 413,
     "Connection", "close"},
    {"POST / HTTP/1.1\r\n" HOST JSON "Content-Length: 5000000\r\n\r\n{}", 413, "Connection",
     "close"},
    {"POST / HTTP/1.1\r\n" HOST JSON "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, "Connection",
     "close"},
    {"POST / HTTP/1.0\r\n" HOST JSON LENGTH_2 "\r\n{}", 400, "Connection", "close"},
    {"POST / HTTP/1.0\r\n" HOST JSON "Connection: keep-alive\r\n" LENGTH_2 "\r\n{}", 400,
     "Connection", "keep-alive"},
    {"POST / HTTP/1.1\r\n" HOST JSON "Connection: close\r\n" LENGTH_2 "\r\n{}", 400, "Connection",
     "close"},
    {"BREW / HTTP/1.1\r\n" HOST "\r\n", JUNK, NULL, NULL},
    {"\r\n\r\n", JUNK, NULL, NULL},
    {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n", JUNK, NULL, NULL},
    {"GET / HTTP/1.1\r\n" HOST "Upgrade: h2c\r\n\r\n", -1, NULL, NULL},
    {"GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n\r\n", 426, NULL, NULL},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", JUNK, NULL, NULL},
};

static void requests_get_their_status_and_never_a_hang(void **state)
{
    suite_place *site = open_web(HTTP, NULL);

    (void)state;
    for (size_t i = 0; i < LENGTH(requests); i++) {
        web_client *client = web_visit(site);
        web_response response;
        web_puts(client, requests[i].request);
        if (requests[i].status < 0)
            shutdown(client->fd, SHUT_WR);
        web_receive(client, &response);
        bool is_junk = response.status == -1 || response.status == 403;
        if (requests[i].status == JUNK ? !is_junk : response.status != requests[i].status)
            fail_msg("%d, not %d, to %s", response.status, requests[i].status, requests[i].request);
        const char *value =
            requests[i].header ? web_header(response.head, requests[i].header) : NULL;
        if (requests[i].header &&
            (!value || strncmp(value, requests[i].value, strlen(requests[i].value)) != 0))
            fail_msg("%s to %s", response.head, requests[i].request);
        assert_null(web_header(response.head, "server"));
        free(response.body);
        web_close(client);
    }
    close_site(site);
}

static void headers_without_end_are_hung_up_on(void **state)
{
    suite_place *site = open_web(HTTP, NULL);
    web_client *client = web_visit(site);
    char line[1024];

    (void)state;
    memset(line, 'x', sizeof(line));
    memcpy(line, "X-Header: ", 10);
    memcpy(line + sizeof(line) - 2, "\r\n", 2);
    web_puts(client, "POST / HTTP/1.1\r\n");
    for (int i = 0; i < 1000 && web_write(client, line, sizeof(line)); i++)
        continue;
    web_response response;
    web_receive(client, &response);
    assert_int_not_equal(response.status, 200);
    free(response.body);
    web_close(client);
    close_site(site);
}

static void pages_are_served_as_the_options_say(void **state)
{
    static const struct {
        const char *url, *path;
        int status;
        const char *body; /* a part of it */
    } rows[] = {
        {HTTP, "/", 200, "<title>"},
        {HTTP "?console=no", "/", 405, "POST"},
        {HTTP "/rpc", "/rpc", 200, "<title>"},
        {HTTP "/rpc", "/", 404, "Not found"},
        {HTTP, "/healthz", 200, "ok\n"},
        {"ws://127.0.0.1:0", "/healthz", 200, "ok\n"},
        {"ws://127.0.0.1:0", "/", 426, "WebSocket"},
        {HTTP, "/metrics", 200, "# HELP "},
        {HTTP "?metrics=no", "/metrics", 404, "Not found"},
        {"ws://127.0.0.1:0", "/metrics", 404, "Not found"},
        {"ws://127.0.0.1:0?metrics=yes", "/metrics", 200, "# HELP "},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        suite_place *site = open_web(rows[i].url, NULL);
        web_client *client = web_visit(site);
        char text[256];
        web_response response;
        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", rows[i].path);
        web_puts(client, text);
        web_receive(client, &response);
        if (response.status != rows[i].status || !response.body ||
            !strstr(response.body, rows[i].body))
            fail_msg("%s %s: %d %s", rows[i].url, rows[i].path, response.status,
                     response.body ? response.body : "");
        free(response.body);
        assert_false(web_read(client));
        web_close(client);
        close_site(site);
    }
}

/*
 * Bodies
 */

static void requests_may_come_in_any_pieces(void **state)
{
    static const char text[] = "POST / HTTP/1.1\r\n" HOST JSON "Content-Length: 53\r\n\r\n" PING;
    suite_place *site = open_web(HTTP, NULL);
    web_client *client = web_visit(site);

    (void)state;
    assert_int_equal(strlen(PING), 53);
    for (size_t split = 1; split < sizeof(text) - 1; split++) {
        web_write(client, text, split);
        web_write(client, text + split, sizeof(text) - 1 - split);
        web_expect(client, 200, RESULT("1", "1"));
    }
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        web_write(client, text + i, 1);
    web_expect(client, 200, RESULT("1", "1"));
    assert_int_equal(desk_read(&site->desk, &site->desk.n_opened), 1);
    web_close(client);
    close_site(site);
}

static void chunks_may_come_in_any_pieces(void **state)
{
    static const char text[] = "POST / HTTP/1.1\r\n" HOST JSON "Transfer-Encoding: chunked\r\n\r\n"
                               "1\r\n{\r\n34;x=y\r\n\"jsonrpc\":\"2.0\",\"method\":\"echo\","
                               "\"params\":[1],\"id\":1}\r\n0\r\nTrailer: x\r\n\r\n";
    suite_place *site = open_web(HTTP, NULL);
    web_response response;

    (void)state;
    for (size_t split = 1; split < sizeof(text) - 1; split += 3) {
        web_client *client = web_visit(site);
        web_write(client, text, split);
        web_write(client, text + split, sizeof(text) - 1 - split);
        web_receive(client, &response);
        assert_int_equal(response.status, 200);
        assert_string_equal(response.body, RESULT("1", "1"));
        assert_non_null(web_header(response.head, "connection"));
        free(response.body);
        assert_false(web_read(client));
        web_close(client);
    }
    close_site(site);
}

static void body_past_message_max_is_too_large_however_it_comes(void **state)
{
    static const char *const options[] = {"message_max", "60", NULL};
    static const char *const heads[] = {
        "POST / HTTP/1.1\r\n" HOST JSON "Content-Length: 61\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST JSON "Transfer-Encoding: chunked\r\n\r\n3d\r\n",
        "POST / HTTP/1.1\r\n" HOST JSON "Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n3c\r\n",
    };
    suite_place *site = open_web(HTTP, options);
    char text[128];

    (void)state;
    for (size_t i = 0; i < LENGTH(heads); i++) {
        web_client *client = web_visit(site);
        web_puts(client, heads[i]);
        memset(text, ' ', sizeof(text));
        web_write(client, text, 61);
        web_expect(client, 413, TOO_LARGE("null"));
        web_close(client);
    }
    web_client *client = web_visit(site);
    memset(text, ' ', 60);
    memcpy(text, PING, 53);
    web_post(client, "", text, 60);
    web_expect(client, 200, RESULT("1", "1"));
    web_close(client);
    close_site(site);
}

/* The answer must not be lost with a connection that is reset. */
static void refused_upload_still_gets_its_answer(void **state)
{
    enum { LEN = 5000000 };
    suite_place *site = open_web(HTTP, NULL);
    char *text = calloc(1, LEN);

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < 5; i++) {
        web_client *client = web_visit(site);
        assert_true(web_post(client, "", text, LEN));
        web_expect(client, 413, TOO_LARGE("null"));
        web_close(client);
    }
    free(text);
    close_site(site);
}

static void client_that_waits_to_be_told_is_told_to_go_on(void **state)
{
    suite_place *site = open_web(HTTP, NULL);
    web_client *client = web_visit(site);
    char head[256];

    (void)state;
    web_puts(client,
             "POST / HTTP/1.1\r\n" HOST JSON "Expect: 100-continue\r\nContent-Length: 53\r\n\r\n");
    assert_int_equal(web_read_head(client, head, sizeof(head)), 100);
    web_puts(client, PING);
    web_expect(client, 200, RESULT("1", "1"));
    web_puts(client,
             "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 53\r\n\r\n");
    assert_int_equal(web_read_head(client, head, sizeof(head)), 415);
    web_close(client);
    close_site(site);
}

static void slow_body_is_timed_out(void **state)
{
    static const char *const options[] = {"idle_ms", "30", NULL};
    suite_place *site = open_web(HTTP, options);
    web_client *client = web_visit(site);

    (void)state;
    web_puts(client, "POST / HTTP/1.1\r\n" HOST JSON "Content-Length: 53\r\n\r\n{");
    web_expect(client, 408, NULL);
    assert_false(web_read(client));
    web_close(client);
    close_site(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_answered_with_their_status),
        cmocka_unit_test(empty_body_is_a_parse_error),
        cmocka_unit_test(several_servers_serve_side_by_side),
        cmocka_unit_test(requests_get_their_status_and_never_a_hang),
        cmocka_unit_test(pages_are_served_as_the_options_say),
        cmocka_unit_test(headers_without_end_are_hung_up_on),
        cmocka_unit_test(requests_may_come_in_any_pieces),
        cmocka_unit_test(chunks_may_come_in_any_pieces),
        cmocka_unit_test(body_past_message_max_is_too_large_however_it_comes),
        cmocka_unit_test(refused_upload_still_gets_its_answer),
        cmocka_unit_test(client_that_waits_to_be_told_is_told_to_go_on),
        cmocka_unit_test(slow_body_is_timed_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
