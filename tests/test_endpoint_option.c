/* SPDX-License-Identifier: MIT */
/*
 * test_endpoint_option.c - options of a URL: their values, and what nobody asked for
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "transports/endpoint.h"

enum { SHOWN_MAX = 256 };

static jrpc_url *parse(const char *text)
{
    jrpc_url *url = NULL;
    jrpc_problem problem;

    if (jri_endpoint_parse(text, &url, &problem))
        fail_msg("%s: %d: %s", text, problem.column, problem.text);
    return url;
}

/* Each takes the option "o" and shows its value, "default" if it was left as it is. */

static int take_string(const jrpc_url *url, char to[SHOWN_MAX], jrpc_problem *problem)
{
    const char *value = "default";
    int status = jrpc_url_string(url, "o", &value, problem);

    snprintf(to, SHOWN_MAX, "%s", value);
    return status;
}

static int take_boolean(const jrpc_url *url, char to[SHOWN_MAX], jrpc_problem *problem)
{
    bool no = false, yes = true;
    int status = jrpc_url_boolean(url, "o", &no, problem);

    assert_int_equal(jrpc_url_boolean(url, "o", &yes, /* problem */ NULL), status);
    strcpy(to, no != yes ? "default" : yes ? "yes" : "no");
    return status;
}

static int show_integer(int status, int64_t value, char to[SHOWN_MAX])
{
    if (value == 4711)
        strcpy(to, "default");
    else
        snprintf(to, SHOWN_MAX, "%" PRId64, value);
    return status;
}

static int take_integer(const jrpc_url *url, char to[SHOWN_MAX], jrpc_problem *problem)
{
    const jrpc_url_range range = {-5, 1000};
    int64_t value = 4711;
    int status = jrpc_url_integer(url, "o", range, &value, problem);

    return show_integer(status, value, to);
}

static int take_any_integer(const jrpc_url *url, char to[SHOWN_MAX], jrpc_problem *problem)
{
    const jrpc_url_range range = {INT64_MIN, INT64_MAX};
    int64_t value = 4711;
    int status = jrpc_url_integer(url, "o", range, &value, problem);

    return show_integer(status, value, to);
}

static int take_mode(const jrpc_url *url, char to[SHOWN_MAX], jrpc_problem *problem)
{
    unsigned mode = 4711;
    int status = jrpc_url_mode(url, "o", &mode, problem);

    return show_integer(status, mode, to);
}

static int take_choice(const jrpc_url *url, char to[SHOWN_MAX], jrpc_problem *problem)
{
    int i = 4711;
    int status = jrpc_url_choice(url, "o", "auto|line|header", &i, problem);

    return show_integer(status, i, to);
}

static int take_list(const jrpc_url *url, char to[SHOWN_MAX], jrpc_problem *problem)
{
    const char *list = NULL, *item;
    size_t len = 0, n = 0;
    int status = jrpc_url_list(url, "o", &list, problem);

    strcpy(to, list ? "" : "default");
    while ((item = jrpc_url_list_next(&list, &len)))
        n += (size_t)snprintf(to + n, SHOWN_MAX - n, "<%.*s>", (int)len, item);
    return status;
}

#define NO_FLAG(value) "o: '" value "' is neither yes nor no"
#define NO_NUMBER(value) "o: '" value "' is not a number from -5 to 1000"
#define NO_INT64(value)                                                                            \
    "o: '" value "' is not a number from -9223372036854775808 to 9223372036854775807"
#define NO_MODE(value) "o: '" value "' is not a file mode, octal and at most 0777 (try 0600)"
#define NO_CHOICE(value) "o: '" value "' is not one of auto|line|header"
#define NO_LIST(value) "o: '" value "' is not a list, a,b,c, without empty items"
#define SIXTY "012345678901234567890123456789012345678901234567890123456789"

