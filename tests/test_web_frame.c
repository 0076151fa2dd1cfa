/* SPDX-License-Identifier: MIT */
/*
 * test_web_frame.c - WebSocket frames made by us, and HTTP bodies in chunks
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edge.h"
#include "web_frame.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static void frame_header_has_the_shortest_length(void **state)
{
    static const struct {
        size_t len;
        size_t n;
        unsigned char header[JRI_FRAME_HEADER_MAX];
    } rows[] = {
        {0, 2, {0x81, 0}},
        {1, 2, {0x81, 1}},
        {125, 2, {0x81, 125}},
        {126, 4, {0x81, 126, 0, 126}},
        {65535, 4, {0x81, 126, 0xff, 0xff}},
        {65536, 10, {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
        {0x123456789aUL, 10, {0x81, 127, 0, 0, 0, 0x12, 0x34, 0x56, 0x78, 0x9a}},
    };
    unsigned char header[JRI_FRAME_HEADER_MAX];

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        assert_int_equal(jri_web_frame_header(false, rows[i].len, header), rows[i].n);
        assert_memory_equal(header, rows[i].header, rows[i].n);
        assert_int_equal(jri_web_frame_header(true, rows[i].len, header), rows[i].n);
        assert_int_equal(header[0], 0x82);
    }
}

static void frames_are_cut_where_one_ends(void **state)
{
    static const size_t lengths[] = {3, 0, 125, 126, 65535, 65536, 70000, 1};
    static unsigned char frames[300000];
    size_t ends[LENGTH(lengths)], len = 0;

    (void)state;
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        len += jri_web_frame_header(i % 2, lengths[i], frames + len);
        len += lengths[i];
        ends[i] = len;
    }
    assert_int_equal(jri_web_frames_end(frames, len, 0), 0);
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        size_t before = i ? ends[i - 1] : 0;
        assert_int_equal(jri_web_frames_end(frames, len, before + 1), ends[i]);
        assert_int_equal(jri_web_frames_end(frames, len, ends[i] - 1), ends[i]);
        assert_int_equal(jri_web_frames_end(frames, len, ends[i]), ends[i]);
    }
    assert_int_equal(jri_web_frames_end(frames, len, len + 1), len);
}

/* Reads on: the pieces one behind the other in body. */
static int read_chunks(jri_web_chunks *chunks, const char *text, size_t len, char *body,
                       size_t *body_len, size_t *n_read)
{
    const char *at = text, *piece;
    size_t piece_len;
    int found;

    while ((found = jri_web_chunks_next(chunks, &at, text + len, &piece, &piece_len)) == 1) {
        memcpy(body + *body_len, piece, piece_len);
        *body_len += piece_len;
    }
    *n_read = (size_t)(at - text);
    return found;
}

