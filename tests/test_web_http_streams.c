/* SPDX-License-Identifier: MIT */
/*
 * test_web_http_streams.c - HTTP: requests hidden behind bodies, heads without measure, and
 * connections that end in any phase
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web_watch.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define BYTES(text) (text), sizeof(text) - 1
#define POST "POST / HTTP/1.1\r\n" HOST JSON
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define CHUNKS "35\r\n" PING "\r\n0\r\n\r\n"

/*
 * Requests behind bodies
 */

/* The one that is hidden: it must never run, for whoever passed it on has not seen it. */
#define COUNT NOTIFICATION("count", "[]")
#define HIDDEN POST "Content-Length: 46\r\n\r\n" COUNT

static const struct {
    const char *name, *bytes;
    size_t len;
    const char *told;
} smuggled[] = {
    {"length and chunks, the length is longer",
     BYTES(POST "Content-Length: 200\r\n" CHUNKED "\r\n0\r\n\r\n" HIDDEN), "400, end"},
    {"length and chunks, the length is shorter",
     BYTES(POST "Content-Length: 4\r\n" CHUNKED "\r\n35\r\n" PING "\r\n0\r\n\r\n" HIDDEN),
     "400, end"},
    {"chunks and length", BYTES(POST CHUNKED "Content-Length: 5\r\n\r\n0\r\n\r\n" HIDDEN),
     "400, end"},
    {"two lengths, the first is shorter",
     BYTES(POST "Content-Length: 0\r\nContent-Length: 200\r\n\r\n" HIDDEN), "400, end"},
    {"two lengths, the second is shorter",
     BYTES(POST "Content-Length: 200\r\nContent-Length: 0\r\n\r\n" HIDDEN), "400, end"},
    {"chunks that are not known",
     BYTES(POST "Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n" HIDDEN), "400, end"},
    {"chunks with a space before their colon",
     BYTES(POST "Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n" HIDDEN), "400, end"},
    {"chunks twice", BYTES(POST CHUNKED CHUNKED "\r\n0\r\n\r\n" HIDDEN), "400, end"},
    {"chunks of 1.0", BYTES("POST / HTTP/1.0\r\n" HOST JSON CHUNKED "\r\n0\r\n\r\n" HIDDEN),
     "400, end"},
    {"a chunk that ends too early", BYTES(POST CHUNKED "\r\n2\r\n[]\n0\r\n\r\n" HIDDEN),
     "400, end"},
    {"behind chunks", BYTES(POST CHUNKED "\r\n" CHUNKS HIDDEN), "200, end"},
    {"in a trailer", BYTES(POST CHUNKED "\r\n35\r\n" PING "\r\n0\r\nX: y\r\n\r\n" HIDDEN),
     "200, end"},
    {"behind a length", BYTES(POST "Content-Length: 53\r\n\r\n" PING HIDDEN), "200, end"},
    {"behind a length of 0", BYTES(POST "Content-Length: 0\r\n\r\n" HIDDEN), "400, end"},
    {"behind no length", BYTES(POST "\r\n" HIDDEN), "411, end"},
    {"behind what is refused",
     BYTES("POST /x HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n[]" HIDDEN), "404, end"},
    {"behind another type",
     BYTES("POST / HTTP/1.1\r\n" HOST
           "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n[]" HIDDEN),
     "415, end"},
    {"behind GET", BYTES("GET /healthz HTTP/1.1\r\n" HOST "\r\n" HIDDEN), "200, end"},
    {"behind GET with a length",
     BYTES("GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n[]" HIDDEN), "200, end"},
    {"behind DELETE", BYTES("DELETE / HTTP/1.1\r\n" HOST "\r\n" HIDDEN), "405, end"},
    {"behind a large length", BYTES(POST "Content-Length: 5000000\r\n\r\n" HIDDEN), "413, end"},
    {"in a header", BYTES("GET /healthz HTTP/1.1\r\n" HOST "Y: \r\n\t" HIDDEN), "200, end"},
    {"behind an upgrade that is refused",
     BYTES("GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n" HIDDEN),
     "400, end"},
};

static void request_hidden_behind_a_body_never_runs(void **state)
{
    web_watch watch;
    char told[TOLD_MAX];

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    for (size_t i = 0; i < LENGTH(smuggled); i++) {
        web_client *client = web_visit(watch.site);
        web_write(client, smuggled[i].bytes, smuggled[i].len);
        http_listen(client, told);
        if (strcmp(told, smuggled[i].told) != 0)
            fail_msg("%s: %s, not %s", smuggled[i].name, told, smuggled[i].told);
        web_close(client);
        watch_all_is_as_before(&watch);
        if (desk_read(&watch.site->desk, &watch.site->desk.n_counted))
            fail_msg("%s: it ran", smuggled[i].name);
    }
    watch_end(&watch);
}

