/* SPDX-License-Identifier: MIT */
/*
 * replies.h - tables of answers, given in every situation a handler can be in
 *
 * Every row is answered on both paths as a single call, in a batch, from a held call, and as a
 * notification, and each time answered again by every verb, which must change nothing.
 */
#ifndef TEST_REPLIES_H
#define TEST_REPLIES_H

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "ask.h"

#define ERROR(code, message) "\"error\":{\"code\":" #code ",\"message\":\"" message "\"}"
#define ERROR_DATA(code, message, data)                                                            \
    "\"error\":{\"code\":" #code ",\"message\":\"" message "\",\"data\":" data "}"
#define INTERNAL(data) ERROR_DATA(-32603, "Internal error", "\"" data "\"")
#define UNWRITABLE INTERNAL("the result cannot be written as JSON")
#define NOT_UTF8 INTERNAL("the result has a string that is not UTF-8")
#define NOT_JSON INTERNAL("the result is not JSON")

/* Containers inside one another. */
static inline json_t *nest(int depth)
{
    json_t *value = json_array();
    while (--depth > 0)
        value = json_pack("[o]", value);
    return value;
}

struct reply {
    const char *behaviour;
    int (*reply)(jrpc_call *call);
    int status;
    const char *expect; /* "result":… or "error":…, in debug */
};

enum mode { SINGLE, BATCH, HELD, HELD_IN_BATCH, NOTIFICATION, HELD_NOTIFICATION, N_MODES };

static const char *const mode_names[] = {"single",          "in a batch",   "held",
                                         "held in a batch", "notification", "held notification"};

struct run {
    const struct reply *reply;
    enum mode mode;
    int status;
    unsigned n_run, n_again;
};

/* Every verb on an answered call. */
static inline unsigned count_refused(jrpc_call *call)
{
    const int refused[] = {
        jrpc_reply_null(call),
        jrpc_reply_boolean(call, true),
        jrpc_reply_integer(call, 1),
        jrpc_reply_number(call, NAN),
        jrpc_reply_string(call, NULL),
        jrpc_reply_stringn(call, "\xFF", 1),
        jrpc_reply_json(call, json_object()),
        jrpc_reply_json(call, NULL),
        jrpc_reply_pack(call, "[s]", "x"),
        jrpc_reply_raw(call, "{", 1),
        jrpc_fail(call, 0, NULL),
        jrpc_fail_format(call, 7, "%d", 1),
        jrpc_fail_data(call, 7, "x", json_array()),
        jrpc_fail_data(call, 7, "x", NULL),
    };
    unsigned n = 0;

    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        n += refused[i] != -EALREADY;
    return n;
}

static inline int run_reply(jrpc_call *call, void *user)
{
    struct run *run = user;
    bool is_held =
        run->mode == HELD || run->mode == HELD_IN_BATCH || run->mode == HELD_NOTIFICATION;
    jrpc_call *held = call;

    if (is_held)
        assert_int_equal(jrpc_call_defer(call, &held), 0);
    run->n_run++;
    run->status = run->reply->reply(held);
    run->n_again += count_refused(held);
    if (!is_held)
        return run->status;
    jrpc_call_free(held);
    return 0;
}

static inline int run_ping(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "pong");
}

static const jrpc_method reply_methods[] = {
    JRPC_METHOD("run", run_reply, NULL, NULL),
    JRPC_METHOD("ping", run_ping, "", NULL),
    JRPC_METHOD_END,
};

static inline void complain(const struct run *run, int path)
{
    print_error("%s (%s, %s):\n", run->reply->behaviour, mode_names[run->mode], path_name(path));
}

static inline void check_reply(jrpc_service *service, struct run *run, int path)
{
    static const char *const sent[] = {
        "{\"jsonrpc\":\"2.0\",\"method\":\"run\",\"params\":[[5,{\"b\":1}]],\"id\":1}",
        "[{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":0},"
        "{\"jsonrpc\":\"2.0\",\"method\":\"run\",\"params\":[[5,{\"b\":1}]],\"id\":1},"
        "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":2}]",
        "{\"jsonrpc\":\"2.0\",\"method\":\"run\",\"params\":[[5,{\"b\":1}]]}",
    };
    bool is_batch = run->mode == BATCH || run->mode == HELD_IN_BATCH;
    bool is_silent = run->mode == NOTIFICATION || run->mode == HELD_NOTIFICATION;
    jrpc_response *response = NULL;
    int status = run->reply->status;
    char *expect = NULL;

    /* Nobody sees what a notification could not be answered with, but code 0 is a mistake. */
    if (is_silent && (status != -EINVAL || !strstr(run->reply->behaviour, "code_0")))
        status = 0;
    assert_true(asprintf(&expect,
                         is_batch ? "[{\"jsonrpc\":\"2.0\",\"result\":\"pong\",\"id\":0},"
                                    "{\"jsonrpc\":\"2.0\",%s,\"id\":1},"
                                    "{\"jsonrpc\":\"2.0\",\"result\":\"pong\",\"id\":2}]"
                                  : "{\"jsonrpc\":\"2.0\",%s,\"id\":1}",
                         run->reply->expect) > 0);
    ask(service, path, sent[is_silent ? 2 : is_batch], &response);
    json_t *expected = value_of(is_silent ? NULL : expect);
    json_t *seen = jrpc_response_json(response);
    if (run->status != status || run->n_again || run->n_run != 1 ||
        (expected ? !json_equal(expected, seen) : seen != NULL))
        complain(run, path);
    assert_int_equal(run->status, status);
    assert_int_equal(run->n_again, 0);
    assert_int_equal(run->n_run, 1);
    assert_json_equal(seen, is_silent ? NULL : expect);
    json_decref(expected);
    free(expect);
    jrpc_response_free(response);
}

static inline void check_replies(const struct reply *rows, size_t n_rows)
{
    static const char *const debug[] = {"debug", "yes", NULL};

    for (size_t i = 0; i < n_rows; i++)
        for (int mode = 0; mode < N_MODES; mode++)
            for (int path = 0; path < N_PATHS; path++) {
                struct run run = {.reply = &rows[i], .mode = (enum mode)mode};
                jrpc_service *service = new_service(debug, reply_methods, &run);
                check_reply(service, &run, path);
                jrpc_service_free(service);
            }
}

#endif
