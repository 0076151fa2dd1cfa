/* SPDX-License-Identifier: MIT */
/*
 * zmq_monitor.c - which connections come and go, and when the socket is gone
 *
 * libzmq tells it by messages on a socket of its own: the event and a descriptor in one frame, the
 * endpoint in another. The descriptor is the same that ZMQ_SRCFD gives of a connection's messages.
 */
#include "zmq_listener.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <jrpc/service.h>

#include "../core/hash.h"

enum { EVENT_SIZE = 6 /* 16 bits of event, 32 of value */ };

/* Clients that CURVE has refused, and files that are no certificates. */
void jri_zmq_monitor_report(jri_zmq_listener *listener)
{
    char text[512];

    while (jri_zmq_curve_report(listener->options.curve, text, sizeof(text)))
        jrpc_listener_log(listener->owner, /* peer */ NULL, JRPC_LOG_WARNING, "%s", text);
}

static void handle_event(jri_zmq_listener *listener, const unsigned char *data)
{
    uint16_t event;
    int32_t value;

    memcpy(&event, data, sizeof(event));
    memcpy(&value, data + sizeof(event), sizeof(value));
    if (event == ZMQ_EVENT_ACCEPTED || event == ZMQ_EVENT_CONNECTED) {
        jri_zmq_watch_opened(listener, value);
    } else if (event == ZMQ_EVENT_DISCONNECTED) {
        jri_zmq_watch_closed(listener, value);
        jri_zmq_peers_vanish(listener, value);
    } else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
        jri_zmq_monitor_report(listener);
    } else if (event == ZMQ_EVENT_MONITOR_STOPPED) {
        jri_zmq_ended(listener);
    }
}

static void read_all(jri_zmq_listener *listener)
{
    zmq_msg_t frame;

    zmq_msg_init(&frame);
    while (listener->monitor.socket &&
           zmq_msg_recv(&frame, listener->monitor.socket, ZMQ_DONTWAIT) >= 0)
        if (zmq_msg_more(&frame) && zmq_msg_size(&frame) == EVENT_SIZE)
            handle_event(listener, zmq_msg_data(&frame));
    zmq_msg_close(&frame);
}

int jri_zmq_monitor_start(jri_zmq_listener *listener)
{
    int events = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED |
                 ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_MONITOR_STOPPED;
    char name[64];
    int status = jri_zmq_socket_open(ZMQ_PAIR, &listener->monitor);
    if (status)
        return status;

    /* No limit: libzmq's thread would wait until there is room, with all its connections. */
    status = jri_zmq_socket_set_int(&listener->monitor, ZMQ_RCVHWM, 0);
    if (status)
        return status;
    /* Not the listener's address: libzmq keeps a name for a while after its socket was closed. */
    snprintf(name, sizeof(name), "inproc://jrpc-monitor-%" PRIx64, jri_random_seed());
    if (zmq_socket_monitor(listener->socket.socket, name, events) ||
        zmq_connect(listener->monitor.socket, name))
        return -errno;
    listener->monitor_fd = jri_zmq_socket_ask(&listener->monitor, ZMQ_FD);
    read_all(listener); /* nothing yet, but only who found nothing is woken */
    return 0;
}

void jri_zmq_monitor_read(jri_zmq_listener *listener)
{
    struct pollfd news = {.fd = listener->monitor_fd, .events = POLLIN};

    /* It is always read to its end, so that its descriptor tells for certain. libzmq asks twice as
     * much of the kernel to say that there is nothing, and every call in lock-step comes by here
     * whose client has chosen its route. */
    if (listener->monitor.socket && poll(&news, 1, /* ms */ 0) > 0)
        read_all(listener);
}

/* First the one, then the other: libzmq's thread would wait for a reader. */
void jri_zmq_monitor_stop(jri_zmq_listener *listener)
{
    if (listener->socket.socket)
        zmq_socket_monitor(listener->socket.socket, /* address */ NULL, 0);
    jri_zmq_socket_close(&listener->monitor);
}
