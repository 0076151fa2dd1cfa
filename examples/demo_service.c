/* SPDX-License-Identifier: MIT */
/*
 * demo_service.c - a method for everything that a peer may want to see
 *
 * Results and failures of all kinds; calls that are answered later by a timer on the loop, that
 * keep a worker busy, and that push notifications to their caller.
 */
#include "demo_service.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <uv.h>

/*
 * Answered at once
 */

static int ping(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "pong");
}

static bool is_integer(const jrpc_call *call, size_t i)
{
    return jrpc_arg_type(call, i) == JRPC_INTEGER;
}

/* Integers stay integers, also beyond 2^53, unless the difference is beyond int64. */
static int subtract(jrpc_call *call, void *user)
{
    int64_t difference;

    (void)user;
    if (is_integer(call, 0) && is_integer(call, 1) &&
        !__builtin_sub_overflow(jrpc_arg_integer(call, 0), jrpc_arg_integer(call, 1), &difference))
        return jrpc_reply_integer(call, difference);
    return jrpc_reply_number(call, jrpc_arg_number(call, 0) - jrpc_arg_number(call, 1));
}

/* The same for any number of them. */
static int sum(jrpc_call *call, void *user)
{
    bool is_exact = true;
    int64_t total = 0;
    double about = 0;

    (void)user;
    for (size_t i = 0; i < jrpc_arg_count(call); i++) {
        about += jrpc_arg_number(call, i);
        is_exact = is_exact && is_integer(call, i) &&
                   !__builtin_add_overflow(total, jrpc_arg_integer(call, i), &total);
    }
    return is_exact ? jrpc_reply_integer(call, total) : jrpc_reply_number(call, about);
}

static int get_data(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_pack(call, "[s, i]", "hello", 5);
}

static int update(jrpc_call *call, void *user)
{
    (void)call, (void)user;
    return 0;
}

static int fruits(jrpc_call *call, void *user)
{
    static const struct {
        const char *color, *fruits[2];
    } rows[] = {
        {"red", {"apple", "cherry"}},
        {"orange", {"mandarin", "persimmon"}},
        {"yellow", {"banana", "lemon"}},
    };
    const char *color = jrpc_arg_string(call, 0, /* len */ NULL);

    (void)user;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!strcmp(rows[i].color, color))
            return jrpc_reply_pack(call, "[s, s]", rows[i].fruits[0], rows[i].fruits[1]);
    return jrpc_fail(call, JRPC_INVALID_PARAMS, "No fruits of that colour");
}

static int api_fail(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_fail(call, DEMO_FAILED, "Can't fulfill the request");
}

static int api_fail_data(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_fail_data(call, DEMO_QUOTA, "Quota exceeded",
                          json_pack("{s:i, s:i}", "limit", 10, "used", 11));
}

/* Its own failure, of which the peer learns no more than that there was one. */
static int crash(jrpc_call *call, void *user)
{
    (void)call, (void)user;
    return -EIO;
}

static int echo(jrpc_call *call, void *user)
{
    size_t len;
    const char *params = jrpc_call_params_raw(call, &len);

    (void)user;
    if (params)
        return jrpc_reply_raw(call, params, len);
    if (jrpc_arg_count(call))
        return -ENOMEM;
    return jrpc_reply_raw(call, "[]", 2);
}

static int get_user_name(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_pack(call, "{s:I, s:s}", "user_id", (json_int_t)jrpc_arg_integer(call, 0),
                           "first_name", jrpc_arg_string(call, 1, /* len */ NULL));
}

/*
 * On a worker
 */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int work(jrpc_call *call, void *user)
{
    int64_t ms = jrpc_arg_integer(call, 0), start = now_ms();

    (void)user;
    while (now_ms() - start < ms)
        if (jrpc_call_is_cancelled(call))
            return -ECANCELED;
    return jrpc_reply_integer(call, ms);
}

/*
 * Later, by a timer on the loop
 */

/* A call that waits, in the memory of its call. */
struct waiting {
    uv_timer_t timer;
    jrpc_call *held;
    int64_t n_done, count, ms;
};

static void timer_closed(uv_handle_t *handle)
{
    struct waiting *waiting = handle->data;

    jrpc_call_free(waiting->held); /* and the timer with it */
}

static void end_waiting(struct waiting *waiting)
{
    if (!uv_is_closing((uv_handle_t *)&waiting->timer))
        uv_close((uv_handle_t *)&waiting->timer, timer_closed);
}

static void cancelled(jrpc_call *held, void *user)
{
    (void)held;
    end_waiting(user);
}