/* What is accepted shows its value; what is not leaves the default and says why. */
static const struct {
    int (*take)(const jrpc_url *, char[SHOWN_MAX], jrpc_problem *);
    const char *value, *expect, *fault;
} values[] = {
    {take_string, NULL, "default", NULL},
    {take_string, "a%20b", "a b", NULL},
    {take_string, "", "default", "o: the value is empty"},
    {take_boolean, NULL, "default", NULL},
    {take_boolean, "yes", "yes", NULL},
    {take_boolean, "no", "no", NULL},
    {take_boolean, "true", "yes", NULL},
    {take_boolean, "false", "no", NULL},
    {take_boolean, "on", "yes", NULL},
    {take_boolean, "off", "no", NULL},
    {take_boolean, "1", "yes", NULL},
    {take_boolean, "0", "no", NULL},
    {take_boolean, "YES", "yes", NULL},
    {take_boolean, "oFF", "no", NULL},
    {take_boolean, "", "default", NO_FLAG("")},
    {take_boolean, "ye", "default", NO_FLAG("ye")},
    {take_boolean, "yess", "default", NO_FLAG("yess")},
    {take_boolean, "2", "default", NO_FLAG("2")},
    {take_boolean, "%C3%A9", "default", NO_FLAG("%C3%A9")},
    {take_boolean, SIXTY "x", "default", NO_FLAG(SIXTY)},
    {take_integer, NULL, "default", NULL},
    {take_integer, "0", "0", NULL},
    {take_integer, "1000", "1000", NULL},
    {take_integer, "-5", "-5", NULL},
    {take_integer, "0007", "7", NULL},
    {take_integer, "1001", "default", NO_NUMBER("1001")},
    {take_integer, "-6", "default", NO_NUMBER("-6")},
    {take_integer, "", "default", NO_NUMBER("")},
    {take_integer, "-", "default", NO_NUMBER("-")},
    {take_integer, "+1", "default", NO_NUMBER("+1")},
    {take_integer, "--1", "default", NO_NUMBER("--1")},
    {take_integer, "1x", "default", NO_NUMBER("1x")},
    {take_integer, "1K", "default", NO_NUMBER("1K")},
    {take_integer, "0x1", "default", NO_NUMBER("0x1")},
    {take_integer, "%201", "default", NO_NUMBER(" 1")},
    {take_integer, "1.0", "default", NO_NUMBER("1.0")},
    {take_any_integer, "9223372036854775807", "9223372036854775807", NULL},
    {take_any_integer, "-9223372036854775807", "-9223372036854775807", NULL},
    {take_any_integer, "9223372036854775808", "default", NO_INT64("9223372036854775808")},
    {take_any_integer, "18446744073709551617", "default", NO_INT64("18446744073709551617")},
    {take_mode, NULL, "default", NULL},
    {take_mode, "0600", "384", NULL},
    {take_mode, "777", "511", NULL},
    {take_mode, "0", "0", NULL},
    {take_mode, "01000", "default", NO_MODE("01000")},
    {take_mode, "0608", "default", NO_MODE("0608")},
    {take_mode, "", "default", NO_MODE("")},
    {take_mode, "-1", "default", NO_MODE("-1")},
    {take_mode, "u=rw", "default", NO_MODE("u=rw")},
    {take_choice, NULL, "default", NULL},
    {take_choice, "auto", "0", NULL},
    {take_choice, "line", "1", NULL},
    {take_choice, "header", "2", NULL},
    {take_choice, "", "default", NO_CHOICE("")},
    {take_choice, "lin", "default", NO_CHOICE("lin")},
    {take_choice, "lines", "default", NO_CHOICE("lines")},
    {take_choice, "Line", "default", NO_CHOICE("Line")},
    {take_choice, "auto%7Cline", "default", NO_CHOICE("auto|line")},
    {take_list, NULL, "default", NULL},
    {take_list, "a", "<a>", NULL},
    {take_list, "a.org,http://b,c", "<a.org><http://b><c>", NULL},
    {take_list, "a%2Cb,%20c%20", "<a><b>< c >", NULL},
    {take_list, "", "default", NO_LIST("")},
    {take_list, ",", "default", NO_LIST(",")},
    {take_list, "a,", "default", NO_LIST("a,")},
    {take_list, ",a", "default", NO_LIST(",a")},
    {take_list, "a,,b", "default", NO_LIST("a,,b")},
};

