/* SPDX-License-Identifier: MIT */
/*
 * null_rows.h - rows of public functions given NULL, one for each function of a header
 *
 * Include after cmocka.h.
 */
#ifndef TEST_NULL_ROWS_H
#define TEST_NULL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *name;
    bool is_right;
};

static inline void check_rows(const struct row *rows, size_t n_rows)
{
    unsigned n_wrong = 0;

    for (size_t i = 0; i < n_rows; i++)
        if (!rows[i].is_right) {
            print_error("%s\n", rows[i].name);
            n_wrong++;
        }
    assert_int_equal(n_wrong, 0);
}

#define CHECK(rows) check_rows((rows), sizeof(rows) / sizeof(*(rows)))
#define CHECK_NAMES(header, rows) check_names((header), (rows), sizeof(rows) / sizeof(*(rows)))

/* Every function marked JRPC_API in the header has a row of its name. */
static inline void check_names(const char *header, const struct row *rows, size_t n_rows)
{
    char path[512], *text = NULL, name[64];
    size_t size = 0;

    snprintf(path, sizeof(path), JRPC_SOURCE_DIR "/include/jrpc/%s", header);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(getdelim(&text, &size, '\0', file) > 0);
    fclose(file);
    for (char *at = text; (at = strstr(at, "\nJRPC_API "));) {
        at = strchr(at, '(');
        const char *start = at;
        while (strchr("abcdefghijklmnopqrstuvwxyz_0123456789", start[-1]))
            start--;
        snprintf(name, sizeof(name), "%.*s", (int)(at - start), start);
        size_t i = 0;
        while (i < n_rows && strcmp(rows[i].name, name))
            i++;
        if (i == n_rows)
            fail_msg("%s: no row for %s", header, name);
    }
    free(text);
}

#endif
