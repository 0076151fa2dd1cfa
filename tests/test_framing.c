/* SPDX-License-Identifier: MIT */
/*
 * test_framing.c - which messages are in a stream of bytes, however it is cut
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "frames.h"
#include "text.h"

enum { MESSAGE_MAX = 16 };

#define AUTO JRI_FRAMING_AUTO
#define LINE JRI_FRAMING_LINE
#define HEADER JRI_FRAMING_HEADER

#define BYTES(literal) literal, sizeof(literal) - 1
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LENGTH(n) "Content-Length: " #n "\r\n"
#define FIELD(line) LENGTH(2) line "\r\n\r\n{}"

#define LINE_TOO_LONG "!line is longer than message_max;"
#define BODY_TOO_LONG "!Content-Length is over message_max;"
#define END_IN_HEADER "!unexpected end in a header;"
#define END_IN_MESSAGE "!unexpected end in a message;"
#define NO_NUMBER "!Content-Length is not a number;"
#define NO_FIELD "!header line is not 'name: value';"
#define NOT_UTF8 "!charset is not utf-8;"
#define HTTP "!this looks like HTTP: use an http:// endpoint;"
#define TLS "!this looks like TLS: use an https:// or wss:// endpoint;"
#define ZMQ "!this looks like ZeroMQ: use a zmq+tcp:// endpoint;"

/* Messages in brackets, failures from ! to ; and all with a limit of 16 bytes. */
static const struct row {
    const char *behaviour;
    jri_framing_mode mode;
    const char *input;
    size_t len;
    const char *expect;
    jri_framing_mode detected;
} rows[] = {
    {"nothing", AUTO, BYTES(""), "", AUTO},
    {"white_space_only", AUTO, BYTES(" \t\r\n\n \r"), "", AUTO},

    {"lf", AUTO, BYTES("{}\n"), "({})", LINE},
    {"crlf", AUTO, BYTES("{}\r\n"), "({})", LINE},
    {"both_line_ends", AUTO, BYTES("{}\r\n[]\n1\r\n"), "({})([])(1)", LINE},
    {"last_line_without_end", AUTO, BYTES("{}\n[]"), "({})([])", LINE},
    {"last_line_with_half_an_end", AUTO, BYTES("[]\r"), "([])", LINE},
    {"one_cr_belongs_to_the_end", AUTO, BYTES("{}\r\r\n"), "({}\r)", LINE},
    {"cr_within_a_line_is_left_to_json", AUTO, BYTES("[1,\r2]\n"), "([1,\r2])", LINE},
    {"blank_lines", AUTO, BYTES("\n\r\n \t\r\n{}\n\n\r\n\t[]\n \n"), "({})([])", LINE},
    {"indented_line", AUTO, BYTES("  {} \n"), "({} )", LINE},
    {"garbage_is_a_line", AUTO, BYTES("hello\nhello world\n"), "(hello)(hello world)", LINE},
    {"any_byte_but_the_end", LINE, BYTES("a\xFF\x01z\n"), "(a\xFF\x01z)", LINE},
    {"byte_order_mark_is_left_to_json", AUTO, BYTES("\xEF\xBB\xBF{}\n"), "(\xEF\xBB\xBF{})", LINE},
    {"line_mode_reads_no_header", LINE, BYTES("Length: 2\r\n\r\n{}"), "(Length: 2)({})", LINE},

    {"line_at_the_limit", AUTO, BYTES("[23456789abcdef]\n"), "([23456789abcdef])", LINE},
    {"line_at_the_limit_with_crlf", AUTO, BYTES("[23456789abcdef]\r\n"), "([23456789abcdef])",
     LINE},
    {"last_line_at_the_limit", AUTO, BYTES("[23456789abcdef]"), "([23456789abcdef])", LINE},
    {"last_line_at_the_limit_with_cr", AUTO, BYTES("[23456789abcdef]\r"), "([23456789abcdef])",
     LINE},
    {"line_over_the_limit", AUTO, BYTES("[23456789abcdef0]\n{}\n"), LINE_TOO_LONG "({})", LINE},
    {"crlf_line_over_the_limit", AUTO, BYTES("[23456789abcdef0]\r\n{}\n"), LINE_TOO_LONG "({})",
     LINE},
    {"last_line_over_the_limit", AUTO, BYTES("[23456789abcdef0]"), LINE_TOO_LONG, LINE},
    {"cr_that_is_no_line_end_counts", AUTO, BYTES("[23456789abcdef]\r \n{}"), LINE_TOO_LONG "({})",
     LINE},
    {"two_cr_are_no_line_end", AUTO, BYTES("[23456789abcdef]\r\r\n{}"), LINE_TOO_LONG "({})", LINE},
    {"line_far_over_the_limit_once", AUTO,
     BYTES("[23456789abcdef0123456789abcdef\r0123456789abcdef]\r\n\n{}\n"), LINE_TOO_LONG "({})",
     LINE},
    {"lines_over_the_limit_in_a_row", LINE, BYTES("0123456789abcdefg\n0123456789abcdefg\n1\n"),
     LINE_TOO_LONG LINE_TOO_LONG "(1)", LINE},
    {"white_space_before_a_line_does_not_count", AUTO,
     BYTES("                                \n                        [23456789abcdef]\n"),
     "([23456789abcdef])", LINE},
    {"white_space_behind_a_line_counts", AUTO, BYTES("{}                 \n[]\n"),
     LINE_TOO_LONG "([])", LINE},

    {"begins_like_an_object", AUTO, BYTES("{\"a\":1}"), "({\"a\":1})", LINE},
    {"begins_like_an_array", AUTO, BYTES("[]"), "([])", LINE},
    {"begins_like_a_string", AUTO, BYTES("\"a:\""), "(\"a:\")", LINE},
    {"begins_like_a_digit", AUTO, BYTES("1: 2"), "(1: 2)", LINE},
    {"begins_like_a_sign", AUTO, BYTES("-a: 2"), "(-a: 2)", LINE},
    {"true", AUTO, BYTES("true\r\n"), "(true)", LINE},
    {"false", AUTO, BYTES("false"), "(false)", LINE},
    {"null", AUTO, BYTES("null\n"), "(null)", LINE},
    {"colon_without_a_name", AUTO, BYTES(": 2\n"), "(: 2)", LINE},
    {"name_with_a_backquote", AUTO, BYTES("a`: 2\n"), "(a`: 2)", LINE},
    {"space_before_the_colon", AUTO, BYTES("Length : 2\n"), "(Length : 2)", LINE},
    {"name_without_a_colon", AUTO, BYTES("Content-Length"), "(Content-Length)", LINE},
    {"any_name_with_a_colon", AUTO, BYTES("X-1_y:\n" LENGTH(2) "\n{}"), "({})", HEADER},
    {"header_behind_blank_lines", AUTO, BYTES("\n\r\n  \n" LENGTH(2) "\r\n{}"), "({})", HEADER},
    {"detected_once", AUTO, BYTES("{}\nA: 2\n\n[]\n"), "({})(A: 2)([])", LINE},
    {"detected_once_for_good", AUTO, BYTES(LENGTH(2) "\r\n{}\n{}\n"), "({})" NO_FIELD, HEADER},

    {"http", AUTO, BYTES("GET / HTTP/1.1\r\n"), HTTP, AUTO},
    {"http_post", AUTO, BYTES("POST /rpc HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"), HTTP, AUTO},
    {"http_put", AUTO, BYTES("PUT /"), HTTP, AUTO},
    {"http_options_of_the_server", AUTO, BYTES("OPTIONS * HTTP/1.1"), HTTP, AUTO},
    {"http_options", AUTO, BYTES("OPTIONS /x HTTP/1.1"), HTTP, AUTO},
    {"http_to_a_proxy", AUTO, BYTES("CONNECT localhost:80 HTTP/1.1"), HTTP, AUTO},
    {"http_2", AUTO, BYTES("PRI * HTTP/2.0\r\n\r\nSM"), HTTP, AUTO},
    {"http_behind_a_blank_line", AUTO, BYTES("\r\nHEAD / HTTP/1.1\r\n"), HTTP, AUTO},
    {"http_in_line_mode", LINE, BYTES("DELETE / HTTP/1.1\r\n"), HTTP, LINE},
    {"http_in_header_mode", HEADER, BYTES("PATCH / HTTP/1.1\r\n"), HTTP, HEADER},
    {"http_later", AUTO, BYTES("1\nGET / HTTP/1.1\n"), "(1)(GET / HTTP/1.1)", LINE},
    {"http_behind_a_line_over_the_limit", AUTO, BYTES("[23456789abcdef0]\nGET / HTTP\n"),
     LINE_TOO_LONG "(GET / HTTP)", LINE},
    {"http_but_a_letter", AUTO, BYTES("GET \nGET x\nPOSTS /\nget /\n"),
     "(GET )(GET x)(POSTS /)(get /)", LINE},
    {"http_that_ends_early", AUTO, BYTES("GET"), "(GET)", LINE},
    {"header_that_begins_as_http", AUTO, BYTES("GET: 1\n" LENGTH(2) "\n{}"), "({})", HEADER},
    {"tls", AUTO, BYTES("\x16\x03\x01\x02\x00\x01"), TLS, AUTO},
    {"tls_in_line_mode", LINE, BYTES("\x16\x03\n"), TLS, LINE},
    {"tls_but_a_byte", AUTO, BYTES("\x16\x04\n"), "(\x16\x04)", LINE},
    {"zeromq", AUTO, BYTES("\xFF\0\0\0\0\0\0\0\1\x7F\3"), ZMQ, AUTO},
    {"zeromq_of_old", AUTO, BYTES("\xFF\0\0\0\0\0\0\0\0\x7F"), ZMQ, AUTO},
    {"zeromq_in_header_mode", HEADER, BYTES("\xFF\0\0\0\0\0\0\0\1\x7F"), ZMQ, HEADER},
    {"zeromq_but_a_byte", AUTO, BYTES("\xFF\xFE\n"), "(\xFF\xFE)", LINE},

    {"header", AUTO, BYTES(LENGTH(2) "\r\n{}"), "({})", HEADER},
    {"header_with_lf", AUTO, BYTES("Content-Length: 2\n\n{}"), "({})", HEADER},
    {"header_with_both_line_ends", AUTO, BYTES("A: 1\n" LENGTH(2) "\n{}"), "({})", HEADER},
    {"messages_in_a_row", AUTO, BYTES(LENGTH(2) "\r\n{}" LENGTH(1) "\r\n7" LENGTH(2) "\r\n[]"),
     "({})(7)([])", HEADER},
    {"blank_lines_between_messages", AUTO, BYTES(LENGTH(2) "\r\n{}\r\n \n" LENGTH(1) "\r\n7\n"),
     "({})(7)", HEADER},
    {"body_is_any_bytes", AUTO, BYTES(LENGTH(7) "\r\n\n{\r\n}\n " LENGTH(1) "\r\n7"),
     "(\n{\r\n}\n )(7)", HEADER},
    {"body_of_no_bytes", AUTO, BYTES(LENGTH(0) "\r\n" LENGTH(2) "\r\n{}"), "()({})", HEADER},
    {"last_body_of_no_bytes", AUTO, BYTES(LENGTH(0) "\r\n"), "()", HEADER},
    {"case_does_not_matter", AUTO, BYTES("content-LENGTH:2\r\n\r\n{}"), "({})", HEADER},
    {"space_around_the_number", AUTO, BYTES("Content-Length:\t 2 \t\r\n\r\n{}"), "({})", HEADER},
    {"leading_zeros", AUTO, BYTES(LENGTH(00000000000000000000002) "\r\n{}"), "({})", HEADER},
    {"twice_the_same_length", AUTO, BYTES(LENGTH(2) LENGTH(02) "\r\n{}"), "({})", HEADER},
    {"unknown_fields", AUTO, BYTES(FIELD("A:\r\nContent-Lengths: x\r\nContent: \x01 :;")), "({})",
     HEADER},

    {"type_without_charset", AUTO, BYTES(FIELD("Content-Type: application/json")), "({})", HEADER},
    {"type_first", AUTO, BYTES("Content-Type: a/b; charset=utf-8\r\n" LENGTH(2) "\r\n{}"), "({})",
     HEADER},
    {"charset_utf8", AUTO, BYTES(FIELD("Content-Type: a/b;charset=utf8")), "({})", HEADER},
    {"charset_in_quotes", AUTO, BYTES(FIELD("content-type:a/b ; x=1 ; CHARSET = \"UTF-8\" ;")),
     "({})", HEADER},
    {"other_charset", AUTO, BYTES(FIELD("Content-Type: a/b; charset=latin1")), NOT_UTF8, HEADER},
    {"charset_that_begins_like_utf8", AUTO, BYTES(FIELD("Content-Type: a; charset=utf-80")),
     NOT_UTF8, HEADER},
    {"empty_charset", AUTO, BYTES(FIELD("Content-Type: a/b; charset")), NOT_UTF8, HEADER},
    {"second_charset", AUTO, BYTES(FIELD("Content-Type: a; charset=utf8; charset=x")), NOT_UTF8,
     HEADER},

    {"body_at_the_limit", AUTO, BYTES(LENGTH(16) "\r\n0123456789abcdef"), "(0123456789abcdef)",
     HEADER},
    {"body_over_the_limit", AUTO, BYTES(LENGTH(17) "\r\n0123456789\nbcdefg" LENGTH(1) "\r\n7"),
     BODY_TOO_LONG "(7)", HEADER},
    {"bodies_over_the_limit_in_a_row", AUTO,
     BYTES(LENGTH(17) "\r\n0123456789abcdefg" LENGTH(18) "\r\n0123456789abcdefgh\n" LENGTH(0) "\n"),
     BODY_TOO_LONG BODY_TOO_LONG "()", HEADER},
    {"body_over_the_limit_without_end", AUTO, BYTES(LENGTH(17) "\r\n012"), BODY_TOO_LONG, HEADER},
    {"largest_number", AUTO, BYTES(LENGTH(18446744073709551615) "\r\n{}\n" LENGTH(2) "\r\n{}"),
     BODY_TOO_LONG, HEADER},

    {"no_length", AUTO, BYTES("A: 2\r\n\r\n{}"), "!header without Content-Length;", HEADER},
    {"header_mode_reads_no_line", HEADER, BYTES("{}\n"), NO_FIELD, HEADER},
    {"empty_number", AUTO, BYTES(LENGTH() "\r\n{}"), NO_NUMBER, HEADER},
    {"negative_number", AUTO, BYTES(LENGTH(-2) "\r\n{}"), NO_NUMBER, HEADER},
    {"number_with_a_sign", AUTO, BYTES(LENGTH(+2) "\r\n{}"), NO_NUMBER, HEADER},
    {"fraction", AUTO, BYTES(LENGTH(2.0) "\r\n{}"), NO_NUMBER, HEADER},
    {"hexadecimal_number", AUTO, BYTES(LENGTH(0x2) "\r\n{}"), NO_NUMBER, HEADER},
    {"word_for_a_number", AUTO, BYTES(LENGTH(two) "\r\n{}"), NO_NUMBER, HEADER},
    {"two_numbers", AUTO, BYTES(LENGTH(2 2) "\r\n{}"), NO_NUMBER, HEADER},
    {"list_of_numbers", AUTO, BYTES("Content-Length: 2, 2\r\n\r\n{}"), NO_NUMBER, HEADER},
    {"number_with_a_high_byte", AUTO, BYTES("Content-Length: 2\xB2\r\n\r\n{}"), NO_NUMBER, HEADER},
    {"number_that_overflows", AUTO, BYTES(LENGTH(18446744073709551616) "\r\n{}"),
     "!Content-Length is beyond any number;", HEADER},
    {"twice_another_length", AUTO, BYTES(LENGTH(2) LENGTH(3) "\r\n{}"),
     "!two Content-Lengths that differ;", HEADER},
    {"line_without_a_colon", AUTO, BYTES(FIELD("hello")), NO_FIELD, HEADER},
    {"line_of_white_space", AUTO, BYTES(FIELD(" ")), NO_FIELD, HEADER},
    {"folded_line", AUTO, BYTES(FIELD("A: 1\r\n b: 2")), NO_FIELD, HEADER},
    {"name_with_a_space", AUTO, BYTES(FIELD("A b: 2")), NO_FIELD, HEADER},
    {"line_without_a_name", AUTO, BYTES(FIELD(": 2")), NO_FIELD, HEADER},
    {"two_cr_do_not_end_a_header", AUTO, BYTES(LENGTH(2) "\r\r\n{}"), NO_FIELD, HEADER},
    {"nul_in_a_value", AUTO, BYTES(FIELD("A: \0")), "!header with a NUL byte;", HEADER},
    {"nul_in_a_name", AUTO, BYTES(FIELD("A\0: 1")), "!header with a NUL byte;", HEADER},

    {"end_in_a_name", HEADER, BYTES("Conte"), END_IN_HEADER, HEADER},
    {"end_in_a_line", AUTO, BYTES("Content-Length: 2"), END_IN_HEADER, HEADER},
    {"end_in_a_header", AUTO, BYTES(LENGTH(2)), END_IN_HEADER, HEADER},
    {"end_in_the_empty_line", AUTO, BYTES(LENGTH(2) "\r"), END_IN_HEADER, HEADER},
    {"end_before_a_body", AUTO, BYTES(LENGTH(2) "\r\n"), END_IN_MESSAGE, HEADER},
    {"end_in_a_body", AUTO, BYTES(LENGTH(1) "\r\n7" LENGTH(3) "\r\n{}"), "(7)" END_IN_MESSAGE,
     HEADER},
};

