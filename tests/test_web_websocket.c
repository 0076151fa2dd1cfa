/* SPDX-License-Identifier: MIT */
/*
 * test_web_websocket.c - WebSocket endpoints: frames, codes of the end, upgrades
 */
#define _GNU_SOURCE
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
#define WS "ws://127.0.0.1:0"

/* 40 bytes as a string, quoted: longer than message_max of 30. */
#define LONG "\"01234567890123456789012345678901234567\""

static void fault_ends_with_its_code(void **state)
{
    enum { N = 4 };
    static const struct {
        struct {
            unsigned first;
            const char *data;
            size_t len;
        } frames[N];
        unsigned code;
    } rows[] = {
        {{{WS_FINAL | WS_BINARY, "[]", 2}}, 1003},
        {{{WS_BINARY, "[", 1}}, 1003},
        {{{WS_FINAL | WS_TEXT, "\"\xff\"", 3}}, 1007},
        {{{WS_FINAL | WS_TEXT, "\"\xc0\xaf\"", 4}}, 1007},
        {{{WS_FINAL | WS_TEXT, "\"\xed\xa0\x80\"", 5}}, 1007},
        {{{WS_FINAL | WS_TEXT, "\"\xc3", 2}}, 1007},
        {{{WS_TEXT, "\"\xc3", 2}, {WS_FINAL | WS_CONTINUATION, "\"", 1}}, 1007},
        {{{WS_FINAL | WS_TEXT, LONG, 40}}, 1009},
        {{{WS_TEXT, LONG, 20}, {WS_FINAL | WS_CONTINUATION, LONG, 11}}, 1009},
        {{{WS_TEXT, LONG, 20}, {WS_CONTINUATION, LONG, 11}}, 1009},
        {{{WS_FINAL | 3, "", 0}}, 1002},
        {{{WS_FINAL | 11, "", 0}}, 1002},
        {{{WS_FINAL | 0x40 | WS_TEXT, "[]", 2}}, 1002},
        {{{WS_PING, "", 0}}, 1002},
        {{{WS_FINAL | WS_CONTINUATION, "[]", 2}}, 1002},
        {{{WS_TEXT, "[", 1}, {WS_FINAL | WS_TEXT, "]", 1}}, 1002},
        {{{WS_FINAL | WS_CLOSE, "\x03\xe8", 2}}, 1000},
        {{{WS_FINAL | WS_CLOSE, "\x03\xe9going", 7}}, 1001},
        {{{WS_FINAL | WS_CLOSE, "\x0b\xb8", 2}}, 3000},
        {{{WS_FINAL | WS_CLOSE, "\x03\xed", 2}}, 1002},
        {{{WS_FINAL | WS_CLOSE, "\x00\x01", 2}}, 1002},
        {{{WS_FINAL | WS_CLOSE, "", 0}}, 0},
    };
    static const char *const options[] = {"message_max", "30", NULL};
    suite_place *site = open_web(WS, options);

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        web_client *client = ws_visit(site);
        for (size_t j = 0; j < N && rows[i].frames[j].data; j++)
            ws_send(client, rows[i].frames[j].first, rows[i].frames[j].data, rows[i].frames[j].len);
        size_t len;
        char *text = ws_receive(client, &len);
        if (text || client->close_code != rows[i].code)
            fail_msg("row %zu: code %u, %s", i, client->close_code, text ? text : "");
        web_close(client);
    }
    close_site(site);
}

/* The server reads on, so that the answer to its closing handshake is found behind all the rest. */
static void fault_amid_many_frames_ends_cleanly(void **state)
{
    suite_place *site = open_web(WS, NULL);
    web_client *client = ws_visit(site);
    unsigned char frames[20000];
    size_t len = 0;

    (void)state;
    len += ws_put_frame(frames + len, WS_FINAL | WS_TEXT, "\"\xff\"", 3);
    while (len < sizeof(frames) - 16)
        len += ws_put_frame(frames + len, WS_FINAL | WS_TEXT, "[]", 2);
    assert_true(web_write(client, frames, len));
    ws_expect_end(client, 1007);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    assert_int_equal(site->desk.closed_reason, -EBADMSG);
    web_close(client);
    close_site(site);
}

