/* SPDX-License-Identifier: MIT */
/*
 * zmq_watch.c - what libzmq holds of messages that have not come to their end
 *
 * A timer looks at the connections, some at a time; that costs calls nothing. What a connection has
 * brought and no message accounts for may be whole messages that wait to be read; so it is marked,
 * and judged when everything that was whole at that time has been read.
 *
 * Heartbeats account for bytes, too, and never become messages. A message that is read later shows
 * that they were none of it; for a client that sends none, some are forgiven as time goes by.
 */
#include "zmq_watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/service.h>

#include "zmq_listener.h"

enum {
    LOOK_MS = 50,
    HASTE_MS = 5, /* while much comes in */
    HASTE_BYTES = 1024 * 1024,
    LOOKS = 64,             /* connections in a turn of the loop */
    HASTE_LOOKS = 512,      /* when memory grows meanwhile */
    READ_AHEAD = 64 * 1024, /* libzmq reads less than that at a time; and frames have heads */
    FORGIVEN = 64,          /* bytes a second */
    WEIGHT_MAX = 32,        /* bytes of memory for one that was sent: an empty frame's 64 for 2 */
    ROUND_SPARE = 256,      /* messages: libzmq asks for news of its connections every 100 */
    CONNECTION_SIZE = 32 * 1024, /* bytes of memory for one that is idle */
    NAME_SIZE = 128,
};

static void ticked(uv_timer_t *timer);

static void wait_for_tick(jri_zmq_listener *listener)
{
    jri_zmq_watch *watch = &listener->watch;

    uv_timer_start(&watch->timer, ticked, watch->is_hasty ? HASTE_MS : LOOK_MS, /* once */ 0);
}

/*
 * Coming and going
 */

static bool has_room(jri_zmq_watch *watch, size_t fd)
{
    if (fd < watch->cap)
        return true;
    size_t cap = fd + 1 + watch->cap;
    jri_zmq_watched *by_fd = reallocarray(watch->by_fd, cap, sizeof(*by_fd));
    if (!by_fd)
        return false;
    memset(by_fd + watch->cap, 0, (cap - watch->cap) * sizeof(*by_fd));
    watch->by_fd = by_fd;
    watch->cap = cap;
    return true;
}

void jri_zmq_watch_opened(jri_zmq_listener *listener, int fd)
{
    jri_zmq_watch *watch = &listener->watch;
    jri_zmq_line line;

    jri_zmq_watch_closed(listener, fd);
    if (listener->is_closing || fd < 0 || !jri_zmq_line_init(&line, fd, listener->options.is_ipc) ||
        !has_room(watch, (size_t)fd))
        return;
    watch->by_fd[fd] = (jri_zmq_watched){.line = line,
                                         .is_open = true,
                                         .marked_round = watch->round,
                                         .heard_ms = uv_now(listener->loop)};
    if (!watch->n_open++) {
        watch->memory = watch->memory_before = jri_zmq_memory();
        watch->n_grown = 0;
        wait_for_tick(listener);
    }
}

void jri_zmq_watch_closed(jri_zmq_listener *listener, int fd)
{
    jri_zmq_watch *watch = &listener->watch;

    if (fd < 0 || (size_t)fd >= watch->cap || !watch->by_fd[fd].is_open)
        return;
    watch->by_fd[fd].is_open = false;
    if (!--watch->n_open && !listener->is_closing)
        uv_timer_stop(&watch->timer);
}

void jri_zmq_watch_fini(jri_zmq_watch *watch)
{
    free(watch->by_fd);
    watch->by_fd = NULL;
    watch->cap = 0;
}

/* The monitor will tell that it is gone, and the peer goes then. */
static void hang_up(jri_zmq_listener *listener, jri_zmq_watched *at, const char *what,
                    uint64_t limit)
{
    const jri_zmq_peers *peers = &listener->peers;
    size_t fd = (size_t)at->line.fd;
    jri_zmq_peer *peer = fd < peers->fd_cap ? peers->by_fd[fd] : NULL;
    char name[NAME_SIZE];

    jri_zmq_line_name(&at->line, name, sizeof(name));
    jrpc_listener_log(listener->owner, peer, JRPC_LOG_WARNING, "%s: %s %" PRIu64 ", hanging up",
                      name, what, limit);
    jri_zmq_line_hang_up(&at->line);
    jri_zmq_watch_closed(listener, at->line.fd);
}

/*
 * One connection
 */

