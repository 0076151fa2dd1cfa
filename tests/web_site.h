/* SPDX-License-Identifier: MIT */
/*
 * web_site.h - a server at an http: or ws: endpoint, for tests with clients of web_client.h
 *
 * Include after cmocka.h.
 */
#ifndef TEST_WEB_SITE_H
#define TEST_WEB_SITE_H

#include <stdlib.h>
#include <string.h>

#include "suite_place.h"
#include "web_client.h"

typedef struct web_link {
    suite_link link; /* first */
    const char *url;
} web_link;

static inline void web_listen(const suite_link *link, suite_site *site)
{
    const char *url = ((const web_link *)link)->url;

    if (jrpc_server_listen(site->server, site->service, url, NULL, &site->listeners[0]))
        fail_msg("%s: %s", url, jrpc_server_problem(site->server)->text);
}

static inline void web_listened(const suite_link *link, suite_site *site)
{
    (void)link, (void)site;
}

/* options: as of open_site(). Ends with close_site(). */
static inline suite_place *open_web(const char *url, const char *const options[])
{
    static web_link link;
    void *state = &link;

    link = (web_link){.link = {.open = web_listen, .close_site = web_listened}, .url = url};
    return open_site(&state, options);
}

static inline unsigned web_port(const suite_place *site)
{
    const char *address = jrpc_listener_address(site->at.listeners[0]);

    return (unsigned)atoi(strrchr(address, ':') + 1);
}

static inline web_client *web_visit(const suite_place *site)
{
    return web_connect(web_port(site));
}

static inline web_client *ws_visit(const suite_place *site)
{
    web_client *client = web_visit(site);

    assert_int_equal(ws_upgrade(client, "/", ""), 101);
    return client;
}

static inline void ws_text(web_client *client, const char *text)
{
    assert_true(ws_send(client, WS_FINAL | WS_TEXT, text, strlen(text)));
}

/* The next message is this, as JSON. */
static inline void ws_expect(web_client *client, const char *expected)
{
    size_t len = 0;
    char *text = ws_receive(client, &len);

    assert_non_null(text);
    json_t *value = json_loadb(text, len, 0, NULL);
    assert_json_equal(value, expected);
    json_decref(value);
    free(text);
}

/* The server says goodbye with this code, 0 for a hang-up without. */
static inline void ws_expect_end(web_client *client, unsigned code)
{
    size_t len;
    char *text = ws_receive(client, &len);

    if (text)
        fail_msg("a message: %s", text);
    assert_int_equal(client->close_code, code);
}

#define HTTP "http://127.0.0.1:0"
#define HOST "Host: localhost\r\n"
#define PING CALL("echo", "[1]", "1")
#define JSON "Content-Type: application/json\r\n"

/* Sends the message; its answer's status, and its body as JSON if one is expected. */
static inline void web_call(web_client *client, const char *text, int status, const char *expected)
{
    web_response response;

    assert_true(web_post(client, "", text, strlen(text)));
    web_receive(client, &response);
    assert_int_equal(response.status, status);
    if (expected) {
        assert_non_null(response.body);
        json_t *value = json_loads(response.body, 0, NULL);
        assert_json_equal(value, expected);
        json_decref(value);
    } else {
        assert_null(response.body);
    }
    free(response.body);
}

static inline void web_expect(web_client *client, int status, const char *body)
{
    web_response response;

    web_receive(client, &response);
    if (response.status != status || (body && (!response.body || strcmp(response.body, body))))
        fail_msg("%d %s", response.status, response.body ? response.body : "");
    free(response.body);
}

#endif
