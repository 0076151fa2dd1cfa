/* SPDX-License-Identifier: MIT */
/*
 * web_page.c - what is served to people and their tools by GET: the console, health, numbers
 *
 * Pages do not make a peer of a connection, and end it.
 */
#define _GNU_SOURCE
#include "web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web_console.h"

enum { METRICS_MAX = 1 << 24 };

#define NO_SNIFFING "X-Content-Type-Options: nosniff\r\n"

/* Head and page, to be sent when there is room. */
static int send_page(jri_web_link *link, const jri_http_verdict *page, const char *data, size_t len)
{
    char head[JRI_HTTP_HEAD_MAX];
    jrpc_buf *buf = jri_web_link_output(link);
    size_t head_len = jri_http_put_head(link, page, len, head);

    if (!buf || !head_len || jrpc_buf_append(buf, head, head_len) ||
        (!link->http->is_head && jrpc_buf_append(buf, data, len)))
        return -1;
    jrpc_buf_data(buf, &link->ready);
    link->http->has_head = true;
    link->http->phase = JRI_HTTP_ANSWERING;
    lws_callback_on_writable(link->wsi);
    return 0;
}

static int send_console(jri_web_link *link)
{
    char headers[512];
    size_t len;
    const char *page = jri_web_console(&len);
    const jri_http_verdict verdict = {200, headers, NULL, "text/html; charset=utf-8"};
    int n = snprintf(headers, sizeof(headers),
                     "Content-Security-Policy: %s\r\n" NO_SNIFFING
                     "Referrer-Policy: no-referrer\r\nCache-Control: no-cache\r\n",
                     jri_web_console_policy());

    return n < (int)sizeof(headers) ? send_page(link, &verdict, page, len) : -1;
}

/* It is well while anything is served at this port. */
static int send_health(jri_web_link *link)
{
    static const jri_http_verdict good = {200, "", NULL, "text/plain; charset=utf-8"};
    static const jri_http_verdict bad = {503, "", NULL, "text/plain; charset=utf-8"};
    const jri_web_listener *listener = jri_web_site_of(link)->listeners;

    while (listener && !jrpc_listener_is_serving(listener->owner))
        listener = listener->next;
    return listener ? send_page(link, &good, "ok\n", 3) : send_page(link, &bad, "stopping\n", 9);
}

/* A proxy on this machine, asking for somebody who is not. Many do not say so. */
static bool is_forwarded(const jri_web_link *link)
{
    return lws_hdr_total_length(link->wsi, WSI_TOKEN_X_FORWARDED_FOR) > 0;
}

/* The listener that has the numbers shown, and to this one; NULL: none. */
static jri_web_listener *find_metrics(jri_web_link *link, bool *is_forbidden)
{
    jri_web_listener *listener = jri_web_site_of(link)->listeners;
    bool is_local = jri_web_link_is_local(link) && !is_forwarded(link);

    for (*is_forbidden = false; listener; listener = listener->next) {
        if (!listener->has_metrics)
            continue;
        if (is_local || (listener->tokens && jri_http_has_token(link, listener)))
            return listener;
        *is_forbidden = true;
    }
    return NULL;
}

static int send_metrics(jri_web_link *link)
{
    static const jri_http_verdict verdict = {200, NO_SNIFFING, NULL,
                                             "text/plain; version=0.0.4; charset=utf-8"};
    static const jri_http_verdict refusal = {403, "", NULL, NULL};
    static const char reason[] = "Numbers are for this machine, or need a token\n";
    bool is_forbidden;
    jri_web_listener *listener = find_metrics(link, &is_forbidden);
    jrpc_buf *buf = NULL;
    size_t len;

    if (!listener)
        return is_forbidden ? send_page(link, &refusal, reason, sizeof(reason) - 1) : 1;
    int status = jrpc_buf_new(METRICS_MAX, &buf);
    if (!status)
        status = jrpc_listener_metrics(listener->owner, buf);
    if (!status) {
        const char *data = jrpc_buf_data(buf, &len);
        status = send_page(link, &verdict, data, len);
    }
    jrpc_buf_free(buf);
    return status ? -1 : 0;
}

/* The path of the service's document stands below that of the service. */
bool jri_web_is_document(const jri_web_listener *listener, const char *path)
{
    size_t len = strlen(listener->path);

    len -= listener->path[len - 1] == '/';
    return listener->has_document && !strncmp(path, listener->path, len) &&
           !strcmp(path + len, "/openrpc.json");
}

/* For whoever may call, pages of listed origins too. */
static int send_document(jri_web_link *link)
{
    static const jri_http_verdict verdict = {200, NO_SNIFFING, NULL, "application/json"};
    jri_http_verdict refusal = {0};
    const char *text;
    size_t len;

    jri_http_check_token(link, &refusal);
    if (refusal.status)
        return send_page(link, &refusal, refusal.text, strlen(refusal.text));
    int status = jrpc_listener_document(link->listener->owner, &text, &len);
    if (status)
        return status == -ENOENT ? 1 : -1;
    return send_page(link, &verdict, text, len);
}

int jri_http_page(jri_web_link *link, const char *path)
{
    const jri_web_listener *listener = link->listener;

    if (lws_hdr_total_length(link->wsi, WSI_TOKEN_GET_URI) <= 0 && !link->http->is_head)
        return 1;
    link->http->keeps_alive = false;
    if (listener && jri_web_is_document(listener, path))
        return send_document(link);
    free(link->http->origin); /* whose pages may call, but not look at these */
    link->http->origin = NULL;
    if (!strcmp(path, "/healthz"))
        return send_health(link);
    int found = strcmp(path, "/metrics") ? 1 : send_metrics(link);
    if (found == 1 && listener && listener->has_console)
        return send_console(link);
    return found;
}
