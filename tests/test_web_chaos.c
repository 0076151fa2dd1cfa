/* SPDX-License-Identifier: MIT */
/*
 * test_web_chaos.c - over HTTP and WebSocket every allocation fails once, and once with all later
 * ones
 *
 * The library's own: those of libwebsockets and of the client are left alone. Whatever a client
 * sends is answered with what is due or with an error that says why not, or it is hung up on.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "chaos_place.h"
#include "web_client.h"

#define URL "http://127.0.0.1:0/?host=a.example,b.example&origin=https://c.example"
#define HOST "Host: localhost\r\n"
#define ORIGIN "Origin: https://c.example\r\n"

enum { FAILURES_MAX = 3000, HANG_S = 60, LONG = 300000 };

static chaos_place place; /* outlives a failed assertion */

static web_client *visit(void)
{
    const jrpc_listener *listener = place.listeners[0];

    return listener ? web_connect((unsigned)atoi(strrchr(jrpc_listener_address(listener), ':') + 1))
                    : NULL;
}

/* An answer, a batch of them, or a notification. */
static void check_message(const char *text, size_t len)
{
    size_t i;
    json_t *member, *value = json_loadb(text, len, 0, NULL);

    if (!value)
        CHAOS_FAIL(&place, "received %.*s", (int)len, text);
    if (json_is_object(value) && !json_object_get(value, "method"))
        chaos_check(&place, &place.clients[0], value);
    json_array_foreach(value, i, member)
        chaos_check(&place, &place.clients[0], member);
    json_decref(value);
}

/*
 * HTTP
 */

/* Sends it on the connection, on another if the server has closed that, and looks at the answer:
 * the status that is due, one that says why not, or none. */
static void request(web_client **client, const char *bytes, size_t len, int status)
{
    web_response response;

    if (!*client)
        *client = visit();
    if (!*client)
        return;
    web_write(*client, bytes, len);
    web_receive(*client, &response);
    int got = response.status;
    if (got != status && got != -1 && got != 500 && got != 503 && got != 504 && got != 403)
        CHAOS_FAIL(&place, "status %d, not %d", got, status);
    const char *type = got > 0 ? web_header(response.head, "content-type") : NULL;
    if (response.body && type && !strncmp(type, "application/json\r", 17))
        check_message(response.body, response.len);
    const char *connection = got > 0 ? web_header(response.head, "connection") : NULL;
    free(response.body);
    if (got > 0 && (!connection || strncmp(connection, "close", 5) != 0))
        return;
    web_close(*client);
    *client = NULL;
}

