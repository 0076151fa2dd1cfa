/* SPDX-License-Identifier: MIT */
/*
 * web_watch.h - what bad input must leave behind: a server that serves others, and nothing else
 *
 * A witness stands by who is served before, between and behind; descriptors and peers are counted
 * before the first row and must be as many after each. Include after cmocka.h.
 */
#ifndef TEST_WEB_WATCH_H
#define TEST_WEB_WATCH_H

#include <dirent.h>

#include "web_site.h"

typedef struct web_watch {
    suite_place *site;
    web_client *witness;
    size_t n_fds;
    json_int_t n_peers;
} web_watch;

/* Of the whole process: those of the server and of its clients. */
static inline size_t count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(folder);
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static inline void watch_call(web_watch *watch)
{
    web_call(watch->witness, PING, 200, RESULT("1", "1"));
}

static inline void watch_begin(web_watch *watch, const char *url, const char *const options[])
{
    watch->site = open_web(url, options);
    watch->witness = web_visit(watch->site);
    watch_call(watch);
    watch->n_fds = count_fds();
    watch->n_peers = stat_of(watch->site, "peers");
}

/* The client is closed by now. */
static inline void watch_all_is_as_before(web_watch *watch)
{
    size_t n_fds = 0;

    watch_call(watch);
    AWAIT((n_fds = count_fds()) == watch->n_fds && stat_of(watch->site, "peers") == watch->n_peers);
    assert_int_equal(stat_of(watch->site, "in_flight"), 0);
}

static inline void watch_end(web_watch *watch)
{
    watch_all_is_as_before(watch);
    web_close(watch->witness);
    close_site(watch->site);
}

/* Closed by RST and not by FIN: what was sent may be lost. */
static inline void web_reset(web_client *client)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    web_close(client);
}

/*
 * What the server said, as text
 */

enum { TOLD_MAX = 1024 };

static inline void tell(char told[TOLD_MAX], const char *what, const char *text)
{
    size_t len = strlen(told);

    snprintf(told + len, TOLD_MAX - len, "%s%s%s%.200s", len ? ", " : "", what,
             text && *text ? " " : "", text ? text : "");
}

/* Reads to the end: "pong hello, text {...}, close 1002 reason, end". Its close is
 * answered, and then nothing more is sent. */
static inline void ws_listen(web_client *client, char told[TOLD_MAX])
{
    bool is_over = false;
    char *data, text[256];
    size_t len;
    int first;

    *told = '\0';
    while ((first = ws_receive_frame(client, &data, &len)) >= 0) {
        unsigned code = len >= 2 ? (unsigned char)data[0] << 8 | (unsigned char)data[1] : 0;
        snprintf(text, sizeof(text), "%u%s%.200s", code, len > 2 ? " " : "",
                 len > 2 ? data + 2 : "");
        if (first == (WS_FINAL | WS_TEXT))
            tell(told, "text", data);
        else if (first == (WS_FINAL | WS_PONG))
            tell(told, "pong", data);
        else if (first == (WS_FINAL | WS_CLOSE))
            tell(told, "close", len >= 2 ? text : len ? "of one byte" : "");
        else
            fail_msg("a frame that begins with %d, %zu bytes", first, len);
        if (first == (WS_FINAL | WS_CLOSE) && !is_over) {
            is_over = true;
            ws_send(client, WS_FINAL | WS_CLOSE, data, len);
            shutdown(client->fd, SHUT_WR);
        }
        free(data);
    }
    tell(told, "end", "");
}

/* Reads to the end: "200, 400, end"; bodies are not looked at. Whatever else comes is told. */
static inline void http_listen(web_client *client, char told[TOLD_MAX])
{
    web_response response;
    char text[16];

    *told = '\0';
    for (;;) {
        web_receive(client, &response);
        free(response.body);
        if (response.status < 0)
            break;
        snprintf(text, sizeof(text), "%d", response.status);
        tell(told, text, "");
    }
    if (client->len)
        tell(told, "and", client->data);
    tell(told, "end", "");
}

#endif
