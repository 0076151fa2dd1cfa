/* SPDX-License-Identifier: MIT */
/*
 * web_socket.c - the socket that listens for connections, which libwebsockets then adopts
 *
 * It is ours and not libwebsockets', so that it can be closed while connections are still answered,
 * and so that a fault in it has an error number.
 */
#define _GNU_SOURCE
#include "web.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTED_AT_ONCE = 64 };

/* No descriptor is left: the one in reserve makes room to take the connection and hang up, else it
 * would be reported for ever. */
static void turn_away(jri_web_listener *listener)
{
    close(listener->spare_fd);
    int fd = accept(listener->place.fd, NULL, NULL);
    if (fd >= 0)
        close(fd);
    listener->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    jrpc_listener_log(listener->owner, /* peer */ NULL, JRPC_LOG_WARNING,
                      "no descriptor left for a connection, closing it");
}

static void accept_some(uv_poll_t *poll, int status, int events)
{
    jri_web_listener *listener = poll->data;
    int on = 1;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTED_AT_ONCE && listener->is_accepting; i++) {
        if (listener->n_strangers >= listener->handshakes_max) {
            listener->is_accepting = false; /* the others wait in the kernel's queue */
            uv_poll_stop(&listener->accept);
            return;
        }
        int fd = accept4(listener->place.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
            turn_away(listener);
            return;
        }
        if (fd < 0)
            return;
        if (!listener->place.is_unix)
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        jri_web_adopt(listener, fd);
    }
}

void jri_web_socket_accept(jri_web_listener *listener)
{
    if (listener->is_accepting || listener->is_stopped || !listener->is_open)
        return;
    listener->is_accepting = true;
    uv_poll_start(&listener->accept, UV_READABLE, accept_some);
}

int jri_web_socket_open(jri_web_listener *listener, const jrpc_url *url, uint16_t *port,
                        jrpc_problem *problem)
{
    const char *why;

    int status = jri_stream_listen(&listener->place, port, &why);
    if (status) {
        jrpc_url_fault(url, /* column */ 0, problem, "%s", why ? why : uv_strerror(status));
        problem->code = status;
        return status;
    }
    listener->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    uv_poll_init(listener->loop, &listener->accept, listener->place.fd);
    listener->accept.data = listener;
    listener->is_open = true;
    return 0;
}

void jri_web_socket_close(jri_web_listener *listener, uv_close_cb closed)
{
    if (!listener->is_open)
        return;
    listener->is_open = listener->is_accepting = false;
    uv_close((uv_handle_t *)&listener->accept, closed);
    jri_stream_unlisten(&listener->place);
    if (listener->spare_fd >= 0)
        close(listener->spare_fd);
    listener->spare_fd = -1;
}