static void values_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        char text[SHOWN_MAX], shown[SHOWN_MAX] = "";
        const char *value = values[i].value, *fault = values[i].fault;
        jrpc_problem problem = {0};

        snprintf(text, sizeof(text), "x:?a=b%s%s", value ? "&o=" : "", value ? value : "");
        jrpc_url *url = parse(text);
        print_message("%s\n", text);
        assert_int_equal(values[i].take(url, shown, &problem), fault ? -EINVAL : 0);
        assert_string_equal(shown, values[i].expect);
        assert_string_equal(problem.text, fault ? fault : "");
        assert_int_equal(problem.code, fault ? -EINVAL : 0);
        assert_int_equal(problem.column, fault ? 10 : 0);

        /* Taken, good or bad. */
        assert_string_equal(jri_endpoint_unused(url)->name, "a");
        assert_string_equal(jrpc_url_option(url, "a"), "b");
        assert_null(jri_endpoint_unused(url));
        jri_endpoint_free(url);
    }
}

static void plain_values_are_borrowed(void **state)
{
    jrpc_url *url = parse("x:?a=&b=%2B");

    (void)state;
    assert_string_equal(jrpc_url_option(url, "a"), "");
    assert_string_equal(jrpc_url_option(url, "b"), "+");
    assert_null(jrpc_url_option(url, "c"));
    assert_null(jrpc_url_option(url, "A"));
    assert_null(jrpc_url_option(url, ""));
    jri_endpoint_free(url);
}

static void looking_is_not_taking(void **state)
{
    jrpc_url *url = parse("x:?a=1");

    (void)state;
    assert_string_equal(jri_endpoint_find(url, "a")->value, "1");
    assert_null(jri_endpoint_find(url, "b"));
    assert_string_equal(jri_endpoint_unused(url)->name, "a");
    jri_endpoint_free(url);
}

#define TWENTY "abcdefghijklmnopqrst"

static const char *const known[] = {"framing",     "guard", "mode", TWENTY TWENTY "-and-much-more",
                                    TWENTY TWENTY, NULL};

static const struct {
    const char *text;
    int column;
    const char *expect; /* NULL: nothing is wrong; "taken" is taken */
} checked[] = {
    {"x:", 0, NULL},
    {"x:?taken=1", 0, NULL},
    {"x:?framming=header", 4, "unknown option 'framming'; did you mean framing?"},
    {"x:?taken=1&gurd=no", 12, "unknown option 'gurd'; did you mean guard?"},
    {"x:?Framing=header", 4, "unknown option 'Framing'; did you mean framing?"},
    {"x:?mesage_max=64K", 4, "unknown option 'mesage_max'; did you mean message_max?"},
    {"x:?drain=1", 4, "unknown option 'drain'"},
    {"x:?colour=red&framming=1", 4, "unknown option 'colour'"},
    {"x:?z=1", 4, "unknown option 'z'"},
    {"x:?" SIXTY SIXTY "=1", 4, "unknown option '" SIXTY "'"},
    {"x:?" TWENTY TWENTY "x=1", 4,
     "unknown option '" TWENTY TWENTY "x'; did you mean " TWENTY TWENTY "?"},
    {"x:?" TWENTY TWENTY "-and-much-morr=1", 4, "unknown option '" TWENTY TWENTY "-and-much-morr'"},
    {"x:?guard=no", 4, "option 'guard' has no effect here"},
    {"x:?message_max=64K", 4, "option 'message_max' has no effect here"},
};

static void unknown_options_are_named_and_guessed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(checked) / sizeof(*checked); i++) {
        jrpc_url *url = parse(checked[i].text);
        const char *expect = checked[i].expect;
        jrpc_problem problem = {0};

        print_message("%s\n", checked[i].text);
        jrpc_url_option(url, "taken");
        assert_int_equal(jrpc_url_check(url, known, &problem), expect ? -EINVAL : 0);
        assert_string_equal(problem.text, expect ? expect : "");
        assert_int_equal(problem.column, checked[i].column);
        assert_int_equal(jrpc_url_check(url, known, /* problem */ NULL), expect ? -EINVAL : 0);
        jri_endpoint_free(url);
    }
}

static void a_transport_may_know_no_option(void **state)
{
    jrpc_url *url = parse("x:?framming=1");
    jrpc_problem problem;

    (void)state;
    assert_int_equal(jrpc_url_check(url, /* known */ NULL, &problem), -EINVAL);
    assert_string_equal(problem.text, "unknown option 'framming'");
    jri_endpoint_free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_checked),
        cmocka_unit_test(plain_values_are_borrowed),
        cmocka_unit_test(looking_is_not_taking),
        cmocka_unit_test(unknown_options_are_named_and_guessed),
        cmocka_unit_test(a_transport_may_know_no_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
