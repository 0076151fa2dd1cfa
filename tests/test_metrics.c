/* SPDX-License-Identifier: MIT */
/*
 * test_metrics.c - calls counted by method, as text and as JSON
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "metrics.h"

static const jri_row ping = {.name = (char *)(uintptr_t) "ping"};
static const jri_row odd = {.name = (char *)(uintptr_t) "a\"b\\c\nd"};

static jri_metrics *count_some(void)
{
    jri_metrics *metrics = jri_metrics_new();

    assert_non_null(metrics);
    jri_metrics_count(metrics, &ping, 0, 500);
    jri_metrics_count(metrics, &ping, 0, 2000000);
    jri_metrics_count(metrics, &odd, 0, 60000000000);
    jri_metrics_count(metrics, &ping, JRPC_INVALID_PARAMS, 1000);
    jri_metrics_count(metrics, &ping, 42, 1001);
    jri_metrics_count(metrics, NULL, JRPC_METHOD_NOT_FOUND, 1);
    return metrics;
}

static void text_has_every_number(void **state)
{
    static const char *const lines[] = {
        "jrpc_calls_total{method=\"ping\"} 4\n",
        "jrpc_calls_total{method=\"\"} 1\n",
        "jrpc_calls_total{method=\"a\\\"b\\\\c\\nd\"} 1\n",
        "jrpc_errors_total{method=\"ping\",code=\"-32602\"} 1\n",
        "jrpc_errors_total{method=\"ping\",code=\"application\"} 1\n",
        "jrpc_errors_total{method=\"\",code=\"-32601\"} 1\n",
        "jrpc_call_duration_seconds_bucket{method=\"ping\",le=\"1e-06\"} 2\n",
        "jrpc_call_duration_seconds_bucket{method=\"ping\",le=\"1e-05\"} 3\n",
        "jrpc_call_duration_seconds_bucket{method=\"ping\",le=\"0.005\"} 4\n",
        "jrpc_call_duration_seconds_bucket{method=\"ping\",le=\"+Inf\"} 4\n",
        "jrpc_call_duration_seconds_bucket{method=\"a\\\"b\\\\c\\nd\",le=\"30\"} 0\n",
        "jrpc_call_duration_seconds_sum{method=\"ping\"} 0.002002501\n",
        "jrpc_call_duration_seconds_count{method=\"ping\"} 4\n",
    };
    jri_metrics *metrics = count_some();
    jrpc_buf buf;

    (void)state;
    jri_buf_init(&buf, SIZE_MAX);
    assert_int_equal(jri_metrics_write(metrics, &buf), 0);
    assert_int_equal(jri_buf_put(&buf, '\0'), 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        if (!strstr(buf.data, lines[i]))
            fail_msg("%s is not in:\n%s", lines[i], buf.data);
    jri_buf_fini(&buf);
    jri_buf_init(&buf, 100);
    assert_int_equal(jri_metrics_write(metrics, &buf), -EMSGSIZE);
    jri_buf_fini(&buf);
    jri_metrics_free(metrics);
}

static void json_has_every_number(void **state)
{
    jri_metrics *metrics = count_some();
    json_t *got = jri_metrics_json(metrics);
    json_t *expected =
        json_pack("{s:{s:i, s:{s:i, s:i}, s:f}, s:{s:i, s:{s:i}, s:f}, s:{s:i, s:{}, s:f}}", "ping",
                  "calls", 4, "errors", "-32602", 1, "application", 1, "seconds", 0.002002501, "",
                  "calls", 1, "errors", "-32601", 1, "seconds", 1e-9, "a\"b\\c\nd", "calls", 1,
                  "errors", "seconds", 60.0);

    (void)state;
    assert_non_null(expected);
    if (!json_equal(got, expected))
        fail_msg("got %s\nexpected %s", json_dumps(got, JSON_SORT_KEYS),
                 json_dumps(expected, JSON_SORT_KEYS));
    json_decref(got);
    json_decref(expected);
    jri_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_every_number),
        cmocka_unit_test(json_has_every_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
