/* SPDX-License-Identifier: MIT */
/*
 * test_web_http_faults.c - HTTP: what a request against RFC 9112 is told, and what it leaves
 *
 * Rows are bytes as they go over the wire, sent at once and byte by byte. What comes back is
 * compared to the end of the connection, which has to come without the client's doing.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web_watch.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define BYTES(text) (text), sizeof(text) - 1

#define GET_HEALTH(line) BYTES(line "\r\n" HOST "\r\n")
#define HEALTH_WITH(header) BYTES("GET /healthz HTTP/1.1\r\n" HOST header "\r\n\r\n")
#define POST_WITH(headers, body) BYTES("POST / HTTP/1.1\r\n" HOST JSON headers "\r\n\r\n" body)
#define CLOSING "Connection: close\r\n"
#define LENGTH_53 "Content-Length: 53"
#define CHUNKED "Transfer-Encoding: chunked"
#define CHUNKS "35\r\n" PING "\r\n0\r\n\r\n"

typedef struct fault_row {
    const char *name, *bytes;
    size_t len;
    const char *told;
} fault_row;

enum { ROWS_MAX = 96 };

static web_client *begin_row(web_watch *watch, const fault_row *row, bool is_bytewise)
{
    web_client *client = web_visit(watch->site);
    size_t step = is_bytewise ? 1 : row->len;

    for (size_t at = 0; at < row->len && web_write(client, row->bytes + at, step); at += step)
        continue;
    return client;
}

/* All at the same time: some take until the server has waited long enough. */
static void run_rows_so(web_watch *watch, const fault_row rows[], size_t n, bool is_bytewise)
{
    web_client *clients[ROWS_MAX];
    char told[TOLD_MAX];

    assert_true(n <= ROWS_MAX);
    for (size_t i = 0; i < n; i++)
        clients[i] = begin_row(watch, &rows[i], is_bytewise);
    for (size_t i = 0; i < n; i++) {
        http_listen(clients[i], told);
        if (strcmp(told, rows[i].told) != 0)
            fail_msg("%s, %s: %s, not %s", rows[i].name, is_bytewise ? "byte by byte" : "at once",
                     told, rows[i].told);
        web_close(clients[i]);
    }
    watch_all_is_as_before(watch);
}

static void run_rows(const fault_row rows[], size_t n)
{
    web_watch watch;

    watch_begin(&watch, HTTP, NULL);
    run_rows_so(&watch, rows, n, /* is_bytewise */ false);
    run_rows_so(&watch, rows, n, /* is_bytewise */ true);
    watch_end(&watch);
}