/* Defers the call, and calls @timed after @ms. */
static int wait_ms(jrpc_call *call, uv_loop_t *loop, int64_t ms, uv_timer_cb timed, int64_t count)
{
    jrpc_call *held;

    int status = jrpc_call_defer(call, &held);
    if (status)
        return status;
    struct waiting *waiting = jrpc_call_alloc(held, sizeof(*waiting));
    if (!waiting) {
        jrpc_call_free(held); /* unanswered: an Internal error */
        return 0;
    }
    waiting->held = held;
    waiting->n_done = 0;
    waiting->count = count;
    waiting->ms = ms;
    uv_timer_init(loop, &waiting->timer);
    waiting->timer.data = waiting;
    uv_update_time(loop); /* the loop's clock stands still while a handler runs */
    uv_timer_start(&waiting->timer, timed, (uint64_t)ms, /* once */ 0);
    jrpc_call_on_cancelled(held, cancelled, waiting);
    return 0;
}

static void slow_timed(uv_timer_t *timer)
{
    struct waiting *waiting = timer->data;

    jrpc_reply_integer(waiting->held, waiting->ms);
    end_waiting(waiting);
}

static int slow(jrpc_call *call, void *user)
{
    int64_t ms = jrpc_arg_integer(call, 0);

    if (ms < 0)
        return jrpc_fail(call, JRPC_INVALID_PARAMS, "ms is negative");
    return wait_ms(call, user, ms, slow_timed, /* count */ 0);
}

/* One more, unless the peer is slow to read: then the same one again. */
static void tick(uv_timer_t *timer)
{
    struct waiting *waiting = timer->data;
    jrpc_peer *peer = jrpc_call_peer(waiting->held);
    int status = 0;

    if (waiting->n_done < waiting->count) {
        status = jrpc_peer_notify(peer, "tick",
                                  json_pack("{s:I, s:I}", "n", (json_int_t)waiting->n_done + 1,
                                            "count", (json_int_t)waiting->count));
        waiting->n_done += !status;
    }
    if ((!status || status == -EAGAIN) && waiting->n_done < waiting->count) {
        /* Never 0: libuv would call us again before it does anything else. */
        uv_timer_start(timer, tick, (uint64_t)(waiting->ms ? waiting->ms : 1), /* once */ 0);
        return;
    }
    if (!status)
        jrpc_reply_integer(waiting->held, waiting->n_done);
    end_waiting(waiting); /* unanswered: the peer is gone */
}

/* Answered behind the last tick, so that a peer that has sent all it will still gets them. */
static int notify_me(jrpc_call *call, void *user)
{
    int64_t count = jrpc_arg_integer(call, 0), every_ms = jrpc_arg_integer(call, 1);

    if (count < 0 || every_ms < 0)
        return jrpc_fail(call, JRPC_INVALID_PARAMS, "count or every_ms is negative");
    if (!jrpc_peer_has_push(jrpc_call_peer(call)))
        return jrpc_fail(call, DEMO_NO_PUSH, "This peer cannot be sent notifications");
    return wait_ms(call, user, every_ms, tick, count);
}

static const jrpc_method methods[] = {
    JRPC_METHOD("ping", ping, "-> string", "Answers pong."),
    JRPC_METHOD("subtract", subtract, "minuend: number, subtrahend: number -> number",
                "The difference of two numbers."),
    JRPC_METHOD("sum", sum, "*numbers: number -> number", "The sum of any number of numbers."),
    JRPC_METHOD("get_data", get_data, "-> array", "A text and a number."),
    JRPC_METHOD("update", update, "*values: any -> null", "Takes anything, answers nothing."),
    JRPC_METHOD("fruits", fruits, "color: string -> array",
                "Fruits of a colour: red, orange or yellow."),
    JRPC_METHOD("api_fail", api_fail, "", "Fails with an error of its own."),
    JRPC_METHOD("api_fail_data", api_fail_data, "", "Fails with an error and data."),
    JRPC_METHOD("crash", crash, "", "Fails without an answer."),
    JRPC_METHOD("echo", echo, NULL, "Answers its params."),
    JRPC_METHOD("get_user_name", get_user_name,
                "user_id: integer, first_name: string = \"Ada\" -> object",
                "Answers its arguments, one of which has a default."),
    JRPC_METHOD("slow", slow, "ms: integer -> integer",
                "Waits that many milliseconds; other calls go on."),
    JRPC_METHOD_FLAGS("work", work, "ms: integer -> integer",
                      "Keeps a worker busy for that many milliseconds.", JRPC_BLOCKING,
                      /* timeout_ms */ 0),
    JRPC_METHOD_FLAGS("notify_me", notify_me, "count: integer, every_ms: integer -> integer",
                      "Sends the caller so many notifications `tick`, then answers their number.",
                      /* flags */ 0, /* timeout_ms */ -1),
    JRPC_METHOD_END,
};

int demo_service_add(jrpc_service *service, struct uv_loop_s *loop)
{
    return jrpc_service_add_table(service, methods, loop);
}
