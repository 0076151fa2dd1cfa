/* SPDX-License-Identifier: MIT */
/*
 * test_log.c - where lines go, what is escaped in them, and that none can be forged
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/escape.h"
#include "core/log.h"

#define TEXT(literal) literal, sizeof(literal) - 1
#define LETTERS_31 "abcdefghijklmnopqrstuvwxyzABCDE"

/* Escaping */

static const struct {
    const char *behaviour, *text;
    size_t len;
    const char *expect;
} escapes[] = {
    {"nothing", TEXT(""), ""},
    {"printable_ascii_stays", TEXT(" !\"#'/\\~"), " !\"#'/\\~"},
    {"line_ends_and_tab", TEXT("a\nb\rc\td"), "a\\nb\\rc\\td"},
    {"other_control_characters", TEXT("\x01\x0B\x1B[31m\x7F"), "\\x01\\x0b\\x1b[31m\\x7f"},
    {"nul", TEXT("a\0b"), "a\\x00b"},
    {"utf8_stays", TEXT("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"),
     "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"},
    {"c1_controls",
     TEXT("\xC2\x85\xC2\x9B"
          "31m"),
     "\\u0085\\u009b31m"},
    {"no_break_space_stays", TEXT("\xC2\xA0"), "\xC2\xA0"},
    {"line_and_paragraph_separator", TEXT("\xE2\x80\xA8\xE2\x80\xA9"), "\\u2028\\u2029"},
    {"bidi_embeddings", TEXT("\xE2\x80\xAA\xE2\x80\xAE"), "\\u202a\\u202e"},
    {"bidi_isolates", TEXT("\xE2\x81\xA6\xE2\x81\xA9"), "\\u2066\\u2069"},
    {"bidi_marks", TEXT("\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C"), "\\u200e\\u200f\\u061c"},
    {"neighbours_of_bidi_controls_stay", TEXT("\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA"),
     "\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA"},
    {"stray_continuation", TEXT("a\x80z"), "a\\x80z"},
    {"overlong", TEXT("\xC0\x8A"), "\\xc0\\x8a"},
    {"surrogate", TEXT("\xED\xA0\x80"), "\\xed\\xa0\\x80"},
    {"cut_short", TEXT("a\xE2\x82"), "a\\xe2\\x82"},
    {"beyond_unicode", TEXT("\xF4\x90\x80\x80\xFF"), "\\xf4\\x90\\x80\\x80\\xff"},
};

static void foreign_text_is_escaped(void **state)
{
    char shown[256];
    (void)state;

    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        size_t need = jri_escape(shown, sizeof(shown), escapes[i].text, escapes[i].len);
        if (strcmp(shown, escapes[i].expect) != 0 || need != strlen(shown))
            fail_msg("%s: '%s' (%zu), not '%s'", escapes[i].behaviour, shown, need,
                     escapes[i].expect);
    }
}

/* In less room than needed: a beginning of the whole, ended between two characters. */
static void escaping_is_cut_between_characters(void **state)
{
    static const char text[] = "ab\n\xE2\x82\xAC\xFF";
    static const char *const expect[] = {NULL,
                                         "",
                                         "a",
                                         "ab",
                                         "ab",
                                         "ab\\n",
                                         "ab\\n",
                                         "ab\\n",
                                         "ab\\n\xE2\x82\xAC",
                                         "ab\\n\xE2\x82\xAC",
                                         "ab\\n\xE2\x82\xAC",
                                         "ab\\n\xE2\x82\xAC",
                                         "ab\\n\xE2\x82\xAC\\xff"};
    (void)state;

    for (size_t size = 0; size < sizeof(expect) / sizeof(expect[0]); size++) {
        char *exact = malloc(size ? size : 1);
        assert_non_null(exact);
        assert_int_equal(jri_escape(exact, size, text, strlen(text)), 11);
        if (size)
            assert_string_equal(exact, expect[size]);
        free(exact);
    }
    assert_int_equal(jri_escape(NULL, 0, NULL, 0), 0);
}

