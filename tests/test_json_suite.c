/* SPDX-License-Identifier: MIT */
/*
 * test_json_suite.c - JSONTestSuite (Nicolas Seriot): what parsers must accept and refuse
 *
 * Files named y_ must be accepted, n_ refused, i_ either. The reader's verdict is also jansson's,
 * but for the exceptions listed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base64.h"
#include "core/json_read.h"
#include "edge.h"

enum { DEPTH_MAX = 512, FILES_MIN = 318 };

/* Accepted by the reader; refused by jansson, whose values cannot hold them. */
static const char *const exceptions[] = {
    "i_number_huge_exp.json",
    "i_number_neg_int_huge_exp.json",
    "i_number_pos_double_huge_exp.json",
    "i_number_real_neg_overflow.json",
    "i_number_real_pos_overflow.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
    "y_object_escaped_null_in_key.json",
};

static bool is_exception(const char *name)
{
    for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
        if (!strcmp(exceptions[i], name))
            return true;
    return false;
}

static int read_text(const char *text, size_t len, const char **reason)
{
    jri_reader reader;
    jri_value value;

    jri_read_begin(&reader, text, len, DEPTH_MAX, UINT32_MAX);
    int status = jri_read_value(&reader, &value);
    if (!status)
        status = jri_read_end(&reader);
    *reason = reader.reason;
    assert_int_equal(!status, !reader.reason);
    return status;
}

static void try_file(const char *name, const char *text, size_t len)
{
    const char *reason;
    bool is_accepted = read_text(text, len, &reason) == 0;

    if (name[0] != 'i' && is_accepted != (name[0] == 'y'))
        fail_msg("%s: %s", name, is_accepted ? "accepted" : reason);

    json_t *value = memchr(text, '\0', len)
                        ? NULL
                        : json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    bool is_as_listed = is_exception(name) ? is_accepted && !value : is_accepted == (value != NULL);
    if (!is_as_listed)
        fail_msg("%s: the reader %s, jansson %s, and it is%s listed", name,
                 is_accepted ? "accepts" : "refuses", value ? "accepts" : "refuses",
                 is_exception(name) ? "" : " not");
    json_decref(value);
}

static void the_suite_is_passed(void **state)
{
    json_t *files = json_load_file(JRPC_SOURCE_DIR "/tests/data/jsontestsuite.json", 0, NULL);
    struct edge edge = edge_new(1 << 20);
    const char *name;
    json_t *file;
    (void)state;

    assert_non_null(files);
    assert_true(json_object_size(files) >= FILES_MIN);
    json_object_foreach(files, name, file) {
        size_t len;
        char *text = decode_base64(json_string_value(file), &len);
        try_file(name, edge_place(&edge, text, len), len);
        free(text);
    }
    edge_free(&edge);
    json_decref(files);
}

/* Cut anywhere, a text must be refused, a number's beginning alone excepted. */
static void no_beginning_of_a_container_is_accepted(void **state)
{
    json_t *files = json_load_file(JRPC_SOURCE_DIR "/tests/data/jsontestsuite.json", 0, NULL);
    struct edge edge = edge_new(4096);
    const char *name, *reason;
    json_t *file;
    (void)state;

    json_object_foreach(files, name, file) {
        size_t len;
        char *text = decode_base64(json_string_value(file), &len);
        size_t last = len;
        while (last && strchr(" \t\r\n", text[last - 1]))
            last--;
        for (size_t n = 0; n < last && len <= 4096 && name[0] == 'y' && strchr("[{", text[0]); n++)
            if (read_text(edge_place(&edge, text, n), n, &reason) == 0)
                fail_msg("%s: accepted after %zu bytes", name, n);
        free(text);
    }
    edge_free(&edge);
    json_decref(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_suite_is_passed),
        cmocka_unit_test(no_beginning_of_a_container_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
