/* SPDX-License-Identifier: MIT */
/*
 * builtin.c - the transports compiled in: the only place that knows which
 */
#include "builtin.h"

const jrpc_transport *const jri_builtin_transports[] = {
    &jri_stdio_transport,
    &jri_stream_transport,
#if JRPC_HAVE_ZMQ
    &jri_zmq_transport,
#endif
#if JRPC_HAVE_WEB
    &jri_web_transport,
#endif
    NULL,
};
