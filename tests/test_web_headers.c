/* SPDX-License-Identifier: MIT */
/*
 * test_web_headers.c - headers of requests that methods, and hooks for new peers, may ask for
 */
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
#define ASK(name, id) CALL("header", "[\"" name "\"]", id)
#define HTTP_NAMES HTTP "?headers=User-Agent,x-request-id,COOKIE,X-Team"

typedef struct header_place {
    jrpc_server *server;
    jrpc_service *service;
    jrpc_listener *listener;
} header_place;

static int answer_header(jrpc_call *call, void *user)
{
    const char *name = jrpc_arg_string(call, 0, /* len */ NULL);
    const char *value = jrpc_peer_header(jrpc_call_peer(call), name);

    (void)user;
    return value ? jrpc_reply_string(call, value) : jrpc_reply_null(call);
}

static const jrpc_method methods[] = {
    JRPC_METHOD("header", answer_header, "name: string", NULL),
    JRPC_METHOD_END,
};

/* Whoever comes for team "red" is not let in. */
static int let_in(jrpc_peer *peer, void *user)
{
    const char *team = jrpc_peer_header(peer, "x-team");

    (void)user;
    return team && !strcmp(team, "red") ? -EACCES : 0;
}

static header_place open_place(const char *url)
{
    const jrpc_server_hooks hooks = {.size = sizeof(hooks), .peer_opened = let_in};
    header_place place = {NULL, NULL, NULL};

    assert_int_equal(jrpc_service_new(NULL, &place.service), 0);
    assert_int_equal(jrpc_service_add_table(place.service, methods, NULL), 0);
    assert_int_equal(jrpc_server_new(NULL, NULL, &place.server), 0);
    assert_int_equal(jrpc_server_set_hooks(place.server, &hooks, NULL), 0);
    assert_int_equal(jrpc_server_listen(place.server, place.service, url, NULL, &place.listener),
                     0);
    assert_int_equal(jrpc_server_start(place.server), 0);
    return place;
}

static web_client *visit(const header_place *place)
{
    return web_connect((unsigned)atoi(strrchr(jrpc_listener_address(place->listener), ':') + 1));
}

static void close_place(header_place *place)
{
    jrpc_server_stop(place->server, NULL, NULL);
    jrpc_server_free(place->server);
    jrpc_service_free(place->service);
}

static void expect_header(web_client *client, const char *headers, const char *name,
                          const char *expected)
{
    char text[256], answer[256];

    snprintf(text, sizeof(text), ASK("%s", "1"), name);
    snprintf(answer, sizeof(answer), RESULT("%s", "1"), expected);
    assert_true(web_post(client, headers, text, strlen(text)));
    web_expect(client, 200, answer);
}

static void listed_headers_of_a_post_can_be_read(void **state)
{
    static const struct {
        const char *headers, *name, *expected;
    } rows[] = {
        {"User-Agent: me/1.0\r\n", "User-Agent", "\"me/1.0\""},
        {"user-agent: me/1.0\r\n", "USER-AGENT", "\"me/1.0\""},
        {"X-Request-ID: 42\r\n", "X-Request-Id", "\"42\""},
        {"X-Request-ID: 42\r\nX-Other: 7\r\n", "X-Other", "null"}, /* not listed */
        {"Cookie: a=b; c=d\r\n", "cookie", "\"a=b; c=d\""},
        {"X-Request-ID: 42\r\n", "X-Request", "null"},
        {"", "User-Agent", "null"},
        {"Authorization: Bearer x\r\n", "Authorization", "null"},
        {"X-Request-ID:   spaced \t\r\n", "x-request-id", "\"spaced\""},
    };
    header_place place = open_place(HTTP_NAMES);
    web_client *client = visit(&place);

    (void)state;
    /* All on one connection: nothing is left of the request before. */
    for (size_t i = 0; i < LENGTH(rows); i++)
        expect_header(client, rows[i].headers, rows[i].name, rows[i].expected);
    web_close(client);
    close_place(&place);
}

static void without_the_option_there_are_none(void **state)
{
    header_place place = open_place(HTTP);
    web_client *client = visit(&place);

    (void)state;
    expect_header(client, "User-Agent: me\r\n", "User-Agent", "null");
    web_close(client);
    close_place(&place);
}

