/* SPDX-License-Identifier: MIT */
/*
 * test_web_document.c - the service's OpenRPC document, by GET
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
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static json_t *describe(const suite_place *site)
{
    json_t *document = NULL;

    assert_int_equal(jrpc_service_describe(site->at.service, &document), 0);
    return document;
}

static void document_is_what_the_service_says_of_itself(void **state)
{
    suite_place *site = open_web(HTTP, NULL);
    web_client *client = web_visit(site);
    json_t *expected = describe(site);
    web_response response;

    (void)state;
    web_puts(client, GET("/openrpc.json"));
    web_receive(client, &response);
    assert_int_equal(response.status, 200);
    assert_int_equal(strncmp(web_header(response.head, "content-type"), "application/json\r\n", 18),
                     0);
    json_t *document = json_loadb(response.body, response.len, 0, NULL);
    assert_true(json_equal(document, expected));
    assert_false(web_read(client));
    web_close(client);

    client = web_visit(site);
    web_puts(client, "HEAD /openrpc.json HTTP/1.1\r\n" HOST "\r\n");
    char head[1024];
    assert_int_equal(web_read_head(client, head, sizeof(head)), 200);
    assert_int_equal(strtoul(web_header(head, "content-length"), NULL, 10), response.len);
    assert_false(web_read(client));
    assert_int_equal(client->len, 0);
    web_close(client);
    json_decref(document);
    json_decref(expected);
    free(response.body);
    close_site(site);
}

static void document_is_for_whoever_may_call(void **state)
{
    static const char *const silent[] = {"introspection", "no", NULL};
    static const struct {
        const char *url, *request;
        int status;
        const char *header;
        const char *const *options;
    } rows[] = {
        {HTTP, GET("/openrpc.json"), 200, NULL, NULL},
        {HTTP, GET("/openrpc.json?a=b"), 200, NULL, NULL},
        {HTTP, GET("/openrpc.jso"), 404, NULL, NULL},
        {HTTP "/rpc", GET("/rpc/openrpc.json"), 200, NULL, NULL},
        {HTTP "/rpc/", GET("/rpc/openrpc.json"), 200, NULL, NULL},
        {HTTP "/rpc", GET("/openrpc.json"), 404, NULL, NULL},
        {HTTP "/rpc", GET("/rpcopenrpc.json"), 404, NULL, NULL},
        {HTTP "/openrpc.json", GET("/openrpc.json"), 200, "Content-Security-Policy", NULL},
        {HTTP "/openrpc.json", GET("/openrpc.json/openrpc.json"), 200, NULL, NULL},
        {HTTP "?openrpc=no", GET("/openrpc.json"), 404, NULL, NULL},
        {HTTP "?openrpc=no", "PUT /openrpc.json HTTP/1.1\r\n" HOST "\r\n", 404, NULL, NULL},
        {HTTP, GET("/openrpc.json"), 404, NULL, silent},
        {HTTP, "OPTIONS /openrpc.json HTTP/1.1\r\n" HOST "\r\n", 404, NULL, silent},
        {"ws://127.0.0.1:0", GET("/openrpc.json"), 404, NULL, NULL},
        {HTTP, "DELETE /openrpc.json HTTP/1.1\r\n" HOST "\r\n", 405, "Allow", NULL},
        {HTTP, "POST /openrpc.json HTTP/1.1\r\n" HOST JSON "Content-Length: 53\r\n\r\n" PING, 405,
         "Allow", NULL},
        {HTTP, "GET /openrpc.json HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, NULL, NULL},
        {HTTP, "GET /openrpc.json HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\n\r\n", 403,
         NULL, NULL},
        {HTTP "?origin=http://a.example",
         "GET /openrpc.json HTTP/1.1\r\n" HOST "Origin: http://a.example\r\n\r\n", 200,
         "Access-Control-Allow-Origin", NULL},
        {HTTP "?origin=http://a.example",
         "OPTIONS /openrpc.json HTTP/1.1\r\n" HOST "Origin: http://a.example\r\n\r\n", 204,
         "Access-Control-Allow-Origin", NULL},
        {HTTP "?token_file=" JRPC_SOURCE_DIR "/LICENSE", GET("/openrpc.json"), 401,
         "WWW-Authenticate", NULL},
        {HTTP "?token_file=" JRPC_SOURCE_DIR "/LICENSE",
         "GET /openrpc.json HTTP/1.1\r\n" HOST "Authorization: Bearer MIT License\r\n\r\n", 200,
         NULL, NULL},
        {HTTP "?token_file=" JRPC_SOURCE_DIR "/LICENSE",
         "HEAD /openrpc.json HTTP/1.1\r\n" HOST "\r\n", 401, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        suite_place *site = open_web(rows[i].url, rows[i].options);
        web_client *client = web_visit(site);
        char head[4096];
        web_puts(client, rows[i].request);
        int status = web_read_head(client, head, sizeof(head));
        if (status != rows[i].status || (rows[i].header && !web_header(head, rows[i].header)))
            fail_msg("%d %s to %s", status, head, rows[i].request);
        web_close(client);
        close_site(site);
    }
}

/* A server of that service alone, which is stolen. */
typedef struct lone_server {
    jrpc_server *server;
    unsigned port;
} lone_server;

