/* SPDX-License-Identifier: MIT */
/*
 * builtin.h - the transports compiled in
 */
#ifndef JRI_BUILTIN_H
#define JRI_BUILTIN_H

#include <jrpc/transport.h>

extern const jrpc_transport jri_stdio_transport;  /* stdio.c */
extern const jrpc_transport jri_stream_transport; /* stream.c */
extern const jrpc_transport jri_zmq_transport;    /* zmq.c, in builds with ZeroMQ */
extern const jrpc_transport jri_web_transport;    /* web.c, in builds with libwebsockets */

extern const jrpc_transport *const jri_builtin_transports[]; /* ended by NULL */

#endif