/* In pieces of so many bytes, the first one of its own length; whether the end comes with the last
 * bytes or by itself. */
static void check_pieces(const struct row *row, size_t first, size_t rest, bool has_late_end)
{
    struct frames frames;
    size_t len = first < row->len ? first : row->len, left = row->len;
    bool is_end = false;
    int status = 0;

    frames_init(&frames, row->mode, MESSAGE_MAX, row->input, row->len);
    while (!is_end && status != -EBADMSG && status != -EPROTO && !frames.fault) {
        is_end = len == left && !(has_late_end && left);
        left -= len;
        status = frames_feed(&frames, len, is_end);
        len = rest < left ? rest : left;
    }
    const char *events = frames_text(&frames);
    if (frames.fault || frames.framing.mode != row->detected || strcmp(events, row->expect) != 0)
        fail_msg("%s, %zu bytes and then each %zu: %s\n%s, mode %d\n-- not --\n%s, mode %d",
                 row->behaviour, first, rest, frames.fault ? frames.fault : "", events,
                 (int)frames.framing.mode, row->expect, (int)row->detected);
    frames_fini(&frames);
}

static void the_same_messages_however_it_is_cut(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t first = 0; first <= rows[i].len; first++)
            check_pieces(&rows[i], first, rows[i].len, false);
        for (size_t n = 1; n <= 4; n++) {
            check_pieces(&rows[i], n, n, false);
            check_pieces(&rows[i], n, n, true);
        }
    }
}