static void request_line_at_fault_is_told(void **state)
{
    static const fault_row rows[] = {
        {"as it should be", GET_HEALTH("GET /healthz HTTP/1.1"), "200, end"},
        {"behind an empty line", GET_HEALTH("\r\nGET /healthz HTTP/1.1"), "end"},
        {"no target", GET_HEALTH("GET"), "403, end"},
        {"no version", GET_HEALTH("GET /healthz"), "400, end"},
        {"no target, but a version", GET_HEALTH("GET HTTP/1.1"), "403, end"},
        {"two spaces before the target", GET_HEALTH("GET  /healthz HTTP/1.1"), "200, end"},
        {"two spaces behind the target", GET_HEALTH("GET /healthz  HTTP/1.1"), "200, end"},
        {"a space behind the version", GET_HEALTH("GET /healthz HTTP/1.1 "), "400, end"},
        {"a word behind the version", GET_HEALTH("GET /healthz HTTP/1.1 x"), "400, end"},
        {"a space before the method", GET_HEALTH(" GET /healthz HTTP/1.1"), "403, end"},
        {"tabs instead of spaces", GET_HEALTH("GET\t/healthz\tHTTP/1.1"), "403, end"},
        {"a space in the target", GET_HEALTH("GET /heal thz HTTP/1.1"), "400, end"},
        {"lower case", GET_HEALTH("get /healthz HTTP/1.1"), "200, end"},
        {"version 2.0", GET_HEALTH("GET /healthz HTTP/2.0"), "400, end"},
        {"version 1.2", GET_HEALTH("GET /healthz HTTP/1.2"), "200, end"},
        {"version 1.10", GET_HEALTH("GET /healthz HTTP/1.10"), "400, end"},
        {"version 0.9", GET_HEALTH("GET /healthz HTTP/0.9"), "400, end"},
        {"version 1.0", GET_HEALTH("GET /healthz HTTP/1.0"), "200, end"},
        {"version without number", GET_HEALTH("GET /healthz HTTP/"), "400, end"},
        {"version of letters", GET_HEALTH("GET /healthz HTTP/x.y"), "400, end"},
        {"another protocol", GET_HEALTH("GET /healthz ICAP/1.1"), "400, end"},
        {"the protocol in lower case", GET_HEALTH("GET /healthz http/1.1"), "400, end"},
        {"target that is no path", GET_HEALTH("GET healthz HTTP/1.1"), "403, end"},
        {"target with a host", GET_HEALTH("GET http://localhost/healthz HTTP/1.1"), "403, end"},
        {"target with another host", GET_HEALTH("GET http://evil.example/healthz HTTP/1.1"),
         "403, end"},
        {"target of GET is a star", GET_HEALTH("GET * HTTP/1.1"), "403, end"},
        {"target of OPTIONS is a star", GET_HEALTH("OPTIONS * HTTP/1.1"), "403, end"},
        {"target of POST is a star",
         BYTES("POST * HTTP/1.1\r\n" HOST JSON LENGTH_53 "\r\n\r\n" PING), "403, end"},
        {"target of no characters", GET_HEALTH("GET ? HTTP/1.1"), "end"},
        {"dots", GET_HEALTH("GET /x/../healthz HTTP/1.1"), "200, end"},
        {"dots above the root", GET_HEALTH("GET /../../healthz HTTP/1.1"), "200, end"},
        {"two slashes", GET_HEALTH("GET //healthz HTTP/1.1"), "200, end"},
        {"escape", GET_HEALTH("GET /%68ealthz HTTP/1.1"), "200, end"},
        {"escape of NUL", GET_HEALTH("GET /healthz%00 HTTP/1.1"), "end"},
        {"escape that is none", GET_HEALTH("GET /healthz%zz HTTP/1.1"), "403, end"},
        {"escape that is cut", GET_HEALTH("GET /healthz% HTTP/1.1"), "403, end"},
        {"NUL in the target", GET_HEALTH("GET /healthz\0 HTTP/1.1"), "end"},
        {"bytes above ASCII in the target", GET_HEALTH("GET /\xff\xfe HTTP/1.1"), "404, end"},
        {"TRACE", GET_HEALTH("TRACE / HTTP/1.1"), "403, end"},
        {"CONNECT", GET_HEALTH("CONNECT localhost:80 HTTP/1.1"), "end"},
        {"a method that is none", GET_HEALTH("FROB / HTTP/1.1"), "403, end"},
        {"PATCH", GET_HEALTH("PATCH / HTTP/1.1"), "405, end"},
        {"HTTP/2", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "403, end"},
        {"TLS", BYTES("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n"), "403, end"},
        {"an empty request", BYTES("\r\n\r\n\r\n"), "end"},
        {"lines that end in LF alone", BYTES("GET /healthz HTTP/1.1\nHost: localhost\n\n"),
         "200, end"},
    };

    (void)state;
    run_rows(rows, LENGTH(rows));
}

static void header_at_fault_is_told(void **state)
{
    static const fault_row rows[] = {
        {"as it should be", HEALTH_WITH("Q: y"), "200, end"},
        {"a space before the colon", HEALTH_WITH("Q : y"), "200, end"},
        {"a space in the name", HEALTH_WITH("Q Y: z"), "200, end"},
        {"a folded line at once", BYTES("GET /healthz HTTP/1.1\r\n Q: y\r\n" HOST "\r\n"),
         "200, end"},
        {"NUL in a name", HEALTH_WITH("Q\0Y: z"), "200, end"},
        {"NUL in a value", HEALTH_WITH("Q: y\0z"), "200, end"},
        {"NUL in a known value", HEALTH_WITH("Origin: http://localhost\0.evil.example"),
         "403, end"},
        {"CR in a value", HEALTH_WITH("Q: y\rz"), "200, end"},
        {"LF behind a value", HEALTH_WITH("Q: y\nOrigin: http://evil.example"), "403, end"},
        {"control characters", HEALTH_WITH("Q: \1\2\3"), "200, end"},
        {"bytes above ASCII", HEALTH_WITH("Q: \xff\xfe"), "200, end"},
        {"no value", HEALTH_WITH("Q:"), "200, end"},
        {"a colon more", HEALTH_WITH("Q:: y"), "200, end"},
        {"no Host", BYTES("GET /healthz HTTP/1.1\r\n\r\n"), "421, end"},
        {"Host of nothing", BYTES("GET /healthz HTTP/1.1\r\nHost:\r\n\r\n"), "421, end"},
        {"Host twice", HEALTH_WITH("Host: localhost"), "421, end"},
        {"Host twice, one of nothing", HEALTH_WITH("Host:"), "421, end"},
        {"Host of two", BYTES("GET /healthz HTTP/1.1\r\nHost: localhost, localhost\r\n\r\n"),
         "421, end"},
        {"Host with a space before its colon",
         BYTES("GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n"), "421, end"},
        {"Host with a path", BYTES("GET /healthz HTTP/1.1\r\nHost: localhost/x\r\n\r\n"),
         "421, end"},
        {"Host with a user", BYTES("GET /healthz HTTP/1.1\r\nHost: localhost@evil.example\r\n\r\n"),
         "421, end"},
        {"Host with a port that is none",
         BYTES("GET /healthz HTTP/1.1\r\nHost: localhost:x\r\n\r\n"), "421, end"},
        {"Expect of what is not known", HEALTH_WITH("Expect: tea"), "200, end"},
        {"upgrade to h2c",
         HEALTH_WITH("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: "
                     "AAMAAABkAARAAAAAAAIAAAAA"),
         "end"},
        {"upgrade to what is not known", HEALTH_WITH("Upgrade: tea\r\nConnection: Upgrade"),
         "403, end"},
        {"upgrade to TLS", HEALTH_WITH("Upgrade: TLS/1.0\r\nConnection: Upgrade"), "403, end"},
    };

    (void)state;
    run_rows(rows, LENGTH(rows));
}