static const struct {
    const char *text, *body;
    int found;     /* 2 it ends; 0 it wants more; -EBADMSG */
    size_t n_left; /* bytes behind its end */
} chunk_rows[] = {
    {"0\r\n\r\n", "", 2, 0},
    {"5\r\nhello\r\n0\r\n\r\n", "hello", 2, 0},
    {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", 2, 0},
    {"00005\r\nhello\r\n000\r\n\r\n", "hello", 2, 0},
    {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789", 2, 0},
    {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789", 2, 0},
    {"5;name=value\r\nhello\r\n0;x\r\n\r\n", "hello", 2, 0},
    {"5 \r\nhello\r\n0\r\n\r\n", "hello", 2, 0},
    {"5\r\nhello\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n", "hello", 2, 0},
    {"0\r\n\r\nPOST / HTTP/1.1", "", 2, 15},
    {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n", 2, 0},
    {"", "", 0, 0},
    {"5", "", 0, 0},
    {"5\r\nhel", "hel", 0, 0},
    {"5\r\nhello\r\n0\r\n", "hello", 0, 0},
    {"5\r\nhello\r\n0\r\nT: x\r\n", "hello", 0, 0},
    {"\r\n", "", -EBADMSG, 0},
    {";x\r\n", "", -EBADMSG, 0},
    {"x\r\n", "", -EBADMSG, 0},
    {"-1\r\n", "", -EBADMSG, 0},
    {"0x5\r\n", "", -EBADMSG, 0},
    {"5\nhello", "", -EBADMSG, 0},
    {"5\rhello", "", -EBADMSG, 0},
    {"5;x\nhello", "", -EBADMSG, 0},
    {"5\r\nhello!\r\n", "hello", -EBADMSG, 0},
    {"5\r\nhello\n0\r\n\r\n", "hello", -EBADMSG, 0},
    {"5\r\nhello\r0\r\n\r\n", "hello", -EBADMSG, 0},
    {"0\r\n\n", "", -EBADMSG, 0},
    {"0\r\n\r\r", "", -EBADMSG, 0},
    {"0\r\nT: x\n\r\n", "", -EBADMSG, 0},
    {"0\r\nT: x\rx", "", -EBADMSG, 0},
    {"ffffffffffffffff\r\n", "", -EBADMSG, 0},
    {"0000000000000005\r\n", "", -EBADMSG, 0},
};

static void chunks_are_put_together(void **state)
{
    struct edge edge = edge_new(128);

    (void)state;
    for (size_t i = 0; i < LENGTH(chunk_rows); i++) {
        jri_web_chunks chunks = {0};
        size_t len = strlen(chunk_rows[i].text), body_len = 0, n_read;
        char body[128] = "";
        int found = read_chunks(&chunks, edge_place(&edge, chunk_rows[i].text, len), len, body,
                                &body_len, &n_read);
        if (found != chunk_rows[i].found || strcmp(body, chunk_rows[i].body) != 0)
            fail_msg("row %zu: %d, '%s'", i, found, body);
        if (found != -EBADMSG)
            assert_int_equal(len - n_read, chunk_rows[i].n_left);
    }
    edge_free(&edge);
}

static void chunks_may_be_split_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(chunk_rows); i++)
        for (size_t split = 0; split <= strlen(chunk_rows[i].text); split++) {
            const char *text = chunk_rows[i].text;
            jri_web_chunks chunks = {0};
            size_t body_len = 0, n_read;
            char body[128] = "";
            int found = read_chunks(&chunks, text, split, body, &body_len, &n_read);
            if (found == 0)
                found = read_chunks(&chunks, text + split, strlen(text) - split, body, &body_len,
                                    &n_read);
            if (found != chunk_rows[i].found || strcmp(body, chunk_rows[i].body) != 0)
                fail_msg("row %zu at %zu: %d, '%s'", i, split, found, body);
        }
}

static void size_of_a_chunk_is_told_before_its_bytes_come(void **state)
{
    static const struct {
        const char *text;
        uint64_t due;
    } rows[] = {{"", 0}, {"40", 0}, {"40\r", 0}, {"40\r\n", 64}, {"40\r\nxy", 62}, {"1\r\nx", 0}};

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        jri_web_chunks chunks = {0};
        char body[8];
        size_t body_len = 0, n_read;
        read_chunks(&chunks, rows[i].text, strlen(rows[i].text), body, &body_len, &n_read);
        assert_int_equal(jri_web_chunks_due(&chunks), rows[i].due);
    }
}

static void endless_lines_of_chunks_are_refused(void **state)
{
    static const char *const starts[] = {"5;", "0\r\nT: "};
    char text[8192], body[8];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < LENGTH(starts); i++) {
        jri_web_chunks chunks = {0};
        size_t body_len = 0, n_read;
        memcpy(text, starts[i], strlen(starts[i]));
        assert_int_equal(read_chunks(&chunks, text, sizeof(text), body, &body_len, &n_read),
                         -EBADMSG);
        assert_in_range(n_read, 4096, 4200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_header_has_the_shortest_length),
        cmocka_unit_test(frames_are_cut_where_one_ends),
        cmocka_unit_test(chunks_are_put_together),
        cmocka_unit_test(chunks_may_be_split_anywhere),
        cmocka_unit_test(size_of_a_chunk_is_told_before_its_bytes_come),
        cmocka_unit_test(endless_lines_of_chunks_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
