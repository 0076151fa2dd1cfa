/* SPDX-License-Identifier: MIT */
/*
 * test_reply.c - results: what handlers answer with, what cannot be sent, what they return
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replies.h"

static int null(jrpc_call *call)
{
    return jrpc_reply_null(call);
}

static int true_(jrpc_call *call)
{
    return jrpc_reply_boolean(call, true);
}

static int false_(jrpc_call *call)
{
    return jrpc_reply_boolean(call, false);
}

static int largest_integer(jrpc_call *call)
{
    return jrpc_reply_integer(call, INT64_MAX);
}

static int smallest_integer(jrpc_call *call)
{
    return jrpc_reply_integer(call, INT64_MIN);
}

static int tenth(jrpc_call *call)
{
    return jrpc_reply_number(call, 0.1);
}

static int integral_number(jrpc_call *call)
{
    return jrpc_reply_number(call, 5.0);
}

static int minus_zero(jrpc_call *call)
{
    return jrpc_reply_number(call, -0.0);
}

static int two_to_the_53(jrpc_call *call)
{
    return jrpc_reply_number(call, 0x1p53);
}

static int beyond_two_to_the_53(jrpc_call *call)
{
    return jrpc_reply_number(call, 0x1p54);
}

static int largest_number(jrpc_call *call)
{
    return jrpc_reply_number(call, 1.7976931348623157e308);
}

static int smallest_number(jrpc_call *call)
{
    return jrpc_reply_number(call, 5e-324);
}

static int not_a_number(jrpc_call *call)
{
    return jrpc_reply_number(call, NAN);
}

static int infinity(jrpc_call *call)
{
    return jrpc_reply_number(call, -INFINITY);
}

static int empty_string(jrpc_call *call)
{
    return jrpc_reply_string(call, "");
}

static int string_to_escape(jrpc_call *call)
{
    return jrpc_reply_string(call, "\"\\/\b\f\n\r\t\x1f\x7fé😀");
}

static int string_not_utf8(jrpc_call *call)
{
    return jrpc_reply_string(call, "caf\xE9");
}

static int string_null(jrpc_call *call)
{
    return jrpc_reply_string(call, NULL);
}

static int string_with_nul(jrpc_call *call)
{
    return jrpc_reply_stringn(call, "a\0b", 3);
}

static int string_of_no_bytes(jrpc_call *call)
{
    return jrpc_reply_stringn(call, NULL, 0);
}

static int string_null_with_length(jrpc_call *call)
{
    return jrpc_reply_stringn(call, NULL, 3);
}

static int string_cut_in_a_character(jrpc_call *call)
{
    return jrpc_reply_stringn(call, "é", 1);
}

static int value(jrpc_call *call)
{
    return jrpc_reply_json(call, json_pack("{s:[i,f,n,b,s]}", "a", 1, 0.5, 1, "b"));
}

static int value_null(jrpc_call *call)
{
    return jrpc_reply_json(call, NULL);
}

static int value_not_utf8(jrpc_call *call)
{
    return jrpc_reply_json(call, json_pack("[o]", json_string_nocheck("\xFF")));
}

static int name_not_utf8(jrpc_call *call)
{
    json_t *object = json_object();
    json_object_set_new_nocheck(object, "\xFF", json_null());
    return jrpc_reply_json(call, object);
}

static int value_too_deep(jrpc_call *call)
{
    return jrpc_reply_json(call, nest(2049));
}

static int circular_value(jrpc_call *call)
{
    json_t *outer = json_array(), *inner = json_object();

    json_array_append_new(outer, inner);
    json_object_set_new(inner, "outer", json_incref(outer));
    int status = jrpc_reply_json(call, json_incref(outer));
    json_object_clear(inner);
    json_decref(outer);
    return status;
}

static int pack(jrpc_call *call)
{
    return jrpc_reply_pack(call, "{s:s, s:[i,i]}", "a", "b", "c", 1, 2);
}

static int pack_of_a_bad_format(jrpc_call *call)
{
    return jrpc_reply_pack(call, "{s:s", "a", "b");
}

static int pack_of_bad_utf8(jrpc_call *call)
{
    return jrpc_reply_pack(call, "[s]", "\xFF");
}

static int pack_null(jrpc_call *call)
{
    return jrpc_reply_pack(call, NULL);
}

static int raw(jrpc_call *call)
{
    static const char text[] = "{\"a\": [1.50, \"\\u0041\"]}";
    return jrpc_reply_raw(call, text, strlen(text));
}

static int raw_with_white_space_around(jrpc_call *call)
{
    return jrpc_reply_raw(call, " \n7 ", 4);
}

static int raw_not_json(jrpc_call *call)
{
    return jrpc_reply_raw(call, "{a}", 3);
}

static int raw_of_two_values(jrpc_call *call)
{
    return jrpc_reply_raw(call, "1 2", 3);
}

static int raw_that_would_add_a_member(jrpc_call *call)
{
    static const char text[] = "1,\"id\":7";
    return jrpc_reply_raw(call, text, strlen(text));
}

static int raw_empty(jrpc_call *call)
{
    return jrpc_reply_raw(call, "", 0);
}

static int raw_null(jrpc_call *call)
{
    return jrpc_reply_raw(call, NULL, 4);
}

static int raw_not_utf8(jrpc_call *call)
{
    return jrpc_reply_raw(call, "\"\xFF\"", 3);
}

static int own_argument(jrpc_call *call)
{
    size_t len;
    const char *text = jrpc_arg_raw(call, 0, &len);
    return jrpc_reply_raw(call, text, len);
}

static int own_params(jrpc_call *call)
{
    size_t len;
    const char *text = jrpc_call_params_raw(call, &len);
    return jrpc_reply_raw(call, text, len);
}

static int piece_of_an_own_argument(jrpc_call *call)
{
    size_t len;
    const char *text = jrpc_arg_raw(call, 0, &len);
    return jrpc_reply_raw(call, text + 1, len - 1);
}

static int value_in_an_own_argument(jrpc_call *call)
{
    size_t len;
    const char *text = jrpc_arg_raw(call, 0, &len);
    return jrpc_reply_raw(call, text + 1, 1);
}

static const struct reply results[] = {
    {"null", null, 0, "\"result\":null"},
    {"true", true_, 0, "\"result\":true"},
    {"false", false_, 0, "\"result\":false"},
    {"largest_integer", largest_integer, 0, "\"result\":9223372036854775807"},
    {"smallest_integer", smallest_integer, 0, "\"result\":-9223372036854775808"},
    {"tenth", tenth, 0, "\"result\":0.1"},
    {"integral_number_has_no_fraction", integral_number, 0, "\"result\":5"},
    {"minus_zero_is_zero", minus_zero, 0, "\"result\":0"},
    {"two_to_the_53_has_no_fraction", two_to_the_53, 0, "\"result\":9007199254740992"},
    {"beyond_two_to_the_53_is_a_real", beyond_two_to_the_53, 0, "\"result\":18014398509481984.0"},
    {"largest_number", largest_number, 0, "\"result\":1.7976931348623157e308"},
    {"smallest_number", smallest_number, 0, "\"result\":5e-324"},
    {"not_a_number_is_refused", not_a_number, -EINVAL, UNWRITABLE},
    {"infinity_is_refused", infinity, -EINVAL, UNWRITABLE},
    {"empty_string", empty_string, 0, "\"result\":\"\""},
    {"string_to_escape", string_to_escape, 0,
     "\"result\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001f\x7fé😀\""},
    {"string_not_utf8_is_refused", string_not_utf8, -EILSEQ, NOT_UTF8},
    {"string_null_is_refused", string_null, -EINVAL, UNWRITABLE},
    {"string_with_nul", string_with_nul, 0, "\"result\":\"a\\u0000b\""},
    {"string_of_no_bytes", string_of_no_bytes, 0, "\"result\":\"\""},
    {"string_null_with_length_is_refused", string_null_with_length, -EINVAL, UNWRITABLE},
    {"string_cut_in_a_character_is_refused", string_cut_in_a_character, -EILSEQ, NOT_UTF8},
    {"value", value, 0, "\"result\":{\"a\":[1,0.5,null,true,\"b\"]}"},
    {"value_null_is_no_memory", value_null, -ENOMEM, INTERNAL("out of memory")},
    {"pack", pack, 0, "\"result\":{\"a\":\"b\",\"c\":[1,2]}"},
    {"pack_of_a_bad_format_is_no_memory", pack_of_a_bad_format, -ENOMEM, INTERNAL("out of memory")},
    {"pack_of_bad_utf8_is_no_memory", pack_of_bad_utf8, -ENOMEM, INTERNAL("out of memory")},
    {"pack_null_is_no_memory", pack_null, -ENOMEM, INTERNAL("out of memory")},
    {"raw", raw, 0, "\"result\":{\"a\":[1.5,\"A\"]}"},
    {"raw_with_white_space_around", raw_with_white_space_around, 0, "\"result\":7"},
    {"raw_not_json_is_refused", raw_not_json, -EBADMSG, NOT_JSON},
    {"raw_of_two_values_is_refused", raw_of_two_values, -EBADMSG, NOT_JSON},
    {"raw_that_would_add_a_member_is_refused", raw_that_would_add_a_member, -EBADMSG, NOT_JSON},
    {"raw_empty_is_refused", raw_empty, -EBADMSG, NOT_JSON},
    {"raw_null_is_refused", raw_null, -EINVAL, UNWRITABLE},
    {"raw_not_utf8_is_refused", raw_not_utf8, -EBADMSG, NOT_JSON},
    {"own_argument", own_argument, 0, "\"result\":[5,{\"b\":1}]"},
    {"own_params", own_params, 0, "\"result\":[[5,{\"b\":1}]]"},
    {"piece_of_an_own_argument_is_refused", piece_of_an_own_argument, -EBADMSG, NOT_JSON},
    {"value_in_an_own_argument", value_in_an_own_argument, 0, "\"result\":5"},
    {"value_too_deep_is_refused", value_too_deep, -E2BIG,
     INTERNAL("the result is nested too deep")},
    {"circular_value_is_refused", circular_value, -E2BIG,
     INTERNAL("the result is nested too deep")},
    {"value_not_utf8_is_refused", value_not_utf8, -EILSEQ, NOT_UTF8},
    {"name_not_utf8_is_refused", name_not_utf8, -EILSEQ, NOT_UTF8},
};

static void results_are_answered_once(void **state)
{
    (void)state;
    check_replies(results, sizeof(results) / sizeof(*results));
}

/* What a handler returns when it has not answered, and when it has. */
static const struct {
    const char *behaviour;
    bool is_answered;
    int status;
    const char *expect;
} returns[] = {
    {"unanswered_and_0_is_null", false, 0, "{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":1}"},
    {"unanswered_and_negative_is_an_error", false, -ENOENT,
     "{\"jsonrpc\":\"2.0\"," INTERNAL(
         "the handler returned -2 (No such file or directory)") ",\"id\":1}"},
    {"unanswered_and_positive_is_an_error", false, 5,
     "{\"jsonrpc\":\"2.0\"," INTERNAL("the handler returned 5 (Input/output error)") ",\"id\":1}"},
    {"unanswered_and_a_wire_code_is_an_error", false, -32602,
     "{\"jsonrpc\":\"2.0\"," INTERNAL(
         "the handler returned -32602 (no error number)") ",\"id\":1}"},
    {"answered_and_0_stays", true, 0, "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}"},
    {"answered_and_negative_stays", true, -EIO, "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}"},
    {"answered_and_positive_stays", true, 5, "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}"},
};

