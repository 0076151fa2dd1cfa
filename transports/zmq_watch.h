/* SPDX-License-Identifier: MIT */
/*
 * zmq_watch.h - what libzmq holds of messages that have not come to their end
 *
 * A message is read from libzmq when it is whole; until then libzmq keeps its frames, however many.
 * So the bytes that each connection has brought are compared with those that came out as messages,
 * and who has too many in between is hung up on, which makes libzmq throw them away.
 */
#ifndef JRI_ZMQ_WATCH_H
#define JRI_ZMQ_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "zmq_kernel.h"

struct jri_zmq_listener;

/* A connection. All counts are of bytes since its beginning. */
typedef struct jri_zmq_watched {
    jri_zmq_line line;
    bool is_open;
    bool is_heard; /* a message of it was read since it was marked */
    uint64_t n_taken;
    uint64_t n_done;  /* so many of them are messages that were read, or before such */
    uint64_t n_floor; /* the next message that is read ends behind that */
    uint64_t n_marked, marked_round;
    uint64_t n_part; /* those of a message without end, by all that is known */
    uint64_t n_news; /* of them, in this pass */
    uint64_t weight; /* theirs, in bytes of memory */
    uint64_t heard_ms;
} jri_zmq_watched;

typedef struct jri_zmq_watch {
    jri_zmq_watched *by_fd;
    size_t cap, n_open;
    size_t next_fd;           /* a pass over all goes on there */
    uint64_t round;           /* two later all that was whole has been read */
    size_t n_read;            /* messages of this one */
    uint64_t n_taken, n_news; /* bytes in this pass, of all */
    uint64_t memory, n_grown; /* at the end of the last one, and since the one before */
    uint64_t memory_before;   /* there were connections */
    bool is_hasty;            /* much came in the last pass */
    uv_timer_t timer;
} jri_zmq_watch;

/* Connections, as the monitor tells of them. One that cannot be watched for want of memory is not.
 */
void jri_zmq_watch_opened(struct jri_zmq_listener *listener, int fd);
void jri_zmq_watch_closed(struct jri_zmq_listener *listener, int fd);

/* A message of that many bytes was read; -1: it is not known from which connection. */
static inline void jri_zmq_watch_heard(jri_zmq_watch *watch, int fd, size_t len)
{
    watch->n_read++;
    if (fd < 0 || (size_t)fd >= watch->cap)
        return;
    jri_zmq_watched *at = &watch->by_fd[fd];
    at->is_heard = true;
    at->n_done = at->n_done + len > at->n_floor ? at->n_done + len : at->n_floor;
}

/* There is no message left to be read. */
static inline void jri_zmq_watch_drained(jri_zmq_watch *watch)
{
    watch->round += 2;
    watch->n_read = 0;
}

void jri_zmq_watch_fini(jri_zmq_watch *watch);

#endif