static void post(web_client **client, const char *headers, const char *text, int status)
{
    char *bytes = NULL;
    int len = asprintf(&bytes,
                       "POST / HTTP/1.1\r\n" HOST "%sContent-Type: application/json\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       headers, strlen(text), text);

    assert_true(len > 0);
    request(client, bytes, (size_t)len, status);
    free(bytes);
}

static void end(web_client *client)
{
    if (client)
        web_close(client);
}

static void post_calls(void)
{
    chaos_client *due = &place.clients[0];
    web_client *client = NULL;

    EXPECT(due, 1, RESULT("{\"a\":[1]}", 1));
    post(&client, "", CALL("echo", "[{\"a\":[1]}]", 1), 200);
    EXPECT(due, 2, ERROR(-32601, "Method not found", 2));
    post(&client, "", CALL("absent", "[]", 2), 404);
    EXPECT(due, 3, ERROR(-32602, "Invalid params", 3));
    post(&client, ORIGIN, CALL("echo", "{\"x\":1}", 3), 400);
    post(&client, "", "{", 400);
    post(&client, ORIGIN, NOTIFICATION("count", "[]"), 204);
    EXPECT(due, 4, RESULT("4", 4));
    EXPECT(due, 5, RESULT("7", 5));
    EXPECT(due, 6, RESULT("8", 6));
    post(&client, "",
         "[" CALL("echo", "[4]", 4) "," CALL("hold", "[]", 5) "," CALL("work", "[]", 6) "]", 200);
    EXPECT(due, 7, RESULT("7", 7));
    post(&client, ORIGIN, CALL("hold", "[]", 7), 200);
    end(client);
}

/* A message whose answer is as long, as new text. */
static char *long_call(const char *id)
{
    char *text = malloc(LONG + 100);

    assert_non_null(text);
    int n = sprintf(text, "{\"jsonrpc\":\"2.0\",\"method\":\"count\",\"id\":%s,\"params\":[\"", id);
    memset(text + n, 'y', LONG);
    strcpy(text + n + LONG, "\"]}");
    return text;
}

static void post_large_messages(void)
{
    static const char chunked[] = "POST / HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n";
    chaos_client *due = &place.clients[0];
    web_client *client = NULL;
    char *text = long_call("1"), *bytes = NULL;

    EXPECT(due, 1, RESULT("null", 1));
    post(&client, "", text, 200);
    free(text);
    text = long_call("2");
    EXPECT(due, 2, RESULT("null", 2));
    int len = asprintf(&bytes, chunked, strlen(text), text);
    assert_true(len > 0);
    request(&client, bytes, (size_t)len, 200);
    EXPECT(due, 3, RESULT("\"xxx\"", 3));
    post(&client, "", CALL("big", "[3]", 3), 200);
    free(text);
    free(bytes);
    end(client);
}

static void look_at_pages(void)
{
    static const char *const paths[] = {"/", "/healthz", "/metrics", "/absent"};
    web_client *client = NULL;

    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        char text[128];
        int len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
        request(&client, text, (size_t)len, i < 3 ? 200 : 404);
    }
    end(client);
}

static void be_refused(void)
{
    static const struct {
        const char *head;
        int status;
    } rows[] = {
        {"GET /x HTTP/1.1\r\n" HOST "Sec-WebSocket-Version: 13\r\n", 404},
        {"GET / HTTP/1.1\r\n" HOST "Sec-WebSocket-Version: 8\r\n", 426},
        {"GET / HTTP/1.1\r\n" HOST ORIGIN "Sec-WebSocket-Version: 8\r\n", 426},
        {"GET / HTTP/1.1\r\nHost: x.example\r\nSec-WebSocket-Version: 13\r\n", 421},
        {"GET / HTTP/1.1\r\n" HOST "Origin: https://x.example\r\n", 403},
    };
    web_client *client = NULL;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char text[512];
        int len = snprintf(text, sizeof(text),
                           "%sUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                           rows[i].head);
        request(&client, text, (size_t)len, rows[i].status);
    }
    end(client);
}

/*
 * WebSocket
 */

/* NULL: it was refused, which an origin is for want of memory, too. */
static web_client *upgrade(void)
{
    web_client *client = visit();
    int status = client ? ws_upgrade(client, "/", ORIGIN) : -1;

    if (status != 101 && status != -1 && status != 503 && status != 403)
        CHAOS_FAIL(&place, "status %d of an upgrade", status);
    if (status == 101 || !client)
        return client;
    web_close(client);
    return NULL;
}

static void ws_call(web_client *client, const char *text)
{
    ws_send(client, WS_FINAL | WS_TEXT, text, strlen(text));
}

/* Until so many messages came, pushed ones not counted, or the server has hung up: false. */
static bool ws_expect(web_client *client, unsigned n)
{
    while (n) {
        size_t len = 0;
        char *text = ws_receive(client, &len);
        if (!text)
            return false;
        check_message(text, len);
        n -= !strstr(text, "\"method\"");
        free(text);
    }
    return true;
}

