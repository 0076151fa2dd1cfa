/* SPDX-License-Identifier: MIT */
/*
 * chaos_messages.h - messages of every kind, for the toy and the methods of test_chaos.c
 */
#ifndef TEST_CHAOS_MESSAGES_H
#define TEST_CHAOS_MESSAGES_H

#include <stdio.h>
#include <string.h>

#define CALL(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":1}"
#define CALL_WITH(method, params)                                                                  \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":\"a\"}"
#define NOTIFY(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\"}"
#define WIDE "[1,2,3,4,5,6,7,8,9,10,{\"a\":{\"b\":[{\"cD\":\"\\u00e9\\n\"}]}}]"

/* Larger than the first piece of memory that a message takes; written by write_large(). For the
 * text path: values of them are thousands of allocations of the same few kinds, and where jansson
 * runs out of memory inside a long string with escapes it aborts. */
static char many_positions[4096], many_names[4096], long_string[16384], deep_names[4096],
    long_deferred[16384], many_members[16384];

static const struct {
    const char *behaviour, *sent;
} messages[] = {
    {"single", CALL("ping")},
    {"notification", NOTIFY("ping")},
    {"positional", CALL_WITH("subtract", "[42,23]")},
    {"named", CALL_WITH("subtract", "{\"subtrahend\":23,\"minuend\":42}")},
    {"default", CALL_WITH("get_user_name", "[1]")},
    {"default_container", CALL("grow")},
    {"all_kinds_of_arguments",
     CALL_WITH("show_all", "{\"path\":\"p\",\"flags\":null,\"z\":1,\"y\":2,\"is_deep\":false}")},
    {"rest", CALL_WITH("show_all", "[\"p\",1,\"a\",\"\\u0062\"]")},
    {"fields", CALL_WITH("show_fields", "{\"a\":1,\"b\":{\"cD\":[]},\"\\u0063\":\"x\"}")},
    {"struct", CALL_WITH("point", "{\"x\":1,\"y\":2.5,\"name\":\"\\u0041\",\"tags\":[1]}")},
    {"struct_out_of_range", CALL_WITH("point", "{\"x\":99999999999}")},
    {"echo_raw", CALL_WITH("echo", WIDE)},
    {"echo_value", CALL_WITH("echo_json", WIDE)},
    {"looking_at_everything", CALL_WITH("look", "{\"a\":\"\\u0041\",\"\\u0062\":" WIDE "}")},
    {"packed", CALL("get_data")},
    {"unknown_method", CALL("n\\u006fpe")},
    {"invalid_params", CALL_WITH("subtract", "[1,\"2\"]")},
    {"invalid_request", "{\"jsonrpc\":\"2.0\",\"method\":1,\"id\":5}"},
    {"parse_error", "{\"jsonrpc\":"},
    {"empty_batch", "[]"},
    {"application_error", CALL("api_fail")},
    {"error_with_data", CALL("api_fail_data")},
    {"error_with_a_long_text", CALL("long_error")},
    {"failing_handler", CALL("crash")},
    {"response", "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}"},
    {"long_answer", CALL_WITH("fill", "[5000]")},
    {"batch", "[" CALL("ping") "," NOTIFY("ping") "," CALL_WITH("echo_json", WIDE) ",1," CALL(
                  "nope") "," CALL("api_fail_data") "," CALL_WITH("subtract", "[3,1]") "]"},
    {"batch_of_notifications", "[" NOTIFY("ping") "," NOTIFY("crash") "," NOTIFY("nope") "]"},
    {"deferred", CALL_WITH("defer", WIDE)},
    {"deferred_error", CALL("defer_fail")},
    {"deferred_and_forgotten", CALL("forget")},
    {"deferred_notification", NOTIFY("defer")},
    {"deferred_batch",
     "[" CALL("ping") "," CALL_WITH("defer", "[" WIDE "]") ",1," CALL("forget") "," NOTIFY(
         "defer") "," CALL("nope") "," CALL("defer_fail") "," CALL_WITH("echo_json", WIDE) "]"},
    {"camel_case", CALL_WITH("getUserName", "{\"userId\":1,\"firstName\":\"\\u0041\"}")},
    {"camel_case_inside", CALL_WITH("echoJson", "{\"aB\":" WIDE ",\"cD\":[{\"eF\":1}]}")},
    {"prefix", CALL("gate.\\u0061")},
    {"many_positions", many_positions},
    {"many_names", many_names},
    {"long_string", long_string},
    {"deep_names", deep_names},
    {"long_deferred", long_deferred},
    {"many_members", many_members},
};

/* n items, each its number for every #. Returns their end. */
static inline char *write_many(char *at, const char *item, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        *at = ',';
        at += i > 0;
        for (const char *from = item; *from; from++)
            at += *from == '#' ? sprintf(at, "%u", i) : sprintf(at, "%c", *from);
    }
    return at;
}

static inline void write_large(void)
{
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":";
    char *at = many_positions + sprintf(many_positions, "%s\"count\",\"params\":[", head);

    strcpy(write_many(at, "#", 64), "]}");
    at = many_names + sprintf(many_names, "%s\"count\",\"params\":{", head);
    strcpy(write_many(at, "\"aB#\":#", 64), "}}");
    at = long_string + sprintf(long_string, "%s\"count\",\"params\":[[],\"", head);
    strcpy(write_many(at, "\\u00e9#", 1000), "\"]}");
    at = deep_names + sprintf(deep_names, "%s\"count\",\"params\":[{\"xY\":[{", head);
    strcpy(write_many(at, "\"aB#\":#", 64), "}]}]}");
    at = long_deferred + sprintf(long_deferred, "%s\"defer\",\"params\":[\"", head);
    strcpy(write_many(at, "\\u00e9#", 1000), "\"]}");
    at = many_members + sprintf(many_members, "[");
    strcpy(write_many(at, "{\"jsonrpc\":\"2.0\",\"method\":\"count\",\"params\":[#],\"id\":#}", 24),
           "]");
}

#endif