/* What is left of a message that has not come to its end, now that all whole ones were read. */
static void find_part(jri_zmq_listener *listener, jri_zmq_watched *at)
{
    jri_zmq_watch *watch = &listener->watch;
    uint64_t limit = (uint64_t)jri_zmq_frame_max(listener->owner) + READ_AHEAD;
    uint64_t forgiven = (uv_now(listener->loop) - at->heard_ms) / 1000 * FORGIVEN;
    uint64_t n_part = at->n_marked > at->n_done ? at->n_marked - at->n_done : 0;

    if (n_part > limit + forgiven) {
        hang_up(listener, at, "a message without end is over", limit);
    } else if (n_part > at->n_part) {
        at->n_news += n_part - at->n_part;
        watch->n_news += n_part - at->n_part;
        at->n_part = n_part;
    }
}

static void judge(jri_zmq_listener *listener, jri_zmq_watched *at)
{
    if (at->is_heard) {
        at->heard_ms = uv_now(listener->loop);
        at->n_part = at->n_news = at->weight = 0;
    } else {
        find_part(listener, at);
    }
    at->n_floor = at->n_marked;
    at->n_marked = at->n_taken;
    at->marked_round = listener->watch.round;
    at->is_heard = false;
}

static void look(jri_zmq_listener *listener, jri_zmq_watched *at)
{
    jri_zmq_watch *watch = &listener->watch;
    uint64_t n_before = at->n_taken, n_taken;

    if (!jri_zmq_line_taken(&at->line, &n_taken)) {
        jri_zmq_watch_closed(listener, at->line.fd);
        return;
    }
    at->n_taken = n_taken > n_before ? n_taken : n_before;
    if (at->n_done > at->n_taken)
        at->n_done = at->n_taken;
    watch->n_taken += at->n_taken - n_before;
    if (watch->round - at->marked_round >= 2)
        judge(listener, at);
}

/*
 * All of them
 */

/* Bytes of memory for one that has come: libzmq's thread took them before it was known that they
 * belong to no whole message, in the pass before. */
static uint64_t weigh_news(jri_zmq_watch *watch)
{
    uint64_t memory = jri_zmq_memory();
    uint64_t weight = watch->n_news ? watch->n_grown / watch->n_news : 1;

    watch->n_grown = memory > watch->memory ? memory - watch->memory : 0;
    watch->memory = memory;
    return weight < 1 ? 1 : weight < WEIGHT_MAX ? weight : WEIGHT_MAX;
}

/* Heartbeats look like parts of messages, but do not make the process grow. */
static bool has_grown_by(const jri_zmq_watch *watch, uint64_t n)
{
    return watch->memory > watch->memory_before + watch->n_open * CONNECTION_SIZE + n;
}

/* If all together are too much, the largest goes; and the next one after the next pass. */
static void end_pass(jri_zmq_listener *listener)
{
    jri_zmq_watch *watch = &listener->watch;
    uint64_t memory_max = (uint64_t)jrpc_listener_limit(listener->owner, "memory_max");
    uint64_t each = weigh_news(watch), total = 0;
    jri_zmq_watched *largest = NULL;

    for (size_t fd = 0; fd < watch->cap; fd++) {
        jri_zmq_watched *at = &watch->by_fd[fd];
        if (!at->is_open)
            continue;
        at->weight += at->n_news * each;
        at->n_news = 0;
        total += at->weight;
        if (!largest || at->weight > largest->weight)
            largest = at;
    }
    if (total > memory_max && has_grown_by(watch, memory_max))
        hang_up(listener, largest,
                "has the most of messages without end, which together are over memory_max",
                memory_max);
    watch->is_hasty = watch->n_taken > HASTE_BYTES;
    watch->n_news = watch->n_taken = 0;
    watch->next_fd = 0;
}

static void look_at_some(jri_zmq_listener *listener)
{
    jri_zmq_watch *watch = &listener->watch;

    if (watch->n_read > 2 * watch->n_open + ROUND_SPARE) {
        watch->round++;
        watch->n_read = 0;
    }
    bool has_grown = jri_zmq_memory() > watch->memory + HASTE_BYTES;
    int n_looks = has_grown ? HASTE_LOOKS : LOOKS;
    for (; n_looks && watch->next_fd < watch->cap; watch->next_fd++)
        if (watch->by_fd[watch->next_fd].is_open) {
            look(listener, &watch->by_fd[watch->next_fd]);
            n_looks--;
        }
    if (watch->next_fd >= watch->cap)
        end_pass(listener);
    else
        watch->is_hasty = has_grown; /* whoever it is may come later in this pass */
}

static void ticked(uv_timer_t *timer)
{
    jri_zmq_listener *listener = timer->data;

    jri_zmq_monitor_read(listener);
    jri_zmq_drain(listener); /* so that there is an end to what was whole, if nobody calls */
    if (listener->is_closing)
        return;
    look_at_some(listener);
    if (listener->watch.n_open)
        wait_for_tick(listener);
}
