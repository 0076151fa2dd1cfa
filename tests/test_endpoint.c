/* SPDX-License-Identifier: MIT */
/*
 * test_endpoint.c - URLs: what their parts are, and what is refused where and why
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "edge.h"
#include "transports/endpoint.h"

enum { SHOWN_MAX = 512 };

/* The parts as text: "scheme host port 'rest' 'path'", then "name=value" with columns;
 * "-" is a part that is not there. */
static void show(const jrpc_url *url, char to[SHOWN_MAX])
{
    char port[16] = "-";

    if (url->has_port)
        snprintf(port, sizeof(port), "%u", (unsigned)url->port);
    size_t len = (size_t)snprintf(to, SHOWN_MAX, "%s %s %s '%s' '%s'", url->scheme,
                                  url->host ? url->host : "-", port, url->rest, url->path);
    for (size_t i = 0; i < url->n_options; i++) {
        const jrpc_url_pair *pair = &url->options[i];
        assert_false(pair->is_taken);
        len += (size_t)snprintf(to + len, SHOWN_MAX - len, " %s='%s'@%d", pair->name, pair->value,
                                pair->column);
    }
    assert_in_range(len, 0, SHOWN_MAX - 1);
}

static const struct {
    const char *name, *text, *expect;
} accepted[] = {
    {"scheme_alone", "stdio:", "stdio - - '' ''"},
    {"empty_options", "stdio:?", "stdio - - '' ''"},
    {"scheme_of_one_letter", "x:", "x - - '' ''"},
    {"scheme_with_marks", "a+b-c.d2:x", "a+b-c.d2 - - 'x' 'x'"},
    {"scheme_in_capitals", "TCP://Host", "tcp Host - 'Host' ''"},
    {"option", "stdio:?framing=header", "stdio - - '' '' framing='header'@8"},
    {"options", "stdio:?framing=auto&guard=no", "stdio - - '' '' framing='auto'@8 guard='no'@21"},
    {"option_name_of_all_kinds", "x:?a_B-c.9=1", "x - - '' '' a_B-c.9='1'@4"},
    {"option_names_have_a_case", "x:?a=1&A=2", "x - - '' '' a='1'@4 A='2'@8"},
    {"empty_value", "x:?host=&a=", "x - - '' '' host=''@4 a=''@10"},
    {"value_holding_marks", "x:?a=http://b:1/c?d=e,[f]+;g",
     "x - - '' '' a='http://b:1/c?d=e,[f]+;g'@4"},
    {"value_decoded", "x:?a=%26%3d%25%20%2B+%c3%A9", "x - - '' '' a='&=% ++\xc3\xa9'@4"},
    {"absolute_path", "unix:/run/a.sock?mode=0600",
     "unix - - '/run/a.sock' '/run/a.sock' mode='0600'@18"},
    {"relative_path", "unix:run/a.sock", "unix - - 'run/a.sock' 'run/a.sock'"},
    {"empty_host_before_a_path", "unix:///run/a.sock", "unix - - '/run/a.sock' '/run/a.sock'"},
    {"path_of_two_slashes", "unix:////run", "unix - - '//run' '//run'"},
    {"empty_host_and_path", "tcp://", "tcp - - '' ''"},
    {"empty_host_before_options", "tcp://?a=1", "tcp - - '' '' a='1'@8"},
    {"path_decoded", "unix:/a%20b%2Fc%3F", "unix - - '/a b/c?' '/a b/c?'"},
    {"path_in_utf8",
     "unix:/gr\xc3\xb6\xc3\x9f"
     "e",
     "unix - - '/gr\xc3\xb6\xc3\x9f"
     "e' '/gr\xc3\xb6\xc3\x9f"
     "e'"},
    {"path_that_is_not_utf8", "unix:/%FF\xfe", "unix - - '/\xff\xfe' '/\xff\xfe'"},
    {"descriptors", "fd:3,4", "fd - - '3,4' '3,4'"},
    {"command", "exec:./serve --stdio a%20b",
     "exec - - './serve --stdio a b' './serve --stdio a b'"},
    {"at_sign_without_host", "zmq+ipc:@name", "zmq+ipc - - '@name' '@name'"},
    {"at_sign_in_a_path", "nats://h:1/a@b", "nats h 1 'h:1/a@b' '/a@b'"},
    {"host_and_port", "tcp://example.org:80", "tcp example.org 80 'example.org:80' ''"},
    {"port_missing", "tcp://example.org", "tcp example.org - 'example.org' ''"},
    {"smallest_port", "tcp://h:0", "tcp h 0 'h:0' ''"},
    {"largest_port", "tcp://h:65535", "tcp h 65535 'h:65535' ''"},
    {"port_with_zeros", "tcp://h:00080", "tcp h 80 'h:00080' ''"},
    {"ipv4", "tcp://127.0.0.1:80", "tcp 127.0.0.1 80 '127.0.0.1:80' ''"},
    {"name_of_digits", "zmq+inproc://1", "zmq+inproc 1 - '1' ''"},
    {"name_of_all_kinds", "zmq+inproc://a-b_c.d~9", "zmq+inproc a-b_c.d~9 - 'a-b_c.d~9' ''"},
    {"all_interfaces", "zmq+tcp://*:5555", "zmq+tcp * 5555 '*:5555' ''"},
    {"ipv6", "http://[::1]:80", "http ::1 80 '[::1]:80' ''"},
    {"ipv6_without_port", "http://[::]/a", "http :: - '[::]/a' '/a'"},
    {"ipv6_with_ipv4", "tcp://[::ffff:127.0.0.1]:1",
     "tcp ::ffff:127.0.0.1 1 '[::ffff:127.0.0.1]:1' ''"},
    {"ipv6_with_zone", "tcp://[fe80::1%25eth0.1]:80",
     "tcp fe80::1%eth0.1 80 '[fe80::1%25eth0.1]:80' ''"},
    {"host_port_path", "http://h:80/rpc/v1", "http h 80 'h:80/rpc/v1' '/rpc/v1'"},
    {"host_port_path_options", "http://h:80/?host=a,b&origin=http://c",
     "http h 80 'h:80/' '/' host='a,b'@14 origin='http://c'@23"},
    {"options_behind_a_port", "tcp://h:80?a=1", "tcp h 80 'h:80' '' a='1'@12"},
    {"options_behind_a_host", "tcp://h?a=1", "tcp h - 'h' '' a='1'@9"},
    {"host_is_a_relative_path", "zmq+ipc://dir/a.sock", "zmq+ipc dir - 'dir/a.sock' '/a.sock'"},
    {"subject", "nats://h:4222/a.*.>", "nats h 4222 'h:4222/a.*.>' '/a.*.>'"},
};

