/* SPDX-License-Identifier: MIT */
/*
 * test_fail.c - errors: codes, texts and data that handlers answer with
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replies.h"

static int application_error(jrpc_call *call)
{
    return jrpc_fail(call, 7, "seven");
}

static int application_error_without_text(jrpc_call *call)
{
    return jrpc_fail(call, 7, NULL);
}

static int error_not_utf8(jrpc_call *call)
{
    return jrpc_fail(call, 7, "a\xFF\xE2\x82z");
}

static int debug_text_not_utf8(jrpc_call *call)
{
    return jrpc_fail(call, JRPC_INVALID_PARAMS, "a\xFF");
}

static int standard_error(jrpc_call *call)
{
    return jrpc_fail(call, JRPC_INVALID_PARAMS, "why");
}

static int standard_error_without_text(jrpc_call *call)
{
    return jrpc_fail(call, JRPC_INVALID_PARAMS, NULL);
}

static int code_0(jrpc_call *call)
{
    return jrpc_fail(call, 0, "x");
}

static int format(jrpc_call *call)
{
    return jrpc_fail_format(call, 7, "%s: %d of %c", "disk", 90, '%');
}

static int format_not_utf8(jrpc_call *call)
{
    return jrpc_fail_format(call, 7, "%s", "\xFF");
}

static int data(jrpc_call *call)
{
    return jrpc_fail_data(call, 7, "seven", json_pack("[i,n]", 1));
}

static int null_data(jrpc_call *call)
{
    return jrpc_fail_data(call, 7, "seven", json_null());
}

static int data_for_standard_error(jrpc_call *call)
{
    return jrpc_fail_data(call, JRPC_INTERNAL_ERROR, "why", json_string("data"));
}

static int data_without_text(jrpc_call *call)
{
    return jrpc_fail_data(call, 7, NULL, json_string("data"));
}

static int data_null_pointer(jrpc_call *call)
{
    return jrpc_fail_data(call, 7, "seven", NULL);
}

static int data_not_utf8(jrpc_call *call)
{
    return jrpc_fail_data(call, 7, "seven", json_string_nocheck("\xFF"));
}

static int data_too_deep(jrpc_call *call)
{
    return jrpc_fail_data(call, 7, "seven", nest(2049));
}

static int data_for_code_0(jrpc_call *call)
{
    return jrpc_fail_data(call, 0, "x", json_true());
}

#define CODE_0 INTERNAL("the handler failed with code 0, which is no error")

static const struct reply errors[] = {
    {"application_error", application_error, 0, ERROR(7, "seven")},
    {"application_error_without_text", application_error_without_text, 0,
     ERROR(7, "Application error")},
    {"error_not_utf8_is_repaired", error_not_utf8, 0, ERROR(7, "a\\ufffd\\ufffdz")},
    {"debug_text_not_utf8_is_repaired", debug_text_not_utf8, 0,
     ERROR_DATA(-32602, "Invalid params", "\"a\\ufffd\"")},
    {"standard_error", standard_error, 0, ERROR_DATA(-32602, "Invalid params", "\"why\"")},
    {"standard_error_without_text", standard_error_without_text, 0,
     ERROR(-32602, "Invalid params")},
    {"code_0_is_refused", code_0, -EINVAL, CODE_0},
    {"format", format, 0, ERROR(7, "disk: 90 of %")},
    {"format_not_utf8_is_repaired", format_not_utf8, 0, ERROR(7, "\\ufffd")},
    {"data", data, 0, ERROR_DATA(7, "seven", "[1,null]")},
    {"null_data", null_data, 0, ERROR_DATA(7, "seven", "null")},
    {"data_for_standard_error", data_for_standard_error, 0,
     ERROR_DATA(-32603, "Internal error", "\"data\"")},
    {"data_without_text", data_without_text, 0, ERROR_DATA(7, "Application error", "\"data\"")},
    {"data_null_pointer_is_no_memory", data_null_pointer, -ENOMEM, INTERNAL("out of memory")},
    {"data_for_code_0_is_refused", data_for_code_0, -EINVAL, CODE_0},
    {"data_too_deep_is_refused", data_too_deep, -E2BIG, INTERNAL("the result is nested too deep")},
    {"data_not_utf8_is_refused", data_not_utf8, -EILSEQ, NOT_UTF8},
};

static void errors_are_answered_once(void **state)
{
    (void)state;
    check_replies(errors, sizeof(errors) / sizeof(*errors));
}

static int run_long_format(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_fail_format(call, 7, "%*s|", 3000, "x");
}

static void long_format_is_not_cut(void **state)
{
    static const jrpc_method rows[] = {JRPC_METHOD("run", run_long_format, "", NULL),
                                       JRPC_METHOD_END};
    jrpc_service *service = new_service(NULL, rows, NULL);
    jrpc_response *response = NULL;
    (void)state;

    for (int path = 0; path < N_PATHS; path++) {
        ask(service, path, "{\"jsonrpc\":\"2.0\",\"method\":\"run\",\"id\":1}", &response);
        const char *message = jrpc_response_message(response, 0);
        assert_int_equal(strlen(message), 3001);
        assert_string_equal(message + 2998, " x|");
    }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_answered_once),
        cmocka_unit_test(long_format_is_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
