/* SPDX-License-Identifier: MIT */
/*
 * web_options.c - the URL of a web listener: where it is, whom it lets in, what it shows
 */
#define _GNU_SOURCE
#include "web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    KEEPALIVE_S = 60,
    TOKENS_MAX = 65536, /* bytes of a file of tokens */
    OWNER_ONLY = 0600
};

void jri_web_options_free(jri_web_listener *listener)
{
    char **const texts[] = {&listener->path, &listener->hosts, &listener->origins};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
    free(listener->headers);
    listener->headers = NULL;
    if (listener->tokens)
        explicit_bzero(listener->tokens, strlen(listener->tokens));
    free(listener->tokens);
    listener->tokens = NULL;
}

/* NULL stays NULL. */
static int copy(const char *text, char **out)
{
    *out = text ? strdup(text) : NULL;
    return text && !*out ? -ENOMEM : 0;
}

static int read_place(jri_web_site *site, const jrpc_url *url, jrpc_problem *problem)
{
    jri_stream_place *place = &site->place;
    int column = (int)strlen(url->scheme) + 2;
    const char *where = place->is_unix ? url->path : url->host;
    size_t size = place->is_unix ? sizeof(place->path) : sizeof(place->host);

    *place = (jri_stream_place){.is_unix = place->is_unix,
                                .fd = -1,
                                .backlog = BACKLOG,
                                .keepalive = KEEPALIVE_S,
                                .mode = OWNER_ONLY};
    if (place->is_unix && (url->host || !*where))
        return jrpc_url_fault(url, column, problem, "expected a path, as in %s:/run/name.sock",
                              url->scheme);
    if (!where)
        return jrpc_url_fault(url, column, problem, "expected a host, as in %s://127.0.0.1:5000",
                              url->scheme);
    if (strlen(where) >= size)
        return jrpc_url_fault(url, column, problem, "longer than %zu bytes", size - 1);
    memcpy(place->is_unix ? place->path : place->host, where, strlen(where) + 1);
    place->port = url->has_port ? url->port : site->is_tls ? 443 : 80;
    if (!place->is_unix)
        return 0;
    for (size_t i = 0; i < url->n_options; i++)
        site->has_mode |= !strcmp(url->options[i].name, "mode");
    return jrpc_url_mode(url, "mode", &place->mode, problem);
}

/* The name of a file that can be read. */
static int read_file_name(const jrpc_url *url, const char *name, char **out, jrpc_problem *problem)
{
    const char *path = NULL;

    int status = jrpc_url_string(url, name, &path, problem);
    if (status || !path)
        return status;
    if (access(path, R_OK)) {
        status = -errno;
        jrpc_url_fault(url, /* column */ 0, problem, "%s: %s", name, uv_strerror(status));
        problem->code = status;
        return status;
    }
    return copy(path, out);
}

/* Whether there is enough of it is asked when it is clear who opens the port. */
static int read_tls(jri_web_site *site, const jrpc_url *url, jrpc_problem *problem)
{
    if (!site->is_tls)
        return 0;
    int status = read_file_name(url, "cert", &site->cert, problem);
    if (!status)
        status = read_file_name(url, "key", &site->key, problem);
    if (!status)
        status = read_file_name(url, "client_ca", &site->client_ca, problem);
    return status;
}

/* One token a line; what is not a token is none that anybody could send. */
static int read_tokens(jri_web_listener *listener, const jrpc_url *url, jrpc_problem *problem)
{
    char *path = NULL;

    int status = read_file_name(url, "token_file", &path, problem);
    if (status || !path)
        return status;
    FILE *file = fopen(path, "re");
    char *text = calloc(1, TOKENS_MAX + 1);
    size_t len = file && text ? fread(text, 1, TOKENS_MAX + 1, file) : 0;
    if (!text)
        status = -ENOMEM;
    else if (!file || ferror(file) || !len || len > TOKENS_MAX || strlen(text) != len)
        status = jrpc_url_fault(url, /* column */ 0, problem,
                                "token_file: expected tokens, one a line, of %d bytes together",
                                TOKENS_MAX);
    if (file)
        fclose(file);
    free(path);
    if (status)
        free(text);
    else
        listener->tokens = text;
    return status;
}

static int read_rules(jri_web_listener *listener, const jrpc_url *url, jrpc_problem *problem)
{
    const char *hosts = NULL, *origins = NULL;
    const char *path = listener->site->place.is_unix || !*url->path ? "/" : url->path;

    int status = jrpc_url_list(url, "host", &hosts, problem);
    if (!status)
        status = jrpc_url_list(url, "origin", &origins, problem);
    if (!status)
        status = jri_web_headers_read(listener, url, problem);
    if (!status && !listener->is_websocket_only)
        status = jrpc_url_boolean(url, "console", &listener->has_console, problem);
    if (!status && !listener->is_websocket_only)
        status = jrpc_url_boolean(url, "openrpc", &listener->has_document, problem);
    if (!status)
        status = jrpc_url_boolean(url, "metrics", &listener->has_metrics, problem);
    if (!status && listener->site->place.is_unix)
        status = jrpc_url_string(url, "path", &path, problem);
    if (!status && *path != '/')
        status =
            jrpc_url_fault(url, /* column */ 0, problem, "path: expected one that begins with /");
    if (status)
        return status;
    return copy(path, &listener->path) || copy(hosts, &listener->hosts) ||
                   copy(origins, &listener->origins)
               ? -ENOMEM
               : 0;
}

int jri_web_options_read(jri_web_listener *listener, const jrpc_url *url, jrpc_problem *problem)
{
    static const char *const known[] = {"host", "origin",  "console", "openrpc",   "metrics",
                                        "cert", "key",     "mode",    "client_ca", "token_file",
                                        "path", "headers", NULL};
    jri_web_site *site = listener->site;

    site->place.is_unix = !strcmp(url->scheme, "http+unix");
    site->is_tls = !strcmp(url->scheme, "https") || !strcmp(url->scheme, "wss");
    listener->is_websocket_only = !strncmp(url->scheme, "ws", 2);
    listener->has_console = listener->has_document = !listener->is_websocket_only;
    listener->has_metrics = !listener->is_websocket_only;
    int status = read_place(site, url, problem);
    if (!status)
        status = read_tls(site, url, problem);
    if (!status)
        status = read_tokens(listener, url, problem);
    if (!status)
        status = read_rules(listener, url, problem);
    return status ? status : jrpc_url_check(url, known, problem);
}