static void urls_have_parts(void **state)
{
    char shown[SHOWN_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(accepted) / sizeof(*accepted); i++) {
        jrpc_url *url = NULL;
        jrpc_problem problem;

        print_message("%s\n", accepted[i].name);
        if (jri_endpoint_parse(accepted[i].text, &url, &problem))
            fail_msg("%s: %d: %s", accepted[i].text, problem.column, problem.text);
        show(url, shown);
        assert_string_equal(shown, accepted[i].expect);
        assert_string_equal(url->text, accepted[i].text);
        jri_endpoint_free(url);
    }
}

#define A_SCHEME "expected a scheme and ':', as in tcp://127.0.0.1:5000"
#define A_HOST "expected a host: a name, an address, or * for all interfaces"
#define A_PORT "expected a port; 0 for any that is free"
#define NO_PORT "the port is not 0 to 65535"
#define NO_CREDENTIALS "credentials do not belong in a URL; use token_file= or curve_key="
#define NO_PART "an endpoint has no '#' part; the character itself is %23"
#define IN_BRACKETS "an IPv6 address stands in brackets, as in [::1]"
#define TWO_DIGITS "'%' needs two hexadecimal digits behind it"

static const struct {
    const char *name, *text;
    int column;
    const char *expect, *source; /* NULL: the text */
} refused[] = {
    {"nothing", "", 1, A_SCHEME, NULL},
    {"no_scheme", ":x", 1, A_SCHEME, NULL},
    {"address_alone", "127.0.0.1:5000", 1, A_SCHEME, NULL},
    {"path_alone", "/run/a.sock", 1, A_SCHEME, NULL},
    {"name_alone", "localhost", 10, A_SCHEME, NULL},
    {"blank_first", " stdio:", 1, A_SCHEME, " stdio"},
    {"scheme_with_another_mark", "a_b:", 2, A_SCHEME, "a_b"},
    {"scheme_escaped", "t%63p:", 2, A_SCHEME, "t%63p"},
    {"control_character", "unix:/a\tb", 8, "a control character", "unix:/a%09b"},
    {"control_character_in_a_host", "tcp://a\n:1", 8, "a control character", "tcp://a%0A:1"},
    {"delete_character", "x:?a=\x7f", 6, "a control character", "x"},
    {"escaped_nul", "unix:/a%00", 8, "%00 is a control character", NULL},
    {"escaped_line_end", "x:?a=b%0Ac", 7, "%0A is a control character", "x"},
    {"escaped_delete", "unix:%7f", 6, "%7f is a control character", NULL},
    {"escape_of_no_digits", "unix:/%zz", 7, TWO_DIGITS, NULL},
    {"escape_of_one_digit", "unix:/%4", 7, TWO_DIGITS, NULL},
    {"escape_cut_by_options", "unix:/%4?a=1", 7, TWO_DIGITS, "unix:/%4"},
    {"escape_cut_by_an_option", "x:?a=%4&b=1", 6, TWO_DIGITS, "x"},
    {"escape_at_the_end", "x:?a=%", 6, TWO_DIGITS, "x"},
    {"fragment", "http://h/#top", 10, NO_PART, "http://h/"},
    {"fragment_in_a_value", "x:?a=#", 6, NO_PART, "x"},
    {"fragment_before_options", "x:#?a=1", 3, NO_PART, "x"},
    {"blank_in_a_host", "tcp://a b", 8, "a blank is written %20", NULL},
    {"blank_in_a_path", "http://a/b c", 11, "a blank is written %20", NULL},
    {"blank_in_a_value", "exec:a?b=c d", 11, "a blank is written %20", "exec:a"},
    {"blank_last", "unix:/a ", 8, "a blank is written %20", NULL},
    {"blank_before_options", "unix:/a ?b=c", 8, "a blank is written %20", "unix:/a "},
    {"password", "nats://me:secret@h:1/x", 8, NO_CREDENTIALS, "nats://...@h:1/x"},
    {"user", "http://me@h", 8, NO_CREDENTIALS, "http://...@h"},
    {"password_with_marks", "tcp://me:a?b/c@h", 10, NO_PORT, "tcp://..."},
    {"password_with_a_slash", "tcp://me:a/c@h", 10, NO_PORT, "tcp://...@h"},
    {"no_host_but_a_port", "tcp://:80", 7, A_HOST, NULL},
    {"host_with_a_mark", "tcp://a!b", 8, "not a character of a host's name", NULL},
    {"host_escaped", "tcp://a%62", 8, "not a character of a host's name", NULL},
    {"host_in_utf8", "tcp://\xc3\xa9", 7, "not a character of a host's name", "tcp://%C3%A9"},
    {"star_and_more", "tcp://*.org", 8, "not a character of a host's name", NULL},
    {"ipv4_out_of_range", "tcp://127.0.0.256:1", 7, "not an IPv4 address", NULL},
    {"ipv4_with_a_gap", "tcp://127.0..1:1", 7, "not an IPv4 address", NULL},
    {"ipv6_without_brackets", "tcp://::1", 7, IN_BRACKETS, NULL},
    {"two_ports", "tcp://h:1:2", 7, IN_BRACKETS, NULL},
    {"bracket_open", "tcp://[::1", 7, "'[' without ']'", NULL},
    {"bracket_closed_too_late", "tcp://[::1/]:1", 7, "'[' without ']'", NULL},
    {"brackets_empty", "tcp://[]:1", 8, "not an IPv6 address", NULL},
    {"brackets_around_a_name", "tcp://[localhost]:1", 8, "not an IPv6 address", NULL},
    {"ipv6_cut", "tcp://[1:2:3]:1", 8, "not an IPv6 address", NULL},
    {"ipv6_too_long",
     "tcp://[0000000000:0000000000:0000000000:0000000000:0000000000:0000000000:0:1]:1", 8,
     "not an IPv6 address", NULL},
    {"zone_not_escaped", "tcp://[fe80::1%eth0]", 15, "a zone is written %25 and its name", NULL},
    {"zone_empty", "tcp://[fe80::1%25]", 18, "expected the name of a zone", NULL},
    {"zone_with_a_mark", "tcp://[fe80::1%25a%62]", 18, "expected the name of a zone", NULL},
    {"text_behind_brackets", "tcp://[::1]80", 12, "expected ':' and a port", NULL},
    {"port_empty", "tcp://h:", 9, A_PORT, "tcp://h"},
    {"port_empty_before_a_path", "http://h:/a", 10, A_PORT, NULL},
    {"port_too_large", "tcp://127.0.0.1:65536", 17, NO_PORT, NULL},
    {"port_far_too_large", "tcp://127.0.0.1:99999999999999999999", 17, NO_PORT, NULL},
    {"port_negative", "tcp://h:-1", 9, NO_PORT, NULL},
    {"port_with_letters", "tcp://h:80a/x", 9, NO_PORT, NULL},
    {"port_is_a_star", "zmq+tcp://*:*", 13, NO_PORT, NULL},
    {"port_too_large_in_brackets", "tcp://[::1]:70000", 13, NO_PORT, NULL},
    {"option_without_a_value", "x:?a", 5, "expected '=' and the option's value", "x"},
    {"option_without_a_value_first", "x:?a&b=1", 5, "expected '=' and the option's value", "x"},
    {"option_without_a_name", "x:?=1", 4, "expected an option, name=value", "x"},
    {"option_name_escaped", "x:?a%62=1", 5, "expected '=' and the option's value", "x"},
    {"ampersand_last", "x:?a=1&", 8, "expected an option, name=value", "x"},
    {"ampersand_twice", "x:?a=1&&b=2", 8, "expected an option, name=value", "x"},
    {"question_mark_twice", "x:??a=1", 4, "expected an option, name=value", "x"},
    {"option_twice", "x:?a=1&b=2&a=3", 12, "option 'a' twice", "x"},
};

