/* SPDX-License-Identifier: MIT */
/*
 * test_web_check.c - which requests over HTTP are let in
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edge.h"
#include "web_check.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static void host_is_an_address_or_a_known_name(void **state)
{
    static const struct {
        const char *host, *list;
        bool is_known;
    } rows[] = {
        {"localhost", NULL, true},
        {"LocalHost", NULL, true},
        {"localhost:5000", NULL, true},
        {"localhost:", NULL, true},
        {"127.0.0.1", NULL, true},
        {"127.0.0.1:80", NULL, true},
        {"192.168.1.7:5000", NULL, true},
        {"[::1]", NULL, true},
        {"[::1]:5000", NULL, true},
        {"[2001:db8::7]:5000", NULL, true},
        {"", NULL, false},
        {":80", NULL, false},
        {"localhost:8o", NULL, false},
        {"localhost:80:80", NULL, false},
        {"localhost.", NULL, false},
        {"localhost.evil.example", NULL, false},
        {"evil.example", NULL, false},
        {"127.0.0.1.evil.example", NULL, false},
        {"127.1", NULL, false},
        {"0x7f.0.0.1", NULL, false},
        {"127.0.0.1,localhost", NULL, false},
        {"localhost,localhost", NULL, false},
        {"user@localhost", NULL, false},
        {"localhost localhost", NULL, false},
        {"::1", NULL, false},
        {"[::1", NULL, false},
        {"[::1]5000", NULL, false},
        {"[127.0.0.1]", NULL, false},
        {"[]", NULL, false},
        {"[localhost]", NULL, false},
        {"[", NULL, false},
        {"api.example", "api.example", true},
        {"API.example:443", "api.example", true},
        {"api.example", "www.example,api.example", true},
        {"api.example.evil.example", "api.example", false},
        {"xapi.example", "api.example", false},
        {"api", "api.example", false},
        {"anything.at.all:1", "*", true},
        {"not,a,name", "*", false},
        {"", "*", false},
        {"localhost", "api.example", true},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        if (jri_web_host_is_known(rows[i].host, strlen(rows[i].host), rows[i].list) !=
            rows[i].is_known)
            fail_msg("'%s' with host=%s", rows[i].host, rows[i].list ? rows[i].list : "");
}

static void nul_in_a_host_is_refused(void **state)
{
    (void)state;
    assert_false(jri_web_host_is_known("localhost\0", 10, NULL));
    assert_false(jri_web_host_is_known("127.0.0.1\0x", 11, NULL));
    assert_false(jri_web_host_is_known("a\0b", 3, "*"));
}

static void origin_is_ours_or_listed(void **state)
{
    static const struct {
        const char *origin, *scheme, *host, *list;
        jri_web_origin expected;
    } rows[] = {
        {"", "http", "localhost:5000", NULL, JRI_ORIGIN_OURS},
        {"http://localhost:5000", "http", "localhost:5000", NULL, JRI_ORIGIN_OURS},
        {"HTTP://LOCALHOST:5000", "http", "localhost:5000", NULL, JRI_ORIGIN_OURS},
        {"https://localhost:5000", "https", "localhost:5000", NULL, JRI_ORIGIN_OURS},
        {"http://[::1]:5000", "http", "[::1]:5000", NULL, JRI_ORIGIN_OURS},
        {"https://localhost:5000", "http", "localhost:5000", NULL, JRI_ORIGIN_REFUSED},
        {"http://localhost:5000", "https", "localhost:5000", NULL, JRI_ORIGIN_REFUSED},
        {"http://localhost:5001", "http", "localhost:5000", NULL, JRI_ORIGIN_REFUSED},
        {"http://localhost", "http", "localhost:5000", NULL, JRI_ORIGIN_REFUSED},
        {"http://localhost:50000", "http", "localhost:5000", NULL, JRI_ORIGIN_REFUSED},
        {"http://evil.example", "http", "localhost:5000", NULL, JRI_ORIGIN_REFUSED},
        {"null", "http", "localhost:5000", NULL, JRI_ORIGIN_REFUSED},
        {"http://", "http", "", NULL, JRI_ORIGIN_REFUSED},
        {"http://localhost:5000,http://localhost:5000", "http", "localhost:5000", NULL,
         JRI_ORIGIN_REFUSED},
        {"http://localhost:5000, http://evil.example", "http", "localhost:5000", "*",
         JRI_ORIGIN_REFUSED},
        {"https://app.example", "http", "localhost", "https://app.example", JRI_ORIGIN_LISTED},
        {"https://APP.example", "http", "localhost", "https://app.example", JRI_ORIGIN_LISTED},
        {"https://b.example", "http", "localhost", "https://a.example,https://b.example",
         JRI_ORIGIN_LISTED},
        {"http://app.example", "http", "localhost", "https://app.example", JRI_ORIGIN_REFUSED},
        {"https://app.example.evil.example", "http", "localhost", "https://app.example",
         JRI_ORIGIN_REFUSED},
        {"null", "http", "localhost", "null", JRI_ORIGIN_LISTED},
        {"https://app.example", "http", "localhost", "*", JRI_ORIGIN_LISTED},
        {"http://localhost", "http", "localhost", "*", JRI_ORIGIN_OURS},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        if (jri_web_origin_of(rows[i].origin, strlen(rows[i].origin), rows[i].scheme, rows[i].host,
                              rows[i].list) != rows[i].expected)
            fail_msg("'%s' at %s://%s with origin=%s", rows[i].origin, rows[i].scheme, rows[i].host,
                     rows[i].list ? rows[i].list : "");
}

static void content_type_is_json_or_the_codecs(void **state)
{
    static const struct {
        const char *text, *type;
        bool is_it;
    } rows[] = {
        {"application/json", NULL, true},
        {"Application/JSON", NULL, true},
        {"application/json-rpc", NULL, true},
        {"application/jsonrequest", NULL, true},
        {" application/json ", NULL, true},
        {"application/json;charset=utf-8", NULL, true},
        {"application/json; charset=UTF-8", NULL, true},
        {"application/json ; charset=\"utf-8\"", NULL, true},
        {"application/json;charset=utf8", NULL, true},
        {"application/json;", NULL, true},
        {"", NULL, false},
        {";", NULL, false},
        {"application/json; charset=latin1", NULL, false},
        {"application/json; charset=utf-16", NULL, false},
        {"application/json; boundary=x", NULL, false},
        {"application/json; charset=utf-8; charset=latin1", NULL, false},
        {"application/json, text/plain", NULL, false},
        {"application/jsonp", NULL, false},
        {"application/jso", NULL, false},
        {"text/plain", NULL, false},
        {"text/plain; x=application/json", NULL, false},
        {"multipart/form-data", NULL, false},
        {"application/x-www-form-urlencoded", NULL, false},
        {"application/msgpack", NULL, false},
        {"application/msgpack", "application/msgpack", true},
        {"application/json", "application/msgpack", false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        if (jri_web_type_is(rows[i].text, strlen(rows[i].text), rows[i].type) != rows[i].is_it)
            fail_msg("'%s' for %s", rows[i].text, rows[i].type ? rows[i].type : "JSON");
}

static void list_has_whole_words(void **state)
{
    static const struct {
        const char *text, *word;
        bool has;
    } rows[] = {
        {"upgrade", "upgrade", true},
        {"Upgrade", "upgrade", true},
        {"keep-alive, Upgrade", "upgrade", true},
        {"keep-alive,upgrade ,x", "upgrade", true},
        {"", "upgrade", false},
        {",", "upgrade", false},
        {"upgrades", "upgrade", false},
        {"no upgrade", "upgrade", false},
        {"close", "close", true},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        if (jri_web_list_has(rows[i].text, strlen(rows[i].text), rows[i].word) != rows[i].has)
            fail_msg("'%s' in '%s'", rows[i].word, rows[i].text);
}

static void length_is_digits(void **state)
{
    static const struct {
        const char *text;
        int status;
        size_t length;
    } rows[] = {
        {"0", 0, 0},
        {"42", 0, 42},
        {" 42\t", 0, 42},
        {"007", 0, 7},
        {"18446744073709551615", 0, SIZE_MAX},
        {"18446744073709551616", 0, SIZE_MAX},
        {"99999999999999999999999999", 0, SIZE_MAX},
        {"", -EINVAL, 0},
        {" ", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {"4 2", -EINVAL, 0},
        {"4,4", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        size_t length = 77;
        int status = jri_web_length(rows[i].text, strlen(rows[i].text), &length);
        if (status != rows[i].status || length != (status ? 77 : rows[i].length))
            fail_msg("'%s': %d, %zu", rows[i].text, status, length);
    }
}

static void token_is_one_of_the_lines(void **state)
{
    static const char tokens[] = "first-token\nsecond\n\nlast";
    static const struct {
        const char *text;
        bool is_known;
    } rows[] = {
        {"first-token", true},    {"second", true},
        {"last", true},           {"", false},
        {"First-token", false},   {"first-toke", false},
        {"first-token\n", false}, {"second\n\nlast", false},
        {"third", false},         {"lastlast", false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        if (jri_web_token_is_known(rows[i].text, strlen(rows[i].text), tokens) != rows[i].is_known)
            fail_msg("'%s'", rows[i].text);
    assert_false(jri_web_token_is_known("x", 1, ""));
    assert_false(jri_web_token_is_known("", 0, ""));
}

static void subprotocol_of_ours_is_found_where_it_counts(void **state)
{
    static const struct {
        const char *text;
        bool has;
    } rows[] = {
        {"jsonrpc-2.0", true},
        {"jsonrpc2.0", true},
        {"jsonrpc", true},
        {"chat , jsonrpc-2.0", true},
        {"jsonrpc-2.0, bearer.c2VjcmV0", true},
        {"bearer.c2VjcmV0, jsonrpc-2.0", true},
        {"0123456789012345678901234567890123456789012345678901234567890123,jsonrpc", false},
        {"", false},
        {"JSONRPC", false},
        {"jsonrpc-2", false},
        {"bearer.c2VjcmV0", false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        if (jri_web_offers_ours(rows[i].text, strlen(rows[i].text)) != rows[i].has)
            fail_msg("%s", rows[i].text);
}

static void bearer_is_decoded_from_its_one_spelling(void **state)
{
    static const struct {
        const char *text, *token; /* "": none */
    } rows[] = {
        {"jsonrpc-2.0, bearer.c2VjcmV0", "secret"},
        {"bearer.c2VjcmV0,jsonrpc-2.0", "secret"},
        {"bearer.YQ", "a"},
        {"bearer.YWI", "ab"},
        {"bearer.YWJj", "abc"},
        {"bearer.Pz8_", "\x3f\x3f\x3f"},
        {"bearer.Pj4-", ">>>"},
        {"bearer.w7_Dvw", "\xc3\xbf\xc3\xbf"},
        {"bearer.Pz8/", ""},
        {"bearer.Pj4+", ""},
        {"bearer.YQ==", ""},
        {"bearer.YR", ""}, /* bits that count for nothing */
        {"bearer.YWJ", ""},
        {"bearer.YWJjY", ""},
        {"bearer.Y", ""},
        {"bearer.", ""},
        {"bearer", ""},
        {"Bearer.YQ", ""},
        {"bearer.YQ, bearer.YQ", ""},
        {"bearer.Y Q", ""},
        {"jsonrpc-2.0", ""},
        {"", ""},
    };
    char to[64];

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        size_t len = jri_web_bearer(rows[i].text, strlen(rows[i].text), to);
        if (len != strlen(rows[i].token) || memcmp(to, rows[i].token, len) != 0)
            fail_msg("%s: %.*s", rows[i].text, (int)len, to);
    }
}

