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

enum { NAME_MAX_LEN = 64 };

/* A name as libwebsockets wants it: in lower case, with its colon. */
typedef struct header_name {
    char text[NAME_MAX_LEN + 2];
    size_t len; /* without the colon */
} header_name;

/* RFC 9110, section 5.6.2. */
static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isascii(text[i]) ||
            (!isalnum((unsigned char)text[i]) && !memchr("!#$%&'*+-.^_`|~", text[i], 15)))
            return false;
    return len > 0;
}

const char *jri_web_headers_fault(const char *names)
{
    const char *name;
    size_t len;

    while ((name = jrpc_url_list_next(&names, &len))) {
        if (len > NAME_MAX_LEN)
            return "a name is longer than 64 bytes";
        if (!is_token(name, len))
            return "expected names of headers, as in X-Request-Id,User-Agent";
    }
    return NULL;
}

static header_name name_of(const char *text, size_t len)
{
    header_name name = {.len = len};

    for (size_t i = 0; i < len; i++) {
        bool is_upper = text[i] >= 'A' && text[i] <= 'Z';
        name.text[i] = (char)(is_upper ? text[i] + ('a' - 'A') : text[i]);
    }
    name.text[len] = ':';
    return name;
}

/* Of those that libwebsockets knows by number; -1: it is none. */
static int token_of(const header_name *name)
{
    const char *known;

    for (int token = 0; (known = (const char *)lws_token_to_string(token)); token++)
        if (!strcmp(known, name->text))
            return token;
    return -1;
}

/* The value's length; 0: none. to: for it and a NUL; NULL: nothing is copied. */
static size_t read_value(struct lws *wsi, const header_name *name, char *to, size_t size)
{
    int token = token_of(name), name_len = (int)name->len + 1;
    int len = token >= 0 ? lws_hdr_total_length(wsi, (enum lws_token_indexes)token)
                         : lws_hdr_custom_length(wsi, name->text, name_len);

    if (len <= 0)
        return 0;
    if (to && token >= 0)
        len = lws_hdr_copy(wsi, to, (int)size, (enum lws_token_indexes)token);
    else if (to)
        len = lws_hdr_custom_copy(wsi, to, (int)size, name->text, name_len);
    while (to && len > 0 && (to[len - 1] == ' ' || to[len - 1] == '\t'))
        to[--len] = '\0'; /* is no part of it, RFC 9112, section 5.1 */
    return len > 0 ? (size_t)len : 0;
}

/* Bytes that all take; to: NULL: they are only counted. */
static size_t copy_all(jri_web_link *link, char *to, size_t size)
{
    const char *names = link->listener->headers, *text;
    size_t len, at = 0;

    while ((text = jrpc_url_list_next(&names, &len))) {
        header_name name = name_of(text, len);
        size_t value_at = at + len + 1;
        size_t value_len = read_value(link->wsi, &name, to ? to + value_at : NULL, size - value_at);
        if (!value_len)
            continue;
        if (to) {
            memcpy(to + at, name.text, len);
            to[at + len] = '\0';
        }
        at = value_at + value_len + 1;
    }
    return at;
}

int jri_web_headers_keep(jri_web_link *link)
{
    free(link->headers);
    link->headers = NULL;
    if (!link->listener->headers)
        return 0;
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