/* Standard error */

struct capture {
    int saved, file;
    char text[65536];
};

static void begin_capture(struct capture *capture)
{
    fflush(stderr);
    capture->saved = dup(STDERR_FILENO);
    capture->file = memfd_create("stderr", MFD_CLOEXEC);
    assert_true(capture->saved >= 0 && capture->file >= 0);
    assert_true(dup2(capture->file, STDERR_FILENO) >= 0);
}

static const char *end_capture(struct capture *capture)
{
    fflush(stderr);
    dup2(capture->saved, STDERR_FILENO);
    ssize_t n = pread(capture->file, capture->text, sizeof(capture->text) - 1, 0);
    close(capture->saved);
    close(capture->file);
    assert_true(n >= 0);
    capture->text[n] = '\0';
    return capture->text;
}

static const jri_log basic = {.is_basic = true};
static const jri_log trimming = {.is_basic = true, .is_trimming = true};

static void a_log_that_is_off_says_nothing(void **state)
{
    static const jri_log off = {.is_trimming = true};
    static struct capture capture;
    (void)state;

    begin_capture(&capture);
    jri_log_line(&off, JRPC_LOG_ERROR, NULL, "a");
    jri_log_text(&off, JRI_LOG_REQUEST, NULL, TEXT("{}"));
    jri_log_value(&off, JRI_LOG_ANSWER, NULL, NULL);
    assert_string_equal(end_capture(&capture), "");
    assert_false(jri_log_is_on(&off));
    assert_true(jri_log_is_on(&basic));
}

static const struct {
    const char *behaviour, *transport, *peer, *expect;
} sources[] = {
    {"both", "ws", "10.0.0.7:5123", "ws peer '10.0.0.7:5123': "},
    {"transport_alone", "ws", NULL, "ws: "},
    {"peer_alone", NULL, "10.0.0.7:5123", "peer '10.0.0.7:5123': "},
    {"neither", NULL, NULL, ""},
    {"empty", "", "", ""},
    {"peer_with_a_line_end", "unix", "/tmp/a\nb", "unix peer '/tmp/a\\nb': "},
};

static void a_line_begins_with_its_source(void **state)
{
    static struct capture capture;
    char expect[256];
    (void)state;

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        jri_log_source source = {sources[i].transport, sources[i].peer};
        begin_capture(&capture);
        jri_log_line(&basic, JRPC_LOG_ERROR, &source, "%d bytes, closing", 5);
        snprintf(expect, sizeof(expect), "%s5 bytes, closing\n", sources[i].expect);
        if (strcmp(end_capture(&capture), expect) != 0)
            fail_msg("%s: '%s', not '%s'", sources[i].behaviour, capture.text, expect);
    }
}

static void a_long_peer_is_cut(void **state)
{
    static struct capture capture;
    char peer[1000];
    jri_log_source source = {"unix", peer};
    (void)state;

    memset(peer, '\n', sizeof(peer) - 1);
    peer[sizeof(peer) - 1] = '\0';
    begin_capture(&capture);
    jri_log_line(&basic, JRPC_LOG_ERROR, &source, "bye");
    end_capture(&capture);
    assert_memory_equal(capture.text, "unix peer '\\n\\n", 15);
    assert_non_null(strstr(capture.text, "\\n': bye\n"));
    assert_in_range(strlen(capture.text), 1, 300);
}

static void no_line_can_be_forged(void **state)
{
    static struct capture capture;
    (void)state;

    begin_capture(&capture);
    jri_log_line(&basic, JRPC_LOG_WARNING, NULL, "handler says %s",
                 "a\n--> b\r\x1B[2J\xE2\x80\xA8");
    jri_log_text(&basic, JRI_LOG_REQUEST, NULL, TEXT("{\"a\":\n1,\0\"b\":2}"));
    jri_log_text(&trimming, JRI_LOG_REQUEST, NULL, TEXT("[\"\xE2\x80\xAE\"]"));
    assert_string_equal(end_capture(&capture), "handler says a\\n--> b\\r\\x1b[2J\\u2028\n"
                                               "--> {\"a\":\\n1,\\x00\"b\":2}\n"
                                               "--> [\"\\u202e\"]\n");
}