static void nothing_beyond_a_header_is_read(void **state)
{
    static const char *const texts[] = {
        "localhost",        "localhost:5", "[::1]", "[::1", "127.0.0.1",
        "http://localhost", "http://",     "a, b",  "a;",   "4 ",
        "bearer.YQ",        "bearer.",     ""};
    char to[64];
    struct edge edge = edge_new(64);

    (void)state;
    for (size_t i = 0; i < LENGTH(texts); i++) {
        size_t len = strlen(texts[i]), out;
        const char *text = edge_place(&edge, texts[i], len);
        jri_web_host_is_known(text, len, "a,b");
        jri_web_origin_of(text, len, "http", "localhost", "a,b");
        jri_web_type_is(text, len, NULL);
        jri_web_list_has(text, len, "upgrade");
        jri_web_length(text, len, &out);
        jri_web_offers_ours(text, len);
        jri_web_bearer(text, len, to);
        jri_web_token_is_known(text, len, "localhost\n[::1]5\n");
    }
    edge_free(&edge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_is_an_address_or_a_known_name),
        cmocka_unit_test(nul_in_a_host_is_refused),
        cmocka_unit_test(origin_is_ours_or_listed),
        cmocka_unit_test(content_type_is_json_or_the_codecs),
        cmocka_unit_test(list_has_whole_words),
        cmocka_unit_test(length_is_digits),
        cmocka_unit_test(token_is_one_of_the_lines),
        cmocka_unit_test(subprotocol_of_ours_is_found_where_it_counts),
        cmocka_unit_test(bearer_is_decoded_from_its_one_spelling),
        cmocka_unit_test(nothing_beyond_a_header_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
