/* SPDX-License-Identifier: MIT */
/*
 * fuzz_framing.c - three bytes (mode: c auto, a line, b header; message_max; seed) and a stream
 *
 * The same messages and failures in one piece, in pieces cut by the seed and byte by byte; messages
 * written again read as the same.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "text.h"

enum { BY_BYTE_MAX = 4096 }; /* longer streams only cost time byte by byte */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* The next piece's length: often few bytes, now and then none or many. */
static size_t cut(uint32_t *seed, size_t left)
{
    *seed = *seed * 1664525 + 1013904223;
    size_t n = (*seed >> 24) % ((*seed >> 16) % 4 ? 8 : 256);
    return n < left ? n : left;
}

/* In pieces: seed 0 is all at once, 1 byte by byte, others at random. */
static void feed(struct frames *frames, size_t size, uint32_t seed)
{
    uint32_t next = seed;
    size_t left = size;
    int status = 0;

    for (bool is_end = false;
         !is_end && status != -EBADMSG && status != -EPROTO && !frames->fault;) {
        size_t n = seed == 0 ? left : seed == 1 ? (left > 0) : cut(&next, left);
        left -= n;
        is_end = !left && (seed == 0 || n == 0);
        status = frames_feed(frames, n, is_end);
    }
    require(!frames->fault, frames->fault);
}

/* One message written to a stream of its own and read again. */
static void rewrite(jri_framing_mode mode, size_t message_max, const jri_frame *frame)
{
    size_t max = frame->len + JRI_FRAMING_HEADER_MAX + JRI_FRAMING_TRAILER_MAX;
    char *stream = malloc(max), *text;
    jri_framing framing;
    jri_frame again;

    require(stream != NULL, "out of memory");
    text = stream + jri_framing_header(mode, frame->len, stream);
    memcpy(text, frame->text, frame->len);
    if (mode == JRI_FRAMING_LINE)
        jri_text_flatten(text, frame->len);
    size_t len = (size_t)(text - stream) + frame->len;
    len += jri_framing_trailer(mode, stream + len);

    jri_framing_begin(&framing, mode, message_max);
    framing.is_known = true; /* a later line may look like the greeting of another protocol */
    int status = jri_framing_next(&framing, stream, len, /* is_end */ false, &again);
    require(status == 1 && again.consumed == len, "not one message when written again");
    require(again.text == text && again.len == frame->len, "another message when written again");
    for (size_t i = 0; i < again.len; i++)
        require(again.text[i] == frame->text[i] || again.text[i] == ' ', "another byte");
    free(stream);
}

static void rewrite_all(jri_framing_mode mode, size_t message_max, const char *data, size_t len)
{
    jri_framing framing;
    jri_frame frame;
    int status;

    jri_framing_begin(&framing, mode, message_max);
    do {
        status = jri_framing_next(&framing, data, len, /* is_end */ true, &frame);
        if (status > 0)
            rewrite(framing.mode, message_max, &frame);
        data += frame.consumed;
        len -= frame.consumed;
    } while (status > 0 || status == -EMSGSIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frames whole, pieces;

    if (size <= 3)
        return 0;
    jri_framing_mode mode = (jri_framing_mode)(data[0] % 3);
    size_t message_max = data[1];
    uint32_t seed = data[2];
    const char *input = (const char *)data + 3;
    size -= 3;

    frames_init(&whole, mode, message_max, input, size);
    feed(&whole, size, 0);
    for (uint32_t i = size > BY_BYTE_MAX ? 2 : 1; i <= 4; i++) {
        frames_init(&pieces, mode, message_max, input, size);
        feed(&pieces, size, i == 1 ? 1 : seed * 4 + i);
        require(strcmp(frames_text(&pieces), frames_text(&whole)) == 0 &&
                    pieces.events.len == whole.events.len &&
                    !memcmp(pieces.events.data, whole.events.data, whole.events.len),
                "other messages in other pieces");
        require(pieces.framing.mode == whole.framing.mode, "another mode in other pieces");
        frames_fini(&pieces);
    }
    frames_fini(&whole);
    rewrite_all(mode, message_max, input, size);
    return 0;
}
