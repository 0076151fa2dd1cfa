/* SPDX-License-Identifier: MIT */
/*
 * frames.h - a stream in pieces through the framing parser, and what came out as text
 *
 * Plays the parser's caller: bytes arrive, what is not consumed comes again, at another address,
 * and always flush against an unmapped page. What the parser promises whatever the bytes is checked
 * on the way.
 */
#ifndef TEST_FRAMES_H
#define TEST_FRAMES_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "edge.h"
#include "transports/framing.h"

struct frames {
    jri_framing framing;
    const char *input; /* of which some has arrived, of which some is done with */
    size_t arrived, done;
    size_t due; /* nothing can come before so much has arrived */
    struct edge edge;
    jrpc_buf events;   /* a message as (its text), a failure as !why; */
    const char *fault; /* a broken promise */
};

static inline void frames_init(struct frames *frames, jri_framing_mode mode, size_t message_max,
                               const char *input, size_t len)
{
    *frames = (struct frames){.input = input, .edge = edge_new(len)};
    jri_buf_init(&frames->events, SIZE_MAX);
    jri_framing_begin(&frames->framing, mode, message_max);
}

static inline void frames_fini(struct frames *frames)
{
    edge_free(&frames->edge);
    jri_buf_fini(&frames->events);
}

#define FRAMES_REQUIRE(condition)                                                                  \
    do {                                                                                           \
        if (!(condition))                                                                          \
            frames->fault = "not so: " #condition;                                                 \
    } while (0)

static inline void frames_add(struct frames *frames, char before, const char *text, size_t len,
                              char behind)
{
    if (jri_buf_put(&frames->events, before) || jri_buf_append(&frames->events, text, len) ||
        jri_buf_put(&frames->events, behind))
        frames->fault = "out of memory";
}

/* Valid until more is fed. */
static inline const char *frames_text(struct frames *frames)
{
    if (jri_buf_reserve(&frames->events, 1))
        return "out of memory";
    frames->events.data[frames->events.len] = '\0';
    return frames->events.data;
}

/* One call, with the bytes at hand: what it returned. */
static inline int frames_next(struct frames *frames, const char *data, size_t len, bool is_end)
{
    jri_framing_mode mode = frames->framing.mode;
    jri_frame frame;
    int status = jri_framing_next(&frames->framing, data, len, is_end, &frame);

    FRAMES_REQUIRE(mode == JRI_FRAMING_AUTO || frames->framing.mode == mode);
    FRAMES_REQUIRE(frame.consumed <= len);
    FRAMES_REQUIRE(status == 0 || frames->arrived >= frames->due || is_end);
    FRAMES_REQUIRE((status < 0) == (frame.reason != NULL));
    if (status > 0) {
        FRAMES_REQUIRE(status == 1 && frame.len <= frames->framing.message_max);
        FRAMES_REQUIRE(frame.text >= data && frame.text + frame.len <= data + frame.consumed);
        frames_add(frames, '(', frame.text, frame.len, ')');
    } else if (status < 0) {
        FRAMES_REQUIRE(status == -EMSGSIZE ||
                       ((status == -EBADMSG || status == -EPROTO) && frame.consumed == len));
        frames_add(frames, '!', frame.reason, strlen(frame.reason), ';');
    } else {
        size_t left = len - frame.consumed, max = frames->framing.message_max + 1;
        FRAMES_REQUIRE(left <= (max < JRI_FRAMING_BLOCK_MAX ? JRI_FRAMING_BLOCK_MAX : max));
        FRAMES_REQUIRE(frame.wanted >= 1 && frame.wanted <= max);
        FRAMES_REQUIRE(!is_end || left == 0);
        frames->due = frames->arrived + frame.wanted;
    }
    frames->done += frame.consumed;
    return status;
}

/* Some more bytes arrive. After a broken header or message, or another protocol: that it stays so.
 */
static inline int frames_feed(struct frames *frames, size_t len, bool is_end)
{
    int status;

    frames->arrived += len;
    size_t left = frames->arrived - frames->done;
    const char *data = edge_place(&frames->edge, frames->input + frames->done, left);
    const char *end = data + left;
    do
        status = frames_next(frames, end - (frames->arrived - frames->done),
                             frames->arrived - frames->done, is_end);
    while ((status > 0 || status == -EMSGSIZE) && !frames->fault);

    if ((status == -EBADMSG || status == -EPROTO) && !frames->fault) {
        jri_frame frame;
        FRAMES_REQUIRE(jri_framing_next(&frames->framing, "{}\n", 3, is_end, &frame) == status);
        FRAMES_REQUIRE(frame.consumed == 3 && frame.reason == frames->framing.reason);
    }
    return status;
}

#endif
