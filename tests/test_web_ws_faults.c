/* SPDX-License-Identifier: MIT */
/*
 * test_web_ws_faults.c - WebSocket: what a frame against RFC 6455 is told, and what it leaves
 *
 * Rows are bytes as they go over the wire; the mask is four zeros, which is one like any other. All
 * that the server says is compared, to the end of the connection.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web_watch.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define MASK "\0\0\0\0"
#define BYTES(text) (text), sizeof(text) - 1

/* A masked frame of less than 126 bytes; first and len are escapes. */
#define FRAME(first, len, data) first "" len MASK data
#define TEXT_53 FRAME("\x81", "\xb5", PING)
#define ANSWER "text " RESULT("1", "1")
#define GOODBYE FRAME("\x88", "\x82", "\x03\xe8")
#define BYE "close 1000, end"

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

typedef struct fault_row {
    const char *name, *bytes;
    size_t len;
    const char *told;
} fault_row;

static void run_row(web_watch *watch, const fault_row *row, bool is_bytewise)
{
    web_client *client = ws_visit(watch->site);
    size_t step = is_bytewise ? 1 : row->len;
    char told[TOLD_MAX];

    for (size_t at = 0; at < row->len && web_write(client, row->bytes + at, step); at += step)
        continue;
    ws_listen(client, told);
    if (strcmp(told, row->told) != 0)
        fail_msg("%s, %s: %s, not %s", row->name, is_bytewise ? "byte by byte" : "at once", told,
                 row->told);
    web_close(client);
    watch_all_is_as_before(watch);
}

static void run_rows(const fault_row rows[], size_t n)
{
    web_watch watch;

    watch_begin(&watch, HTTP, NULL);
    for (size_t i = 0; i < n; i++) {
        run_row(&watch, &rows[i], /* is_bytewise */ false);
        run_row(&watch, &rows[i], /* is_bytewise */ true);
    }
    watch_end(&watch);
}

