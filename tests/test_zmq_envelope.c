/* SPDX-License-Identifier: MIT */
/*
 * test_zmq_envelope.c - what stands before the payload of a ZeroMQ message
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "zmq_envelope.h"

/* Packed frames as text: "ab|c|". */
static void unpack(const unsigned char *at, size_t total, char *to)
{
    const unsigned char *end = at + total, *frame;
    size_t len;

    while ((frame = jri_zmq_next_frame(&at, end, &len))) {
        memcpy(to, frame, len);
        to += len;
        *to++ = '|';
    }
    *to = '\0';
}

/* Frames are separated by "|"; the last, which is not fed, is the payload. */
static int read_message(jri_zmq_reader *reader, int n_route_max, const char *frames)
{
    reader->n_route_max = (uint8_t)n_route_max;
    jri_zmq_reader_begin(reader);
    for (const char *bar; (bar = strchr(frames, '|')); frames = bar + 1)
        jri_zmq_reader_add(reader, frames, (size_t)(bar - frames));
    return jri_zmq_reader_end(reader);
}

static void frames_are_told_apart(void **state)
{
    static const struct {
        const char *name;
        int n_route_max;
        const char *frames;
        int verdict;
        const char *route, *envelope;
        int is_delimited;
    } rows[] = {
        {"bare DEALER", 1, "A|x", 0, "A|", "", 0},
        {"REQ", 1, "A||x", 0, "A|", "", 1},
        {"correlated REQ", 1, "A|id||x", 0, "A|", "id|", 1},
        {"REQ behind two brokers", 1, "A|hop|hop2||x", 0, "A|", "hop|hop2|", 1},
        {"empty payload, bare", 1, "A|", 0, "A|", "", 0},
        {"empty payload, delimited", 1, "A||", 0, "A|", "", 1},
        {"two payload frames, bare", 1, "A|x|y", -EBADMSG, "A|", "", 0},
        {"two payload frames, delimited", 1, "A||x|y", -EBADMSG, "A|", "", 1},
        {"an empty frame behind the payload", 1, "A||x|", -EBADMSG, "A|", "", 1},
        {"a second delimiter is a payload", 1, "A|||x", -EBADMSG, "A|", "", 1},
        {"envelope and two payload frames", 1, "A|id||x|y", -EBADMSG, "A|", "id|", 1},
        {"bare client of a broker", 2, "B|A|x", 0, "B|A|", "", 0},
        {"REQ client of a broker", 2, "B|A||x", 0, "B|A|", "", 1},
        {"correlated REQ client of a broker", 2, "B|A|id||x", 0, "B|A|", "id|", 1},
        {"the broker itself, bare", 2, "B|x", 0, "B|", "", 0},
        {"the broker itself, delimited", 2, "B||x", 0, "B|", "", 1},
        {"client's two payload frames", 2, "B|A|x|y", -EBADMSG, "B|A|", "", 0},
        {"no route at all", 1, "x", -E2BIG, "", "", 0},
        {"an empty route", 1, "|x", 0, "|", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        jri_zmq_reader reader;
        char route[64], envelope[64];
        int verdict = read_message(&reader, rows[i].n_route_max, rows[i].frames);
        unpack(reader.route, reader.route_len, route);
        unpack(reader.envelope.data, reader.envelope.len, envelope);
        if (verdict != rows[i].verdict || strcmp(route, rows[i].route) != 0 ||
            strcmp(envelope, rows[i].envelope) != 0 ||
            reader.envelope.is_delimited != rows[i].is_delimited)
            fail_msg("%s: %d, route %s, envelope %s, delimited %d", rows[i].name, verdict, route,
                     envelope, reader.envelope.is_delimited);
    }
}

static void add(jri_zmq_reader *reader, size_t len)
{
    char *frame = malloc(len + 1); /* no longer, so that reading past it is seen */

    assert_non_null(frame);
    memset(frame, 'f', len);
    jri_zmq_reader_add(reader, frame, len);
    free(frame);
}

static void sizes_have_limits(void **state)
{
    static const struct {
        const char *name;
        size_t n_frames, len;
        int is_delimited, verdict;
    } rows[] = {
        {"longest frame", 1, JRI_ZMQ_FRAME_MAX, 1, 0},
        {"too long a frame", 1, JRI_ZMQ_FRAME_MAX + 1, 1, -E2BIG},
        {"a huge frame", 1, 1 << 20, 1, -E2BIG},
        {"longest envelope", 32, 7, 1, 0},
        {"too long an envelope", 33, 7, 1, -E2BIG},
        {"endless frames", 100000, 7, 1, -E2BIG},
        {"endless frames without a delimiter", 100000, 7, 0, -EBADMSG},
        {"a huge frame without a delimiter", 1, 1 << 20, 0, -EBADMSG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        jri_zmq_reader *reader = calloc(1, sizeof(*reader));
        assert_non_null(reader);
        reader->n_route_max = 1;
        jri_zmq_reader_begin(reader);
        add(reader, 5);
        for (size_t n = 0; n < rows[i].n_frames; n++)
            add(reader, rows[i].len);
        if (rows[i].is_delimited)
            add(reader, 0);
        int verdict = jri_zmq_reader_end(reader);
        if (verdict != rows[i].verdict)
            fail_msg("%s: %d, expected %d", rows[i].name, verdict, rows[i].verdict);
        assert_int_equal(reader->route_len, 6);
        if (!rows[i].is_delimited)
            assert_int_equal(reader->envelope.len, 0); /* the answer goes to the route alone */
        free(reader);
    }
}

static void longest_routes_fit(void **state)
{
    jri_zmq_reader reader = {.n_route_max = 2};

    (void)state;
    jri_zmq_reader_begin(&reader);
    add(&reader, JRI_ZMQ_FRAME_MAX);
    add(&reader, JRI_ZMQ_FRAME_MAX);
    add(&reader, 0);
    assert_int_equal(jri_zmq_reader_end(&reader), 0);
    assert_int_equal(reader.route_len, JRI_ZMQ_ROUTE_MAX);
}

static void reader_begins_anew(void **state)
{
    jri_zmq_reader reader;

    (void)state;
    assert_int_equal(read_message(&reader, 1, "A|id||x|y"), -EBADMSG);
    assert_int_equal(read_message(&reader, 1, "B|x"), 0);
    assert_int_equal(reader.envelope.len, 0);
    assert_false(reader.envelope.is_delimited);
    assert_int_equal(reader.route_len, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_told_apart),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(longest_routes_fit),
        cmocka_unit_test(reader_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