static void faults_are_named_with_their_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        const char *source = refused[i].source ? refused[i].source : refused[i].text;
        jrpc_url *url = NULL;
        jrpc_problem problem;

        print_message("%s\n", refused[i].name);
        assert_int_equal(jri_endpoint_parse(refused[i].text, &url, &problem), -EINVAL);
        assert_string_equal(problem.text, refused[i].expect);
        assert_string_equal(problem.source, source);
        assert_int_equal(problem.column, refused[i].column);
        assert_int_equal(problem.code, -EINVAL);
        assert_int_equal(problem.line, 0);
        assert_null(url);

        /* And so, without telling. */
        assert_int_equal(jri_endpoint_parse(refused[i].text, &url, NULL), -EINVAL);
        assert_null(url);
    }
}

/* Every beginning of every text, its NUL before an unmapped page. */
static void parse_beginnings(struct edge *edge, const char *text)
{
    char copy[SHOWN_MAX];

    for (size_t len = 0; len <= strlen(text); len++) {
        jrpc_url *url = NULL;
        jrpc_problem problem;

        memcpy(copy, text, len);
        copy[len] = '\0';
        int status = jri_endpoint_parse(edge_place(edge, copy, len + 1), &url, &problem);
        assert_true(status ? status == -EINVAL && !url : url != NULL);
        jri_endpoint_free(url);
    }
}

static void nothing_behind_the_text_is_read(void **state)
{
    struct edge edge = edge_new(SHOWN_MAX);

    (void)state;
    for (size_t i = 0; i < sizeof(accepted) / sizeof(*accepted); i++)
        parse_beginnings(&edge, accepted[i].text);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        parse_beginnings(&edge, refused[i].text);
    edge_free(&edge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_have_parts),
        cmocka_unit_test(faults_are_named_with_their_column),
        cmocka_unit_test(nothing_behind_the_text_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
