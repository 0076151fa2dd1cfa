/* SPDX-License-Identifier: MIT */
/*
 * zmq_echo.c - servers of bare libzmq, to compare with
 *
 * Options are libzmq's defaults: no limits, nothing that watches peers. Only the queues are longer:
 * a ROUTER drops what a full one does not take, and with the default of 1,000 it may be full from
 * 500 unread answers on.
 */
#include "zmq_echo.h"

#include <stdbool.h>

#include <zmq.h>

#include "bench.h"
#include "naive_jansson.h"
#include "process.h"

enum { QUEUE_LENGTH = 10000 }; /* messages */

static void *listen_as(int type)
{
    const int length = QUEUE_LENGTH;
    char url[128];
    size_t size = sizeof(url);
    void *context = zmq_ctx_new();
    void *socket = context ? zmq_socket(context, type) : NULL;

    if (!socket || zmq_setsockopt(socket, ZMQ_SNDHWM, &length, sizeof(length)) ||
        zmq_bind(socket, "tcp://127.0.0.1:*") ||
        zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, url, &size))
        bench_fail("a server cannot listen: %s", zmq_strerror(zmq_errno()));
    process_ready(url, /* stop */ NULL, /* user */ NULL);
    return socket;
}

static void send_frame(void *socket, zmq_msg_t *frame, bool has_more)
{
    if (zmq_msg_send(frame, socket, has_more ? ZMQ_SNDMORE : 0) < 0)
        bench_fail("a server cannot send: %s", zmq_strerror(zmq_errno()));
}

/* Every frame goes back as it came. */
static void echo_frames(void *socket)
{
    zmq_msg_t frame;

    zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, socket, 0) >= 0)
        send_frame(socket, &frame, zmq_msg_more(&frame));
    bench_fail("a server cannot receive: %s", zmq_strerror(zmq_errno()));
}

void echo_rep(const void *user)
{
    (void)user;
    echo_frames(listen_as(ZMQ_REP));
}

void echo_router(const void *user)
{
    (void)user;
    echo_frames(listen_as(ZMQ_ROUTER));
}

void echo_router_polled(const void *user)
{
    zmq_pollitem_t item = {.socket = listen_as(ZMQ_ROUTER), .events = ZMQ_POLLIN};
    zmq_msg_t frame;

    (void)user;
    zmq_msg_init(&frame);
    while (zmq_poll(&item, 1, -1) >= 0)
        while (zmq_msg_recv(&frame, item.socket, ZMQ_DONTWAIT) >= 0)
            send_frame(item.socket, &frame, zmq_msg_more(&frame));
    bench_fail("a server cannot wait: %s", zmq_strerror(zmq_errno()));
}

void echo_router_jansson(const void *user)
{
    static char out[64 * 1024];
    void *socket = listen_as(ZMQ_ROUTER);
    zmq_msg_t frame;

    (void)user;
    zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, socket, 0) >= 0) {
        bool has_more = zmq_msg_more(&frame);
        if (has_more) {
            send_frame(socket, &frame, has_more);
            continue;
        }
        size_t len = naive_jansson(zmq_msg_data(&frame), zmq_msg_size(&frame), out, sizeof(out));
        if (zmq_send(socket, out, len, 0) < 0)
            bench_fail("a server cannot send: %s", zmq_strerror(zmq_errno()));
    }
    bench_fail("a server cannot receive: %s", zmq_strerror(zmq_errno()));
}
