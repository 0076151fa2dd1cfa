/* SPDX-License-Identifier: MIT */
/*
 * zmq.h - for programs that use ZeroMQ themselves beside zmq+…: endpoints
 *
 * Only in builds with ZeroMQ; not in jrpc.h.
 */
#ifndef JRPC_ZMQ_H
#define JRPC_ZMQ_H

#include <jrpc/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * jrpc_zmq_context() - the ZeroMQ context of all our sockets, for zmq_socket()
 *
 * It is czmq's, so czmq's own functions reach it as well; it is made by whoever needs it first,
 * without czmq's signal handlers. Sockets made by others than czmq must be closed before the
 * program exits: czmq ends the context then, and that waits for them. It does not survive fork().
 *
 * Threads: any. Return: borrowed, to the end of the program; NULL if it cannot be made.
 */
JRPC_API void *jrpc_zmq_context(void);

#ifdef __cplusplus
}
#endif

#endif