static lone_server serve(jrpc_service *service)
{
    lone_server lone = {0};
    jrpc_listener *listener = NULL;

    assert_int_equal(jrpc_server_new(NULL, NULL, &lone.server), 0);
    assert_int_equal(jrpc_server_listen(lone.server, service, HTTP, NULL, &listener), 0);
    jrpc_service_free(service);
    assert_int_equal(jrpc_server_start(lone.server), 0);
    lone.port = (unsigned)atoi(strrchr(jrpc_listener_address(listener), ':') + 1);
    return lone;
}

/* Its own rpc.discover knows better. */
static void document_of_a_program_that_describes_itself_is_not_ours(void **state)
{
    const jrpc_method discover = JRPC_METHOD("rpc.discover", run_echo, "what: any = 1", NULL);
    jrpc_service *service = NULL;

    (void)state;
    assert_int_equal(jrpc_service_new(NULL, &service), 0);
    assert_int_equal(jrpc_service_add(service, &discover, NULL), 0);
    lone_server lone = serve(service);
    web_client *client = web_connect(lone.port);
    web_puts(client, GET("/openrpc.json"));
    web_expect(client, 404, "Not found\n");
    web_close(client);
    jrpc_server_free(lone.server);
}

/* Who reads it slowly, or not at all, holds nobody up. */
static void large_document_goes_out_whole_beside_others(void **state)
{
    enum { N_METHODS = 10000, N_SLOW = 5 }; /* read in less than the 10 s that they are given */
    web_client *slow[N_SLOW], *other;
    jrpc_service *service = NULL;
    web_response response;
    char name[32];

    (void)state;
    assert_int_equal(jrpc_service_new(NULL, &service), 0);
    for (int i = 0; i < N_METHODS; i++) {
        jrpc_method method = JRPC_METHOD(name, run_echo, "a: number, b: string = \"x\" -> any",
                                         "A method that has a summary of a usual length.");
        snprintf(name, sizeof(name), "method_%d", i);
        assert_int_equal(jrpc_service_add(service, &method, NULL), 0);
    }
    lone_server lone = serve(service);
    for (int i = 0; i < N_SLOW; i++) {
        slow[i] = web_connect(lone.port);
        web_puts(slow[i], GET("/openrpc.json"));
    }
    other = web_connect(lone.port);
    for (int i = 0; i < 100; i++)
        web_call(other, CALL("method_1", "[1]", "1"), 200, RESULT("1", "1"));
    web_close(other);
    for (int i = 0; i < N_SLOW; i++) {
        web_receive(slow[i], &response);
        assert_int_equal(response.status, 200);
        assert_true(response.len > 1000000);
        json_t *document = i ? NULL : json_loadb(response.body, response.len, 0, NULL);
        if (!i)
            assert_int_equal(json_array_size(json_object_get(document, "methods")), N_METHODS);
        json_decref(document);
        free(response.body);
        web_close(slow[i]);
    }
    jrpc_server_free(lone.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(document_is_what_the_service_says_of_itself),
        cmocka_unit_test(document_is_for_whoever_may_call),
        cmocka_unit_test(document_of_a_program_that_describes_itself_is_not_ours),
        cmocka_unit_test(large_document_goes_out_whole_beside_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