static void frame_that_may_not_be_is_a_protocol_error(void **state)
{
    static const fault_row rows[] = {
        {"opcode 3", BYTES(FRAME("\x83", "\x80", "")), "close 1002 bad opc, end"},
        {"opcode 4", BYTES(FRAME("\x84", "\x80", "")), "close 1002 bad opc, end"},
        {"opcode 5", BYTES(FRAME("\x85", "\x80", "")), "close 1002 bad opc, end"},
        {"opcode 6", BYTES(FRAME("\x86", "\x80", "")), "close 1002 bad opc, end"},
        {"opcode 7", BYTES(FRAME("\x87", "\x80", "")), "close 1002 bad opc, end"},
        {"opcode 11", BYTES(FRAME("\x8b", "\x80", "")), "close 1002 bad opc, end"},
        {"opcode 12", BYTES(FRAME("\x8c", "\x80", "")), "close 1002 bad opc, end"},
        {"opcode 13", BYTES(FRAME("\x8d", "\x80", "")), "close 1002 bad opc, end"},
        {"opcode 14", BYTES(FRAME("\x8e", "\x80", "")), "close 1002 bad opc, end"},
        {"opcode 15", BYTES(FRAME("\x8f", "\x80", "")), "close 1002 bad opc, end"},
        {"opcode 3, no end", BYTES(FRAME("\x03", "\x80", "")), "close 1002 bad opc, end"},
        {"RSV1", BYTES(FRAME("\xc1", "\xb5", PING)), "close 1002 rsv bits, end"},
        {"RSV2", BYTES(FRAME("\xa1", "\xb5", PING)), "close 1002 rsv bits, end"},
        {"RSV3", BYTES(FRAME("\x91", "\xb5", PING)), "close 1002 rsv bits, end"},
        {"RSV1 to 3", BYTES(FRAME("\xf1", "\xb5", PING)), "close 1002 rsv bits, end"},
        {"RSV1 of a ping", BYTES(FRAME("\xc9", "\x80", "")), "close 1002 rsv bits, end"},
        {"RSV1 of a close", BYTES(FRAME("\xc8", "\x80", "")), "close 1002 rsv bits, end"},
        {"RSV2 of a continuation", BYTES(FRAME("\x01", "\x81", "[") FRAME("\xa0", "\x81", "]")),
         "close 1002 rsv bits, end"},
        {"ping in parts", BYTES(FRAME("\x09", "\x80", "")), "close 1002 frag ctl, end"},
        {"pong in parts", BYTES(FRAME("\x0a", "\x80", "")), "close 1002 frag ctl, end"},
        {"close in parts", BYTES(FRAME("\x08", "\x80", "")), "close 1002 frag ctl, end"},
        {"continuation of nothing", BYTES(FRAME("\x80", "\x82", "[]")), "close 1002 bad cont, end"},
        {"continuation of nothing, no end", BYTES(FRAME("\x00", "\x82", "[]")),
         "close 1002 bad cont, end"},
        {"continuation behind a whole message", BYTES(TEXT_53 FRAME("\x80", "\x80", "")),
         ANSWER ", close 1002 bad cont, end"},
        {"text amid a message", BYTES(FRAME("\x01", "\x81", "[") FRAME("\x81", "\x81", "]")),
         "close 1002 bad cont, end"},
        {"binary amid a message", BYTES(FRAME("\x01", "\x81", "[") FRAME("\x82", "\x81", "]")),
         "close 1002 bad cont, end"},
        {"text without end amid a message",
         BYTES(FRAME("\x01", "\x81", "[") FRAME("\x01", "\x81", "]")), "close 1002 bad cont, end"},
        {"ping of 126 bytes", BYTES("\x89\xfe\0\x7e" MASK HUNDRED TEN TEN "012345"),
         "close 1002, end"},
        {"ping of 65,536 bytes", BYTES("\x89\xff\0\0\0\0\0\1\0\0" MASK), "close 1002, end"},
        {"pong of 126 bytes", BYTES("\x8a\xfe\0\x7e" MASK HUNDRED TEN TEN "012345"),
         "close 1002, end"},
        {"close of 126 bytes", BYTES("\x88\xfe\0\x7e" MASK "\x03\xe8" HUNDRED TEN TEN "0123"),
         "close 1002, end"},
        {"length with the top bit", BYTES("\x81\xff\x80\0\0\0\0\0\0\1" MASK "x"),
         "close 1002, end"},
        {"length of all bits", BYTES("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff" MASK "x"),
         "close 1002, end"},
        {"binary", BYTES(FRAME("\x82", "\x82", "[]")), "close 1003, end"},
        {"binary in parts", BYTES(FRAME("\x02", "\x81", "[") FRAME("\x80", "\x81", "]")),
         "close 1003, end"},
        {"length not the shortest", BYTES("\x81\xfe\0\x35" MASK PING GOODBYE), ANSWER ", " BYE},
        {"length by far not the shortest", BYTES("\x81\xff\0\0\0\0\0\0\0\x35" MASK PING GOODBYE),
         ANSWER ", " BYE},
        {"not masked", BYTES("\x81\x35" PING GOODBYE), ANSWER ", " BYE},
        {"close not masked", BYTES("\x88\x02\x03\xe8"), BYE},
        {"not masked, of no bytes", BYTES("\x81\x00" GOODBYE),
         "text " ERROR(-32700, "Parse error", "null") ", " BYE},
    };

    (void)state;
    run_rows(rows, LENGTH(rows));
}

