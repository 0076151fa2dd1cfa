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
static void turn_away(jri_web_site *site)
{
    close(site->spare_fd);
    int fd = accept(site->place.fd, NULL, NULL);
    if (fd >= 0)
        close(fd);
    site->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    jrpc_listener_log(site->listeners->owner, /* peer */ NULL, JRPC_LOG_WARNING,
                      "no descriptor left for a connection, closing it");
}

static void accept_some(uv_poll_t *poll, int status, int events)
{
    jri_web_site *site = poll->data;
    int on = 1;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTED_AT_ONCE && site->is_accepting; i++) {
        if (site->n_strangers >= site->handshakes_max) {
            site->is_accepting = false; /* the others wait in the kernel's queue */
            uv_poll_stop(&site->accept);
            return;
        }
        int fd = accept4(site->place.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
            turn_away(site);
            return;
        }
        if (fd < 0)
            return;
        if (!site->place.is_unix)
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        jri_web_adopt(site, fd);
    }
}

void jri_web_socket_accept(jri_web_site *site)
{
    if (site->is_accepting || !site->is_open)
        return;
    site->is_accepting = true;
    uv_poll_start(&site->accept, UV_READABLE, accept_some);
}

int jri_web_socket_open(jri_web_site *site, const jrpc_url *url, jrpc_problem *problem)
{
    const char *why;

    int status = jri_stream_listen(&site->place, &site->port, &why);
    if (status) {
        jrpc_url_fault(url, /* column */ 0, problem, "%s", why ? why : uv_strerror(status));
        problem->code = status;
        return status;
    }
    site->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    uv_poll_init(site->loop, &site->accept, site->place.fd);
    site->accept.data = site;
    site->is_open = true;
    return 0;
}

void jri_web_socket_close(jri_web_site *site, uv_close_cb closed)
{
    if (!site->is_open)
        return;
    site->is_open = site->is_accepting = false;
    uv_close((uv_handle_t *)&site->accept, closed);
    jri_stream_unlisten(&site->place);
    if (site->spare_fd >= 0)
        close(site->spare_fd);
    site->spare_fd = -1;
}