static void requests_and_answers_have_marks(void **state)
{
    static struct capture capture;
    json_t *value = json_pack("{s:i, s:[s]}", "a", 1, "b", LETTERS_31);
    jri_log_source source = {"zmq", "7"};
    (void)state;

    begin_capture(&capture);
    jri_log_text(&basic, JRI_LOG_REQUEST, NULL, TEXT("{ }"));
    jri_log_text(&basic, JRI_LOG_ANSWER, &source, TEXT("{ }"));
    jri_log_text(&trimming, JRI_LOG_ANSWER, NULL, TEXT("{ \"a\": \"" LETTERS_31 "\" }"));
    jri_log_value(&basic, JRI_LOG_REQUEST, NULL, value);
    jri_log_value(&trimming, JRI_LOG_ANSWER, NULL, value);
    jri_log_text(&trimming, JRI_LOG_ANSWER, NULL, NULL, 0);
    assert_string_equal(end_capture(&capture), "--> { }\n"
                                               "zmq peer '7': <-- { }\n"
                                               "<-- {\"a\":\"abcdefghij...vwxyzABCDE\"}\n"
                                               "--> {\"a\":1,\"b\":[\"" LETTERS_31 "\"]}\n"
                                               "<-- {\"a\":1,\"b\":[\"abcdefghij...vwxyzABCDE\"]}\n"
                                               "<-- \n");
    json_decref(value);
}

static void what_is_not_json_is_cut_when_trimming(void **state)
{
    static struct capture capture;
    char text[1200];
    (void)state;

    memset(text, 'x', sizeof(text));
    memcpy(text + 510, "\xE2\x82\xAC", 3); /* across the cut */
    begin_capture(&capture);
    jri_log_text(&trimming, JRI_LOG_REQUEST, NULL, text, sizeof(text));
    jri_log_text(&trimming, JRI_LOG_REQUEST, NULL, text, 400);
    jri_log_text(&basic, JRI_LOG_REQUEST, NULL, text, sizeof(text));
    end_capture(&capture);

    assert_memory_equal(capture.text + 4 + 509, "x...\n--> x", 10);
    assert_memory_equal(capture.text + 4 + 514 + 4 + 399, "x\n--> x", 7);
    assert_int_equal(strlen(capture.text), 4 + 514 + 4 + 401 + 4 + sizeof(text) + 1);
}

static void a_value_that_cannot_be_written_shows_its_beginning(void **state)
{
    static struct capture capture;
    json_t *outer = json_array(), *inner = json_array();
    (void)state;

    json_array_append_new(outer, json_string("first"));
    json_array_append(outer, inner);
    json_array_append(inner, outer); /* circular */
    begin_capture(&capture);
    jri_log_value(&basic, JRI_LOG_ANSWER, NULL, outer);
    end_capture(&capture);
    assert_memory_equal(capture.text, "<-- [\"first\",[[\"first\"", 22);
    assert_string_equal(capture.text + strlen(capture.text) - 4, "...\n");

    json_array_clear(inner);
    json_decref(inner);
    json_decref(outer);
}

static void lines_of_every_length_are_whole(void **state)
{
    static struct capture capture;
    char text[2100];
    (void)state;

    memset(text, 'x', sizeof(text));
    for (int len = 1000; len < 1050; len++) {
        begin_capture(&capture);
        jri_log_line(&basic, JRPC_LOG_INFO, NULL, "%.*s", len, text);
        end_capture(&capture);
        assert_int_equal(strlen(capture.text), len + 1);
        assert_int_equal(strspn(capture.text, "x"), len);
    }
    memset(text, '\n', sizeof(text));
    begin_capture(&capture);
    jri_log_text(&basic, JRI_LOG_REQUEST, NULL, text, sizeof(text));
    assert_int_equal(strlen(end_capture(&capture)), 4 + 2 * sizeof(text) + 1);
}