static void close_is_answered_with_its_code_or_told_what_is_wrong(void **state)
{
#define CLOSE(len, payload) BYTES(FRAME("\x88", len, payload))
    static const fault_row rows[] = {
        {"no code", CLOSE("\x80", ""), "close, end"},
        {"1000", CLOSE("\x82", "\x03\xe8"), "close 1000, end"},
        {"1000 and a reason",
         CLOSE("\x85", "\x03\xe8"
                       "bye"),
         BYE},
        {"1000 and a long reason", CLOSE("\xfd", "\x03\xe8" HUNDRED TEN TEN "012"), BYE},
        {"1001", CLOSE("\x82", "\x03\xe9"), "close 1001, end"},
        {"1002", CLOSE("\x82", "\x03\xea"), "close 1002, end"},
        {"1003", CLOSE("\x82", "\x03\xeb"), "close 1003, end"},
        {"1007", CLOSE("\x82", "\x03\xef"), "close 1007, end"},
        {"1008", CLOSE("\x82", "\x03\xf0"), "close 1008, end"},
        {"1009", CLOSE("\x82", "\x03\xf1"), "close 1009, end"},
        {"1010", CLOSE("\x82", "\x03\xf2"), "close 1010, end"},
        {"1011", CLOSE("\x82", "\x03\xf3"), "close 1011, end"},
        /* These are registered, but libwebsockets does not know them. */
        {"1012", CLOSE("\x82", "\x03\xf4"), "close 1002, end"},
        {"1013", CLOSE("\x82", "\x03\xf5"), "close 1002, end"},
        {"1014", CLOSE("\x82", "\x03\xf6"), "close 1002, end"},
        {"3000", CLOSE("\x82", "\x0b\xb8"), "close 3000, end"},
        {"3999", CLOSE("\x82", "\x0f\x9f"), "close 3999, end"},
        {"4000", CLOSE("\x82", "\x0f\xa0"), "close 4000, end"},
        {"4999", CLOSE("\x82", "\x13\x87"), "close 4999, end"},
        {"one byte", CLOSE("\x81", "\x03"), "close 1002, end"},
        {"0", CLOSE("\x82", "\0\0"), "close 1002, end"},
        {"1", CLOSE("\x82", "\0\1"), "close 1002, end"},
        {"999", CLOSE("\x82", "\x03\xe7"), "close 1002, end"},
        {"1004", CLOSE("\x82", "\x03\xec"), "close 1002, end"},
        {"1005", CLOSE("\x82", "\x03\xed"), "close 1002, end"},
        {"1006", CLOSE("\x82", "\x03\xee"), "close 1002, end"},
        {"1015", CLOSE("\x82", "\x03\xf7"), "close 1002, end"},
        {"1016", CLOSE("\x82", "\x03\xf8"), "close 1002, end"},
        {"1100", CLOSE("\x82", "\x04\x4c"), "close 1002, end"},
        {"2000", CLOSE("\x82", "\x07\xd0"), "close 1002, end"},
        {"2999", CLOSE("\x82", "\x0b\xb7"), "close 1002, end"},
        {"5000", CLOSE("\x82", "\x13\x88"), "close 1002, end"},
        {"65535", CLOSE("\x82", "\xff\xff"), "close 1002, end"},
        {"a reason that is no UTF-8", CLOSE("\x84", "\x03\xe8\xff\xfe"), "close 1007, end"},
        {"a reason that is half a character", CLOSE("\x84", "\x03\xe8\xe2\x82"), "close 1007, end"},
        {"a reason that is a surrogate", CLOSE("\x85", "\x03\xe8\xed\xa0\x80"), "close 1007, end"},
        {"2999 and a reason that is no UTF-8", CLOSE("\x83", "\x0b\xb7\xff"), "close 1007, end"},
        {"a message behind it", BYTES(GOODBYE TEXT_53), BYE},
        {"a fault behind it", BYTES(GOODBYE FRAME("\x83", "\x80", "")), BYE},
        {"another close behind it", BYTES(GOODBYE FRAME("\x88", "\x82", "\x03\xe9")), BYE},
        {"amid a message", BYTES(FRAME("\x01", "\x81", "[") GOODBYE), BYE},
        {"behind a call", BYTES(TEXT_53 GOODBYE), ANSWER ", " BYE},
    };

    (void)state;
    run_rows(rows, LENGTH(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_that_may_not_be_is_a_protocol_error),
        cmocka_unit_test(close_is_answered_with_its_code_or_told_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
