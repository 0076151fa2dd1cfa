/* SPDX-License-Identifier: MIT */
/*
 * test_framing_limits.c - what a stream may cost: its longest parts, memory, bytes looked at
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frames.h"

enum { MESSAGE_MAX = 16 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LENGTH(n) "Content-Length: " #n "\r\n"

/* As many letters as a name may have. */
#define A_NAME "abcdefghijklmnopabcdefghijklmnopabcdefghijklmnopabcdefghijklmnop"

#define LINE_TOO_LONG "!line is longer than message_max;"
#define BODY_TOO_LONG "!Content-Length is over message_max;"
#define END_IN_HEADER "!unexpected end in a header;"

static char *new_input(size_t len, char c)
{
    char *input = malloc(len);

    assert_non_null(input);
    return memset(input, c, len);
}

/* Feeds all of it in one piece and frees it. */
static void check_input(char *input, size_t len, const char *expect)
{
    struct frames frames;

    frames_init(&frames, JRI_FRAMING_AUTO, MESSAGE_MAX, input, len);
    frames_feed(&frames, len, true);
    assert_null(frames.fault);
    assert_string_equal(frames_text(&frames), expect);
    frames_fini(&frames);
    free(input);
}

/* "aaa…: x" of len bytes with the name, then a length, an empty line and a body. */
static char *new_header(size_t len, size_t name_len, size_t *input_len)
{
    static const char rest[] = "\n" LENGTH(2) "\n{}";
    char *input = new_input(len + strlen(rest), 'a');

    input[name_len] = ':';
    memcpy(input + len, rest, strlen(rest));
    *input_len = len + strlen(rest);
    return input;
}

static void names_are_detected_up_to_a_length(void **state)
{
    size_t len;
    (void)state;

    char *input = new_header(JRI_FRAMING_NAME_MAX + 1, JRI_FRAMING_NAME_MAX, &len);
    check_input(input, len, "({})");
    input = new_header(JRI_FRAMING_NAME_MAX + 2, JRI_FRAMING_NAME_MAX + 1, &len);
    check_input(input, len, LINE_TOO_LONG LINE_TOO_LONG "({})");
}

static void headers_are_read_up_to_a_length(void **state)
{
    size_t len, others = strlen("\n" LENGTH(2) "\n");
    (void)state;

    char *input = new_header(JRI_FRAMING_BLOCK_MAX - others, 1, &len);
    check_input(input, len, "({})");
    input = new_header(JRI_FRAMING_BLOCK_MAX - others + 1, 1, &len);
    check_input(input, len, "!header is too long;");
    input = new_header(JRI_FRAMING_BLOCK_MAX - others, 1, &len);
    input = realloc(input, 2 * len);
    assert_non_null(input);
    memcpy(input + len, input, len);
    check_input(input, 2 * len, "({})({})");
    input = new_input(JRI_FRAMING_BLOCK_MAX, 'a');
    input[1] = ':';
    check_input(input, JRI_FRAMING_BLOCK_MAX, END_IN_HEADER);
    input = new_input(JRI_FRAMING_BLOCK_MAX + 1, 'a');
    input[1] = ':';
    check_input(input, JRI_FRAMING_BLOCK_MAX + 1, "!header is too long;");
}

/* What is too long takes no memory: nothing of it is left over, whatever its length. */
static void skipping_takes_no_memory(void **state)
{
    static const struct {
        const char *before;
        char c; /* a MiB of it */
        const char *behind, *expect;
    } skipped[] = {
        {"", ' ', "{}", "({})"},
        {"", '\n', "{}", "({})"},
        {A_NAME "x", 'x', "\n{}", LINE_TOO_LONG "({})"},
        {"[23456789abcdef0", 'x', "\n{}", LINE_TOO_LONG "({})"},
        {LENGTH(1048576) "\r\n", '\n', LENGTH(2) "\r\n{}", BODY_TOO_LONG "({})"},
    };
    enum { MIB = 1048576, PIECE = 4095 };
    (void)state;

    for (size_t i = 0; i < COUNT(skipped); i++) {
        size_t before = strlen(skipped[i].before), behind = strlen(skipped[i].behind);
        char *input = new_input(before + MIB + behind, skipped[i].c);
        struct frames frames;

        memcpy(input, skipped[i].before, before);
        memcpy(input + before + MIB, skipped[i].behind, behind);
        frames_init(&frames, JRI_FRAMING_AUTO, MESSAGE_MAX, input, before + MIB + behind);
        frames_feed(&frames, before, false);
        for (size_t left = MIB, len = 1; left; left -= len, len = left < PIECE ? left : PIECE) {
            frames_feed(&frames, len, false);
            assert_int_equal(frames.done, frames.arrived);
        }
        frames_feed(&frames, behind, true);
        assert_null(frames.fault);
        assert_string_equal(frames_text(&frames), skipped[i].expect);
        frames_fini(&frames);
        free(input);
    }
}

static int next(jri_framing *framing, const char *data, jri_frame *out)
{
    return jri_framing_next(framing, data, strlen(data), /* is_end */ false, out);
}

static void a_long_line_is_told_as_soon_as_it_is_known(void **state)
{
    jri_framing framing;
    jri_frame frame;
    (void)state;

    jri_framing_begin(&framing, JRI_FRAMING_AUTO, 4);
    assert_int_equal(next(&framing, "[123", &frame), 0);
    assert_int_equal(next(&framing, "[123\r", &frame), 0);
    assert_int_equal(next(&framing, "[123\r]", &frame), -EMSGSIZE);
    assert_int_equal(frame.consumed, 6);
    assert_int_equal(next(&framing, "12345678", &frame), 0);
    assert_int_equal(frame.consumed, 8);
    assert_int_equal(next(&framing, "\n12345", &frame), -EMSGSIZE);
}

/* Told by changing them, which a caller must not do. */
static void bytes_of_a_line_are_looked_at_once(void **state)
{
    jri_framing framing;
    jri_frame frame;
    (void)state;

    jri_framing_begin(&framing, JRI_FRAMING_AUTO, 100);
    assert_int_equal(next(&framing, "[1,2,3", &frame), 0);
    assert_int_equal(next(&framing, "[1\n2\n3,4", &frame), 0);
    assert_int_equal(next(&framing, "[1\n2\n3\n4]\n", &frame), 1);
    assert_int_equal(frame.len, strlen("[1,2,3,4]"));
}

static void what_a_body_lacks_is_known(void **state)
{
    jri_framing framing;
    jri_frame frame;
    (void)state;

    jri_framing_begin(&framing, JRI_FRAMING_AUTO, 4096);
    assert_int_equal(next(&framing, "Content-Length: 4096\n", &frame), 0);
    assert_int_equal(frame.consumed, strlen("Content-Length: 4096\n"));
    assert_int_equal(frame.wanted, 1);
    assert_int_equal(next(&framing, "\n", &frame), 0);
    assert_int_equal(frame.consumed, 1);
    assert_int_equal(frame.wanted, 4096);
    assert_int_equal(next(&framing, "[1,2", &frame), 0);
    assert_int_equal(frame.consumed, 0);
    assert_int_equal(frame.wanted, 4092);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_detected_up_to_a_length),
        cmocka_unit_test(headers_are_read_up_to_a_length),
        cmocka_unit_test(skipping_takes_no_memory),
        cmocka_unit_test(a_long_line_is_told_as_soon_as_it_is_known),
        cmocka_unit_test(bytes_of_a_line_are_looked_at_once),
        cmocka_unit_test(what_a_body_lacks_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