static void a_line_may_hold_nul_bytes(void **state)
{
    jri_framing framing;
    jri_frame frame;
    (void)state;

    jri_framing_begin(&framing, JRI_FRAMING_AUTO, 100);
    assert_int_equal(jri_framing_next(&framing, BYTES("\0\0a\n"), false, &frame), 1);
    assert_int_equal(frame.consumed, 4);
    assert_int_equal(frame.len, 3);
    assert_memory_equal(frame.text, "\0\0a", 3);
}

static void nothing_may_be_null(void **state)
{
    static const char *const before[] = {"", "[1", LENGTH(2), LENGTH(2) "\n"};
    static const int at_the_end[] = {0, 1, -EBADMSG, -EBADMSG};
    jri_framing framing;
    jri_frame frame;
    (void)state;

    for (size_t i = 0; i < COUNT(before); i++) {
        size_t len = strlen(before[i]);
        jri_framing_begin(&framing, JRI_FRAMING_AUTO, 100);
        assert_int_equal(jri_framing_next(&framing, before[i], len, false, &frame), 0);
        const char *rest = frame.consumed < len ? before[i] + frame.consumed : NULL;
        len -= frame.consumed;
        assert_int_equal(jri_framing_next(&framing, rest, len, false, &frame), 0);
        assert_int_equal(jri_framing_next(&framing, rest, len, true, &frame), at_the_end[i]);
    }
}

