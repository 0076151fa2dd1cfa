/* SPDX-License-Identifier: MIT */
/*
 * endpoint.c - an endpoint's URL to its parts
 *
 * A URL comes from a command line or a configuration: the parser is strict and says where and why.
 * Everything it yields lives in one piece of memory. What options mean is left to
 * endpoint_option.c, how a URL is shown to endpoint_text.c.
 */
#define _GNU_SOURCE
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_MAX = 65535, ADDRESS_MAX = 64 /* longer than any IPv6 address, with a NUL */ };

#define WHITE_SPACE " \t\n\v\f\r"
#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7F;
}

struct parser {
    const char *at, *end; /* in url->text; the end of all but the options */
    char *to;             /* room for what is decoded */
    jrpc_url *url;
    jrpc_problem *problem;
};

/* The fault is at a place of the text. */
#define FAULT(parser, place, ...)                                                                  \
    jrpc_url_fault((parser)->url, (int)((place) - (parser)->url->text) + 1, (parser)->problem,     \
                   __VA_ARGS__)

/* The next len bytes as they are, NUL-terminated. */
static const char *keep(struct parser *parser, size_t len)
{
    char *copy = parser->to;

    parser->to = mempcpy(copy, parser->at, len);
    *parser->to++ = '\0';
    parser->at += len;
    return copy;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char letter = (char)(c | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* Up to end, NUL-terminated. */
static int decode(struct parser *parser, const char *end)
{
    for (; parser->at < end; parser->at++) {
        const char *at = parser->at;
        if (*at != '%') {
            *parser->to++ = *at;
            continue;
        }
        int high = hex_digit(at[1]), low = high < 0 ? -1 : hex_digit(at[2]);
        if (low < 0)
            return FAULT(parser, at, "'%%' needs two hexadecimal digits behind it");
        char c = (char)(high << 4 | low);
        if (is_control(c))
            return FAULT(parser, at, "%.3s is a control character", at);
        *parser->to++ = c;
        parser->at += 2;
    }
    *parser->to++ = '\0';
    return 0;
}

static int parse_scheme(struct parser *parser)
{
    size_t len = strspn(parser->at, LETTERS DIGITS "+.-");
    char *scheme = parser->to;

    if (!strspn(parser->at, LETTERS) || parser->at[len] != ':')
        return FAULT(parser, parser->at + (strspn(parser->at, LETTERS) ? len : 0),
                     "expected a scheme and ':', as in tcp://127.0.0.1:5000");
    parser->url->scheme = keep(parser, len);
    for (; *scheme; scheme++)
        if (*scheme >= 'A' && *scheme <= 'Z')
            *scheme = (char)(*scheme | 0x20);
    parser->at++;
    return 0;
}

/* Bytes that must not stand where they stand, whatever they would be part of. */
static int check_bytes(struct parser *parser, bool has_host)
{
    for (const char *at = parser->at; *at; at++) {
        if (is_control(*at))
            return FAULT(parser, at, "a control character");
        if (*at == '#')
            return FAULT(parser, at, "an endpoint has no '#' part; the character itself is %%23");
        if (*at == ' ' && (has_host || at + 1 >= parser->end))
            return FAULT(parser, at, "a blank is written %%20");
    }
    return 0;
}

/* An address between brackets, behind which the parser is then. */
static int parse_literal(struct parser *parser)
{
    struct in6_addr ignored;
    char address[ADDRESS_MAX];
    const char *start = ++parser->at;
    size_t len = strcspn(start, "]/?"), n_address = strcspn(start, "%]/?");
    bool has_zone = n_address < len;

    if (start[len] != ']')
        return FAULT(parser, start - 1, "'[' without ']'");
    snprintf(address, sizeof(address), "%.*s", (int)n_address, start);
    if (n_address >= sizeof(address) || inet_pton(AF_INET6, address, &ignored) != 1)
        return FAULT(parser, start, "not an IPv6 address");

    parser->url->host = keep(parser, n_address);
    if (has_zone) {
        if (strncmp(parser->at, "%25", 3) != 0)
            return FAULT(parser, parser->at, "a zone is written %%25 and its name");
        parser->to[-1] = '%';
        parser->at += 3;
        size_t n_zone = (size_t)(start + len - parser->at);
        if (!n_zone || strspn(parser->at, LETTERS DIGITS "._~-") != n_zone)
            return FAULT(parser, parser->at, "expected the name of a zone");
        keep(parser, n_zone);
    }
    parser->at++;
    return 0;
}

/* A host's name, or an IPv4 address: four numbers with dots can be nothing else. */
static int parse_name(struct parser *parser, const char *end)
{
    struct in_addr ignored;
    const char *start = parser->at;
    size_t len = *start == '*' ? 1 : strspn(start, LETTERS DIGITS "._~-");
    int n_dots = 0;

    if (memchr(start, ':', (size_t)(end - start)) != memrchr(start, ':', (size_t)(end - start)))
        return FAULT(parser, start, "an IPv6 address stands in brackets, as in [::1]");
    if (start == end || *start == ':')
        return FAULT(parser, start, "expected a host: a name, an address, or * for all interfaces");
    if (start + len < end && start[len] != ':')
        return FAULT(parser, start + len, "not a character of a host's name");

    const char *host = keep(parser, len);
    for (const char *at = host; *at; at++)
        n_dots += *at == '.';
    if (n_dots == 3 && strspn(host, DIGITS ".") == len && inet_pton(AF_INET, host, &ignored) != 1)
        return FAULT(parser, start, "not an IPv4 address");
    parser->url->host = host;
    return 0;
}

static int parse_port(struct parser *parser, const char *end)
{
    const char *start = ++parser->at;
    uint32_t port = 0;

    if (start == end)
        return FAULT(parser, start, "expected a port; 0 for any that is free");
    for (; parser->at < end && port <= PORT_MAX; parser->at++) {
        if (*parser->at < '0' || *parser->at > '9')
            break;
        port = port * 10 + (uint32_t)(*parser->at - '0');
    }
    if (parser->at < end || port > PORT_MAX)
        return FAULT(parser, start, "the port is not 0 to %d", PORT_MAX);

    parser->url->port = (uint16_t)port;
    parser->url->has_port = true;
    return 0;
}

static int parse_authority(struct parser *parser, const char *end)
{
    const char *start = parser->at;
    int status;

    if (memchr(start, '@', (size_t)(end - start)))
        return FAULT(parser, start,
                     "credentials do not belong in a URL; use token_file= or curve_key=");
    status = *start == '[' ? parse_literal(parser) : parse_name(parser, end);
    if (status || parser->at == end)
        return status;
    if (*parser->at != ':')
        return FAULT(parser, parser->at, "expected ':' and a port");
    return parse_port(parser, end);
}

/* All up to the options; the host, already checked, is a part of it that needs no decoding. */
static int parse_rest(struct parser *parser)
{
    jrpc_url *url = parser->url;
    bool has_slashes = strncmp(parser->at, "//", 2) == 0;
    const char *start = parser->at + (has_slashes ? 2 : 0);
    const char *authority_end = has_slashes ? start + strcspn(start, "/?#") : start;
    int status = check_bytes(parser, authority_end > start);

    parser->at = start;
    if (!status && authority_end > start)
        status = parse_authority(parser, authority_end);
    if (status)
        return status;

    url->rest = parser->to;
    parser->to = mempcpy(parser->to, start, (size_t)(authority_end - start));
    url->path = parser->to;
    parser->at = authority_end;
    return decode(parser, parser->end);
}

static int parse_option(struct parser *parser)
{
    jrpc_url *url = parser->url;
    const char *start = parser->at;
    size_t len = strspn(start, LETTERS DIGITS "_.-");

    if (url->n_options == JRI_ENDPOINT_OPTIONS_MAX)
        return FAULT(parser, start, "more than %d options", JRI_ENDPOINT_OPTIONS_MAX);
    if (!len)
        return FAULT(parser, start, "expected an option, name=value");
    if (start[len] != '=')
        return FAULT(parser, start + len, "expected '=' and the option's value");

    const char *name = keep(parser, len);
    if (jri_endpoint_find(url, name))
        return FAULT(parser, start, "option '%s' twice", name);
    parser->at++;
    const char *value = parser->to;
    int status = decode(parser, parser->at + strcspn(parser->at, "&"));
    if (status)
        return status;

    url->options[url->n_options++] =
        (jrpc_url_pair){.name = name, .value = value, .column = (int)(start - url->text) + 1};
    return 0;
}

static int parse(struct parser *parser)
{
    int status = parse_scheme(parser);

    if (!status)
        status = parse_rest(parser);
    if (!status && parser->at[0] == '?' && parser->at[1]) {
        do {
            parser->at++;
            status = parse_option(parser);
        } while (!status && *parser->at == '&');
    }
    return status;
}

int jri_endpoint_parse(const char *text, jrpc_url **out, jrpc_problem *problem)
{
    size_t len = strnlen(text, JRI_ENDPOINT_MAX + 1), n_options = 0;
    jrpc_url refused = {.text = text};

    if (len > JRI_ENDPOINT_MAX)
        return jrpc_url_fault(&refused, JRI_ENDPOINT_MAX + 1, problem, "longer than %d bytes",
                              JRI_ENDPOINT_MAX);
    const char *end = text + strcspn(text, "?#");
    for (const char *at = end; *at && n_options < JRI_ENDPOINT_OPTIONS_MAX; at++)
        n_options += *at == '?' || *at == '&';

    /* The options, the copy, what is decoded: no part is longer than its spelling and, with its
     * NUL, than that and what stands before or behind it; the host is there once more. */
    size_t n_table = n_options * sizeof(jrpc_url_pair), n_copy = len + 1;
    jrpc_url *url = calloc(1, sizeof(*url) + n_table + n_copy + 2 * (len + 1));
    if (!url) {
        if (problem)
            *problem = (jrpc_problem){.code = -ENOMEM, .text = "out of memory"};
        return -ENOMEM;
    }
    url->options = (jrpc_url_pair *)(url + 1);
    char *copy = (char *)url->options + n_table;
    url->text = memcpy(copy, text, len);

    struct parser parser = {.at = copy,
                            .end = copy + (end - text),
                            .to = copy + n_copy,
                            .url = url,
                            .problem = problem};
    int status = parse(&parser);
    if (status) {
        jri_endpoint_free(url);
        return status;
    }
    *out = url;
    return 0;
}

void jri_endpoint_free(jrpc_url *url)
{
    free(url);
}

bool jri_endpoint_next(const char **list, char to[JRI_ENDPOINT_SIZE])
{
    const char *url = *list + strspn(*list, WHITE_SPACE);
    size_t len = strcspn(url, WHITE_SPACE);

    *list = url + len;
    if (!len)
        return false;
    if (len > JRI_ENDPOINT_SIZE - 1)
        len = JRI_ENDPOINT_SIZE - 1;
    *(char *)mempcpy(to, url, len) = '\0';
    return true;
}
