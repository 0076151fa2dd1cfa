/* SPDX-License-Identifier: MIT */
/*
 * desk.h - held calls on a desk, answered by a test when and in whatever order it wants
 *
 * Include after cmocka.h. One thread at a time.
 */
#ifndef TEST_DESK_H
#define TEST_DESK_H

#include <errno.h>

#include "ask.h"

enum { DESK_MAX = 8 };

struct desk {
    jrpc_call *held[DESK_MAX]; /* by "hold", in order */
    size_t n_held;
    int returns; /* of the handler, after deferring */
    unsigned n_done;
    int done_status;
    bool is_wanted;
    char *answer; /* as it came to done; "" for silence */
};

static inline int run_hold(jrpc_call *call, void *user)
{
    struct desk *desk = user;

    assert_true(desk->n_held < DESK_MAX);
    assert_int_equal(jrpc_call_defer(call, &desk->held[desk->n_held]), 0);
    desk->n_held++;
    return desk->returns;
}

static inline int run_at_once(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "at once");
}

static const jrpc_method desk_methods[] = {
    JRPC_METHOD("hold", run_hold, NULL, NULL),
    JRPC_METHOD_FLAGS("hold_shortly", run_hold, NULL, NULL, 0, 3),
    JRPC_METHOD_FLAGS("hold_forever", run_hold, NULL, NULL, 0, -1),
    JRPC_METHOD("at_once", run_at_once, NULL, NULL),
    JRPC_METHOD_END,
};

static inline void clear_desk(struct desk *desk)
{
    free(desk->answer);
    *desk = (struct desk){.n_held = 0};
}

static inline void note_done(int status, jrpc_response *response, void *user)
{
    struct desk *desk = user;
    size_t len;
    const char *text = jrpc_response_text(response, &len);

    desk->n_done++;
    desk->done_status = status;
    assert_null(desk->answer);
    desk->answer = strdup(text);
    desk->is_wanted = jrpc_response_is_wanted(response);
    if (desk->is_wanted) {
        assert_null(answer_fault(text, len));
        assert_json_equal(jrpc_response_json(response), text);
    }
}

/* Dispatches without waiting; the text is gone when this returns. */
static inline void send_async(jrpc_service *service, int path, const char *sent, struct desk *desk,
                              jrpc_pending **out)
{
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    size_t len = strlen(sent);
    char *text = malloc(len);

    assert_non_null(text);
    memcpy(text, sent, len);
    options.codec = path_codec(path);
    options.done = note_done;
    options.user = desk;
    assert_int_equal(jrpc_dispatch_async(service, text, len, &options, out), 0);
    explicit_bzero(text, len); /* which no compiler leaves out */
    free(text);
}

/* done was called once, with this; "" is silence. */
#define assert_done(desk, expected) check_done((desk), (expected), __FILE__, __LINE__)

static inline void check_done(const struct desk *desk, const char *expected, const char *file,
                              int line)
{
    _assert_int_equal(desk->n_done, 1, file, line);
    _assert_int_equal((unsigned long)desk->done_status, 0, file, line);
    if (!*expected) {
        _assert_int_equal(desk->is_wanted, false, file, line);
        return;
    }
    json_t *value = value_of(desk->answer);
    check_json(value, expected, file, line);
    json_decref(value);
}

#define HOLD(id) "{\"jsonrpc\":\"2.0\",\"method\":\"hold\",\"params\":[" id "],\"id\":" id "}"
#define RESULT(result, id) "{\"jsonrpc\":\"2.0\",\"result\":" result ",\"id\":" id "}"
#define ERROR(code, message, id)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" #code ",\"message\":\"" message "\"},\"id\":" id "}"
#define CANCELLED(id) ERROR(-32800, "Request cancelled", id)
#define TIMED_OUT(id) ERROR(-32001, "Timed out", id)
#define INTERNAL(id) ERROR(-32603, "Internal error", id)

#endif