static void body_of_unclear_length_is_told(void **state)
{
    static const fault_row rows[] = {
        {"a length", POST_WITH(CLOSING LENGTH_53, PING), "200, end"},
        {"chunks", POST_WITH(CHUNKED, CHUNKS), "200, end"},
        {"a length twice, the same", POST_WITH(LENGTH_53 "\r\n" LENGTH_53, PING), "400, end"},
        {"a length twice", POST_WITH(LENGTH_53 "\r\nContent-Length: 2", PING), "400, end"},
        {"a length twice in a line", POST_WITH(LENGTH_53 ", 53", PING), "400, end"},
        {"a length with a sign", POST_WITH("Content-Length: +53", PING), "400, end"},
        {"a length less than nothing", POST_WITH("Content-Length: -1", PING), "400, end"},
        {"a length in hex", POST_WITH("Content-Length: 0x35", PING), "400, end"},
        {"a length in octal", POST_WITH(CLOSING "Content-Length: 053", PING), "200, end"},
        {"a length with a fraction", POST_WITH("Content-Length: 53.0", PING), "400, end"},
        {"a length in words", POST_WITH("Content-Length: all", PING), "400, end"},
        {"a length of nothing", POST_WITH("Content-Length:", PING), "411, end"},
        {"a length and more", POST_WITH(LENGTH_53 " x", PING), "400, end"},
        {"a length with a space before its colon", POST_WITH("Content-Length : 53", PING),
         "411, end"},
        {"a length with NUL", POST_WITH(CLOSING "Content-Length: 53\0", PING), "200, end"},
        {"a length with NUL amid it",
         POST_WITH("Content-Length: 5\0"
                   "3",
                   PING),
         "400, end"},
        {"a length past 64 bits", POST_WITH("Content-Length: 18446744073709551669", PING),
         "413, end"},
        {"a length past 63 bits", POST_WITH("Content-Length: 9223372036854775861", PING),
         "413, end"},
        {"a length past 32 bits", POST_WITH("Content-Length: 4294967349", PING), "413, end"},
        {"a long length", POST_WITH("Content-Length: 00000000000000000000000000000053", PING),
         "400, end"},
        {"no length", POST_WITH("Q: y", PING), "411, end"},
        {"length 0", POST_WITH("Content-Length: 0", ""), "400, end"},
        {"both", POST_WITH(LENGTH_53 "\r\n" CHUNKED, CHUNKS), "400, end"},
        {"both, chunks first", POST_WITH(CHUNKED "\r\n" LENGTH_53, CHUNKS), "400, end"},
        {"chunks twice", POST_WITH(CHUNKED "\r\n" CHUNKED, CHUNKS), "400, end"},
        {"identity", POST_WITH("Transfer-Encoding: identity", CHUNKS), "400, end"},
        {"identity and chunks", POST_WITH("Transfer-Encoding: identity, chunked", CHUNKS),
         "400, end"},
        {"chunks and identity", POST_WITH("Transfer-Encoding: chunked, identity", CHUNKS),
         "400, end"},
        {"gzip and chunks", POST_WITH("Transfer-Encoding: gzip, chunked", CHUNKS), "400, end"},
        {"chunks in capitals", POST_WITH("Transfer-Encoding: CHUNKED", CHUNKS), "200, end"},
        {"chunks in quotes", POST_WITH("Transfer-Encoding: \"chunked\"", CHUNKS), "400, end"},
        {"chunks with a letter more", POST_WITH("Transfer-Encoding: xchunked", CHUNKS), "400, end"},
        {"chunks with a parameter", POST_WITH("Transfer-Encoding: chunked;q=1", CHUNKS),
         "400, end"},
        {"chunks behind a tab", POST_WITH("Transfer-Encoding:\tchunked", CHUNKS), "400, end"},
        {"chunks behind a vertical tab", POST_WITH("Transfer-Encoding: \vchunked", CHUNKS),
         "400, end"},
        {"chunks before a comma", POST_WITH("Transfer-Encoding: chunked,", CHUNKS), "400, end"},
        {"chunks with a space before their colon", POST_WITH("Transfer-Encoding : chunked", CHUNKS),
         "411, end"},
        {"chunks by another name", POST_WITH("Transfer_Encoding: chunked", CHUNKS), "411, end"},
        {"chunks with NUL", POST_WITH("Transfer-Encoding: chunked\0", CHUNKS), "200, end"},
        {"chunks of nothing", POST_WITH("Transfer-Encoding:", CHUNKS), "411, end"},
        {"chunks of version 1.0", BYTES("POST / HTTP/1.0\r\n" HOST JSON CHUNKED "\r\n\r\n" CHUNKS),
         "400, end"},
        {"chunk size with a sign", POST_WITH(CHUNKED, "+35\r\n" PING "\r\n0\r\n\r\n"), "400, end"},
        {"chunk size less than nothing", POST_WITH(CHUNKED, "-1\r\n" PING "\r\n0\r\n\r\n"),
         "400, end"},
        {"chunk size with 0x", POST_WITH(CHUNKED, "0x35\r\n" PING "\r\n0\r\n\r\n"), "400, end"},
        {"chunk size behind a space", POST_WITH(CHUNKED, " 35\r\n" PING "\r\n0\r\n\r\n"),
         "400, end"},
        {"chunk size of nothing", POST_WITH(CHUNKED, "\r\n" PING "\r\n0\r\n\r\n"), "400, end"},
        {"chunk size past 64 bits",
         POST_WITH(CHUNKED, "10000000000000035\r\n" PING "\r\n0\r\n\r\n"), "400, end"},
        {"chunk size past message_max", POST_WITH(CHUNKED, "500000\r\n" PING), "413, end"},
        {"chunk size before LF alone", POST_WITH(CHUNKED, "35\n" PING "\r\n0\r\n\r\n"), "400, end"},
        {"chunk size before CR alone", POST_WITH(CHUNKED, "35\r" PING "\r\n0\r\n\r\n"), "400, end"},
        {"chunk size with NUL", POST_WITH(CHUNKED, "35\0\r\n" PING "\r\n0\r\n\r\n"), "400, end"},
        {"chunk with an extension", POST_WITH(CHUNKED, "35;a=b\r\n" PING "\r\n0\r\n\r\n"),
         "200, end"},
        {"chunk with LF in an extension", POST_WITH(CHUNKED, "35;a\nb\r\n" PING "\r\n0\r\n\r\n"),
         "400, end"},
        {"chunk longer than its size", POST_WITH(CHUNKED, "34\r\n" PING "\r\n0\r\n\r\n"),
         "400, end"},
        {"chunk before LF alone", POST_WITH(CHUNKED, "35\r\n" PING "\n0\r\n\r\n"), "400, end"},
        {"last chunk before LF alone", POST_WITH(CHUNKED, "35\r\n" PING "\r\n0\n\n"), "400, end"},
        {"chunks of 1,024 zeros of size",
         POST_WITH(CHUNKED, "0000000000000035\r\n" PING "\r\n0\r\n\r\n"), "400, end"},
    };

    (void)state;
    run_rows(rows, LENGTH(rows));
}

