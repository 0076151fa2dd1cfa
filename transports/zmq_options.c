/* SPDX-License-Identifier: MIT */
/*
 * zmq_options.c - from the URL of a ZeroMQ endpoint to what libzmq is told
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zmq_socket.h"

enum {
    HEARTBEAT_MAX = 3600 * 1000,
    HWM_DEFAULT = 1000, /* libzmq's own */
    MODE = 0600,
};

/* What stands behind "zmq+" in the scheme. */
static const char *protocol_of(const jrpc_url *url)
{
    return url->scheme + strlen("zmq+");
}

static int read_options(const jrpc_url *url, jri_zmq_options *options, jrpc_problem *problem)
{
    static const char *const known[] = {
        "socket", "connect", "sndhwm", "rcvhwm", "heartbeat_ms", "mode", JRI_ZMQ_CURVE_OPTIONS,
        NULL};
    const jrpc_url_range hwm = {1, 1000000}, beat = {0, HEARTBEAT_MAX};
    int64_t send_max = HWM_DEFAULT, receive_max = HWM_DEFAULT, heartbeat_ms = 0;
    int type = 0;

    options->mode = MODE;
    int status = jrpc_url_choice(url, "socket", "router|rep", &type, problem);
    if (!status)
        status = jrpc_url_boolean(url, "connect", &options->is_connecting, problem);
    if (!status)
        status = jrpc_url_integer(url, "sndhwm", hwm, &send_max, problem);
    if (!status)
        status = jrpc_url_integer(url, "rcvhwm", hwm, &receive_max, problem);
    /* On a WebSocket libzmq 4.3.4 aborts when a peer without a mechanism is due a heartbeat. */
    if (!status && !options->is_ws)
        status = jrpc_url_integer(url, "heartbeat_ms", beat, &heartbeat_ms, problem);
    if (!status && options->is_ipc && !options->is_connecting)
        status = jrpc_url_mode(url, "mode", &options->mode, problem);
    if (!status)
        status = jri_zmq_curve_open(url, problem, &options->curve);
    options->is_rep = type == 1;
    options->send_max = (int)send_max;
    options->receive_max = (int)receive_max;
    options->heartbeat_ms = (int)heartbeat_ms;
    return status ? status : jrpc_url_check(url, known, problem);
}

static int refuse_wss(const jrpc_url *url, jrpc_problem *problem)
{
    jrpc_url_fault(url, /* column */ 1, problem,
                   "this ZeroMQ has no encrypted WebSockets; zmq+tcp has CURVE, wss:// has TLS");
    problem->code = -ENOTSUP;
    return -ENOTSUP;
}

/* tcp and ws: a host and a port, and for ws a path. */
static int read_host(const jrpc_url *url, jri_zmq_options *options, jrpc_problem *problem)
{
    int column = (int)strlen(url->scheme) + 4;

    if (!url->host || !url->has_port)
        return jrpc_url_fault(url, column, problem, "expected a host and a port, as in %s://%s",
                              url->scheme, "127.0.0.1:5555");
    if (*url->path && !options->is_ws)
        return jrpc_url_fault(url, column, problem, "a path has no meaning here");
    options->has_ipv6 = strchr(url->host, ':');
    const char *open = options->has_ipv6 ? "[" : "", *close = options->has_ipv6 ? "]" : "";
    int n = asprintf(&options->endpoint, "%s://%s%s%s:%u%s", protocol_of(url), open, url->host,
                     close, url->port, url->path);
    if (n < 0)
        options->endpoint = NULL;
    return n < 0 ? -ENOMEM : 0;
}

static int read_name(const jrpc_url *url, jri_zmq_options *options, jrpc_problem *problem)
{
    if (!*url->rest)
        return jrpc_url_fault(url, (int)strlen(url->scheme) + 4, problem, "expected a %s",
                              options->is_ipc ? "path" : "name");
    if (asprintf(&options->endpoint, "%s://%s", protocol_of(url), url->rest) < 0) {
        options->endpoint = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int read_endpoint(const jrpc_url *url, jri_zmq_options *options, jrpc_problem *problem)
{
    int status = options->is_ipc || options->is_inproc ? read_name(url, options, problem)
                                                       : read_host(url, options, problem);
    if (status)
        return status;
    if (options->is_connecting && url->has_port && !url->port)
        return jrpc_url_fault(url, /* column */ 0, problem, "there is no port 0 to connect to");
    if (options->is_connecting && options->is_rep)
        return jrpc_url_fault(url, /* column */ 0, problem, "connect=yes is for socket=router");
    return 0;
}

int jri_zmq_options_read(const jrpc_url *url, jri_zmq_options *options, jrpc_problem *problem)
{
    const char *protocol = protocol_of(url);
    jrpc_problem later;

    jrpc_url_fault(url, /* column */ 0, &later, "%s", ""); /* as faults of starting will show it */
    memcpy(options->shown, later.source, sizeof(options->shown));
    if (!strcmp(protocol, "wss"))
        return refuse_wss(url, problem);
    options->is_ipc = !strcmp(protocol, "ipc");
    options->is_inproc = !strcmp(protocol, "inproc");
    options->is_ws = !strcmp(protocol, "ws");
    int status = read_options(url, options, problem);
    return status ? status : read_endpoint(url, options, problem);
}

void jri_zmq_options_free(jri_zmq_options *options)
{
    jri_zmq_curve_free(options->curve);
    free(options->endpoint);
    *options = (jri_zmq_options){0};
}
