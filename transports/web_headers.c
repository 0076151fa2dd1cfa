/* SPDX-License-Identifier: MIT */
/*
 * web_headers.c - headers of a request that methods may ask for: those that the option names
 *
 * libwebsockets has a request's headers while it is being read, and gives them up when it becomes a
 * WebSocket. So what is asked for is copied beforehand: names and values in turn, each ended by
 * NUL, and an empty name at the end.
 */
#define _GNU_SOURCE
#include "web.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RFC 9110, section 5.6.2. */
static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isascii(text[i]) ||
            (!isalnum((unsigned char)text[i]) && !memchr("!#$%&'*+-.^_`|~", text[i], 15)))
            return false;
    return len > 0;
}

/* Its number with libwebsockets; -1: it knows none of that name. */
static int token_of(const jri_web_field *header)
{
    const char *known;

    for (int token = 0; (known = (const char *)lws_token_to_string(token)); token++)
        if (!strcmp(known, header->name))
            return token;
    return -1;
}

static void set_header(jri_web_field *header, const char *name, size_t len)
{
    *header = (jri_web_field){.len = len};
    for (size_t i = 0; i < len; i++) {
        bool is_upper = name[i] >= 'A' && name[i] <= 'Z';
        header->name[i] = (char)(is_upper ? name[i] + ('a' - 'A') : name[i]);
    }
    header->name[len] = ':';
    header->token = token_of(header);
}

int jri_web_headers_read(jri_web_listener *listener, const jrpc_url *url, jrpc_problem *problem)
{
    const char *names = NULL, *at, *name;
    size_t len, n = 0;

    int status = jrpc_url_list(url, "headers", &names, problem);
    if (status || !names)
        return status;
    for (at = names; (name = jrpc_url_list_next(&at, &len)); n++)
        if (len > JRI_WEB_FIELD_MAX || !is_token(name, len))
            return jrpc_url_fault(url, /* column */ 0, problem,
                                  "headers: expected names of headers, as in X-Request-Id,"
                                  "User-Agent, of %d bytes at most",
                                  JRI_WEB_FIELD_MAX);
    listener->headers = calloc(n, sizeof(*listener->headers));
    if (!listener->headers)
        return -ENOMEM;
    for (at = names; (name = jrpc_url_list_next(&at, &len));)
        set_header(&listener->headers[listener->n_headers++], name, len);
    return 0;
}

/* The value's length; 0: none. to: for it and a NUL; NULL: nothing is copied. */
static size_t read_value(struct lws *wsi, const jri_web_field *header, char *to, size_t size)
{
    enum lws_token_indexes token = (enum lws_token_indexes)header->token;
    bool is_known = header->token >= 0;
    int name_len = (int)header->len + 1;
    int len = is_known ? lws_hdr_total_length(wsi, token)
                       : lws_hdr_custom_length(wsi, header->name, name_len);

    if (len <= 0)
        return 0;
    if (to && is_known)
        len = lws_hdr_copy(wsi, to, (int)size, token);
    else if (to)
        len = lws_hdr_custom_copy(wsi, to, (int)size, header->name, name_len);
    while (to && len > 0 && (to[len - 1] == ' ' || to[len - 1] == '\t'))
        to[--len] = '\0'; /* is no part of it, RFC 9112, section 5.1 */
    return len > 0 ? (size_t)len : 0;
}

/* Bytes that all take; to: NULL: they are only counted. */
static size_t copy_all(const jri_web_link *link, char *to, size_t size)
{
    const jri_web_listener *listener = link->listener;
    size_t at = 0;

    for (size_t i = 0; i < listener->n_headers; i++) {
        const jri_web_field *header = &listener->headers[i];
        size_t value_at = at + header->len + 1;
        size_t len = read_value(link->wsi, header, to ? to + value_at : NULL, size - value_at);
        if (!len)
            continue;
        if (to) {
            memcpy(to + at, header->name, header->len);
            to[at + header->len] = '\0';
        }
        at = value_at + len + 1;
    }
    return at;
}

int jri_web_headers_keep(jri_web_link *link)
{
    free(link->headers);
    link->headers = NULL;
    size_t size = copy_all(link, NULL, 0);
    if (!size)
        return 0;
    link->headers = calloc(1, size + 1);
    if (!link->headers)
        return -ENOMEM;
    copy_all(link, link->headers, size);
    return 0;
}

const char *jri_web_headers_find(const jri_web_link *link, const char *name)
{
    for (const char *at = link->headers; at && *at;) {
        const char *value = at + strlen(at) + 1;
        if (!strcasecmp(at, name))
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}
