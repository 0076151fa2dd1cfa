/* SPDX-License-Identifier: MIT */
/*
 * zmq_socket.c - czmq's context, and sockets in it
 */
#include "zmq_socket.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ZSOCK_NOCHECK /* no table of all sockets and the lines that made them */
#include <czmq.h>

#include <jrpc/zmq.h>

enum {
    HANDSHAKE_MS = 5000,
    BACKLOG = 1024,
    HOST_SIZE = 64,
    FRAME_SPARE = 64 * 1024,
    /* Hosts that are gone without a word are missed after half a minute, by the kernel, which costs
     * nothing per message; a heartbeat of libzmq's would, and a peer may not know it. */
    KEEPALIVE_IDLE_S = 10,
    KEEPALIVE_EVERY_S = 5,
    KEEPALIVE_TRIES = 4,
    /* With something unsent there is no keep-alive. It counts a living peer's full window as well:
     * who takes nothing for so long is gone, too. */
    UNSENT_MS = 120000,
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *context;

static void make_context(void)
{
    zsys_handler_set(NULL); /* signals are the program's */
    context = zsys_init();
}

void *jrpc_zmq_context(void)
{
    pthread_once(&once, make_context);
    return context;
}

int jri_zmq_socket_open(int type, jri_zmq_socket *out)
{
    if (!jrpc_zmq_context())
        return -ENOMEM;
    errno = 0;
    zsock_t *owned = zsock_new(type);
    if (!owned)
        return errno ? -errno : -ENOMEM;
    out->owned = owned;
    out->socket = zsock_resolve(owned);
    return 0;
}

void jri_zmq_socket_close(jri_zmq_socket *socket)
{
    zsock_t *owned = socket->owned;

    zsock_destroy(&owned);
    *socket = (jri_zmq_socket){0};
}

int jri_zmq_socket_set_int(const jri_zmq_socket *socket, int option, int value)
{
    return zmq_setsockopt(socket->socket, option, &value, sizeof(value)) ? -errno : 0;
}

int jri_zmq_socket_ask(const jri_zmq_socket *socket, int option)
{
    int value = -1;
    size_t size = sizeof(value);

    return zmq_getsockopt(socket->socket, option, &value, &size) ? -1 : value;
}

static int set_all(const jri_zmq_socket *socket, const int (*rows)[2], size_t n_rows)
{
    int status = 0;

    for (size_t i = 0; i < n_rows && !status; i++)
        status = jri_zmq_socket_set_int(socket, rows[i][0], rows[i][1]);
    return status;
}

int64_t jri_zmq_frame_max(const jrpc_listener *owner)
{
    return 2 * jrpc_listener_limit(owner, "message_max") + FRAME_SPARE;
}

int jri_zmq_socket_set(const jri_zmq_socket *socket, const jri_zmq_options *options,
                       jrpc_listener *owner)
{
    int64_t frame_max = jri_zmq_frame_max(owner);
    const int rows[][2] = {
        {ZMQ_SNDHWM, options->send_max},
        {ZMQ_RCVHWM, options->receive_max},
        {ZMQ_LINGER, 0},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_BACKLOG, BACKLOG},
        {ZMQ_IPV6, options->has_ipv6},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S},
        {ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_EVERY_S},
        {ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_TRIES},
        {ZMQ_TCP_MAXRT, UNSENT_MS},
        {ZMQ_HEARTBEAT_IVL, options->heartbeat_ms},
        {ZMQ_HEARTBEAT_TIMEOUT, 3 * options->heartbeat_ms},
        {ZMQ_HEARTBEAT_TTL, 3 * options->heartbeat_ms},
    };
    int status = set_all(socket, rows, sizeof(rows) / sizeof(*rows));

    if (!status && zmq_setsockopt(socket->socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof(frame_max)))
        status = -errno;
    if (!status && !options->is_rep)
        status = jri_zmq_socket_set_int(socket, ZMQ_ROUTER_MANDATORY, 1);
    return status;
}

/*
 * Binding and connecting
 */

/* libzmq binds to addresses and interfaces, not to names of hosts: these are looked up here. */
static char *resolve(const char *endpoint)
{
    const char *host = strstr(endpoint, "://") + 3, *port = strchr(host, ':');
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    char name[256], number[HOST_SIZE], *resolved;

    if (*host == '[' || *host == '*' || (size_t)(port - host) >= sizeof(name))
        return strdup(endpoint);
    snprintf(name, sizeof(name), "%.*s", (int)(port - host), host);
    if (getaddrinfo(name, NULL, &hints, &found))
        return strdup(endpoint); /* maybe an interface */
    int status = getnameinfo(found->ai_addr, found->ai_addrlen, number, sizeof(number), NULL, 0,
                             NI_NUMERICHOST);
    freeaddrinfo(found);
    if (status)
        return strdup(endpoint);
    if (asprintf(&resolved, "%.*s%s%s", (int)(host - endpoint), endpoint, number, port) < 0)
        return NULL;
    return resolved;
}

/* libzmq would take the path away from whoever listens there, and whatever else is there. */
static int check_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat about;

    if (*path == '@' || lstat(path, &about))
        return 0;
    if (!S_ISSOCK(about.st_mode))
        return -EEXIST;
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int status = connect(fd, (const struct sockaddr *)&address, sizeof(address));
    bool is_taken = !status || errno == EAGAIN;
    close(fd);
    return is_taken ? -EADDRINUSE : 0;
}

static const char *path_of(const jri_zmq_options *options)
{
    return strstr(options->endpoint, "://") + 3;
}

static int bind_path(const jri_zmq_socket *socket, jri_zmq_options *options)
{
    struct stat about;
    int status = check_path(path_of(options));
    if (status)
        return status;

    /* There is no moment at which more may connect than shall. */
    mode_t old = umask(0777 & ~options->mode);
    status = zmq_bind(socket->socket, options->endpoint) ? -errno : 0;
    umask(old);
    if (!status && *path_of(options) != '@' && !lstat(path_of(options), &about))
        options->inode = about.st_ino;
    return status;
}

void jri_zmq_socket_remove(const jri_zmq_options *options)
{
    struct stat about;

    /* Unless it is another's by now. */
    if (options->inode && !lstat(path_of(options), &about) && about.st_ino == options->inode)
        unlink(path_of(options));
}

static int bind_host(const jri_zmq_socket *socket, const jri_zmq_options *options)
{
    char *endpoint = resolve(options->endpoint);
    if (!endpoint)
        return -ENOMEM;

    int status = zmq_bind(socket->socket, endpoint) ? -errno : 0;
    free(endpoint);
    return status;
}

int jri_zmq_socket_begin(const jri_zmq_socket *socket, jri_zmq_options *options,
                         jrpc_problem *problem)
{
    int status;

    if (options->is_connecting)
        status = zmq_connect(socket->socket, options->endpoint) ? -errno : 0;
    else if (options->is_ipc)
        status = bind_path(socket, options);
    else if (options->is_inproc)
        status = zmq_bind(socket->socket, options->endpoint) ? -errno : 0;
    else
        status = bind_host(socket, options);
    if (status)
        snprintf(problem->text, sizeof(problem->text), "%s: %s",
                 options->is_connecting ? "connecting" : "binding",
                 status == -ENODEV ? "no such address or interface" : zmq_strerror(-status));
    return status;
}

int jri_zmq_socket_endpoint(const jri_zmq_socket *socket, char *to, size_t size)
{
    return zmq_getsockopt(socket->socket, ZMQ_LAST_ENDPOINT, to, &size) ? -errno : 0;
}
