/* SPDX-License-Identifier: MIT */
/*
 * ask.h - a service of a test's own, asked in text, its answers compared as values
 *
 * Include after cmocka.h.
 */
#ifndef TEST_ASK_H
#define TEST_ASK_H

#include <stdlib.h>
#include <string.h>

#include <jrpc/service.h>

#include "laws.h"

/* Both ways through dispatch: for tests that loop over them. */
static inline const jrpc_codec *path_codec(int path)
{
    return path ? jrpc_codec_jansson() : NULL;
}

static inline const char *path_name(int path)
{
    return path ? "value path" : "text path";
}

enum { N_PATHS = 2 };

/* Options are name, value, ..., NULL; NULL: none. Either may be NULL. */
static inline jrpc_service *new_service(const char *const options[], const jrpc_method *rows,
                                        void *user)
{
    jrpc_service *service = NULL;
    jrpc_options *set = NULL;

    assert_int_equal(jrpc_options_new(&set), 0);
    for (size_t i = 0; options && options[i]; i += 2)
        if (jrpc_options_set(set, options[i], options[i + 1]))
            fail_msg("%s", jrpc_options_problem(set)->text);
    assert_int_equal(jrpc_service_new(set, &service), 0);
    jrpc_options_free(set);
    if (rows && jrpc_service_add_table(service, rows, user)) {
        const jrpc_problem *problem = jrpc_service_problem(service);
        fail_msg("%s:%d: %s", problem->source, problem->column, problem->text);
    }
    return service;
}

/* JSON text as a value, new; NULL of NULL. */
static inline json_t *value_of(const char *text)
{
    json_error_t error;
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error) : NULL;

    if (text && !value)
        fail_msg("%s: %s", text, error.text);
    return value;
}

/* A value equals JSON text; both may be NULL. */
#define assert_json_equal(seen, expected) check_json((seen), (expected), __FILE__, __LINE__)

static inline void check_json(const json_t *seen, const char *expected, const char *file, int line)
{
    json_t *value = value_of(expected);
    bool is_equal = value ? json_equal(value, seen) : !seen;

    if (!is_equal) {
        char *text = seen ? json_dumps(seen, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        print_error("expected %s\nbut got  %s\n", expected ? expected : "nothing",
                    text ? text : "nothing");
        free(text);
        _fail(file, line);
    }
    json_decref(value);
}

/* Sends a message on a path and checks what must be so of any answer. */
#define ask(service, path, sent, response)                                                         \
    ask_at((service), (path), (sent), (response), __FILE__, __LINE__)

static inline void ask_at(jrpc_service *service, int path, const char *sent,
                          jrpc_response **response, const char *file, int line)
{
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    size_t len;

    options.codec = path_codec(path);
    assert_int_equal(jrpc_dispatch(service, sent, strlen(sent), &options, response), 0);
    const char *text = jrpc_response_text(*response, &len);
    const char *fault = len ? answer_fault(text, len) : NULL;
    if (fault) {
        print_error("%s (%s)\n%s\n", fault, path_name(path), text);
        _fail(file, line);
    }
}

/* What is answered to a message on both paths; expected NULL: nothing. */
#define assert_answer(service, sent, expected)                                                     \
    check_answer((service), (sent), (expected), __FILE__, __LINE__)

static inline void check_answer(jrpc_service *service, const char *sent, const char *expected,
                                const char *file, int line)
{
    jrpc_response *response = NULL;

    for (int path = 0; path < N_PATHS; path++) {
        ask_at(service, path, sent, &response, file, line);
        check_json(jrpc_response_json(response), expected, file, line);
        assert_int_equal(jrpc_response_is_wanted(response), expected != NULL);
    }
    jrpc_response_free(response);
}

#endif
