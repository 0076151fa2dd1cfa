/* SPDX-License-Identifier: MIT */
/*
 * test_endpoint_text.c - how a URL is shown, whole and in problems
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transports/endpoint.h"

enum { SHOWN_MAX = 512 };

static jrpc_url *parse(const char *text)
{
    jrpc_url *url = NULL;
    jrpc_problem problem;

    if (jri_endpoint_parse(text, &url, &problem))
        fail_msg("%s: %d: %s", text, problem.column, problem.text);
    return url;
}

static const char *const kept[] = {"framing", "a", "b", NULL};

static const struct {
    const char *name, *text;
    int port;
    const char *const *keep;
    const char *expect;
} formatted[] = {
    {"real_port", "tcp://127.0.0.1:0", 40123, NULL, "tcp://127.0.0.1:40123"},
    {"given_port", "tcp://127.0.0.1:080", -1, NULL, "tcp://127.0.0.1:080"},
    {"port_added", "http://localhost/rpc", 80, NULL, "http://localhost:80/rpc"},
    {"port_left_out", "http://localhost/rpc", -1, NULL, "http://localhost/rpc"},
    {"port_zero", "tcp://h:5", 0, NULL, "tcp://h:0"},
    {"ipv6", "http://[::1]:0/rpc", 40123, NULL, "http://[::1]:40123/rpc"},
    {"ipv6_without_port", "http://[::1]", 80, NULL, "http://[::1]:80"},
    {"ipv6_with_zone", "tcp://[fe80::1%25eth0]:0", 1, NULL, "tcp://[fe80::1%25eth0]:1"},
    {"all_interfaces", "zmq+tcp://*:0", 5555, NULL, "zmq+tcp://*:5555"},
    {"no_host_no_port", "unix:/run/a.sock", 80, NULL, "unix:/run/a.sock"},
    {"empty_host", "unix:///run/a.sock", -1, NULL, "unix:/run/a.sock"},
    {"empty_host_and_path", "stdio://", -1, NULL, "stdio:"},
    {"path_of_two_slashes", "unix:////run", -1, NULL, "unix:////run"},
    {"scheme_in_capitals", "STDIO:", -1, NULL, "stdio:"},
    {"escapes_stay", "unix:/a%20%2f+", -1, NULL, "unix:/a%20%2f+"},
    {"command_stays", "exec:a b%20c", -1, NULL, "exec:a b%20c"},
    {"utf8_is_escaped", "unix:/\xc3\xa9", -1, NULL, "unix:/%C3%A9"},
    {"options_left_out", "tcp://h:1?curve_key=/etc/key", -1, NULL, "tcp://h:1"},
    {"options_kept", "stdio:?guard=no&framing=header", -1, kept, "stdio:?framing=header"},
    {"options_kept_in_that_order", "tcp://h:1?b=2&c=3&a=1", 9, kept, "tcp://h:9?a=1&b=2"},
    {"kept_options_that_are_not_there", "tcp://h:1?c=3", -1, kept, "tcp://h:1"},
    {"values_are_escaped", "x:?a=%26%25%23%20%C3%a9/?=:", -1, kept, "x:?a=%26%25%23%20%C3%A9/?=:"},
    {"empty_value_kept", "x:?a=", -1, kept, "x:?a="},
};

static void urls_are_shown(void **state)
{
    char shown[SHOWN_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(formatted) / sizeof(*formatted); i++) {
        jrpc_url *url = parse(formatted[i].text);
        size_t len = strlen(formatted[i].expect);

        print_message("%s\n", formatted[i].name);
        assert_int_equal(
            jri_endpoint_format(url, formatted[i].port, formatted[i].keep, shown, sizeof(shown)),
            len);
        assert_string_equal(shown, formatted[i].expect);
        assert_int_equal(
            jri_endpoint_format(url, formatted[i].port, formatted[i].keep, /* to */ NULL, 0), len);
        jri_endpoint_free(url);
    }
}

/* However small the room: a beginning of the text, an escape whole or not at all. */
static void urls_are_cut_between_characters(void **state)
{
    jrpc_url *url = parse("unix:/\xc3\xa9?a=%26x");
    const char *whole = "unix:/%C3%A9?a=%26x";
    size_t len = strlen(whole);

    (void)state;
    for (size_t size = 1; size <= len + 2; size++) {
        char *shown = malloc(size);
        assert_non_null(shown);
        assert_int_equal(jri_endpoint_format(url, -1, kept, shown, size), len);

        size_t n = strlen(shown);
        assert_in_range(n, size > 3 ? (size - 3 < len ? size - 3 : len) : 0, size - 1);
        assert_memory_equal(shown, whole, n);
        const char *last = strrchr(shown, '%');
        assert_true(!last || strlen(last) >= 3);
        free(shown);
    }
    jri_endpoint_free(url);
}

static const struct {
    const char *name, *text, *source;
} sources[] = {
    {"as_it_is", "tcp://127.0.0.1:80/x", "tcp://127.0.0.1:80/x"},
    {"without_options", "unix:/a?mode=9", "unix:/a"},
    {"without_a_colon_at_the_end", "stdio:?mode=9", "stdio"},
    {"without_what_is_before_an_at_sign", "nats://h:1/a@b", "nats://...@b"},
    {"without_what_may_be_a_password", "tcp://h:1/b?x=a@b", "tcp://..."},
    {"at_sign_without_host", "zmq+ipc:@b", "zmq+ipc:@b"},
    {"at_sign_in_a_command", "exec:curl http://me:secret@h", "exec:curl http://...@h"},
    {"utf8", "unix:\xc3\xa9", "unix:%C3%A9"},
};

static void problems_show_no_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
        jrpc_url *url = parse(sources[i].text);
        jrpc_problem problem;

        print_message("%s\n", sources[i].name);
        assert_int_equal(jrpc_url_fault(url, 7, &problem, "expected %s", "a path"), -EINVAL);
        assert_string_equal(problem.source, sources[i].source);
        assert_string_equal(problem.text, "expected a path");
        assert_int_equal(problem.code, -EINVAL);
        assert_int_equal(problem.column, 7);
        assert_int_equal(problem.line, 0);
        assert_int_equal(jrpc_url_fault(url, 0, /* problem */ NULL, "x"), -EINVAL);
        jri_endpoint_free(url);
    }
}

static void problems_are_one_short_line(void **state)
{
    char text[1024] = "unix:", foreign[1024];
    jrpc_problem problem;

    (void)state;
    for (size_t i = strlen(text); i < sizeof(text) - 1; i++)
        text[i] = i % 2 ? '\xc3' : '\xa9';
    text[sizeof(text) - 1] = '\0';
    memset(foreign, '\n', sizeof(foreign) - 1);
    foreign[sizeof(foreign) - 1] = '\0';

    jrpc_url *url = parse(text);
    assert_int_equal(jrpc_url_fault(url, 0, &problem, "'%s'", foreign), -EINVAL);
    assert_memory_equal(problem.text, "'%0A%0A", 7);
    assert_int_equal(strlen(problem.text), 1 + (sizeof(problem.text) - 2) / 3 * 3);
    assert_memory_equal(problem.source, "unix:%C3%A9", 11);
    assert_int_equal(strlen(problem.source), 5 + (sizeof(problem.source) - 6) / 3 * 3);
    jri_endpoint_free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_shown),
        cmocka_unit_test(urls_are_cut_between_characters),
        cmocka_unit_test(problems_show_no_secret),
        cmocka_unit_test(problems_are_one_short_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