static void call_by_websocket(void)
{
    chaos_client *due = &place.clients[0];
    web_client *client = upgrade();

    if (!client)
        return;
    EXPECT(due, 1, RESULT("1", 1));
    EXPECT(due, 2, RESULT("7", 2));
    EXPECT(due, 3, RESULT("3", 3));
    EXPECT(due, 4, RESULT("8", 4));
    EXPECT(due, 5, RESULT("7", 5));
    EXPECT(due, 6, RESULT("8", 6));
    ws_call(client, CALL("echo", "[1]", 1));
    ws_call(client,
            "[" CALL("hold", "[]", 2) "," CALL("echo", "[3]", 3) "," CALL("work", "[]", 4) "]");
    ws_call(client, NOTIFICATION("count", "[]"));
    ws_call(client, CALL("hold", "[]", 5));
    ws_call(client, CALL("work", "[]", 6));
    ws_call(client, "{");
    ws_expect(client, 5);
    web_close(client);
}

static void call_and_cancel_by_websocket(void)
{
    chaos_client *due = &place.clients[0];
    web_client *client = upgrade();

    if (!client)
        return;
    EXPECT(due, 1, ERROR(-32800, "Request cancelled", 1));
    EXPECT(due, 2, ERROR(-32001, "Timed out", 2));
    ws_call(client, CALL("keep", "[]", 1));
    ws_call(client, CALL("keep_shortly", "[]", 2));
    ws_call(client, CANCEL(1));
    ws_expect(client, 2);
    web_close(client);
}

static void send_large_messages_by_websocket(void)
{
    chaos_client *due = &place.clients[0];
    web_client *client = upgrade();
    char *text = long_call("1");
    size_t len = strlen(text);

    EXPECT(due, 1, RESULT("null", 1));
    EXPECT(due, 2, RESULT("\"xxx\"", 2));
    if (client) {
        ws_send(client, WS_TEXT, text, 70000);
        ws_send(client, WS_CONTINUATION, text + 70000, 130000);
        ws_send(client, WS_FINAL | WS_CONTINUATION, text + 200000, len - 200000);
        ws_call(client, CALL("big", "[3]", 2));
        ws_expect(client, 2);
        web_close(client);
    }
    free(text);
}

static void receive_large_answers_by_websocket(void)
{
    web_client *client = upgrade();
    size_t len;

    if (!client)
        return;
    ws_call(client, CALL("big", "[1000000]", 1));
    ws_call(client, CALL("big", "[70000]", 1));
    for (int i = 0; i < 2; i++) { /* whole, or an error, or none */
        char *text = ws_receive(client, &len);
        json_t *value = text ? json_loadb(text, len, 0, NULL) : NULL;
        if (text && !json_is_object(value))
            CHAOS_FAIL(&place, "%zu bytes that are no answer", len);
        json_decref(value);
        free(text);
    }
    web_close(client);
}

static void be_pushed_to(void)
{
    chaos_client *due = &place.clients[0];
    web_client *client = upgrade();
    jrpc_topic *topic = NULL;

    if (!client)
        return;
    EXPECT(due, 1, RESULT("0", 1));
    EXPECT(due, 2, RESULT("2", 2));
    ws_call(client, CALL("notify", "[]", 1));
    if (ws_expect(client, 1)) {
        chaos_spare(false);
        int status = jrpc_topic_new(place.server, &topic);
        if (!status && place.peers[0])
            status = jrpc_topic_add(topic, place.peers[0]);
        if (!status || status == -EPIPE)
            status = jrpc_topic_notify(topic, "x", json_pack("[s]", "text"));
        chaos_spare(true);
        if (status < 0 && status != -ENOMEM && status != -EPIPE && status != -EILSEQ)
            CHAOS_FAIL(&place, "notifying gave %d", status);
        ws_call(client, CALL("echo", "[2]", 2));
        ws_expect(client, 1);
    }
    web_close(client);
    jrpc_topic_free(topic);
}