static int run_return(jrpc_call *call, void *user)
{
    size_t i = *(size_t *)user;

    if (returns[i].is_answered)
        jrpc_reply_integer(call, 1);
    return returns[i].status;
}

static void return_value_answers_what_is_unanswered(void **state)
{
    static const char *const debug[] = {"debug", "yes", NULL};
    static const jrpc_method rows[] = {JRPC_METHOD("run", run_return, "", NULL), JRPC_METHOD_END};
    size_t i;
    jrpc_service *service = new_service(debug, rows, &i);
    (void)state;

    for (i = 0; i < sizeof(returns) / sizeof(*returns); i++) {
        print_message("%s\n", returns[i].behaviour);
        assert_answer(service, "{\"jsonrpc\":\"2.0\",\"method\":\"run\",\"id\":1}",
                      returns[i].expect);
        assert_answer(service, "{\"jsonrpc\":\"2.0\",\"method\":\"run\"}", NULL);
    }
    jrpc_service_free(service);
}

static void note_line(const jrpc_log_record *record, void *user)
{
    char *line = user;
    assert_int_equal(record->level, JRPC_LOG_ERROR);
    snprintf(line, 256, "%s", record->text);
}

static int run_value_null(jrpc_call *call, void *user)
{
    (void)user;
    return value_null(call);
}

static void value_null_is_logged_with_all_three_reasons(void **state)
{
    static const jrpc_method rows[] = {JRPC_METHOD("run", run_value_null, "", NULL),
                                       JRPC_METHOD_END};
    jrpc_service *service = new_service(NULL, rows, NULL);
    jrpc_hooks hooks = JRPC_HOOKS_INIT;
    char line[256] = "";
    (void)state;

    hooks.logged = note_line;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, line), 0);
    assert_answer(service, "{\"jsonrpc\":\"2.0\",\"method\":\"run\",\"id\":1}",
                  "{\"jsonrpc\":\"2.0\"," ERROR(-32603, "Internal error") ",\"id\":1}");
    assert_string_equal(line, "method 'run': its value is NULL: out of memory, bad UTF-8 or a bad "
                              "format");
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_answered_once),
        cmocka_unit_test(return_value_answers_what_is_unanswered),
        cmocka_unit_test(value_null_is_logged_with_all_three_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
