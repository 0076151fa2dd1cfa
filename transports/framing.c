/* SPDX-License-Identifier: MIT */
/*
 * framing.c - newline and Content-Length framing as a pure parser
 *
 * What is consumed is never looked at again. What is not is either the line at hand, of which
 * `scanned` bytes are known to hold no line end, or a body, whose bytes are only counted. A header
 * is consumed line by line, so that the whole of it need not be there at once.
 *
 * Detection: a first line that begins like `Content-Length:`, with a letter, then letters, digits,
 * '-' and '_', then a colon, is a header. No JSON text begins so: of those that begin with a letter
 * (true, false, null) none goes on with a colon. Every other line is a line, JSON or not. All names
 * count, not only "Content-": a header misread as lines would be answered line by line. Before all
 * that the first bytes are compared with the greetings of other protocols.
 */
#define _GNU_SOURCE
#include "framing.h"

#include <errno.h>
#include <string.h>

enum phase {
    READY,     /* before a message, or within a line */
    IN_HEADER, /* some of a header is consumed, or will be */
    IN_BODY,   /* behind a header, body_len <= message_max */
    SKIPPING,  /* within a message over message_max that the caller has been told of */
    FAILED,
};

/* What is left of the caller's bytes. */
struct input {
    const char *at;
    size_t left;
    bool is_end;
};

struct slice {
    const char *text;
    size_t len;
};

