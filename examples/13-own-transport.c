/* SPDX-License-Identifier: MIT */
/*
 * 13-own-transport.c - a transport that the library does not have: packet:FD
 *
 * One message is one packet on a SOCK_SEQPACKET socket; there is nothing to frame. It is written
 * against jrpc/transport.h, as the library's own are, and has all that they have: limits,
 * back-pressure, notifications, draining.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <jrpc/jrpc.h>
#include <jrpc/transport.h>

enum { PACKET_MAX = 65536 };

/*
 * The transport: a listener has one peer, the socket's other end
 */

struct listener {
    jrpc_listener *owner;
    uv_loop_t *loop;
    int fd;
};

struct peer {
    uv_poll_t poll;
    struct listener *listener;
    jrpc_buf *out; /* the answer being written */
    int reason;
};

static int open_listener(void *state, const jrpc_url *url, struct uv_loop_s *loop,
                         jrpc_listener *owner, jrpc_problem *problem)
{
    struct listener *listener = state;

    listener->owner = owner;
    listener->loop = loop;
    if (sscanf(url->rest, "%d", &listener->fd) != 1)
        return jrpc_url_fault(url, /* column */ 8, problem, "expected a descriptor");
    return jrpc_url_check(url, /* known */ NULL, problem);
}

static void peer_closed(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    struct listener *listener = peer->listener;

    jrpc_buf_free(peer->out);
    jrpc_listener_close(listener->owner); /* there will be no other */
    jrpc_transport_closed(peer, peer->reason);
}

static void drop(void *state, int reason)
{
    struct peer *peer = state;

    peer->reason = reason;
    uv_close((uv_handle_t *)&peer->poll, peer_closed);
}

static void readable(uv_poll_t *poll, int status, int events)
{
    struct peer *peer = poll->data;
    char packet[PACKET_MAX];

    (void)events;
    ssize_t len = status ? 0 : recv(peer->listener->fd, packet, sizeof(packet), MSG_TRUNC);
    if (len > PACKET_MAX)
        jrpc_transport_failed(peer, /* exchange */ NULL, -EMSGSIZE, "packet too large");
    else if (len > 0)
        jrpc_transport_received(peer, /* exchange */ NULL, packet, (size_t)len);
    else if (len == 0 || errno != EAGAIN) {
        uv_poll_stop(poll);
        jrpc_transport_ended(peer); /* it is still answered */
    }
}

static void pause_reading(void *state, bool is_paused)
{
    struct peer *peer = state;

    if (is_paused)
        uv_poll_stop(&peer->poll);
    else
        uv_poll_start(&peer->poll, UV_READABLE, readable);
}

static int start_listener(void *state, jrpc_problem *problem)
{
    struct listener *listener = state;
    struct peer *peer;
    const jrpc_peer_info info = {.size = sizeof(info), .has_push = true};
    void *peer_state;

    (void)problem;
    int status = jrpc_transport_opened(listener->owner, &info, &peer_state);
    if (status)
        return status;
    peer = peer_state;
    peer->listener = listener;
    peer->poll.data = peer;
    status = jrpc_buf_new((size_t)jrpc_listener_limit(listener->owner, "reply_max"), &peer->out);
    if (!status)
        status = uv_poll_init(listener->loop, &peer->poll, listener->fd);
    if (status) {
        jrpc_buf_free(peer->out);
        jrpc_transport_closed(peer, status);
        return status;
    }
    pause_reading(peer, false);
    return 0;
}

static void stop_listener(void *state)
{
    (void)state; /* there are no new peers anyway */
}

static void close_listener(void *state)
{
    struct listener *listener = state;

    close(listener->fd);
    jrpc_listener_closed(listener->owner, 0);
}

static jrpc_buf *answer_begin(void *state, void *exchange)
{
    struct peer *peer = state;

    (void)exchange;
    jrpc_buf_truncate(peer->out, 0);
    return peer->out;
}

/* Sent at once. Who does not take it is dropped; a real transport would keep it for later. */
static int answer_end(void *state, void *exchange, jrpc_buf *buf, size_t start, int http_status)
{
    struct peer *peer = state;
    size_t len;
    const char *data = jrpc_buf_data(buf, &len);

    (void)exchange, (void)http_status;
    if (len == start)
        return 0; /* a notification's answer */
    if (send(peer->listener->fd, data + start, len - start, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return -errno;
    return 0;
}

static void flush(void *state)
{
    jrpc_transport_writable(state, /* unsent */ 0);
}

static const char *const schemes[] = {"packet", NULL};

static const jrpc_transport packet_transport = {
    .size = sizeof(jrpc_transport),
    .name = "packet",
    .schemes = schemes,
    .listener_size = sizeof(struct listener),
    .peer_size = sizeof(struct peer),
    .open = open_listener,
    .start = start_listener,
    .stop = stop_listener,
    .close = close_listener,
    .answer_begin = answer_begin,
    .answer_end = answer_end,
    .flush = flush,
    .pause = pause_reading,
    .drop = drop,
};

/*
 * The program: a service at one end of a socket, its client at the other
 */

static int shout(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_json(call, json_sprintf("%s!", jrpc_arg_string(call, 0, /* len */ NULL)));
}

static const jrpc_method shout_row =
    JRPC_METHOD("shout", shout, "text: string -> string", "Says it louder.");

static void ask(int fd, const char *request)
{
    char answer[256];

    ssize_t len = send(fd, request, strlen(request), MSG_NOSIGNAL);
    if (len > 0)
        len = recv(fd, answer, sizeof(answer), 0);
    printf("%.*s\n", len > 0 ? (int)len : 0, answer);
}

int main(void)
{
    jrpc_service *service = NULL;
    jrpc_server *server = NULL;
    int fds[2];
    char url[32];

    int status = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) ? -errno : 0;
    if (!status)
        status = jrpc_service_new(/* options */ NULL, &service);
    if (!status)
        status = jrpc_service_add(service, &shout_row, /* user */ NULL);
    if (!status)
        status = jrpc_server_new(/* options */ NULL, /* loop */ NULL, &server);
    if (!status)
        status = jrpc_server_add_transport(server, &packet_transport);
    if (!status) {
        snprintf(url, sizeof(url), "packet:%d", fds[0]);
        status = jrpc_server_listen(server, service, url, /* options */ NULL, /* out */ NULL);
    }
    if (!status)
        status = jrpc_server_start(server);
    if (!status) {
        ask(fds[1],
            "{\"jsonrpc\": \"2.0\", \"method\": \"shout\", \"params\": [\"hello\"], \"id\": 1}");
        ask(fds[1], "{\"jsonrpc\": \"2.0\",\n \"method\": \"whisper\", \"id\": 2}");
        close(fds[1]); /* the peer goes, with it the only listener, with it the server */
    }
    jrpc_server_free(server);
    jrpc_service_free(service);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
