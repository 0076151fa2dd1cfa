/* SPDX-License-Identifier: MIT */
/*
 * fuzz_endpoint.c - a list of URLs of any bytes: what is accepted comes back from being shown
 *
 * A URL formatted and parsed again has the same parts; whatever is wrong is told in one line of
 * ASCII without what stands before an "@".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transports/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SHOWN_MAX = 3 * JRI_ENDPOINT_MAX + 64 };

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_line(const char *text, size_t size)
{
    size_t len = strnlen(text, size);

    require(len < size);
    for (size_t i = 0; i < len; i++)
        require(text[i] >= 0x20 && text[i] < 0x7F);
}

static void check_problem(const jrpc_problem *problem, const char *text)
{
    const char *shown = strstr(problem->source, "://");

    require(problem->code == -EINVAL && problem->line == 0);
    require(problem->column >= 1 && (size_t)problem->column <= strlen(text) + 1);
    require(*problem->text);
    check_line(problem->text, sizeof(problem->text));
    check_line(problem->source, sizeof(problem->source));
    require(!strchr(problem->source, '?') && !strchr(problem->source, '#'));

    /* The scheme may take all the room that there is. */
    if (shown && strlen(shown) > 5 && strchr(text, '@') > strstr(text, "://"))
        require(strncmp(shown + 3, "...", 3) == 0);
}

static void check_plain(const char *text)
{
    for (; *text; text++)
        require((unsigned char)*text >= 0x20 && *text != 0x7F);
}

static void check_parts(const jrpc_url *url)
{
    require(*url->scheme && url->n_options <= JRI_ENDPOINT_OPTIONS_MAX);
    check_plain(url->rest);
    require(url->host ? *url->host && (!*url->path || *url->path == '/')
                      : url->path == url->rest && !url->has_port);
    require(url->has_port || url->port == 0);
    for (size_t i = 0; i < url->n_options; i++) {
        const jrpc_url_pair *pair = &url->options[i];
        require(jri_endpoint_find(url, pair->name) == pair && !pair->is_taken);
        require(strncmp(url->text + pair->column - 1, pair->name, strlen(pair->name)) == 0);
        check_plain(pair->value);
    }
}

static void check_same(const jrpc_url *a, const jrpc_url *b)
{
    require(!strcmp(a->scheme, b->scheme) && !strcmp(a->path, b->path) &&
            !strcmp(a->rest, b->rest));
    require(!a->host == !b->host && (!a->host || !strcmp(a->host, b->host)));
    require(a->has_port == b->has_port && a->port == b->port && a->n_options == b->n_options);
    for (size_t i = 0; i < a->n_options; i++) {
        require(!strcmp(a->options[i].name, b->options[i].name));
        require(!strcmp(a->options[i].value, b->options[i].value));
    }
}

/* All options kept: the same URL. With another port: the same but for the port. */
static void check_round_trip(const jrpc_url *url)
{
    const char *names[JRI_ENDPOINT_OPTIONS_MAX + 1] = {NULL};
    char shown[SHOWN_MAX], again[SHOWN_MAX], real[SHOWN_MAX];
    jrpc_url *back = NULL;

    for (size_t i = 0; i < url->n_options; i++)
        names[i] = url->options[i].name;
    size_t len = jri_endpoint_format(url, -1, names, shown, sizeof(shown));
    require(len == strlen(shown));
    check_line(shown, sizeof(shown));
    if (len > JRI_ENDPOINT_MAX)
        return;
    require(jri_endpoint_parse(shown, &back, NULL) == 0);
    check_same(url, back);
    jri_endpoint_format(back, -1, names, again, sizeof(again));
    require(strcmp(shown, again) == 0);
    jri_endpoint_free(back);
    back = NULL;

    len = jri_endpoint_format(url, 65535, NULL, real, sizeof(real));
    if (!url->host || len > JRI_ENDPOINT_MAX)
        return;
    require(jri_endpoint_parse(real, &back, NULL) == 0);
    require(back->port == 65535 && !strcmp(back->host, url->host) &&
            !strcmp(back->path, url->path));
    jri_endpoint_free(back);
}

static void take_all(const jrpc_url *url)
{
    static const char *const known[] = {"boolean", "choice", "integer", "list",
                                        "mode",    "string", "a",       NULL};
    const jrpc_url_range range = {-100, 100000};
    const char *text = "text", *list = NULL, *item;
    jrpc_problem problem;
    bool is_so = true;
    int64_t integer = 7;
    unsigned mode = 0600;
    int choice = 1;
    size_t len = 0;

    if (jrpc_url_check(url, known, &problem))
        check_problem(&problem, url->text);
    if (jrpc_url_string(url, "string", &text, &problem) ||
        jrpc_url_boolean(url, "boolean", &is_so, &problem) ||
        jrpc_url_integer(url, "integer", range, &integer, &problem) ||
        jrpc_url_mode(url, "mode", &mode, &problem) ||
        jrpc_url_choice(url, "choice", "a|b|c", &choice, &problem) ||
        jrpc_url_list(url, "list", &list, &problem))
        check_problem(&problem, url->text);
    require(*text && integer >= -100 && integer <= 100000 && mode <= 0777);
    require(choice >= 0 && choice <= 2);
    while ((item = jrpc_url_list_next(&list, &len)))
        require(len > 0 && !memchr(item, ',', len));

    for (size_t i = 0; i < url->n_options; i++)
        require(jrpc_url_option(url, url->options[i].name) == url->options[i].value);
    require(!jri_endpoint_unused(url) && jrpc_url_check(url, known, NULL) == 0);
}

static void try_url(const char *text)
{
    jrpc_problem problem = {0};
    jrpc_url *url = NULL;
    int status = jri_endpoint_parse(text, &url, &problem);

    require(status == 0 || status == -EINVAL);
    require(status == problem.code && !status == !!url);
    if (status) {
        check_problem(&problem, text);
        return;
    }
    check_parts(url);
    check_round_trip(url);
    take_all(url);
    jri_endpoint_free(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size), to[JRI_ENDPOINT_SIZE];

    require(text != NULL);
    try_url(text);
    for (const char *list = text; jri_endpoint_next(&list, to);) {
        require(*to && strlen(to) < sizeof(to));
        try_url(to);
    }
    free(text);
    return 0;
}
