/* SPDX-License-Identifier: MIT */
/*
 * web_check.c - what requests over HTTP may look like: pure functions on the values of headers
 */
#define _GNU_SOURCE
#include "web_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <jrpc/transport.h>

static bool is_same(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static bool is_listed(const char *text, size_t len, const char *list)
{
    const char *item;
    size_t item_len;

    while ((item = jrpc_url_list_next(&list, &item_len)))
        if ((item_len == 1 && *item == '*') ||
            (item_len == len && strncasecmp(item, text, len) == 0))
            return true;
    return false;
}

static bool is_address(int family, const char *text, size_t len)
{
    char copy[INET6_ADDRSTRLEN];
    unsigned char address[16];

    if (len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return strlen(copy) == len && inet_pton(family, copy, address) == 1;
}

static bool are_digits(const char *text, size_t len)
{
    for (; len; text++, len--)
        if (*text < '0' || *text > '9')
            return false;
    return true;
}

/* Letters, digits and what else is in names. */
static bool is_name(const char *text, size_t len)
{
    static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

    for (size_t i = 0; i < len; i++)
        if (!text[i] || !strchr(bytes, text[i]))
            return false;
    return len;
}

bool jri_web_host_is_known(const char *host, size_t len, const char *list)
{
    bool has_brackets = len && *host == '[';
    const char *name_end = has_brackets ? memchr(host, ']', len) : memchr(host, ':', len);

    if (has_brackets && !name_end)
        return false;
    size_t name_len = name_end ? (size_t)(name_end - host) : len;
    size_t used = name_len + has_brackets;
    if (used < len && (host[used] != ':' || !are_digits(host + used + 1, len - used - 1)))
        return false;
    if (has_brackets)
        return is_address(AF_INET6, host + 1, name_len - 1);
    return is_name(host, name_len) &&
           (is_same(host, name_len, "localhost") || is_address(AF_INET, host, name_len) ||
            is_listed(host, name_len, list));
}

jri_web_origin jri_web_origin_of(const char *origin, size_t len, const char *scheme,
                                 const char *host, const char *list)
{
    size_t scheme_len = strlen(scheme);

    if (!len)
        return JRI_ORIGIN_OURS;
    if (memchr(origin, ',', len))
        return JRI_ORIGIN_REFUSED;
    if (len > scheme_len + 3 && strncasecmp(origin, scheme, scheme_len) == 0 &&
        memcmp(origin + scheme_len, "://", 3) == 0 &&
        is_same(origin + scheme_len + 3, len - scheme_len - 3, host))
        return JRI_ORIGIN_OURS;
    return is_listed(origin, len, list) ? JRI_ORIGIN_LISTED : JRI_ORIGIN_REFUSED;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(const char **text, size_t *len)
{
    while (*len && is_blank(**text))
        ++*text, --*len;
    while (*len && is_blank((*text)[*len - 1]))
        --*len;
}

/* The next part up to the mark or the end, without blanks around; false: there is none. */
static bool next_part(const char **at, const char *end, char mark, const char **part, size_t *len)
{
    if (!*at)
        return false;
    const char *stop = memchr(*at, mark, (size_t)(end - *at));
    *part = *at;
    *len = (size_t)((stop ? stop : end) - *at);
    *at = stop ? stop + 1 : NULL;
    trim(part, len);
    return true;
}

/* JSON is UTF-8: a parameter may say so, and nothing else. */
static bool is_utf8_charset(const char *text, size_t len)
{
    static const char *const spellings[] = {"charset=utf-8", "charset=\"utf-8\"", "charset=utf8"};

    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++)
        if (is_same(text, len, spellings[i]))
            return true;
    return false;
}

bool jri_web_type_is(const char *text, size_t len, const char *type)
{
    static const char *const json[] = {"application/json", "application/json-rpc",
                                       "application/jsonrequest"};
    const char *at = text, *part;
    size_t part_len;
    bool is_it = false;

    if (!len || !next_part(&at, text + len, ';', &part, &part_len))
        return false;
    if (type)
        is_it = is_same(part, part_len, type);
    for (size_t i = 0; !type && i < sizeof(json) / sizeof(*json); i++)
        is_it |= is_same(part, part_len, json[i]);
    while (is_it && next_part(&at, text + len, ';', &part, &part_len))
        is_it = !part_len || is_utf8_charset(part, part_len);
    return is_it;
}

bool jri_web_list_has(const char *text, size_t len, const char *word)
{
    const char *at = text, *part;
    size_t part_len;

    while (next_part(&at, text + len, ',', &part, &part_len))
        if (is_same(part, part_len, word))
            return true;
    return false;
}

bool jri_web_offers_ours(const char *text, size_t len)
{
    enum { NAME_MAX_LEN = 63 }; /* of those that libwebsockets looks at; at the next it gives up */
    static const char *const known[] = {"jsonrpc-2.0", "jsonrpc2.0", "jsonrpc"};
    const char *at = text, *part;
    size_t part_len;

    while (next_part(&at, text + len, ',', &part, &part_len) && part_len <= NAME_MAX_LEN)
        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
            if (part_len == strlen(known[i]) && !memcmp(part, known[i], part_len))
                return true;
    return false;
}

/* 64: it is no digit. */
static unsigned digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (unsigned)(at - digits) : 64;
}

/* base64url without padding, in just one spelling: 0: it is not. */
static size_t decode(const char *text, size_t len, char *to)
{
    unsigned bits = 0, n_bits = 0;
    size_t n = 0;

    for (; len; text++, len--) {
        unsigned digit = digit_of(*text);
        if (digit > 63)
            return 0;
        bits = (bits << 6 | digit) & 0xfff;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            to[n++] = (char)(bits >> n_bits);
        }
    }
    return n_bits == 6 || (bits & ((1u << n_bits) - 1)) ? 0 : n;
}

size_t jri_web_bearer(const char *text, size_t len, char *to)
{
    static const char mark[] = "bearer.";
    const char *at = text, *part, *found = NULL;
    size_t part_len, found_len = 0;

    while (next_part(&at, text + len, ',', &part, &part_len)) {
        if (part_len < sizeof(mark) - 1 || memcmp(part, mark, sizeof(mark) - 1) != 0)
            continue;
        if (found)
            return 0;
        found = part + sizeof(mark) - 1;
        found_len = part_len - (sizeof(mark) - 1);
    }
    return found ? decode(found, found_len, to) : 0;
}

int jri_web_length(const char *text, size_t len, size_t *out)
{
    size_t n = 0;

    trim(&text, &len);
    if (!len || !are_digits(text, len))
        return -EINVAL;
    for (; len; text++, len--) {
        size_t digit = (size_t)(*text - '0');
        n = n > (SIZE_MAX - digit) / 10 ? SIZE_MAX : n * 10 + digit;
    }
    *out = n;
    return 0;
}

bool jri_web_token_is_known(const char *text, size_t len, const char *tokens)
{
    unsigned n_known = 0;

    while (*tokens && len) {
        size_t token_len = strcspn(tokens, "\n");
        unsigned differs = token_len != len;
        for (size_t i = 0; i < token_len; i++)
            differs |= (unsigned char)tokens[i] ^ (unsigned char)text[i % len];
        n_known += !differs;
        tokens += token_len;
        tokens += *tokens == '\n';
    }
    return n_known;
}