static void headers_of_an_upgrade_stay_as_long_as_the_websocket(void **state)
{
    header_place place = open_place(HTTP_NAMES);
    web_client *client = visit(&place);

    (void)state;
    assert_int_equal(ws_upgrade(client, "/", "X-Request-Id: seven\r\nX-Other: 1\r\n"), 101);
    for (int i = 0; i < 3; i++) {
        ws_text(client, ASK("x-request-id", "1"));
        ws_expect(client, RESULT("\"seven\"", "1"));
        ws_text(client, ASK("X-Other", "2"));
        ws_expect(client, RESULT("null", "2"));
    }
    web_close(client);
    close_place(&place);
}

static void hook_for_new_peers_can_read_them_and_refuse(void **state)
{
    header_place place = open_place(HTTP_NAMES);
    web_client *clients[4];

    (void)state;
    for (size_t i = 0; i < LENGTH(clients); i++)
        clients[i] = visit(&place);
    assert_true(
        web_post(clients[0], "X-Team: red\r\n", ASK("x-team", "1"), strlen(ASK("x-team", "1"))));
    web_expect(clients[0], 503, NULL);
    assert_int_equal(ws_upgrade(clients[1], "/", "X-Team: red\r\n"), 503);
    expect_header(clients[2], "X-Team: blue\r\n", "x-team", "\"blue\"");
    assert_int_equal(ws_upgrade(clients[3], "/", "X-Team: blue\r\n"), 101);
    for (size_t i = 0; i < LENGTH(clients); i++)
        web_close(clients[i]);
    close_place(&place);
}

static void long_values_are_whole(void **state)
{
    enum { LEN = 8000 };
    header_place place = open_place(HTTP_NAMES);
    web_client *client = visit(&place);
    char *value = calloc(1, LEN + 1), *headers = calloc(1, LEN + 64);
    web_response response;

    (void)state;
    assert_non_null(value);
    assert_non_null(headers);
    memset(value, 'v', LEN);
    snprintf(headers, LEN + 64, "X-Request-Id: %s\r\nUser-Agent: me\r\n", value);
    /* More than web_post() would take. */
    web_puts(client, "POST / HTTP/1.1\r\n" HOST JSON);
    web_puts(client, headers);
    snprintf(headers, LEN + 64, "Content-Length: %zu\r\n\r\n", strlen(ASK("x-request-id", "1")));
    web_puts(client, headers);
    web_puts(client, ASK("x-request-id", "1"));
    web_receive(client, &response);
    assert_int_equal(response.status, 200);
    json_t *answer = json_loads(response.body, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(answer, "result")), value);
    json_decref(answer);
    free(response.body);
    free(headers);
    free(value);
    web_close(client);
    close_place(&place);
}

static void names_that_are_none_are_refused(void **state)
{
    static const char list[] = "is not a list", names[] = "expected names of headers";
    static const struct {
        const char *url, *problem;
    } rows[] = {
        {HTTP "?headers=", list},
        {HTTP "?headers=a,,b", list},
        {HTTP "?headers=X%20Y", names},
        {HTTP "?headers=X:", names},
        {HTTP "?headers=\xc3\xa4", names},
        {HTTP "?headers=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "of 64 bytes at most"},
    };
    jrpc_server *server = NULL;
    jrpc_service *service = NULL;

    (void)state;
    assert_int_equal(jrpc_service_new(NULL, &service), 0);
    assert_int_equal(jrpc_server_new(NULL, NULL, &server), 0);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        if (jrpc_server_listen(server, service, rows[i].url, NULL, NULL) != -EINVAL)
            fail_msg("%s is taken", rows[i].url);
        if (!strstr(jrpc_server_problem(server)->text, rows[i].problem))
            fail_msg("%s: %s", rows[i].url, jrpc_server_problem(server)->text);
    }
    jrpc_server_free(server);
    jrpc_service_free(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_headers_of_a_post_can_be_read),
        cmocka_unit_test(without_the_option_there_are_none),
        cmocka_unit_test(headers_of_an_upgrade_stay_as_long_as_the_websocket),
        cmocka_unit_test(hook_for_new_peers_can_read_them_and_refuse),
        cmocka_unit_test(long_values_are_whole),
        cmocka_unit_test(names_that_are_none_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