static void be_at_fault(void)
{
    static const struct {
        unsigned first;
        const char *data;
        size_t len;
        unsigned code;
    } rows[] = {
        {WS_FINAL | WS_TEXT, "\xff", 1, 1007},
        {WS_FINAL | WS_BINARY, "[]", 2, 1003},
        {WS_FINAL | 3, "", 0, 1002},
        {WS_FINAL | WS_CLOSE, "\x03\xe8", 2, 1000},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        web_client *client = upgrade();
        size_t len = 0;
        if (!client)
            continue;
        ws_send(client, rows[i].first, rows[i].data, rows[i].len);
        char *text = ws_receive(client, &len);
        if (text || (client->close_code && client->close_code != rows[i].code))
            CHAOS_FAIL(&place, "%s, code %u", text ? text : "closed", client->close_code);
        web_close(client);
    }
}

static void close_the_peer(void)
{
    chaos_client *due = &place.clients[0];
    web_client *client = upgrade();

    if (!client)
        return;
    EXPECT(due, 1, RESULT("null", 1));
    ws_call(client, CALL("close_peer", "[]", 1));
    if (ws_expect(client, 1) && due->is_answered[1] && !due->codes[1] && ws_expect(client, 1))
        CHAOS_FAIL(&place, "the peer was not closed");
    web_close(client);
}

static void stop_with_calls_in_flight(void)
{
    chaos_client *due = &place.clients[0];
    web_client *client = upgrade(), *other = NULL;

    EXPECT(due, 1, ERROR(-32001, "Timed out", 1));
    EXPECT(due, 2, RESULT("7", 2));
    EXPECT(due, 3, RESULT("0", 3));
    if (client) {
        ws_call(client, CALL("keep", "[]", 1));
        ws_call(client, CALL("hold", "[]", 2));
    }
    post(&other, "", CALL("stop", "[]", 3), 200);
    if (client) {
        ws_expect(client, 2);
        web_close(client);
    }
    end(other);
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"post calls", post_calls},
    {"post large messages", post_large_messages},
    {"look at pages", look_at_pages},
    {"be refused", be_refused},
    {"call by WebSocket", call_by_websocket},
    {"call and cancel by WebSocket", call_and_cancel_by_websocket},
    {"send large messages by WebSocket", send_large_messages_by_websocket},
    {"receive large answers by WebSocket", receive_large_answers_by_websocket},
    {"be pushed to", be_pushed_to},
    {"be at fault", be_at_fault},
    {"close the peer", close_the_peer},
    {"stop with calls in flight", stop_with_calls_in_flight},
};

static const char *running; /* the scenario */

static void tell_hang(int number)
{
    char text[128];
    int len = snprintf(text, sizeof(text), "hangs: signal %d, allocation %u, %s\n", number, place.n,
                       running);

    if (write(STDERR_FILENO, text, (size_t)len) > 0)
        abort();
}

/* The number of allocations there were. */
static unsigned run_once(size_t i, unsigned n, bool is_lasting)
{
    const jrpc_listen_options options = {.size = sizeof(options)};

    memset(&place, 0, sizeof(place));
    place.url = URL;
    place.n = n;
    running = scenarios[i].name;
    alarm(HANG_S);
    chaos_begin(n, is_lasting);
    bool is_open = chaos_open(&place, &options);
    if (is_open)
        scenarios[i].run();
    chaos_close(&place, is_open);
    return chaos_end();
}

static void run_all(bool is_lasting)
{
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++) {
        unsigned n = 0;

        print_message("%s\n", scenarios[i].name);
        run_once(i, 0, false);
        do {
            n++;
            assert_true(n < FAILURES_MAX);
        } while (run_once(i, n, is_lasting) >= n);
        assert_true(n > 10);
    }
}

static void one_allocation_fails(void **state)
{
    (void)state;
    run_all(/* is_lasting */ false);
}

static void all_further_allocations_fail(void **state)
{
    (void)state;
    run_all(/* is_lasting */ true);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_allocation_fails),
        cmocka_unit_test(all_further_allocations_fail),
    };

    chaos_prepare(argc > 1 ? argv[1] : NULL, tell_hang);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