static void text_may_be_split_anywhere(void **state)
{
    static const char text[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[\"\xc3\xa9\xe2\x82\xac"
        "\xf0\x9f\x98\x80\"],\"id\":1}";
    suite_place *site = open_web(WS, NULL);
    web_client *client = ws_visit(site);

    (void)state;
    for (size_t split = 0; split <= sizeof(text) - 1; split++) {
        bool is_ponged = false, is_answered = false;
        ws_send(client, WS_TEXT, text, split);
        ws_send(client, WS_FINAL | WS_PING, "hello", 5); /* in between */
        ws_send(client, WS_FINAL | WS_CONTINUATION, text + split, sizeof(text) - 1 - split);
        for (int i = 0; i < 2; i++) {
            char *data;
            size_t len;
            int first = ws_receive_frame(client, &data, &len);
            is_ponged |= first == (WS_FINAL | WS_PONG) && !strcmp(data, "hello");
            is_answered |= first == (WS_FINAL | WS_TEXT) &&
                           !strcmp(data, RESULT("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", "1"));
            free(data);
        }
        assert_true(is_ponged);
        assert_true(is_answered);
    }
    web_close(client);
    close_site(site);
}

static void bad_utf8_is_noticed_wherever_it_is_split(void **state)
{
    static const char text[] = "[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\"]";
    suite_place *site = open_web(WS, NULL);

    (void)state;
    for (size_t split = 0; split <= sizeof(text) - 1; split++) {
        web_client *client = ws_visit(site);
        ws_send(client, WS_TEXT, text, split);
        ws_send(client, WS_FINAL | WS_CONTINUATION, text + split, sizeof(text) - 1 - split);
        ws_expect_end(client, 1007);
        web_close(client);
    }
    close_site(site);
}

static void bytes_may_come_one_by_one(void **state)
{
    static const char upgrade[] =
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    static const char call[] = CALL("echo", "[1]", "1");
    suite_place *site = open_web(WS, NULL);
    web_client *client = web_visit(site);
    unsigned char frame[sizeof(call) + 14];
    char head[512];

    (void)state;
    for (size_t i = 0; i < sizeof(upgrade) - 1; i++)
        assert_true(web_write(client, upgrade + i, 1));
    assert_int_equal(web_read_head(client, head, sizeof(head)), 101);
    assert_non_null(strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    for (int round = 0; round < 3; round++) {
        size_t len = ws_put_frame(frame, WS_FINAL | WS_TEXT, call, sizeof(call) - 1);
        for (size_t i = 0; i < len; i++)
            assert_true(web_write(client, frame + i, 1));
        ws_expect(client, RESULT("1", "1"));
    }
    web_close(client);
    close_site(site);
}

/* They straddle whatever is read at once. */
static void tiny_pipelined_messages_are_all_answered_in_order(void **state)
{
    enum { N = 5000 };
    suite_place *site = open_web(WS, NULL);
    web_client *client = ws_visit(site);
    unsigned char *frames = malloc(N * 128);
    size_t len = 0;

    (void)state;
    assert_non_null(frames);
    for (int i = 0; i < N; i++) {
        char text[96];
        int n = snprintf(text, sizeof(text), CALL("echo", "[%d]", "%d"), i, i);
        len += ws_put_frame(frames + len, WS_FINAL | WS_TEXT, text, (size_t)n);
    }
    assert_true(web_write(client, frames, len));
    for (int i = 0; i < N; i++) {
        char text[96], *answer;
        size_t answer_len;
        snprintf(text, sizeof(text), RESULT("%d", "%d"), i, i);
        answer = ws_receive(client, &answer_len);
        assert_non_null(answer);
        assert_string_equal(answer, text);
        free(answer);
    }
    free(frames);
    web_close(client);
    close_site(site);
}

static void lengths_around_those_of_headers_go_both_ways(void **state)
{
    static const int lengths[] = {0,     1,     60,    80,     81,     82,     83,     84,    85,
                                  86,    87,    88,    89,     90,     120,    125,    126,   127,
                                  4000,  4096,  4097,  65400,  65480,  65490,  65491,  65492, 65493,
                                  65494, 65495, 65496, 65497,  65498,  65499,  65500,  65501, 65502,
                                  65535, 65536, 65537, 262143, 262144, 262145, 1000000};
    suite_place *site = open_web(WS, NULL);
    web_client *client = ws_visit(site);
    char *text = malloc(1001000);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        size_t len;
        int n = sprintf(text, "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":1,\"params\":[\"");
        memset(text + n, 'y', (size_t)lengths[i]);
        strcpy(text + n + lengths[i], "\"]}");
        ws_text(client, text);
        char *answer = ws_receive(client, &len);
        assert_non_null(answer);
        assert_int_equal(len, strlen(answer));
        json_t *value = json_loads(answer, 0, NULL);
        assert_int_equal(json_string_length(json_object_get(value, "result")), lengths[i]);
        json_decref(value);
        free(answer);
    }
    free(text);
    web_close(client);
    close_site(site);
}

/* RFC 6455 forbids it; libwebsockets does not mind. */
static void unmasked_frames_are_taken(void **state)
{
    static const char text[] = CALL("echo", "[1]", "1");
    suite_place *site = open_web(WS, NULL);
    web_client *client = ws_visit(site);
    const unsigned char header[2] = {WS_FINAL | WS_TEXT, sizeof(text) - 1};

    (void)state;
    assert_true(web_write(client, header, 2));
    assert_true(web_write(client, text, sizeof(text) - 1));
    ws_expect(client, RESULT("1", "1"));
    web_close(client);
    close_site(site);
}

/*
 * The upgrade
 */

#define UPGRADE_OF(start, upgrade, connection, key, version, more)                                 \
    start " HTTP/1.1\r\n" upgrade connection key version more "\r\n"
#define TO_WS "Upgrade: websocket\r\n"
#define UPGRADE "Connection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"

static void upgrade_is_asked_for_properly_or_refused(void **state)
{
    static const struct {
        const char *request;
        int status; /* -1: hung up */
    } rows[] = {
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13, HOST), 101},
        {UPGRADE_OF("GET /?a=b", TO_WS, UPGRADE, KEY, V13, HOST), 101},
        {UPGRADE_OF("GET /", "Upgrade: WebSocket\r\n", "Connection: keep-alive, Upgrade\r\n", KEY,
                    V13, HOST),
         101},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13, HOST "Origin: http://localhost\r\n"), 101},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13, HOST "Sec-WebSocket-Protocol: jsonrpc\r\n"),
         101},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13,
                    HOST "Sec-WebSocket-Protocol: x, jsonrpc-2.0\r\n"),
         101},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13,
                    HOST "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
         101},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13, HOST "Sec-WebSocket-Protocol: chat\r\n"),
         400},
        {UPGRADE_OF("GET /x", TO_WS, UPGRADE, KEY, V13, HOST), 404},
        {UPGRADE_OF("POST /", TO_WS, UPGRADE, KEY, V13, HOST "Content-Length: 0\r\n"), 405},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, "Sec-WebSocket-Version: 8\r\n", HOST), 426},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, "Sec-WebSocket-Version: 13, 8\r\n", HOST), 426},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, "", HOST), 426},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, "", V13, HOST), 400},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, "Sec-WebSocket-Key: short\r\n", V13, HOST), 400},
        {UPGRADE_OF("GET /", TO_WS, "", KEY, V13, HOST), 400},
        {UPGRADE_OF("GET /", TO_WS, "Connection: keep-alive\r\n", KEY, V13, HOST), 400},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13, ""), 421},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13, "Host: evil.example\r\n"), 421},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13, HOST HOST), 421},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13, HOST "Origin: http://evil.example\r\n"),
         403},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13, HOST "Origin: null\r\n"), 403},
        {UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13,
                    HOST "Origin: http://localhost\r\nOrigin: http://evil.example\r\n"),
         403},
        {UPGRADE_OF("GET /", "Upgrade: h2c\r\n", "Connection: Upgrade, HTTP2-Settings\r\n",
                    "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n", "", HOST),
         -1},
        {UPGRADE_OF("GET /", "", "", "", "", HOST), 426},
        {UPGRADE_OF("POST /", "", "", "", "", HOST "Content-Length: 2\r\n") "[]", 426},
        {"CONNECT localhost:80 HTTP/1.1\r\n" HOST "\r\n", -1},
    };
    suite_place *site = open_web(WS, NULL);

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        web_client *client = web_visit(site);
        char head[1024];
        assert_true(web_puts(client, rows[i].request));
        int status = web_read_head(client, head, sizeof(head));
        if (status != rows[i].status)
            fail_msg("status %d, not %d, to %s", status, rows[i].status, rows[i].request);
        if (status == 101)
            assert_null(web_header(head, "sec-websocket-extensions"));
        web_close(client);
    }
    close_site(site);
}

