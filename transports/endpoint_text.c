/* SPDX-License-Identifier: MIT */
/*
 * endpoint_text.c - an endpoint's URL to be shown, whole or with what is wrong with it
 *
 * Always one line of ASCII without a secret in it. It is copied from the text that was given, not
 * made of its parts, so that it means the same when it is parsed again.
 */
#define _GNU_SOURCE
#include "endpoint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct writer {
    char *to;
    size_t room, need; /* left without the NUL; of all */
};

/* The unit is written whole or, like all that follows then, not at all. */
static void put(struct writer *writer, const char *unit, size_t len)
{
    writer->need += len;
    if (len > writer->room) {
        writer->room = 0;
        return;
    }
    memcpy(writer->to, unit, len);
    writer->to += len;
    writer->room -= len;
}

/* What is not printable ASCII becomes %XX, and what is special as well. */
static void put_text(struct writer *writer, const char *text, size_t len, const char *special)
{
    char code[4];

    for (; len; text++, len--) {
        if (*text >= 0x20 && *text < 0x7F && !strchr(special, *text)) {
            put(writer, text, 1);
        } else {
            snprintf(code, sizeof(code), "%%%02X", (unsigned char)*text);
            put(writer, code, 3);
        }
    }
}

/* The URL without its options and whatever may be a password. */
static void put_source(struct writer *writer, const char *text)
{
    const char *end = text + strcspn(text, "?#"), *mark = strstr(text, "://");
    const char *at = mark && mark < end ? mark + strlen("://") : end;
    /* The last one, wherever it is: a password may hold marks that end a host. */
    const char *secret = strrchr(at, '@');

    if (secret && at < end) {
        put_text(writer, text, (size_t)(at - text), "");
        put(writer, "...", 3);
        text = secret < end ? secret : end;
    }
    /* Mostly a ':' follows, and two of them look odd. */
    if (end > text && end[-1] == ':')
        end--;
    put_text(writer, text, (size_t)(end - text), "");
}

int jrpc_url_fault(const jrpc_url *url, int column, jrpc_problem *problem, const char *format, ...)
{
    char text[sizeof(problem->text)];
    va_list args;

    if (!problem)
        return -EINVAL;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    /* All zeros, so that what is written below is terminated. */
    *problem = (jrpc_problem){.code = -EINVAL, .column = column};
    struct writer writer = {.to = problem->text, .room = sizeof(problem->text) - 1};
    put_text(&writer, text, strlen(text), "");
    writer = (struct writer){.to = problem->source, .room = sizeof(problem->source) - 1};
    put_source(&writer, url ? url->text : "");
    return -EINVAL;
}

/* The authority with this port, from its spelling; where it ends there. */
static const char *put_authority(struct writer *writer, const char *at, int port)
{
    const char *end = at + strcspn(at, "/?");
    const char *host_end = *at == '[' ? strchr(at, ']') + 1 : at + strcspn(at, ":/?");
    char text[16];

    put_text(writer, at, (size_t)((port < 0 ? end : host_end) - at), "");
    if (port >= 0)
        put_text(writer, text, (size_t)snprintf(text, sizeof(text), ":%d", port), "");
    return end;
}

size_t jri_endpoint_format(const jrpc_url *url, int port, const char *const *keep, char *to,
                           size_t size)
{
    struct writer writer = {.to = to, .room = size ? size - 1 : 0};
    const char *at = url->text + strlen(url->scheme) + 1, *end = at + strcspn(at, "?#");
    const char *separator = "?";

    /* unix:///path and unix:/path are the same, but for paths that begin with two slashes. */
    if (strncmp(at, "//", 2) == 0)
        at += 2;
    put_text(&writer, url->scheme, strlen(url->scheme), "");
    put(&writer, ":", 1);
    if (url->host || strncmp(at, "//", 2) == 0)
        put(&writer, "//", 2);
    if (url->host)
        at = put_authority(&writer, at, port);
    put_text(&writer, at, (size_t)(end - at), "");

    for (; keep && *keep; keep++) {
        const jrpc_url_pair *pair = jri_endpoint_find(url, *keep);
        if (!pair)
            continue;
        put(&writer, separator, 1);
        put_text(&writer, pair->name, strlen(pair->name), "");
        put(&writer, "=", 1);
        put_text(&writer, pair->value, strlen(pair->value), " %&#");
        separator = "&";
    }
    if (size)
        *writer.to = '\0';
    return writer.need;
}