static void headers_are_written_as_they_are_read(void **state)
{
    static const size_t lens[] = {0, 1, 9, 10, 99, 100, 4194304, 1073741824, SIZE_MAX};
    char header[JRI_FRAMING_HEADER_MAX], expect[JRI_FRAMING_HEADER_MAX + 1];
    (void)state;

    for (size_t i = 0; i < COUNT(lens); i++) {
        int n = snprintf(expect, sizeof(expect), "Content-Length: %zu\r\n\r\n", lens[i]);
        assert_int_equal(jri_framing_header(JRI_FRAMING_HEADER, lens[i], header), n);
        assert_memory_equal(header, expect, n);
    }
    assert_int_equal(jri_framing_header(JRI_FRAMING_LINE, 2, header), 0);
    assert_int_equal(jri_framing_header(JRI_FRAMING_AUTO, 2, header), 0);
}

static void lines_are_written_with_lf(void **state)
{
    char trailer[JRI_FRAMING_TRAILER_MAX] = "x";
    (void)state;

    assert_int_equal(jri_framing_trailer(JRI_FRAMING_HEADER, trailer), 0);
    assert_int_equal(trailer[0], 'x');
    assert_int_equal(jri_framing_trailer(JRI_FRAMING_LINE, trailer), 1);
    assert_int_equal(trailer[0], '\n');
    assert_int_equal(jri_framing_trailer(JRI_FRAMING_AUTO, trailer), 1);
}

static void one_line_is_made_of_many(void **state)
{
    static const char *const texts[][2] = {
        {"", ""},
        {"{\"a\":\"\\n\"}", "{\"a\":\"\\n\"}"},
        {"\n", " "},
        {"\r\n[\r1,\n\n2]\r\n", "  [ 1,  2]  "},
    };
    (void)state;

    struct edge edge = edge_new(64);
    for (size_t i = 0; i < COUNT(texts); i++) {
        size_t len = strlen(texts[i][0]);
        char *text = memcpy(edge.end - len, texts[i][0], len);
        jri_text_flatten(text, len);
        assert_memory_equal(text, texts[i][1], len);
    }
    edge_free(&edge);
    jri_text_flatten(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_messages_however_it_is_cut),
        cmocka_unit_test(a_line_may_hold_nul_bytes),
        cmocka_unit_test(nothing_may_be_null),
        cmocka_unit_test(headers_are_written_as_they_are_read),
        cmocka_unit_test(lines_are_written_with_lf),
        cmocka_unit_test(one_line_is_made_of_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