/*
 * Heads
 */

/* head, then filling over and over to so many bytes, then tail: what comes back. */
static void send_much(web_watch *watch, const char *head, const char *filling, size_t len,
                      const char *tail, char told[TOLD_MAX])
{
    web_client *client = web_visit(watch->site);
    size_t filling_len = strlen(filling), n = len / filling_len;
    char *text = malloc(len + 1);

    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        memcpy(text + i * filling_len, filling, filling_len);
    if (web_puts(client, head) && web_write(client, text, n * filling_len))
        web_puts(client, tail);
    free(text);
    http_listen(client, told);
    web_close(client);
    watch_all_is_as_before(watch);
}

static void head_past_its_limit_is_hung_up_on(void **state)
{
    static const struct {
        const char *name, *head, *filling;
        size_t len;
        const char *tail, *told;
    } rows[] = {
        {"a target of 1,000 bytes", "GET /", "x", 1000, " HTTP/1.1\r\n" HOST "\r\n", "404, end"},
        {"a target of 100,000 bytes", "GET /", "x", 100000, " HTTP/1.1\r\n" HOST "\r\n", "end"},
        {"a target of 100,000 bytes of escapes", "GET /", "%41", 100000,
         " HTTP/1.1\r\n" HOST "\r\n", "end"},
        {"a query of 1,000 bytes", "GET /healthz?", "x", 1000, " HTTP/1.1\r\n" HOST "\r\n",
         "200, end"},
        {"a query of 100,000 bytes", "GET /healthz?", "x", 100000, " HTTP/1.1\r\n" HOST "\r\n",
         "end"},
        {"a query of 100 arguments", "GET /healthz?", "a&", 200, " HTTP/1.1\r\n" HOST "\r\n",
         "end"},
        {"a method of 100,000 bytes", "", "G", 100000, " / HTTP/1.1\r\n" HOST "\r\n", "403, end"},
        {"a version of 100,000 bytes", "GET / HTTP/1.1", "1", 100000, "\r\n" HOST "\r\n", "end"},
        {"a header of 10,000 bytes", "GET /healthz HTTP/1.1\r\n" HOST "Y: ", "x", 10000, "\r\n\r\n",
         "200, end"},
        {"a header of 100,000 bytes", "GET /healthz HTTP/1.1\r\n" HOST "Y: ", "x", 100000,
         "\r\n\r\n", "end"},
        {"a name of 100,000 bytes", "GET /healthz HTTP/1.1\r\n" HOST "Y", "x", 100000,
         ": z\r\n\r\n", "end"},
        {"a Host of 1,000 bytes", "GET /healthz HTTP/1.1\r\nHost: ", "x", 1000, "\r\n\r\n",
         "421, end"},
        {"an Origin of 1,000 bytes", "GET /healthz HTTP/1.1\r\n" HOST "Origin: ", "x", 1000,
         "\r\n\r\n", "403, end"},
        {"100 headers", "GET /healthz HTTP/1.1\r\n" HOST, "Y: z\r\n", 600, "\r\n", "200, end"},
        {"10,000 headers", "GET /healthz HTTP/1.1\r\n" HOST, "Y: z\r\n", 60000, "\r\n", "end"},
        {"10 known headers", "GET /healthz HTTP/1.1\r\n" HOST, "Accept: z\r\n", 110, "\r\n",
         "200, end"},
        {"1,000 known headers", "GET /healthz HTTP/1.1\r\n" HOST, "Accept: z\r\n", 11000, "\r\n",
         "end"},
        {"1,000 hosts", "GET /healthz HTTP/1.1\r\n", HOST, 17000, "\r\n", "end"},
        {"1,000 empty lines", "", "\r\n", 2000, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", "end"},
        {"a chunk size of 100,000 digits", POST CHUNKED "\r\n", "0", 100000, "", "400, end"},
        {"a chunk extension of 100,000 bytes", POST CHUNKED "\r\n35;", "x", 100000, "", "400, end"},
        {"a trailer of 100,000 bytes", POST CHUNKED "\r\n35\r\n" PING "\r\n0\r\nY: ", "x", 100000,
         "", "400, end"},
        {"a header of 20,000 bytes behind an upgrade",
         "GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\nY: ", "x", 20000,
         "\r\n\r\n", "end"},
    };
    web_watch watch;
    char told[TOLD_MAX];

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        send_much(&watch, rows[i].head, rows[i].filling, rows[i].len, rows[i].tail, told);
        if (strcmp(told, rows[i].told) != 0)
            fail_msg("%s: %s, not %s", rows[i].name, told, rows[i].told);
    }
    watch_end(&watch);
}

