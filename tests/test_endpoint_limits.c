/* SPDX-License-Identifier: MIT */
/*
 * test_endpoint_limits.c - URLs as long as they may be and longer, lists of them, and no memory
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "transports/endpoint.h"

enum { SHOWN_MAX = 512 };

/* The linker puts these in place of calloc(). */
void *__wrap_calloc(size_t n, size_t size);
void *__real_calloc(size_t n, size_t size);

static int n_until_failure = -1; /* -1: none */

void *__wrap_calloc(size_t n, size_t size)
{
    if (n_until_failure == 0)
        return NULL;
    if (n_until_failure > 0)
        n_until_failure--;
    return __real_calloc(n, size);
}

static void a_url_may_have_4096_bytes(void **state)
{
    char text[JRI_ENDPOINT_MAX + 2] = "unix:";
    jrpc_url *url = NULL;
    jrpc_problem problem;

    (void)state;
    memset(text + 5, 'x', JRI_ENDPOINT_MAX + 1 - 5);
    assert_int_equal(jri_endpoint_parse(text, &url, &problem), -EINVAL);
    assert_string_equal(problem.text, "longer than 4096 bytes");
    assert_int_equal(problem.column, 4097);
    assert_int_equal(strlen(problem.source), sizeof(problem.source) - 1);

    text[JRI_ENDPOINT_MAX] = '\0';
    assert_int_equal(jri_endpoint_parse(text, &url, &problem), 0);
    assert_int_equal(strlen(url->path), JRI_ENDPOINT_MAX - 5);
    jri_endpoint_free(url);
}

static void a_url_may_have_64_options(void **state)
{
    char text[JRI_ENDPOINT_OPTIONS_MAX * 8 + 16] = "x:";
    jrpc_url *url = NULL;
    jrpc_problem problem;

    (void)state;
    size_t len = strlen(text), n_last = 0;
    for (int i = 0; i <= JRI_ENDPOINT_OPTIONS_MAX; i++) {
        n_last = len;
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%co%d=%d", i ? '&' : '?', i, i);
    }
    assert_int_equal(jri_endpoint_parse(text, &url, &problem), -EINVAL);
    assert_string_equal(problem.text, "more than 64 options");
    assert_int_equal(problem.column, n_last + 2);

    text[n_last] = '\0';
    assert_int_equal(jri_endpoint_parse(text, &url, &problem), 0);
    assert_int_equal(url->n_options, JRI_ENDPOINT_OPTIONS_MAX);
    assert_string_equal(url->options[63].value, "63");
    jri_endpoint_free(url);
}

static void out_of_memory_is_told(void **state)
{
    jrpc_url *url = NULL;
    int n = 0, status;

    (void)state;
    do {
        jrpc_problem problem = {0};

        n_until_failure = n++;
        status = jri_endpoint_parse("http://[::1]:80/a?b=c", &url, &problem);
        n_until_failure = -1;
        if (status) {
            assert_int_equal(status, -ENOMEM);
            assert_int_equal(problem.code, -ENOMEM);
            assert_string_equal(problem.text, "out of memory");
            assert_null(url);
        }
    } while (status);
    assert_int_equal(n, 2);
    jri_endpoint_free(url);

    n_until_failure = 0;
    assert_int_equal(jri_endpoint_parse("stdio:", &url, NULL), -ENOMEM);
    n_until_failure = -1;
    jri_endpoint_free(NULL);
}

static const struct {
    const char *name, *list, *expect;
} lists[] = {
    {"empty_list", "", ""},
    {"blanks", " \t\n ", ""},
    {"one", "stdio:", "<stdio:>"},
    {"two", "http://127.0.0.1:5000 zmq+tcp://127.0.0.1:5555",
     "<http://127.0.0.1:5000><zmq+tcp://127.0.0.1:5555>"},
    {"any_white_space", "\n a:\t\r\nb:\v\fc: ", "<a:><b:><c:>"},
    {"escaped_blank", "unix:/a%20b c:", "<unix:/a%20b><c:>"},
};

static void lists_are_separated_by_white_space(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        char shown[SHOWN_MAX] = "", url[JRI_ENDPOINT_SIZE];
        const char *list = lists[i].list;
        size_t len = 0;

        while (jri_endpoint_next(&list, url))
            len += (size_t)snprintf(shown + len, sizeof(shown) - len, "<%s>", url);
        assert_string_equal(shown, lists[i].expect);
        assert_false(jri_endpoint_next(&list, url));
    }
}

static void a_url_too_long_in_a_list_stays_too_long(void **state)
{
    char list[2 * JRI_ENDPOINT_SIZE], to[JRI_ENDPOINT_SIZE];
    const char *at = list;
    jrpc_url *url = NULL;
    jrpc_problem problem;

    (void)state;
    memset(list, 'x', sizeof(list));
    memcpy(list + sizeof(list) - 4, " b:", 4);
    assert_true(jri_endpoint_next(&at, to));
    assert_int_equal(jri_endpoint_parse(to, &url, &problem), -EINVAL);
    assert_string_equal(problem.text, "longer than 4096 bytes");
    assert_true(jri_endpoint_next(&at, to));
    assert_string_equal(to, "b:");
    assert_false(jri_endpoint_next(&at, to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_may_have_4096_bytes),
        cmocka_unit_test(a_url_may_have_64_options),
        cmocka_unit_test(out_of_memory_is_told),
        cmocka_unit_test(lists_are_separated_by_white_space),
        cmocka_unit_test(a_url_too_long_in_a_list_stays_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