/* libwebsockets looks for a colon and takes the end of the headers for a part of a name. */
static void headers_that_never_end_are_hung_up_on_in_time(void **state)
{
    static const fault_row rows[] = {
        {"lines that end in CR alone", BYTES("GET /healthz HTTP/1.1\rHost: localhost\r\r"), "end"},
        {"no colon", HEALTH_WITH("Qyz"), "end"},
        {"no colon, a known name", HEALTH_WITH("Origin"), "end"},
        {"no name", HEALTH_WITH(": x"), "end"},
        {"a folded line", HEALTH_WITH("Q: y\r\n z"), "end"},
        {"a folded line of a known name", HEALTH_WITH("Origin: http://localhost\r\n .evil.example"),
         "end"},
        {"Host behind a folded line", BYTES("GET /healthz HTTP/1.1\r\nHost:\r\n localhost\r\n\r\n"),
         "end"},
        {"a length behind a folded line", POST_WITH("Content-Length:\r\n 53", PING), "end"},
        {"chunks behind a folded line", POST_WITH("Transfer-Encoding:\r\n chunked", CHUNKS), "end"},
        {"the beginning of a known name", HEALTH_WITH("X: y"), "end"},
    };
    web_watch watch;

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    run_rows_so(&watch, rows, LENGTH(rows), /* is_bytewise */ false);
    watch_end(&watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_line_at_fault_is_told),
        cmocka_unit_test(header_at_fault_is_told),
        cmocka_unit_test(body_of_unclear_length_is_told),
        cmocka_unit_test(headers_that_never_end_are_hung_up_on_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
