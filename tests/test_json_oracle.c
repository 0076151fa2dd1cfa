/* SPDX-License-Identifier: MIT */
/*
 * test_json_oracle.c - reader, builder and writer against jansson, on generated documents
 *
 * Half of them are spoilt in one to three bytes. Every machine tries the same ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "comma_locale.h"
#include "json_oracle.h"

enum { N_DOCUMENTS = 200000, N_WITH_A_COMMA = 20000, DOCUMENT_MAX = 4096 };

struct generator {
    uint64_t seed;
    char text[DOCUMENT_MAX + 64];
    size_t len;
};

/* xorshift64: below n. */
static unsigned pick(struct generator *g, unsigned n)
{
    g->seed ^= g->seed << 13;
    g->seed ^= g->seed >> 7;
    g->seed ^= g->seed << 17;
    return (unsigned)((g->seed >> 11) % n);
}

static void put(struct generator *g, const char *text)
{
    size_t len = strlen(text);

    if (g->len + len <= DOCUMENT_MAX) {
        memcpy(g->text + g->len, text, len);
        g->len += len;
    }
}

static void put_space(struct generator *g)
{
    static const char *const spaces[] = {" ", "  ", "\n", "\r\n", "\t", "          "};

    if (pick(g, 8) == 0)
        put(g, spaces[pick(g, 6)]);
}

static void put_digits(struct generator *g, unsigned n_max)
{
    for (unsigned n = 1 + pick(g, n_max); n > 0; n--)
        put(g, (char[]){(char)('0' + pick(g, 10)), '\0'});
}

static void put_number(struct generator *g)
{
    static const char *const some[] = {"0",
                                       "-0",
                                       "-1",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "9223372036854775808",
                                       "-9223372036854775809",
                                       "0.1",
                                       "-0.0",
                                       "1e400",
                                       "-1e400",
                                       "1e-400",
                                       "5e-324",
                                       "1.7976931348623157e308",
                                       "9007199254740993",
                                       "0.30000000000000004",
                                       "1E+2",
                                       "100e-2"};

    if (pick(g, 4) == 0) {
        put(g, some[pick(g, sizeof(some) / sizeof(some[0]))]);
        return;
    }
    put(g, pick(g, 3) ? "" : "-");
    if (pick(g, 4))
        put(g, (char[]){(char)('1' + pick(g, 9)), '\0'});
    if (g->len && g->text[g->len - 1] >= '1' && g->text[g->len - 1] <= '9')
        put_digits(g, pick(g, 8) ? 5 : 20);
    else
        put(g, "0");
    if (pick(g, 3) == 0) {
        put(g, ".");
        put_digits(g, pick(g, 4) ? 4 : 20);
    }
    if (pick(g, 6) == 0) {
        static const char *const letters[] = {"e", "E", "e+", "E-", "e-"};
        put(g, letters[pick(g, 5)]);
        put_digits(g, pick(g, 8) ? 2 : 3);
    }
}

static void put_string(struct generator *g, bool is_name)
{
    static const char *const pieces[] = {"a",
                                         "b",
                                         "id",
                                         "name",
                                         "abcdefghijklmnop",
                                         "0123456789abcdef0123456789abcdef",
                                         " ",
                                         "/",
                                         "\x7F",
                                         "\xC3\xA4",
                                         "\xE2\x82\xAC",
                                         "\xF0\x9F\x98\x80",
                                         "\xEF\xBF\xBF",
                                         "\xED\x9F\xBF",
                                         "\\n",
                                         "\\\"",
                                         "\\\\",
                                         "\\/",
                                         "\\b\\f\\r\\t",
                                         "\\u0041",
                                         "\\u00e4",
                                         "\\u20AC",
                                         "\\uD83D\\uDE00",
                                         "\\uFFFF",
                                         "\\u0001",
                                         "\\u0000"};
    unsigned n = pick(g, is_name ? 3 : 6), n_pieces = sizeof(pieces) / sizeof(pieces[0]);

    put(g, "\"");
    while (n-- > 0)
        put(g, pieces[pick(g, pick(g, 2) ? 4 : n_pieces)]);
    put(g, "\"");
}

static void put_value(struct generator *g, unsigned depth)
{
    static const char *const words[] = {"null", "true", "false"};
    unsigned kind = pick(g, depth < 6 ? 10 : 5), n = pick(g, 5);

    put_space(g);
    if (kind < 2) {
        put_number(g);
    } else if (kind < 4) {
        put_string(g, /* is_name */ false);
    } else if (kind == 4) {
        put(g, words[pick(g, 3)]);
    } else {
        bool is_object = kind < 8;
        put(g, is_object ? "{" : "[");
        put_space(g);
        for (unsigned i = 0; i < n; i++) {
            put(g, i ? "," : "");
            put_space(g);
            if (is_object) {
                put_string(g, /* is_name */ true);
                put_space(g);
                put(g, ":");
            }
            put_value(g, depth + 1);
        }
        put(g, is_object ? "}" : "]");
    }
    put_space(g);
}

/* One byte changed, dropped or doubled, or the end cut off. */
static void spoil(struct generator *g)
{
    static const char bytes[] = "{}[]:,\"\\ \t0123456789eE+-.tfnuab\n\x01\x1F\x7F\x80\xBF\xC0\xC3"
                                "\xE0\xED\xF0\xF4\xFF"; /* and its NUL */
    size_t at = pick(g, (unsigned)g->len + 1);

    switch (pick(g, 4)) {
    case 0:
        g->len = at;
        return;
    case 1:
        memmove(g->text + at + 1, g->text + at, g->len - at);
        g->len++;
        g->text[at] = bytes[pick(g, sizeof(bytes))];
        return;
    case 2:
        if (at < g->len)
            memmove(g->text + at, g->text + at + 1, --g->len - at);
        return;
    default:
        if (at < g->len)
            g->text[at] = bytes[pick(g, sizeof(bytes))];
    }
}

static void generate(struct generator *g)
{
    g->len = 0;
    put_value(g, pick(g, 10) ? 0 : 6);
    for (unsigned n = pick(g, 2) ? 0 : 1 + pick(g, 3); n > 0; n--)
        spoil(g);
}

static void try_documents(uint64_t seed, int n)
{
    static struct generator g;

    g.seed = seed;
    for (int i = 0; i < n; i++) {
        generate(&g);
        const char *fault = json_oracle_check(g.text, g.len);
        if (!fault)
            continue;
        print_error("document %d: %s: ", i, fault);
        for (size_t k = 0; k < g.len; k++)
            print_error(g.text[k] >= ' ' && g.text[k] < 0x7F ? "%c" : "\\x%02X",
                        (unsigned char)g.text[k]);
        print_error("\n");
        fail();
    }
}

static void documents_of_all_kinds(void **state)
{
    (void)state;
    try_documents(88172645463325252, N_DOCUMENTS);
}

static void documents_where_the_decimal_point_is_a_comma(void **state)
{
    (void)state;
    try_documents(6364136223846793005, N_WITH_A_COMMA);
}

static int enter_comma_locale(void **state)
{
    static struct comma_locale comma;

    *state = &comma;
    return comma_locale_enter(&comma);
}

static int leave_comma_locale(void **state)
{
    comma_locale_leave(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_of_all_kinds),
        cmocka_unit_test_setup_teardown(documents_where_the_decimal_point_is_a_comma,
                                        enter_comma_locale, leave_comma_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