static void subprotocol_that_is_known_is_agreed_upon(void **state)
{
    suite_place *site = open_web(WS, NULL);
    web_client *client = web_visit(site);
    char head[1024];

    (void)state;
    web_puts(client, UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13,
                                HOST "Sec-WebSocket-Protocol: x, jsonrpc\r\n"));
    assert_int_equal(web_read_head(client, head, sizeof(head)), 101);
    const char *value = web_header(head, "sec-websocket-protocol");
    assert_non_null(value);
    assert_int_equal(strncmp(value, "jsonrpc\r\n", 9), 0);
    web_close(client);
    close_site(site);
}

static void listed_host_and_origin_are_let_in(void **state)
{
    suite_place *site =
        open_web(WS "/rpc?host=api.example&origin=https://app.example,https://b.example", NULL);
    static const struct {
        const char *host, *origin;
        int status;
    } rows[] = {
        {"api.example", "https://app.example", 101}, {"api.example:443", "https://b.example", 101},
        {"localhost", "https://b.example", 101},     {"other.example", "https://b.example", 421},
        {"api.example", "https://c.example", 403},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        web_client *client = web_visit(site);
        char text[1024];
        snprintf(text, sizeof(text),
                 "GET /rpc HTTP/1.1\r\n" TO_WS UPGRADE KEY V13 "Host: %s\r\nOrigin: %s\r\n\r\n",
                 rows[i].host, rows[i].origin);
        web_puts(client, text);
        assert_int_equal(web_read_head(client, text, sizeof(text)), rows[i].status);
        web_close(client);
    }
    close_site(site);
}

