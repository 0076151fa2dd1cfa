/* SPDX-License-Identifier: MIT */
/*
 * framing.h - newline and Content-Length framing as a pure parser
 *
 * Looks at the bytes its caller has buffered and says what is there: no read, no write, no
 * allocation, no copy. What it says depends on the bytes alone, not on the pieces they came in, and
 * its cost is linear in them.
 *
 *     do {
 *         status = jri_framing_next(&framing, data + done, len - done, is_end, &frame);
 *         ... frame.text, or an answer to the failure ...
 *         done += frame.consumed;
 *     } while (status > 0 || status == -EMSGSIZE);
 *
 * Line: one message a line, which ends in LF or CRLF, the last one at the end of the stream, too.
 * Header: as in the base protocol of the Language Server Protocol, 3.17: lines `Name: value`, of
 * which Content-Length counts, an empty line, so many bytes. White space before a message (blank,
 * tab, CR, LF) is dropped in both, whatever its length: it is part of no message and counts for no
 * limit. So blank lines are skipped, and a line may be indented.
 *
 * A stream that begins as HTTP, TLS or ZeroMQ do is refused in every mode: answering it line by
 * line would help nobody. Each is known by its first bytes, with which no JSON text and no header
 * begins.
 */
#ifndef JRI_FRAMING_H
#define JRI_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JRI_FRAMING_BLOCK_MAX = 8192,  /* bytes of a header that is read, with its line ends */
    JRI_FRAMING_NAME_MAX = 64,     /* bytes of the name by which header framing is detected */
    JRI_FRAMING_HEADER_MAX = 40,   /* bytes of a header that is written */
    JRI_FRAMING_TRAILER_MAX = 1,   /* bytes that are written behind a message */
    JRI_FRAMING_GREETING_MAX = 12, /* bytes by which another protocol is detected */
};

typedef enum jri_framing_mode {
    JRI_FRAMING_AUTO, /* until the first bytes of the first message have told; written as lines */
    JRI_FRAMING_LINE,
    JRI_FRAMING_HEADER,
} jri_framing_mode;

typedef struct jri_framing {
    jri_framing_mode mode; /* read it: answers are given in kind */
    int phase;             /* the rest is framing.c's */
    size_t message_max;
    size_t scanned;     /* bytes at hand that are known to have no LF among them */
    size_t header_len;  /* bytes of the header so far */
    bool has_length;    /* it had a Content-Length */
    bool is_known;      /* the stream does not begin as another protocol */
    uint64_t body_len;  /* Content-Length; of a body to be skipped, what is left */
    int failure;        /* -EBADMSG or -EPROTO */
    const char *reason; /* of it; NULL: none */
} jri_framing;

/**
 * struct jri_frame - what jri_framing_next() found
 * @consumed:  always set: bytes at the front that are done with, once the message among them is;
 *             the next call begins behind them
 * @text:      the message, within the caller's bytes
 * @len:       bytes of @text; 0 is possible, by a Content-Length of 0
 * @wanted:    after 0: at least so many more bytes are needed, never more than the limits allow
 * @reason:    static text of a failure
 */
typedef struct jri_frame {
    size_t consumed;
    const char *text;
    size_t len, wanted;
    const char *reason;
} jri_frame;

/* message_max: bytes of a message; of a line without its end, from its first byte that is not
 * white space. */
void jri_framing_begin(jri_framing *framing, jri_framing_mode mode, size_t message_max);

/**
 * jri_framing_next() - the next message, or failure, of a stream
 * @data:    every byte received that was not consumed yet, the old ones as they were; may move
 *           between calls; NULL is fine if @len is 0
 * @is_end:  no more bytes will come
 * @out:     always written
 *
 * Consuming keeps memory bounded: behind a return of 0 there are never more than message_max + 1 or
 * JRI_FRAMING_BLOCK_MAX bytes left over. A failure is for the peer to be told, and comes once for
 * each fault, except that -EBADMSG and -EPROTO are for good: no boundary can be trusted any more.
 *
 * Return: 1 a message; 0 no more of them in these bytes, or at all if @is_end; -EMSGSIZE a message
 * over message_max, told as soon as it is known: it is skipped, the stream goes on; -EBADMSG a
 * broken header, or an end in the midst of a message, -EPROTO another protocol, not to be answered:
 * everything is consumed, every later call returns the same.
 */
int jri_framing_next(jri_framing *framing, const char *data, size_t len, bool is_end,
                     jri_frame *out);

/* What stands before a message of len bytes: the length written, 0 unless in header mode. */
size_t jri_framing_header(jri_framing_mode mode, size_t len, char to[JRI_FRAMING_HEADER_MAX]);

/* What stands behind a message: the length written, 0 in header mode. */
size_t jri_framing_trailer(jri_framing_mode mode, char to[JRI_FRAMING_TRAILER_MAX]);

#endif
