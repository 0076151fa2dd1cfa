/* SPDX-License-Identifier: MIT */
/*
 * test_web_token.c - tokens in the handshake of WebSocket: among the subprotocols
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "web_site.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define OFFER(list) "Sec-WebSocket-Protocol: " list "\r\n"
#define SECRET "bearer.c2VjcmV0"      /* secret */
#define ODD "bearer.YSAiYiIsIMO_Pz4_" /* a "b", and what base64 has other digits for */
/* 79 times "a": more than that is more than libwebsockets takes. */
#define LONGEST                                                                                    \
    "bearer.YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWF"                       \
    "hYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYQ"

static suite_place *open_with_tokens(const char *tokens)
{
    char path[] = "/tmp/jrpc-web-XXXXXX", url[128];
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, tokens, strlen(tokens)), strlen(tokens));
    close(fd);
    snprintf(url, sizeof(url), HTTP "?token_file=%s", path);
    suite_place *site = open_web(url, NULL);
    unlink(path);
    return site;
}

static void token_may_stand_among_the_subprotocols(void **state)
{
    static const struct {
        const char *path, *headers;
        int status;
    } rows[] = {
        {"/", "", 401},
        {"/", OFFER("jsonrpc-2.0"), 401},
        {"/", OFFER("jsonrpc-2.0, " SECRET), 101},
        {"/", OFFER("jsonrpc," SECRET), 101},
        {"/", OFFER(SECRET ", jsonrpc-2.0"), 101},
        {"/", OFFER("jsonrpc-2.0") OFFER(SECRET), 101},
        {"/", OFFER("jsonrpc-2.0, " ODD), 101},
        {"/", OFFER("jsonrpc-2.0, " LONGEST), 101},
        {"/", OFFER("jsonrpc-2.0,  " LONGEST), 400},
        {"/", OFFER(LONGEST ", jsonrpc-2.0"), 400},
        /* Nothing could be agreed upon. */
        {"/", OFFER(SECRET), 400},
        {"/", OFFER(SECRET ", chat"), 400},
        {"/", OFFER("jsonrpc-2.0, bearer.c2VjcmV"), 401},
        {"/", OFFER("jsonrpc-2.0, bearer.c2VjcmU"), 401},
        {"/", OFFER("jsonrpc-2.0, bearer.c2VjcmV0cw"), 401},
        {"/", OFFER("jsonrpc-2.0, bearer.secret"), 401},
        {"/", OFFER("jsonrpc-2.0, bearer."), 401},
        {"/", OFFER("jsonrpc-2.0, " SECRET ", " SECRET), 401},
        /* A header counts more, whatever is in it. */
        {"/", "Authorization: Bearer secret\r\n" OFFER("jsonrpc-2.0, bearer.YQ"), 101},
        {"/", "Authorization: Bearer wrong\r\n" OFFER("jsonrpc-2.0, " SECRET), 401},
        {"/?access_token=secret", OFFER("jsonrpc-2.0"), 101},
        {"/?access_token=secret", OFFER("jsonrpc-2.0, bearer.YQ"), 401},
    };
    suite_place *site = open_with_tokens("secret\na \"b\", \xc3\xbf?>?\n"
                                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        web_client *client = web_visit(site);
        int status = ws_upgrade(client, rows[i].path, rows[i].headers);
        if (status != rows[i].status)
            fail_msg("%d, not %d, to %s %s", status, rows[i].status, rows[i].path, rows[i].headers);
        web_close(client);
    }
    close_site(site);
}

static void token_is_never_said_again(void **state)
{
    suite_place *site = open_with_tokens("secret");
    static const char *const offers[] = {"jsonrpc-2.0, " SECRET, SECRET ", jsonrpc-2.0",
                                         SECRET ",jsonrpc-2.0"};

    (void)state;
    for (size_t i = 0; i < LENGTH(offers); i++) {
        web_client *client = web_visit(site);
        char text[1024];
        snprintf(text, sizeof(text),
                 "GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Protocol: %s\r\n\r\n",
                 offers[i]);
        web_puts(client, text);
        assert_int_equal(web_read_head(client, text, sizeof(text)), 101);
        const char *agreed = web_header(text, "sec-websocket-protocol");
        assert_non_null(agreed);
        assert_int_equal(strncmp(agreed, "jsonrpc-2.0\r\n", 13), 0);
        assert_null(strstr(text, "bearer"));
        ws_text(client, PING);
        ws_expect(client, RESULT("1", "1"));
        web_close(client);
    }
    close_site(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_may_stand_among_the_subprotocols),
        cmocka_unit_test(token_is_never_said_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