static void errno_is_kept(void **state)
{
    static struct capture capture;
    (void)state;

    begin_capture(&capture);
    close(STDERR_FILENO);
    errno = EDOM;
    jri_log_line(&basic, JRPC_LOG_INFO, NULL, "%d", 1);
    jri_log_text(&trimming, JRI_LOG_REQUEST, NULL, TEXT("no json"));
    assert_int_equal(errno, EDOM);
    clearerr(stderr);
    end_capture(&capture);
}

/* Each line of each thread comes out whole. */
static void *write_lines(void *user)
{
    for (int i = 0; i < 100; i++)
        jri_log_line(&basic, JRPC_LOG_INFO, NULL, "%s", (const char *)user);
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    static struct capture capture;
    static char lines[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0bbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    char *line[] = {lines, lines + strlen(lines) + 1};
    pthread_t threads[2];
    int n_lines = 0;
    (void)state;

    begin_capture(&capture);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, line[i]), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    end_capture(&capture);

    for (char *at = capture.text, *found; *(found = strsep(&at, "\n")); n_lines++)
        assert_string_equal(found, *found == 'a' ? line[0] : line[1]);
    assert_int_equal(n_lines, 200);
}

/* The hook */

struct seen {
    int n, level;
    char transport[32], peer[32], text[4096];
};

static void remember(const jrpc_log_record *record, void *user)
{
    struct seen *seen = user;

    assert_int_equal(record->size, sizeof(*record));
    assert_int_equal(record->len, strlen(record->text));
    seen->n++;
    seen->level = record->level;
    snprintf(seen->transport, sizeof(seen->transport), "%s",
             record->transport ? record->transport : "(none)");
    snprintf(seen->peer, sizeof(seen->peer), "%s", record->peer ? record->peer : "(none)");
    snprintf(seen->text, sizeof(seen->text), "%s", record->text);
}

static void the_hook_gets_every_line_and_standard_error_none(void **state)
{
    static struct capture capture;
    static struct seen seen;
    jri_log log = {.logged = remember, .user = &seen};
    jri_log_source source = {"zmq", "7"};
    (void)state;

    begin_capture(&capture);
    jri_log_line(&log, JRPC_LOG_WARNING, &source, "%s", "a\nb");
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.level, JRPC_LOG_WARNING);
    assert_string_equal(seen.transport, "zmq");
    assert_string_equal(seen.peer, "7");
    assert_string_equal(seen.text, "a\\nb");

    /* Requests and answers are logged only on request. */
    jri_log_text(&log, JRI_LOG_REQUEST, NULL, TEXT("{}"));
    assert_int_equal(seen.n, 1);
    log.is_basic = true;
    jri_log_text(&log, JRI_LOG_REQUEST, NULL, TEXT("{}"));
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.level, JRPC_LOG_INFO);
    assert_string_equal(seen.transport, "(none)");
    assert_string_equal(seen.peer, "(none)");
    assert_string_equal(seen.text, "--> {}");
    assert_string_equal(end_capture(&capture), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_text_is_escaped),
        cmocka_unit_test(escaping_is_cut_between_characters),
        cmocka_unit_test(a_log_that_is_off_says_nothing),
        cmocka_unit_test(a_line_begins_with_its_source),
        cmocka_unit_test(a_long_peer_is_cut),
        cmocka_unit_test(no_line_can_be_forged),
        cmocka_unit_test(requests_and_answers_have_marks),
        cmocka_unit_test(what_is_not_json_is_cut_when_trimming),
        cmocka_unit_test(a_value_that_cannot_be_written_shows_its_beginning),
        cmocka_unit_test(lines_of_every_length_are_whole),
        cmocka_unit_test(errno_is_kept),
        cmocka_unit_test(lines_of_threads_do_not_mix),
        cmocka_unit_test(the_hook_gets_every_line_and_standard_error_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
