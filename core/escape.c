/* SPDX-License-Identifier: MIT */
/*
 * escape.c - foreign text made safe to be shown on one line
 */
#define _GNU_SOURCE
#include "escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

enum { SHOWN_MAX = 8 }; /* \uNNNN or one character of UTF-8, and a NUL */

/* The character of n bytes of UTF-8. */
static uint32_t decode(const char *text, size_t n)
{
    unsigned char first = (unsigned char)text[0];
    uint32_t c = n == 1 ? first : first & (0xFFu >> (n + 1));

    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)text[i] & 0x3F);
    return c;
}

/* Characters beyond ASCII that are obeyed rather than shown: C1 controls, the line and paragraph
 * separators, and what has Unicode's property Bidi_Control. */
static bool is_control(uint32_t c)
{
    return (c >= 0x80 && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* One step: how many bytes of text it took, at least 1; shown instead of them: shown. */
static size_t escape_one(const char *text, const char *end, char shown[SHOWN_MAX])
{
    size_t n = jri_utf8_step(text, end);
    uint32_t c = n ? decode(text, n) : 0;

    if (c == '\n' || c == '\r' || c == '\t')
        snprintf(shown, SHOWN_MAX, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    else if (c < 0x20 || c == 0x7F)
        snprintf(shown, SHOWN_MAX, "\\x%02x", (unsigned char)*text);
    else if (is_control(c))
        snprintf(shown, SHOWN_MAX, "\\u%04x", (unsigned)c & 0xFFFF);
    else
        *(char *)mempcpy(shown, text, n) = '\0';
    return n ? n : 1;
}

/* Behind the run of printable ASCII at the beginning: the usual text, copied at once. */
static const char *skip_plain(const char *at, const char *end)
{
    while (at < end && *at >= 0x20 && *at < 0x7F)
        at++;
    return at;
}

size_t jri_escape(char *to, size_t size, const char *text, size_t len)
{
    size_t need = 0, written = 0, room = size ? size - 1 : 0;
    const char *end = len ? text + len : text;
    char shown[SHOWN_MAX];

    for (const char *at = text; at < end;) {
        const char *next = skip_plain(at, end), *source = at;
        size_t n = (size_t)(next - at);
        if (!n) {
            next = at + escape_one(at, end, shown);
            source = shown;
            n = strlen(shown);
        }
        at = next;
        need += n;

        /* A plain run may be cut anywhere, an escape or a character nowhere. */
        if (n > room) {
            n = source == shown ? 0 : room;
            room = n;
        }
        if (n)
            memcpy(to + written, source, n);
        written += n;
        room -= n;
    }
    if (size)
        to[written] = '\0';
    return need;
}