/*
 * Connections that end, in whatever phase
 */

#define HOLD CALL("hold", "[]", "1")

static const struct {
    const char *name, *bytes;
    size_t len;
    unsigned n_held; /* calls that are in flight */
} phases[] = {
    {"nothing", BYTES(""), 0},
    {"a part of a method", BYTES("PO"), 0},
    {"a part of a target", BYTES("POST /"), 0},
    {"a part of the headers", BYTES(POST), 0},
    {"a part of a name", BYTES(POST "Content-"), 0},
    {"all but the last byte of the headers", BYTES(POST "Content-Length: 53\r\n\r"), 0},
    {"the headers", BYTES(POST "Content-Length: 53\r\n\r\n"), 0},
    {"a part of a body", BYTES(POST "Content-Length: 53\r\n\r\n{"), 0},
    {"the headers of chunks", BYTES(POST CHUNKED "\r\n"), 0},
    {"a part of a size", BYTES(POST CHUNKED "\r\n3"), 0},
    {"a part of a chunk", BYTES(POST CHUNKED "\r\n35\r\n{"), 0},
    {"a chunk", BYTES(POST CHUNKED "\r\n35\r\n" PING "\r\n"), 0},
    {"a part of a trailer", BYTES(POST CHUNKED "\r\n35\r\n" PING "\r\n0\r\nX"), 0},
    {"a call", BYTES(POST "Content-Length: 53\r\n\r\n" PING), 0},
    {"a call in chunks", BYTES(POST CHUNKED "\r\n" CHUNKS), 0},
    {"a call that is held", BYTES(POST "Content-Length: 52\r\n\r\n" HOLD), 1},
    {"a call in chunks that is held", BYTES(POST CHUNKED "\r\n34\r\n" HOLD "\r\n0\r\n\r\n"), 1},
    {"a call of a large answer",
     BYTES(POST "Content-Length: 58\r\n\r\n" CALL("big", "[8388608]", "1")), 0},
    {"what is refused", BYTES("POST /x HTTP/1.1\r\n" HOST JSON "Content-Length: 53\r\n\r\n"), 0},
    {"a body that is too large", BYTES(POST "Content-Length: 5000000\r\n\r\n["), 0},
    {"a page", BYTES("GET / HTTP/1.1\r\n" HOST "\r\n"), 0},
    {"a fault", BYTES("FROB / HTTP/1.1\r\n" HOST "\r\n"), 0},
};

static void drop_held(size_t i, jrpc_call *held[])
{
    for (size_t j = 0; j < phases[i].n_held; j++) {
        AWAIT(jrpc_call_is_cancelled(held[j]));
        assert_int_equal(jrpc_reply_integer(held[j], 1), -EPIPE);
        jrpc_call_free(held[j]);
    }
}

static void end_in_any_phase(bool is_reset)
{
    web_watch watch;
    jrpc_call *held[1];

    watch_begin(&watch, HTTP, NULL);
    for (size_t i = 0; i < LENGTH(phases); i++) {
        web_client *client = web_visit(watch.site);
        assert_true(web_write(client, phases[i].bytes, phases[i].len));
        for (size_t j = 0; j < phases[i].n_held; j++)
            held[j] = desk_take(&watch.site->desk);
        if (is_reset) {
            web_reset(client);
        } else {
            shutdown(client->fd, SHUT_WR);
            web_read_all(client);
        }
        drop_held(i, held);
        if (!is_reset)
            web_close(client);
        watch_all_is_as_before(&watch);
    }
    watch_end(&watch);
}

static void reset_in_any_phase_leaves_nothing(void **state)
{
    (void)state;
    end_in_any_phase(/* is_reset */ true);
}

/* Whoever says that nothing more comes has left: the server hangs up, and the client sees it. */
static void half_close_in_any_phase_ends_the_connection(void **state)
{
    (void)state;
    end_in_any_phase(/* is_reset */ false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_hidden_behind_a_body_never_runs),
        cmocka_unit_test(head_past_its_limit_is_hung_up_on),
        cmocka_unit_test(reset_in_any_phase_leaves_nothing),
        cmocka_unit_test(half_close_in_any_phase_ends_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