void jri_framing_begin(jri_framing *framing, jri_framing_mode mode, size_t message_max)
{
    *framing = (jri_framing){.mode = mode, .phase = READY, .message_max = message_max};
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void consume(struct input *input, size_t n)
{
    input->at += n;
    input->left -= n;
}

/* The line at hand: its bytes without the LF, without a CR before it. False: it goes on. */
static inline bool find_line(jri_framing *framing, const struct input *input, size_t *len,
                             size_t *text_len)
{
    size_t scanned = framing->scanned;
    const char *eol = memchr(input->at + scanned, '\n', input->left - scanned);

    *len = eol ? (size_t)(eol - input->at) : input->left;
    *text_len = *len - (*len && input->at[*len - 1] == '\r');
    framing->scanned = eol ? 0 : input->left;
    return eol;
}

static int fail(jri_framing *framing, const char *reason)
{
    framing->phase = FAILED;
    framing->failure = -EBADMSG;
    framing->reason = reason;
    return -EBADMSG;
}

/* A message, and what separates it from the next one. */
static int give(jri_framing *framing, struct input *input, size_t text_len, size_t len,
                jri_frame *out)
{
    framing->phase = READY;
    framing->scanned = 0;
    *out = (jri_frame){.text = input->at, .len = text_len};
    consume(input, len);
    return 1;
}

/* Lines */

static int next_line(jri_framing *framing, struct input *input, jri_frame *out)
{
    size_t len, text_len;
    bool is_whole = find_line(framing, input, &len, &text_len);

    /* A CR that ends the bytes at hand may still belong to a CRLF: it does not count yet. */
    if (text_len > framing->message_max) {
        framing->phase = SKIPPING;
        framing->scanned = 0;
        consume(input, len); /* not the LF, which skip() looks for */
        out->reason = "line is longer than message_max";
        return -EMSGSIZE;
    }
    if (!is_whole && !input->is_end)
        return 0;
    return give(framing, input, text_len, len + is_whole, out);
}

/* Headers */

/* Bytes of the name that the text begins with; 0: none. The locale is not asked. */
static size_t name_length(const char *text, size_t len)
{
    size_t n = 0;

    for (; n < len; n++) {
        char c = text[n], small = (char)(c | 0x20);
        bool is_letter = small >= 'a' && small <= 'z', is_digit = c >= '0' && c <= '9';
        if (!is_letter && (n == 0 || (!is_digit && c != '-' && c != '_')))
            break;
    }
    return n;
}

static struct slice strip(struct slice slice)
{
    while (slice.len && is_white(slice.text[slice.len - 1]))
        slice.len--;
    for (; slice.len && is_white(*slice.text); slice.len--)
        slice.text++;
    return slice;
}

/* Takes what stands before the separator, or all, and leaves what stands behind it. */
static struct slice cut(struct slice *from, char separator)
{
    struct slice part = *from;
    const char *end = memchr(part.text, separator, part.len);

    if (end)
        part.len = (size_t)(end - part.text);
    from->text += part.len + (end != NULL);
    from->len -= part.len + (end != NULL);
    return strip(part);
}

static bool is_word(struct slice slice, const char *word)
{
    return slice.len == strlen(word) && strncasecmp(slice.text, word, slice.len) == 0;
}

/* As the two below: NULL, or what is wrong. */
static const char *read_length(jri_framing *framing, struct slice value)
{
    uint64_t n = 0;

    if (!value.len)
        return "Content-Length is not a number";
    for (size_t i = 0; i < value.len; i++) {
        unsigned digit = (unsigned)value.text[i] - '0';
        if (digit > 9)
            return "Content-Length is not a number";
        if (n > (UINT64_MAX - digit) / 10)
            return "Content-Length is beyond any number";
        n = n * 10 + digit;
    }
    if (framing->has_length && framing->body_len != n)
        return "two Content-Lengths that differ";

    framing->has_length = true;
    framing->body_len = n;
    return NULL;
}

/* The type itself and its other parameters are for the codec to know. */
static const char *check_type(struct slice value)
{
    while (value.len) {
        struct slice parameter = cut(&value, ';');
        struct slice name = cut(&parameter, '='), charset = strip(parameter);

        if (is_word(name, "charset") && !is_word(charset, "utf-8") && !is_word(charset, "utf8") &&
            !is_word(charset, "\"utf-8\""))
            return "charset is not utf-8";
    }
    return NULL;
}

static const char *read_field(jri_framing *framing, const char *line, size_t len)
{
    size_t n = name_length(line, len);

    if (memchr(line, '\0', len))
        return "header with a NUL byte";
    if (!n || n == len || line[n] != ':')
        return "header line is not 'name: value'";

    struct slice name = {line, n}, value = strip((struct slice){line + n + 1, len - n - 1});
    if (is_word(name, "Content-Length"))
        return read_length(framing, value);
    if (is_word(name, "Content-Type"))
        return check_type(value);
    return NULL;
}

/* What nearly every header is, if more than all of it is at hand. False: look closer. */
static bool take_header(jri_framing *framing, struct input *input)
{
    static const char name[] = "Content-Length: ", end[] = "\r\n\r\n";
    enum { NAME = sizeof(name) - 1, DIGITS = 9, END = sizeof(end) - 1 };
    const char *at = input->at;
    size_t i = NAME, len = 0;
    unsigned digit;

    if (input->left < NAME + DIGITS + END || memcmp(at, name, NAME) != 0)
        return false;
    for (; i < NAME + DIGITS && (digit = (unsigned)at[i] - '0') < 10; i++)
        len = len * 10 + digit;
    if (i == NAME || memcmp(at + i, end, END) != 0)
        return false;
    framing->body_len = len;
    consume(input, i + END);
    return true;
}

/* Consumes the lines of a header that are whole: 1 with the empty one, 0 more are needed. */
static int read_header(jri_framing *framing, struct input *input)
{
    size_t len, text_len;

    if (framing->phase == READY && take_header(framing, input))
        return 1;
    if (framing->phase == READY) {
        framing->phase = IN_HEADER;
        framing->header_len = 0;
        framing->has_length = false;
    }
    do {
        bool is_whole = find_line(framing, input, &len, &text_len);

        /* Checked first, so that it does not matter whether the line's end has come already. */
        if (framing->header_len + len + is_whole > JRI_FRAMING_BLOCK_MAX)
            return fail(framing, "header is too long");
        if (!is_whole)
            return input->is_end ? fail(framing, "unexpected end in a header") : 0;

        const char *fault = text_len ? read_field(framing, input->at, text_len) : NULL;
        if (fault)
            return fail(framing, fault);
        framing->header_len += len + 1;
        consume(input, len + 1);
    } while (text_len);

    return framing->has_length ? 1 : fail(framing, "header without Content-Length");
}

static int next_body(jri_framing *framing, struct input *input, jri_frame *out)
{
    if (framing->phase != IN_BODY) {
        int status = read_header(framing, input);
        if (status <= 0)
            return status;
        framing->phase = framing->body_len > framing->message_max ? SKIPPING : IN_BODY;
    }
    if (framing->phase == SKIPPING) {
        out->reason = "Content-Length is over message_max";
        return -EMSGSIZE;
    }

    size_t len = (size_t)framing->body_len;
    if (input->left < len) {
        out->wanted = len - input->left;
        return input->is_end ? fail(framing, "unexpected end in a message") : 0;
    }
    return give(framing, input, len, len, out);
}

/* Other protocols */

#define HTTP "this looks like HTTP: use an http:// endpoint"
#define TLS "this looks like TLS: use an https:// or wss:// endpoint"
#define ZMQ "this looks like ZeroMQ: use a zmq+tcp:// endpoint"
#define GREETING(literal, reason)                                                                  \
    {                                                                                              \
        literal, sizeof(literal) - 1, reason                                                       \
    }

static const struct {
    const char *text;
    size_t len;
    const char *reason;
} greetings[] = {
    GREETING("GET /", HTTP),
    GREETING("HEAD /", HTTP),
    GREETING("POST /", HTTP),
    GREETING("PUT /", HTTP),
    GREETING("PATCH /", HTTP),
    GREETING("DELETE /", HTTP),
    GREETING("OPTIONS /", HTTP),
    GREETING("OPTIONS *", HTTP),
    GREETING("CONNECT ", HTTP),
    GREETING("TRACE /", HTTP),
    GREETING("PRI * HTTP/2", HTTP),
    GREETING("\x16\x03", TLS),
    GREETING("\xFF\0\0\0\0\0\0\0\1\x7F", ZMQ), /* ZMTP 2 and 3; */
    GREETING("\xFF\0\0\0\0\0\0\0\0\x7F", ZMQ), /* 0 or 1 with the oldest */
};

/* 1 another protocol, 0 none, or -1: its first bytes are at hand, more would tell. */
static int greet(jri_framing *framing, const struct input *input)
{
    int status = 0;

    for (size_t i = 0; i < sizeof(greetings) / sizeof(*greetings); i++) {
        bool is_whole = input->left >= greetings[i].len;
        if (memcmp(input->at, greetings[i].text, is_whole ? greetings[i].len : input->left) != 0)
            continue;
        if (is_whole) {
            fail(framing, greetings[i].reason);
            framing->failure = -EPROTO;
            return 1;
        }
        status = input->is_end ? 0 : -1;
    }
    framing->is_known = !status;
    return status;
}

/* Both */

static jri_framing_mode detect(const struct input *input)
{
    size_t len = input->left <= JRI_FRAMING_NAME_MAX ? input->left : JRI_FRAMING_NAME_MAX + 1;
    size_t n = name_length(input->at, len);

    if (n == len && len <= JRI_FRAMING_NAME_MAX && !input->is_end)
        return JRI_FRAMING_AUTO; /* not yet known */
    return n && n < len && input->at[n] == ':' ? JRI_FRAMING_HEADER : JRI_FRAMING_LINE;
}

/* Drops the rest of a message over message_max, as far as it has come. */
static void skip(jri_framing *framing, struct input *input)
{
    size_t n = input->left, text_len;
    bool is_whole;

    if (framing->mode == JRI_FRAMING_LINE) {
        is_whole = find_line(framing, input, &n, &text_len);
        framing->scanned = 0;
    } else {
        is_whole = framing->body_len <= n;
        n = is_whole ? (size_t)framing->body_len : n;
        framing->body_len -= n;
    }
    consume(input, n); /* an LF is white space before the next message */
    framing->phase = is_whole ? READY : SKIPPING;
}

static int next(jri_framing *framing, struct input *input, jri_frame *out)
{
    if (framing->phase == SKIPPING)
        skip(framing, input);
    while (framing->phase == READY && input->left && is_white(*input->at))
        consume(input, 1);
    /* Of a message that is skipped the peer has been told, also if its end never comes. */
    if (framing->phase == SKIPPING || (framing->phase == READY && !input->left))
        return 0;

    if (!framing->is_known && greet(framing, input))
        return 0; /* it has failed, or is not known yet */
    if (framing->mode == JRI_FRAMING_AUTO)
        framing->mode = detect(input);
    if (framing->mode == JRI_FRAMING_LINE)
        return next_line(framing, input, out);
    return framing->mode == JRI_FRAMING_HEADER ? next_body(framing, input, out) : 0;
}

/* What a stream of lines is nearly all of: a whole one, from its first byte on. False: look closer.
 */
static inline bool take_line(const jri_framing *framing, const char *data, size_t len,
                             jri_frame *out)
{
    bool is_between = framing->mode == JRI_FRAMING_LINE && framing->phase == READY &&
                      framing->is_known && !framing->scanned;
    const char *eol = is_between && len && !is_white(*data) ? memchr(data, '\n', len) : NULL;

    if (!eol)
        return false;
    size_t line_len = (size_t)(eol - data), text_len = line_len - (eol[-1] == '\r');
    *out = (jri_frame){.consumed = line_len + 1, .text = data, .len = text_len, .wanted = 1};
    return text_len <= framing->message_max;
}

int jri_framing_next(jri_framing *framing, const char *data, size_t len, bool is_end,
                     jri_frame *out)
{
    if (take_line(framing, data, len, out))
        return 1;

    struct input input = {.at = len ? data : "", .left = len, .is_end = is_end};
    int status = 0;

    *out = (jri_frame){.wanted = 1};
    if (framing->phase != FAILED)
        status = next(framing, &input, out);
    if (framing->phase == FAILED) {
        *out = (jri_frame){.consumed = len, .reason = framing->reason};
        return framing->failure;
    }
    out->consumed = len - input.left;
    return status;
}

/* Writing */

size_t jri_framing_header(jri_framing_mode mode, size_t len, char to[JRI_FRAMING_HEADER_MAX])
{
    char digits[20], *end = digits + sizeof(digits), *at = end; /* SIZE_MAX has as many */

    if (mode != JRI_FRAMING_HEADER)
        return 0;
    do
        *--at = (char)('0' + len % 10);
    while (len /= 10);
    char *to_end = mempcpy(to, "Content-Length: ", strlen("Content-Length: "));
    to_end = mempcpy(to_end, at, (size_t)(end - at));
    to_end = mempcpy(to_end, "\r\n\r\n", strlen("\r\n\r\n"));
    return (size_t)(to_end - to);
}

size_t jri_framing_trailer(jri_framing_mode mode, char to[JRI_FRAMING_TRAILER_MAX])
{
    if (mode != JRI_FRAMING_HEADER)
        *to = '\n';
    return mode != JRI_FRAMING_HEADER;
}