/* A client has to wait for the answer to its upgrade (RFC 6455, section 4.1). What one that does
 * not has sent is answered, or it is hung up on: libwebsockets loses its place now and then. */
static void messages_together_with_the_upgrade_are_survived(void **state)
{
    static const char call[] = CALL("echo", "[1]", "1");
    static const char upgrade[] = UPGRADE_OF("GET /", TO_WS, UPGRADE, KEY, V13, HOST);
    suite_place *site = open_web(WS, NULL);
    unsigned char bytes[sizeof(upgrade) + 3 * sizeof(call) + 64];
    size_t len = sizeof(upgrade) - 1;

    (void)state;
    memcpy(bytes, upgrade, len);
    for (int i = 0; i < 3; i++)
        len += ws_put_frame(bytes + len, WS_FINAL | WS_TEXT, call, sizeof(call) - 1);
    for (size_t split = sizeof(upgrade) - 3; split < len; split += 7) {
        web_client *client = web_visit(site);
        char head[512];
        assert_true(web_write(client, bytes, split));
        assert_true(web_write(client, bytes + split, len - split));
        assert_int_equal(web_read_head(client, head, sizeof(head)), 101);
        for (int i = 0; i < 3; i++) {
            size_t text_len;
            char *text = ws_receive(client, &text_len);
            json_t *value = text ? json_loadb(text, text_len, 0, NULL) : NULL;
            if (text)
                assert_json_equal(value, RESULT("1", "1"));
            json_decref(value);
            free(text);
        }
        web_close(client);
    }
    web_client *client = ws_visit(site);
    ws_text(client, call);
    ws_expect(client, RESULT("1", "1"));
    web_close(client);
    close_site(site);
}

/*
 * The end
 */

static void stopping_server_says_so(void **state)
{
    suite_place *site = open_web(WS, NULL);
    web_client *client = ws_visit(site);

    (void)state;
    ws_text(client, CALL("echo", "[1]", "1"));
    ws_expect(client, RESULT("1", "1"));
    stop_site(site);
    ws_expect_end(client, 1001);
    web_close(client);
    close_site(site);
}

static void closed_peer_is_told_that_all_is_well(void **state)
{
    suite_place *site = open_web(WS, NULL);
    web_client *client = ws_visit(site);

    (void)state;
    ws_text(client, CALL("echo", "[1]", "1"));
    ws_expect(client, RESULT("1", "1"));
    jrpc_peer_close(site->peers[0]);
    ws_expect_end(client, 1000);
    web_close(client);
    close_site(site);
}

static void connection_that_posts_may_become_a_websocket(void **state)
{
    suite_place *site = open_web("http://127.0.0.1:0", NULL);
    web_client *client = web_visit(site);
    web_response response;

    (void)state;
    web_post(client, "", "{}", 2);
    web_receive(client, &response);
    assert_int_equal(response.status, 400);
    free(response.body);
    assert_int_equal(ws_upgrade(client, "/", ""), 101);
    ws_text(client, CALL("echo", "[1]", "1"));
    ws_expect(client, RESULT("1", "1"));
    assert_int_equal(desk_read(&site->desk, &site->desk.n_closed), 1);
    web_close(client);
    close_site(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_ends_with_its_code),
        cmocka_unit_test(fault_amid_many_frames_ends_cleanly),
        cmocka_unit_test(text_may_be_split_anywhere),
        cmocka_unit_test(bad_utf8_is_noticed_wherever_it_is_split),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(tiny_pipelined_messages_are_all_answered_in_order),
        cmocka_unit_test(lengths_around_those_of_headers_go_both_ways),
        cmocka_unit_test(unmasked_frames_are_taken),
        cmocka_unit_test(upgrade_is_asked_for_properly_or_refused),
        cmocka_unit_test(subprotocol_that_is_known_is_agreed_upon),
        cmocka_unit_test(listed_host_and_origin_are_let_in),
        cmocka_unit_test(messages_together_with_the_upgrade_are_survived),
        cmocka_unit_test(stopping_server_says_so),
        cmocka_unit_test(closed_peer_is_told_that_all_is_well),
        cmocka_unit_test(connection_that_posts_may_become_a_websocket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
