/* SPDX-License-Identifier: MIT */
/*
 * zmq_socket.h - a ZeroMQ socket: from a URL to a bound socket and its end
 *
 * Sockets are czmq's, in czmq's context, so that inproc and its authentication reach them; what
 * goes through them is handled by libzmq, for czmq ends the process when memory is out.
 */
#ifndef JRI_ZMQ_SOCKET_H
#define JRI_ZMQ_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jrpc/transport.h>

#include "zmq_curve.h"

typedef struct jri_zmq_options {
    bool is_rep, is_connecting, is_ipc, is_inproc, is_ws, has_ipv6;
    unsigned mode; /* of an ipc socket */
    ino_t inode;   /* the same; 0: there is none to be removed */
    int send_max, receive_max;
    int heartbeat_ms;                                /* 0: none */
    char *endpoint;                                  /* as libzmq wants it */
    char shown[sizeof(((jrpc_problem *)0)->source)]; /* the URL without its options */
    jri_zmq_curve *curve;
} jri_zmq_options;

typedef struct jri_zmq_socket {
    void *owned;  /* czmq's; NULL: none */
    void *socket; /* libzmq's, within it */
} jri_zmq_socket;

/* Reads a URL. 0, or negative errno with @problem filled in; free them in any case. */
int jri_zmq_options_read(const jrpc_url *url, jri_zmq_options *options, jrpc_problem *problem);
void jri_zmq_options_free(jri_zmq_options *options);

/* 0; -ENOMEM, -EMFILE … */
int jri_zmq_socket_open(int type, jri_zmq_socket *socket);
void jri_zmq_socket_close(jri_zmq_socket *socket);

/* Bytes that a frame may have: who sends a larger one is hung up on, so that a message that is
 * merely too large can be answered there is room above message_max. */
int64_t jri_zmq_frame_max(const jrpc_listener *owner);

/* Everything that must be set before it is bound. */
int jri_zmq_socket_set(const jri_zmq_socket *socket, const jri_zmq_options *options,
                       jrpc_listener *owner);

/* Binds or connects. 0, or negative errno with the reason in @problem. */
int jri_zmq_socket_begin(const jri_zmq_socket *socket, jri_zmq_options *options,
                         jrpc_problem *problem);

/* libzmq leaves the file of an ipc socket behind. */
void jri_zmq_socket_remove(const jri_zmq_options *options);

/* The endpoint that it is bound to; size: at least 256. */
int jri_zmq_socket_endpoint(const jri_zmq_socket *socket, char *to, size_t size);

int jri_zmq_socket_set_int(const jri_zmq_socket *socket, int option, int value);

/* -1: it cannot be asked. */
int jri_zmq_socket_ask(const jri_zmq_socket *socket, int option);

#endif
